"""How IAM authorises what is asked about a function's concurrency and one event source mapping.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
The emulator asks for `lambda:PutFunctionConcurrency` whatever is done to it, and to read one
mapping for `lambda:ListEventSourceMappings`.
"""

import re
from typing import Any, Final

from ministack.core import iam_actions

_CONCURRENCY: Final = "lambda:PutFunctionConcurrency"
_BY_METHOD: Final = {
    "GET": "lambda:GetFunctionConcurrency",
    "DELETE": "lambda:DeleteFunctionConcurrency",
}
_MAPPINGS: Final = "lambda:ListEventSourceMappings"
_ONE: Final = re.compile(r"/event-source-mappings/[^/]+/?$")


def install() -> None:
    """Ask for what IAM asks for from now on."""
    plain = iam_actions.extract_iam_action

    def action(service: str, method: str, path: str, *request: Any, **named: Any) -> str | None:
        found: str | None = plain(service, method, path, *request, **named)
        if found == _MAPPINGS and _ONE.search(path):
            return "lambda:GetEventSourceMapping"
        return _BY_METHOD.get(method, found) if found == _CONCURRENCY else found

    iam_actions.extract_iam_action = action
