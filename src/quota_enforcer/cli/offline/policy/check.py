"""`policy check`: a policy document validated by AWS."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quota_enforcer.aws.iam.analyzer import AccessAnalyzer, PolicyKind
from quota_enforcer.cli.terminal.errors import FAILED, explain
from quota_enforcer.cli.terminal.options import AsJson, Profile, Region
from quota_enforcer.cli.terminal.output import fail, hint, say, say_json

if TYPE_CHECKING:
    from quota_enforcer.aws.iam.analyzer import AnalyzerFinding


def check(
    file: Annotated[
        typer.FileBinaryRead,
        typer.Argument(help="A policy document, or a JSON list of them; - for standard input."),
    ],
    kind: Annotated[PolicyKind, typer.Option(help="What the document is for.")] = (
        PolicyKind.IDENTITY
    ),
    profile: Profile = None,
    region: Region = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Have IAM Access Analyzer validate a policy document.

    It needs AWS credentials and a Region, but no deployment. Suggestions are
    shown and do not fail the check; if AWS cannot be asked, the check fails.

    Examples:
      quota-enforcer policy check allow.json
      quota-enforcer policy gate --user-id '*:bob' | quota-enforcer policy check - --kind boundary
    """
    documents, found = _read(file.read())
    asked = _ask_aws(documents, kind, profile, region) if documents else None
    for each in asked or ():
        if each.fails:
            found.append(str(each))
        else:
            hint(str(each))
    if as_json:
        say_json({"findings": found, "validated_by_aws": asked is not None})
    for finding in () if as_json else found:
        say(finding)
    if found or asked is None:
        raise typer.Exit(FAILED)
    hint("Nothing found.")


def _read(text: bytes) -> tuple[list[dict[str, Any]], list[str]]:
    """The documents in a file, and in words what else is in it."""
    try:
        read = json.loads(text)
    except (ValueError, RecursionError) as error:
        return [], [f"it is no JSON: {error}; give a policy document or a list of them"]
    several = read if isinstance(read, list) else [read]
    found = [
        f"{json.dumps(each)[:60]} is no policy document: expected an object"
        for each in several
        if not isinstance(each, dict)
    ]
    if not several:
        found.append("the list holds no policy document")
    return [each for each in several if isinstance(each, dict)], found


def _ask_aws(
    documents: Sequence[dict[str, Any]], kind: PolicyKind, profile: str | None, region: str | None
) -> "list[AnalyzerFinding] | None":
    """What Access Analyzer finds; None if it could not be asked, which is said."""
    import boto3  # noqa: PLC0415 - help and completion must not wait for it
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as above

    try:
        session = boto3.Session(profile_name=profile, region_name=region)
        if session.get_credentials() is None or session.region_name is None:
            fail(
                "not validated by AWS: there are no credentials, or no Region: sign in, for "
                "instance with `aws sso login`, and give --profile or --region"
            )
            return None
        analyzer = AccessAnalyzer(session.client("accessanalyzer"))
        return [each for document in documents for each in analyzer.findings(document, kind)]
    except (BotoCoreError, ClientError) as error:
        fail(f"not validated by AWS: {explain(error)}")
        return None
