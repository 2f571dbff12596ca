"""Everybody of an account with their policies, in one paged read."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from quota_enforcer.core.policies.document import Document, compact
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.doctor.before.facts import Authorizations, GroupFound, IdentityFound

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_iam.literals import EntityTypeType

_EVERYTHING: Final[list["EntityTypeType"]] = [
    "User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy",
]  # fmt: skip
_PAGE: Final = 1000
"""As many as IAM gives at once."""


def authorizations(client: "IAMClient") -> Authorizations:
    """Users, roles, groups, and the default version of each managed policy that somebody has.

    botocore decodes the documents, though its types say text.
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
    """
    identities: list[IdentityFound] = []
    groups: dict[str, GroupFound] = {}
    policies: dict[str, Document] = {}
    pages = client.get_paginator("get_account_authorization_details")
    for page in pages.paginate(Filter=_EVERYTHING, PaginationConfig={"PageSize": _PAGE}):
        identities += [_user(each) for each in page.get("UserDetailList", [])]
        identities += [_role(each) for each in page.get("RoleDetailList", [])]
        for group in page.get("GroupDetailList", []):
            written = _inline(group.get("GroupPolicyList", []))
            groups[group["GroupName"]] = GroupFound(written, _attached(group))
        policies |= _default_versions(page.get("Policies", []))
    return Authorizations(identities, groups, policies)


def _user(found: Any) -> IdentityFound:
    return IdentityFound(
        Principal(Kind.USER, found["UserName"]),
        found["Path"],
        _inline(found.get("UserPolicyList", [])),
        _attached(found),
        tuple(found.get("GroupList", [])),
        _boundary(found),
    )


def _role(found: Any) -> IdentityFound:
    return IdentityFound(
        Principal(Kind.ROLE, found["RoleName"]),
        found["Path"],
        _inline(found.get("RolePolicyList", [])),
        _attached(found),
        boundary=_boundary(found),
        trust=compact(found["AssumeRolePolicyDocument"]),
        last_used=found.get("RoleLastUsed", {}).get("LastUsedDate"),
    )


def _inline(found: Iterable[Any]) -> tuple[Document, ...]:
    return tuple(each["PolicyDocument"] for each in found)


def _attached(found: Any) -> tuple[str, ...]:
    return tuple(each["PolicyArn"] for each in found.get("AttachedManagedPolicies", []))


def _boundary(found: Any) -> str:
    arn: str = found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", "")
    return arn


def _default_versions(found: Iterable[Any]) -> Mapping[str, Document]:
    return {
        each["Arn"]: version["Document"]
        for each in found
        for version in each.get("PolicyVersionList", [])
        if version["IsDefaultVersion"]
    }
