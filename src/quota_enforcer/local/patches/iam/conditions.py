"""Condition keys that the emulator's IAM lacks or fills wrongly.

- `iam:PolicyARN` and `iam:PermissionsBoundary`: AWS sets them on the calls that attach, detach or
  set a boundary; the emulator never does, so a role limited by them could do nothing.
  https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
- `aws:PrincipalArn`: for a session AWS gives the ARN of its role, the emulator that of the session.
  https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
- `aws:SourceAccount`: AWS services say it when they take a role. The emulator lets root stand in
  for all of them and says nothing.
  https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
- `aws:CurrentTime` and `aws:EpochTime` follow the simulated clock.
- `lambda:SourceFunctionArn`: Lambda says it of its functions' calls. Here a session is a function's
  if it has its role and its name; root, which stands in for Lambda, can take one.
  https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html
- `aws:userid` of a function's session begins with the role's id in AWS, here with its name.
"""
# ruff: noqa: SLF001 - the emulator has no public hooks; its version is pinned for that reason

from typing import Any, Final
from urllib.parse import parse_qs

from ministack.core import iam_actions, iam_evaluator
from ministack.services import iam, lambda_svc

from quota_enforcer import clock

_FROM_PARAMETER: Final = {
    "PolicyArn": "iam:PolicyARN",
    "PermissionsBoundary": "iam:PermissionsBoundary",
}


def install() -> None:
    """Fill the keys for every request from now on."""
    plain_context = iam_actions.request_tag_context
    plain_key = iam_evaluator._resolve_condition_key

    def context(service: str, action: str, body: bytes, params: dict[str, Any]) -> dict[str, Any]:
        keys = dict(plain_context(service, action, body, params))
        if service == "iam":
            keys |= _named_in_request(body, params)
        return keys

    def resolve(key: str, request: Any) -> Any:
        name = key.lower()
        if name == "aws:currenttime":
            return clock.now().isoformat()
        if name == "aws:epochtime":
            return str(int(clock.now().timestamp()))
        if name == "lambda:sourcefunctionarn":
            return _function_arn(request)
        found = plain_key(key, request)
        if name == "aws:principalarn":
            return _role_arn(request) or found
        if name == "aws:sourceaccount" and request.principal_arn.endswith(":root"):
            return found or request.principal_account
        return _user_id(request, found) if name == "aws:userid" else found

    iam_actions.request_tag_context = context
    iam_evaluator._resolve_condition_key = resolve


def _named_in_request(body: bytes, params: dict[str, Any]) -> dict[str, str]:
    request = parse_qs(body.decode("utf-8", "replace")) | params
    return {
        key: request[parameter][0]
        for parameter, key in _FROM_PARAMETER.items()
        if request.get(parameter)
    }


def _role(request: Any) -> dict[str, Any] | None:
    """The role behind a session, or None for other callers."""
    if ":assumed-role/" not in request.principal_arn:
        return None
    name = iam_evaluator._role_name_from_assumed_arn(request.principal_arn)
    role: dict[str, Any] | None = iam._roles.get_scoped(request.principal_account, None, name)
    return role


def _role_arn(request: Any) -> str | None:
    role = _role(request)
    return role["Arn"] if role else None


def _function_arn(request: Any) -> str | None:
    """The function whose session this is, or None for anybody else's."""
    role, session = _role(request), request.principal_arn.rpartition("/")[2]
    if role is None:
        return None
    for (account, _, name), function in lambda_svc._functions._data.items():
        config = function["config"]
        if (account, name) == (request.principal_account, session) and config["Role"] == role[
            "Arn"
        ]:
            return str(config["FunctionArn"])
    return None


def _user_id(request: Any, found: Any) -> Any:
    role = _role(request)
    if role is None or not isinstance(found, str):
        return found
    return f"{role['RoleId']}:{found.partition(':')[2]}"
