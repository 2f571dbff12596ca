"""Finds the self-service function of a deployment and asks it, for `me`."""

from typing import TYPE_CHECKING, Any, Final

from quota_enforcer.cli.deployment import stack_outputs
from quota_enforcer.cli.terminal.errors import NoDeployment
from quota_enforcer.cli.terminal.options import Target
from quota_enforcer.core.errors import EnforcerError, NotThere
from quota_enforcer.core.policies.callers import asking
from quota_enforcer.core.policies.document import compact

if TYPE_CHECKING:
    import boto3

OUTPUT: Final = "MeUrl"
"""The stack's output that says where to ask."""


class MayNotAsk(EnforcerError):
    """IAM does not let the caller ask; says what an admin must grant."""


def ask(where: Target, url: str | None) -> dict[str, Any]:
    """What the function says of the caller, at this URL or at the one that the stack names."""
    import boto3  # noqa: PLC0415 - help and completion must not wait for it
    from botocore.exceptions import NoCredentialsError  # noqa: PLC0415 - likewise

    from quota_enforcer.aws.functions import function_url as self_service  # noqa: PLC0415 - likewise

    session = boto3.Session(profile_name=where.profile, region_name=where.region)
    credentials = session.get_credentials()
    if credentials is None:
        raise NoCredentialsError
    try:
        return self_service.ask(url or _found(session, where), credentials, session.region_name)
    except self_service.MayNotAsk as refusal:
        raise MayNotAsk(
            f"you may not ask ({refusal.words}). Have an administrator give you this policy, as "
            f"`quota-enforcer policy me` prints it: {compact(asking(where.stack))}"
        ) from refusal


def _found(session: "boto3.Session", where: Target) -> str:
    """The URL that the stack's output names; raises NotThere with what to do otherwise."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 - as boto3 above

    instead = (
        "give it with --url or QUOTA_ENFORCER_URL; administrators find it in the output "
        f"{OUTPUT} of stack {where.stack}"
    )
    try:
        found = stack_outputs(session, where.stack)
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
