"""The enforcer function, asked for something and waited for."""

import json
from typing import TYPE_CHECKING, Any, cast

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
        answer = self._client.invoke(FunctionName=self._function, Payload=json.dumps(event))
        report = json.loads(answer["Payload"].read() or "null")
        if answer.get("FunctionError"):
            raise EnforcerRefused(f"{self._function} failed: {_reason(report)}")
        return cast("dict[str, Any]", report)


def _reason(report: Any) -> str:
    """What an invocation that ended in an error says.

    https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
    """
    if not isinstance(report, dict):
        return str(report)
    return f"{report.get('errorType', 'Error')}: {report.get('errorMessage', 'no message')}"
