"""The enforcer function, asked for something and waited for."""

from typing import TYPE_CHECKING, Any

from quota_enforcer.aws.functions.functions import ask
from quota_enforcer.core.errors import EnforcerError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class EnforcerRefused(EnforcerError):
    """The enforcer function ended in an error; the message is its own."""


class Enforcer:
    """One deployment's enforcer function.

    The client must be able to wait as long as the function may run: see `wait_for`.
    """

    def __init__(self, client: "LambdaClient", function: str) -> None:
        self._client = client
        self._function = function

    def ask(self, event: dict[str, Any]) -> dict[str, Any]:
        """Its report on an event, or EnforcerRefused."""
        return ask(self._client, self._function, event, EnforcerRefused)
