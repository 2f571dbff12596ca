"""An organisation of several accounts, which the emulator has not: each account is its own there.

- `InviteAccountToOrganization` makes an account a member at once, as if it had accepted, and
  `RemoveAccountFromOrganization` lets it go.
  https://docs.aws.amazon.com/organizations/latest/APIReference/API_InviteAccountToOrganization.html
- `aws:PrincipalOrgID`, and what a function URL tells of its caller, name the organisation that the
  caller's account is a member of.
- A function of another account is invoked only if its resource policy allows it, too. The
  emulator looks for the function among the caller's own.
  https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
"""
# ruff: noqa: SLF001 - the emulator has no public hooks; its version is pinned for that reason

from typing import Any

from ministack.core import iam_evaluator
from ministack.core.arn import parse_arn
from ministack.services import lambda_svc, organizations


def install() -> None:
    """Let accounts join, and ask the policies of functions wherever these are."""
    organizations._DISPATCH["InviteAccountToOrganization"] = _invite
    organizations._DISPATCH["RemoveAccountFromOrganization"] = _remove
    iam_evaluator._principal_org_id = _organization_of
    lambda_svc.function_policy_for_arn = _policy_of


def _invite(request: dict[str, Any]) -> Any:
    organizations._ensure_org()
    account = request["Target"]["Id"]
    master = organizations._orgs["self"]
    organizations._accounts[account] = {
        **organizations._accounts[master["MasterAccountId"]],
        "Id": account,
        "Arn": master["Arn"].replace(":organization/", ":account/") + f"/{account}",
        "Email": f"{account}@example.com",
        "Name": account,
    }
    return organizations._json(200, {"Handshake": {"Id": f"h-{account}", "State": "ACCEPTED"}})


def _remove(request: dict[str, Any]) -> Any:
    organizations._accounts.pop(request["AccountId"], None)
    return organizations._json(200, {})


def _organization_of(account: str) -> str | None:
    for key, organization in organizations._orgs._data.items():
        member = organizations._accounts.get_scoped(key[0], None, account)
        if member is not None and member["Status"] == "ACTIVE":
            found: str = organization["Id"]
            return found
    return None


def _policy_of(resource_arn: str) -> tuple[dict[str, Any], str] | None:
    spec = parse_arn(resource_arn)
    name = spec.resource.removeprefix("function:").partition(":")[0]
    function = lambda_svc._functions.get_scoped(spec.account_id, spec.region, name)
    return None if function is None else (function["policy"], spec.account_id)
