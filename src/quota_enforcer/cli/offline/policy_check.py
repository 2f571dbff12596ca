"""`policy check`: our offline checks of a policy document, and AWS's where it can be asked."""

from typing import TYPE_CHECKING, Annotated

import typer

from quota_enforcer.cli.terminal.errors import FAILED, explain
from quota_enforcer.cli.terminal.options import AsJson
from quota_enforcer.cli.terminal.output import hint, say, say_json
from quota_enforcer.core.policies.lint import Kind, documents_in, findings

if TYPE_CHECKING:
    from quota_enforcer.aws.iam.analyzer import Finding


def check(
    file: Annotated[
        typer.FileBinaryRead,
        typer.Argument(help="A policy document, or a JSON list of them; - for standard input."),
    ],
    kind: Annotated[Kind, typer.Option(help="What the document is for.")] = Kind.IDENTITY,
    profile: Annotated[
        str | None, typer.Option(help="The AWS profile, as for the AWS CLI.")
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(envvar=["AWS_REGION", "AWS_DEFAULT_REGION"], help="The AWS Region."),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Check a policy document: its form, its size, and grants that are too wide.

    With AWS credentials, IAM Access Analyzer validates it as well; its suggestions are shown
    and do not fail the check.

    Examples:
      quota-enforcer policy check allow.json
      quota-enforcer policy gate --user-id '*:bob' | quota-enforcer policy check - --kind boundary
    """
    text = file.read()
    found = findings(text, kind)
    asked = _ask_aws(text, kind, profile, region)
    for theirs in asked or ():
        if theirs.fails:
            found.append(str(theirs))
        else:
            hint(str(theirs))
    if as_json:
        say_json({"findings": found, "validated_by_aws": asked is not None})
    for finding in () if as_json else found:
        say(finding)
    if found:
        raise typer.Exit(FAILED)
    hint("Nothing found." if asked is not None else "Nothing found offline.")


def _ask_aws(
    text: bytes, kind: Kind, profile: str | None, region: str | None
) -> "list[Finding] | None":
    """What Access Analyzer finds; None where it could not be asked, which is said."""
    import boto3  # noqa: PLC0415 - help and completion must not wait for it
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - likewise

    from quota_enforcer.aws.iam.analyzer import AccessAnalyzer  # noqa: PLC0415 - likewise

    try:
        session = boto3.Session(profile_name=profile, region_name=region)
        if session.get_credentials() is None or session.region_name is None:
            hint("Not validated by AWS: there are no credentials, or no Region.")
            return None
        analyzer = AccessAnalyzer(session.client("accessanalyzer"))
        return [
            each for document in documents_in(text) for each in analyzer.findings(document, kind)
        ]
    except (BotoCoreError, ClientError) as error:
        hint(f"Not validated by AWS: {explain(error)}")
        return None
