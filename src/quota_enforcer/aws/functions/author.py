"""The author function as the enforcer asks it: once for each sweep, and waited for."""

from typing import TYPE_CHECKING, Final

from botocore.config import Config

from quota_enforcer.aws.functions.functions import ask
from quota_enforcer.core.errors import EnforcerError
from quota_enforcer.gates.result import GateResult

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

WAITS_FOR_AUTHOR: Final = Config(
    read_timeout=75, tcp_keepalive=True, retries={"total_max_attempts": 2}
)
"""Longer than the author's own time limit in the template. To ask twice does no harm."""


class AuthorRefused(EnforcerError):
    """The author function ended in an error; the message is its own. The gates are as they were."""


class AuthorFunction:
    """One deployment's author function; its client is to have WAITS_FOR_AUTHOR."""

    def __init__(self, client: "LambdaClient", function: str) -> None:
        self._client = client
        self._function = function

    def render(self) -> GateResult:
        """Have the ledger's intents put into the gates. Raises AuthorRefused."""
        return self._ask("render")

    def empty(self) -> GateResult:
        """Have the gates deny nobody any more. Raises AuthorRefused."""
        return self._ask("empty")

    def _ask(self, action: str) -> GateResult:
        event = {"action": action}
        return GateResult.from_json(ask(self._client, self._function, event, AuthorRefused))
