"""Users and roles as IAM has them: where they are, and what is attached to them.

One paged read of all of them, since one for each would be throttled in a large account.
"""

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Final, cast

from botocore.exceptions import ClientError

from quota_enforcer.core.policies.document import compact
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.doctor.rules.coverage import Entity

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_iam.literals import SummaryKeyTypeType
    from mypy_boto3_iam.type_defs import PolicyDetailTypeDef, RoleDetailTypeDef, UserDetailTypeDef

    from quota_enforcer.core.policies.document import Document

SLOTS: Final[Mapping[Kind, int]] = {Kind.USER: 10, Kind.ROLE: 20}
"""AWS's defaults: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
_QUOTAS: Final[Mapping[Kind, "SummaryKeyTypeType"]] = {
    Kind.USER: "AttachedPoliciesPerUserQuota",
    Kind.ROLE: "AttachedPoliciesPerRoleQuota",
}
_PAGE: Final = 1000
"""As many as IAM gives at once."""


class IamIdentities:
    """The users and roles of an account."""

    def __init__(self, client: "IAMClient") -> None:
        self._client = client

    def all(self) -> Mapping[Principal, Entity]:
        """Every user and role."""
        found: dict[Principal, Entity] = {}
        pages = self._client.get_paginator("get_account_authorization_details")
        for page in pages.paginate(Filter=["User", "Role"], PaginationConfig={"PageSize": _PAGE}):
            for user in page["UserDetailList"]:
                own, groups = user.get("UserPolicyList", []), user.get("GroupList", [])
                found[Principal(Kind.USER, user["UserName"])] = _entity(user, own, groups)
            for role in page["RoleDetailList"]:
                trust = compact(cast("Document", role["AssumeRolePolicyDocument"]))
                found[Principal(Kind.ROLE, role["RoleName"])] = _entity(
                    role, role.get("RolePolicyList", []), trust=trust
                )
        return found

    def has(self, entity: Principal) -> bool:
        """Whether there is this user or role, spelled like this.

        https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUser.html
        """
        try:
            if entity.kind is Kind.USER:
                found = self._client.get_user(UserName=entity.name)["User"]["UserName"]
            else:
                found = self._client.get_role(RoleName=entity.name)["Role"]["RoleName"]
        except ClientError as error:
            if error.response["Error"].get("Code") == "NoSuchEntity":
                return False
            raise
        return found == entity.name

    def names(self, kind: Kind) -> frozenset[Principal]:
        """All users, or all roles, by name: less to ask for than all that is attached to them."""
        found: set[str] = set()
        if kind is Kind.USER:
            for users in self._client.get_paginator("list_users").paginate():
                found |= {each["UserName"] for each in users["Users"]}
        else:
            for roles in self._client.get_paginator("list_roles").paginate():
                found |= {each["RoleName"] for each in roles["Roles"]}
        return frozenset(Principal(kind, name) for name in found)

    def slots(self) -> Mapping[Kind, int]:
        """How many managed policies a user or a role of this account may have attached.

        https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html
        """
        said = self._client.get_account_summary()["SummaryMap"]
        return {kind: said.get(name, SLOTS[kind]) for kind, name in _QUOTAS.items()}


def _entity(
    of: "UserDetailTypeDef | RoleDetailTypeDef",
    own: "Iterable[PolicyDetailTypeDef]",
    groups: Iterable[str] = (),
    trust: str = "",
) -> Entity:
    attached = frozenset(each["PolicyArn"] for each in of.get("AttachedManagedPolicies", []))
    documents = sorted(json.dumps(each.get("PolicyDocument"), sort_keys=True) for each in own)
    boundary = of.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", "")
    rest = [documents, sorted(groups), boundary]
    nothing_else = rest == [[], [], ""]
    digest = "" if nothing_else else sha256(json.dumps(rest).encode()).hexdigest()
    return Entity(of["Path"], attached, digest, trust)
