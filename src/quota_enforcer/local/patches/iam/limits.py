"""What IAM refuses when policies are attached, detached or deleted, and the emulator accepts.

- A policy that does not exist cannot be attached (NoSuchEntity).
- A user holds 10 managed policies and a role 20 (LimitExceeded).
  https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
- The roles that Identity Center and AWS services own can only be changed by AWS
  (UnmodifiableEntity). Inline policies on them stay possible here: they stand in for Identity
  Center, which is absent from the emulator.
  https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html
- CloudFormation cannot delete a policy that others still have attached (DeleteConflict); the
  emulator drops it and leaves them with an ARN that leads nowhere.
  https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicy.html
"""
# ruff: noqa: SLF001 - the emulator has no public hooks; its version is pinned for that reason

from collections.abc import Callable
from typing import Any, Final

from ministack.services import iam
from ministack.services.cloudformation import provisioners

from quota_enforcer.core.policies.names import PATHS_OF_AWS

POLICIES_A_USER: Final = 10
POLICIES_A_ROLE: Final = 20

Handler = Callable[[dict[str, Any]], Any]


def install() -> None:
    """Put the refusals before the emulator's own handlers."""
    handlers = iam._IAM_HANDLERS
    handlers["AttachUserPolicy"] = _limited(handlers["AttachUserPolicy"], "User", POLICIES_A_USER)
    handlers["AttachRolePolicy"] = _protected(
        _limited(handlers["AttachRolePolicy"], "Role", POLICIES_A_ROLE)
    )
    handlers["DetachRolePolicy"] = _protected(handlers["DetachRolePolicy"])
    managed = provisioners._RESOURCE_HANDLERS["AWS::IAM::ManagedPolicy"]
    managed["delete"] = _unattached(managed["delete"])


def _limited(plain: Handler, kind: str, limit: int) -> Handler:
    def attach(request: dict[str, Any]) -> Any:
        store = iam._users if kind == "User" else iam._roles
        arn = iam._p(request, "PolicyArn")
        attached = (store.get(iam._p(request, f"{kind}Name")) or {}).get("AttachedPolicies", [])
        if not iam._policy_exists(arn):
            return iam._error(
                404, "NoSuchEntity", f"Policy {arn} does not exist or is not attachable."
            )
        if arn not in attached and len(attached) >= limit:
            return iam._error(
                409, "LimitExceeded", f"Cannot exceed quota for PoliciesPer{kind}: {limit}"
            )
        return plain(request)

    return attach


def _protected(plain: Handler) -> Handler:
    def change(request: dict[str, Any]) -> Any:
        name = iam._p(request, "RoleName")
        path = (iam._roles.get(name) or {}).get("Path", "/")
        if path.startswith(PATHS_OF_AWS) or name.startswith("AWSReservedSSO_"):
            return iam._error(
                400,
                "UnmodifiableEntity",
                f"Cannot perform the operation on the protected role '{name}' - "
                "this role is only modifiable by AWS",
            )
        return plain(request)

    return change


def _unattached(plain: Callable[[str, dict[str, Any]], None]) -> Callable[..., None]:
    def delete(arn: str, properties: dict[str, Any]) -> None:
        named = {
            *properties.get("Users", []),
            *properties.get("Roles", []),
            *properties.get("Groups", []),
        }
        holders = [
            entity.get("UserName") or entity.get("RoleName") or entity.get("GroupName")
            for store in (iam._users, iam._roles, iam._groups)
            for entity in store.values()
            if arn in entity.get("AttachedPolicies", [])
        ]
        if others := sorted(set(holders) - named):
            raise ValueError(
                "Cannot delete a policy attached to entities. (Service: Iam, Status Code: 409, "
                f"DeleteConflict; {arn} is attached to {', '.join(others)})"
            )
        plain(arn, properties)

    return delete
