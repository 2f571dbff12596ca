"""How IAM authorises what is asked about a function's concurrency: reading it is another action.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
The emulator asks for `lambda:PutFunctionConcurrency` whatever is done.
"""

from typing import Any, Final

from ministack.core import iam_actions

_CONCURRENCY: Final = "lambda:PutFunctionConcurrency"
_BY_METHOD: Final = {
    "GET": "lambda:GetFunctionConcurrency",
    "DELETE": "lambda:DeleteFunctionConcurrency",
}


def install() -> None:
    """Ask for what IAM asks for from now on."""
    plain = iam_actions.extract_iam_action

    def action(service: str, method: str, *request: Any, **named: Any) -> str | None:
        found: str | None = plain(service, method, *request, **named)
        return _BY_METHOD.get(method, found) if found == _CONCURRENCY else found

    iam_actions.extract_iam_action = action
