"""Our functions as they ask one another: waited for, or told of a wake and not waited for."""

import json
from typing import TYPE_CHECKING, Any, Final, cast

from quota_enforcer.aws.messaging.batches import batches
from quota_enforcer.core.errors import EnforcerError
from quota_enforcer.core.usage.looks.unseen import MOST, token_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from mypy_boto3_lambda import LambdaClient

    from quota_enforcer.core.principal import Principal
    from quota_enforcer.core.usage.reads import Woken

MOST_NAMES: Final = 1_000
"""In one wake, so that its sweep ends within the function's time."""
MOST_MODELS: Final = 10
MOST_OF_A_NAME: Final = 200
"""So many models of one principal, and characters of each, are told of its calls."""
MOST_BYTES: Final = 190_000
"""Of names in one wake.

Lambda has taken 256 KB for an asynchronous invocation for long:
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""


class EnforcerRefused(EnforcerError):
    """The enforcer function ended in an error; the message is its own."""


class Enforcer:
    """One deployment's enforcer function; its client must wait as long as the function may run."""

    def __init__(self, client: "LambdaClient", function: str) -> None:
        self._client = client
        self._function = function

    def ask(self, event: dict[str, Any]) -> dict[str, Any]:
        """Its report on an event, or EnforcerRefused."""
        return ask(self._client, self._function, event, EnforcerRefused)


class EnforcerWake:
    """The `Wake`: as many asynchronous invocations of one function as the names need."""

    def __init__(self, client: "LambdaClient", function: str) -> None:
        self._client = client
        self._function = function

    def wake(self, principals: "Collection[Principal]", woken: "Woken") -> None:
        """Have the enforcer look at these, and only these; no call without any."""
        called, whole = woken.called, all(map(_is_whole, woken.called.values()))
        # Already as JSON, since escapes make a name longer.
        names = [_woken(each, called.get(each, {})) for each in sorted(set(principals), key=str)]
        wakes = list(batches(names, count=MOST_NAMES, size=MOST_BYTES))
        # Who is told all that a mark holds need not read it.
        alone = woken.mark and len(wakes) == 1 and len(names) <= MOST
        said = {
            "mark": token_of(woken.mark, 0) if alone else woken.mark,
            "since": f"{woken.since:%Y-%m-%dT%H:%M:%SZ}" if woken.since and whole else "",
            "place": woken.place,
        }
        rest = "".join(f', "{name}": {json.dumps(value)}' for name, value in said.items() if value)
        for batch in wakes:
            self._client.invoke(
                FunctionName=self._function,
                InvocationType="Event",
                Payload=f'{{"action": "wake", "principals": [{", ".join(batch)}]{rest}}}',
            )


def _is_whole(called: "Mapping[str, datetime]") -> bool:
    """Whether all of them are told, each by its whole name."""
    return len(called) <= MOST_MODELS and all(len(model) <= MOST_OF_A_NAME for model in called)


def _woken(principal: "Principal", called: "Mapping[str, datetime]") -> str:
    """A name, or with the newest of its calls by model an object."""
    if not called:
        return json.dumps(str(principal))
    newest = sorted(called, key=called.__getitem__, reverse=True)[:MOST_MODELS]
    moments = {model[:MOST_OF_A_NAME]: f"{called[model]:%Y-%m-%dT%H:%M:%SZ}" for model in newest}
    return json.dumps({"principal": str(principal), "called": moments})


def ask(
    client: "LambdaClient", function: str, event: dict[str, Any], refused: type[EnforcerError]
) -> dict[str, Any]:
    """A function's answer; raises `refused` with the function's own words if it fails."""
    answer = client.invoke(FunctionName=function, Payload=json.dumps(event))
    said = json.loads(answer["Payload"].read() or "null")
    if answer.get("FunctionError"):
        raise refused(f"{function} failed: {_reason(said)}")
    return cast("dict[str, Any]", said)


def _reason(said: Any) -> str:
    """What an invocation that ended in an error says.

    https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
    """
    if not isinstance(said, dict):
        return str(said)
    return f"{said.get('errorType', 'Error')}: {said.get('errorMessage', 'no message')}"
