"""Who is in which team by a tag of IAM's users and roles."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from quota_enforcer.core.policies.names import SERVICE_LINKED_PATH
from quota_enforcer.core.principal import SSO_ROLE
from quota_enforcer.insight.quotas.teams.reading import NO_TEAM, TeamEntry, TeamsReading, Unread

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

_PAGE: Final = 1000
"""As many as IAM gives at once."""


def tagged(client: "IAMClient", key: str) -> TeamsReading:
    """Every user and role of an account with this tag, whose value is the team's name.

    One paged read: ListUsers and ListRoles give no tags, so that each of them would take a call of
    its own, and GetResources of the tagging API knows no users. IAM takes a tag's key in upper and
    lower case for the same.
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
    """
    found: list[TeamEntry | Unread] = []
    pages = client.get_paginator("get_account_authorization_details")
    for page in pages.paginate(Filter=["User", "Role"], PaginationConfig={"PageSize": _PAGE}):
        for each in (*page["UserDetailList"], *page["RoleDetailList"]):
            found += _of(each, key)
    entries = tuple(each for each in found if isinstance(each, TeamEntry))
    return TeamsReading(entries, tuple(each for each in found if isinstance(each, Unread)))


def _of(entity: Any, key: str) -> Iterable[TeamEntry | Unread]:
    arn, name = entity["Arn"], entity.get("RoleName", "")
    for tag in entity.get("Tags", []):
        if tag["Key"].lower() != key.lower():
            continue
        where = f"tag {tag['Key']} of {arn}"
        if not tag["Value"].strip():
            yield Unread(NO_TEAM, where, "it is empty, so it names no team")
        elif name.startswith(SSO_ROLE):
            yield Unread(NO_TEAM, where, "a permission set's role; its people are sso/NAME each")
        elif entity["Path"].startswith(SERVICE_LINKED_PATH):
            yield Unread(NO_TEAM, where, "a role of an AWS service, which nobody can limit")
        else:
            yield TeamEntry(tag["Value"], arn, where)
