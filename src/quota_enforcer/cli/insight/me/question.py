"""The self-service function, asked with the caller's own key."""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from quota_enforcer.cli.deployment.target import Target
from quota_enforcer.cli.terminal.errors import NoDeployment
from quota_enforcer.core.errors import NotThere
from quota_enforcer.core.policies.callers.self_service import asking
from quota_enforcer.core.policies.document import compact

if TYPE_CHECKING:
    import boto3
    from botocore.credentials import Credentials

OUTPUT: Final = "MeUrl"
"""The stack's output that says where to ask."""
URL: Final = "QUOTA_ENFORCER_URL"
Url = Annotated[
    str | None,
    typer.Option(envvar=URL, help=f"The stack's output {OUTPUT}. Default: read it there."),
]


def ask(where: Target, url: str | None, request: dict[str, str] | None = None) -> dict[str, Any]:
    """What the function says of the caller; with `request`, what it says to that."""
    session = session_of(where)
    return ask_as(session, credentials_of(session), where, url, request)


def session_of(where: Target) -> "boto3.Session":
    import boto3  # noqa: PLC0415 - help and completion must not wait for it

    return boto3.Session(profile_name=where.profile, region_name=where.region)


def credentials_of(session: "boto3.Session") -> "Credentials":
    """Raises NoCredentialsError, in which all commands say the same."""
    from botocore.exceptions import NoCredentialsError  # noqa: PLC0415 - as boto3 above

    credentials = session.get_credentials()
    if credentials is None:
        raise NoCredentialsError
    return credentials


def ask_as(
    session: "boto3.Session",
    credentials: "Credentials",
    where: Target,
    url: str | None,
    request: dict[str, str] | None = None,
) -> dict[str, Any]:
    """The same with credentials that are known already."""
    from quota_enforcer.aws.functions import function_url  # noqa: PLC0415 - as boto3 above

    try:
        return function_url.ask(
            url or _found(session, where), credentials, session.region_name, request
        )
    except function_url.MayNotAsk as refusal:
        raise function_url.MayNotAsk(
            f"you may not ask ({refusal}). Have an administrator give you this policy, as "
            f"`quota-enforcer policy me` prints it: {compact(asking(where.stack))}"
        ) from refusal


def _found(session: "boto3.Session", where: Target) -> str:
    """The URL that the stack's output names; raises NotThere with what to do otherwise."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 - as boto3 above

    from quota_enforcer.cli.deployment import by_stack  # noqa: PLC0415 - who gives the URL needs none

    instead = (
        f"give it with --url or {URL}; administrators find it in the output {OUTPUT} of stack "
        f"{where.stack}"
    )
    try:
        found = by_stack.stack_outputs(session, where.stack)
    except NoDeployment as error:
        raise NotThere(f"where to ask is not known: {error}; or {instead}") from error
    except ClientError as error:
        if "AccessDenied" not in error.response["Error"].get("Code", ""):
            raise
        raise NotThere(
            f"where to ask is not known, and you may not read stack {where.stack}: {instead}"
        ) from error
    if OUTPUT not in found:
        raise NotThere(
            f"stack {where.stack} has no output {OUTPUT}, so nobody can ask for their own usage: "
            "set its parameter SelfService to true and deploy again"
        )
    return found[OUTPUT]
