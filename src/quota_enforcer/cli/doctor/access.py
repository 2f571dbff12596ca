"""Why something could not be read, and how to be allowed to."""

from collections.abc import Sequence

from botocore.exceptions import ClientError

from quota_enforcer.cli.errors import action_refused, explain
from quota_enforcer.settings import Settings


def access(settings: Settings) -> str:
    """How to be allowed to run every check."""
    return (
        f"quota-enforcer policy doctor --account {settings.account} --stack {settings.stack} "
        "prints the policy to attach to yourself"
    )


def why(error: Exception, needs: Sequence[str]) -> str:
    """In words; where a permission is missing it is named, from those that the check needs."""
    if isinstance(error, ClientError) and (action := action_refused(error)) is not None:
        named = [each for each in needs if each.rpartition(":")[2] == error.operation_name]
        return f"needs {action or ', '.join(named) or error.operation_name}"
    return explain(error) or f"{type(error).__name__}: {error}"
