"""Another of our functions, asked for something and waited for."""

import json
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

    from quota_enforcer.core.errors import EnforcerError


def ask(
    client: "LambdaClient", function: str, event: dict[str, Any], refused: "type[EnforcerError]"
) -> dict[str, Any]:
    """Its answer to an event; raises `refused` with the function's own words where it fails.

    The client must be able to wait as long as the function may run.
    """
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
