"""Data protection policies of log groups and of the account, which the emulator does not know.

They are kept and told; nothing is masked.
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetDataProtectionPolicy.html
"""

import json
from collections.abc import Callable
from typing import Any, Final

from ministack.services import cloudwatch_logs

_DOCUMENT: Final = "dataProtectionPolicy"
"""Where a log group keeps its own."""


def install() -> None:
    """Answer as AWS does from now on."""
    plain = cloudwatch_logs.handle_request

    async def handle(method: str, path: str, headers: Any, body: bytes, params: Any) -> Any:
        answer = _ANSWERS.get(headers.get("x-amz-target", "").rpartition(".")[2])
        if answer is None:
            return await plain(method, path, headers, body, params)
        return answer(json.loads(body or b"{}"))

    cloudwatch_logs.handle_request = handle


def _of_group(request: dict[str, Any]) -> Any:
    name = request["logGroupIdentifier"].rpartition(":log-group:")[2]
    group = cloudwatch_logs._log_groups.get(name)  # noqa: SLF001 - it has no public one
    if group is None:
        return cloudwatch_logs.error_response_json(
            "ResourceNotFoundException", "The specified log group does not exist.", 400
        )
    if "policyDocument" in request:
        group[_DOCUMENT] = request["policyDocument"]
    told = {"policyDocument": group[_DOCUMENT]} if _DOCUMENT in group else {}
    return cloudwatch_logs.json_response({"logGroupIdentifier": name, **told})


def _deleted(request: dict[str, Any]) -> Any:
    name = request["logGroupIdentifier"].rpartition(":log-group:")[2]
    cloudwatch_logs._log_groups[name].pop(_DOCUMENT, None)  # noqa: SLF001 - see above
    return cloudwatch_logs.json_response({})


def _of_account(_request: dict[str, Any]) -> Any:
    return cloudwatch_logs.json_response({"accountPolicies": []})


_ANSWERS: Final[dict[str, Callable[[dict[str, Any]], Any]]] = {
    "PutDataProtectionPolicy": _of_group,
    "GetDataProtectionPolicy": _of_group,
    "DeleteDataProtectionPolicy": _deleted,
    "DescribeAccountPolicies": _of_account,
}
