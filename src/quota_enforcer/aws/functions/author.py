"""The author function as the enforcer asks it: alone here, since only the enforcer knows gates."""

from typing import TYPE_CHECKING, Any

from quota_enforcer.aws.functions.functions import ask
from quota_enforcer.core.errors import EnforcerError
from quota_enforcer.gates.result import GateResult

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class AuthorRefused(EnforcerError):
    """The author function ended in an error; the message is its own. The gates are as they were."""


class AuthorFunction:
    """The `GateAuthor`; its client is to have ASKS_AUTHOR. Raises AuthorRefused."""

    def __init__(self, client: "LambdaClient", function: str) -> None:
        self._client = client
        self._function = function

    def render(self, *, everywhere: bool = True) -> GateResult:
        less = {} if everywhere else {"everywhere": False}
        return self._ask({"action": "render", **less})

    def empty(self) -> GateResult:
        return self._ask({"action": "empty"})

    def _ask(self, event: dict[str, Any]) -> GateResult:
        return GateResult.from_json(ask(self._client, self._function, event, AuthorRefused))
