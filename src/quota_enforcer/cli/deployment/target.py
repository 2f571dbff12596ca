"""Which deployment a command is for, before anybody has looked for it."""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from quota_enforcer.cli.deployment.deployment import Deployment

DEFAULT_STACK = "bedrock-quota"


class Target(NamedTuple):
    """Which deployment is meant, and with whose credentials."""

    stack: str
    profile: str | None
    region: str | None

    def find(self) -> "Deployment":
        """Raises NoDeployment, ConfigError or an error of boto3."""
        from quota_enforcer.cli.deployment import by_stack  # noqa: PLC0415 - many commands need none

        return by_stack.find(*self)
