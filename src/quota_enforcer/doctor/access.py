"""Why something could not be read, and how to be allowed to."""

from collections.abc import Sequence

from botocore.exceptions import ClientError

from quota_enforcer.cli.terminal.errors import action_refused, explain
from quota_enforcer.core.deployment import Settings
from quota_enforcer.doctor.finding import Finding, unchecked
from quota_enforcer.doctor.fixes import ATTACH


def access(settings: Settings) -> str:
    """What prints the policy that allows every check."""
    return f"quota-enforcer policy doctor --account {settings.account} --stack {settings.stack}"


def unmade(error: Exception, needs: Sequence[str], settings: Settings) -> Finding:
    """The finding that a check could not be made, and what to do about it."""
    what = f"could not check: {why(error, needs)}"
    seen = " ".join(str(error).split())
    if is_refusal(error):
        return unchecked(what, seen, access(settings), ATTACH)
    if explain(error) is None:
        return unchecked(what, seen, "report this as a defect of ours, with what was seen")
    return unchecked(what, seen, "quota-enforcer doctor", "once that is put right")


def is_refusal(error: Exception) -> bool:
    """Whether a permission is missing."""
    return isinstance(error, ClientError) and action_refused(error) is not None


def closed_by_the_organization(error: Exception) -> bool:
    """Whether it is a service control policy that refuses, which no policy of ours can allow.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
    """
    return is_refusal(error) and "service control policy" in str(error)


def why(error: Exception, needs: Sequence[str]) -> str:
    """In words; where a permission is missing it is named, from those that the check needs."""
    if isinstance(error, ClientError) and (action := action_refused(error)) is not None:
        named = [each for each in needs if each.rpartition(":")[2] == error.operation_name]
        return f"needs {action or ', '.join(named) or error.operation_name}"
    return explain(error) or f"{type(error).__name__}: {error}"
