"""Who is in which team by the groups of IAM Identity Center."""

from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from quota_enforcer.core.errors import did_you_mean
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.insight.quotas.teams.reading import TeamEntry, TeamsReading, Unread
from quota_enforcer.insight.quotas.teams.source import InvalidSource, TeamSource


def identity_store(client: Any, region: str) -> str:
    """The directory of the one instance that this account sees in its Region.

    Raises InvalidSource if there is none, or more than one.
    https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_ListInstances.html
    """
    pages = client.get_paginator("list_instances").paginate()
    stores = sorted({each["IdentityStoreId"] for page in pages for each in page["Instances"]})
    if len(stores) == 1:
        store: str = stores[0]
        return store
    seen = f"several instances ({', '.join(stores)})" if stores else "no instance"
    raise InvalidSource(
        f"there is {seen} of IAM Identity Center to see in {region}: read it with a role of the "
        "account that it is of (the management account or a delegated administrator), in the "
        "Region that it is in"
    )


def grouped(client: Any, store: str, source: TeamSource) -> TeamsReading:
    """The members of the groups that are teams, each as `sso/NAME`.

    A group that cannot be read, or a member without a name, is named and stops no other.
    100 names come with a call, and AWS lets an account make 20 of them a second, so that all people
    are listed until everybody is found, rather than each asked for.
    https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_ListGroupMemberships.html
    https://docs.aws.amazon.com/singlesignon/latest/userguide/limits.html
    """
    groups: dict[str, str] = {}
    names: list[str] = []
    for page in client.get_paginator("list_groups").paginate(IdentityStoreId=store):
        for group in page["Groups"]:
            name = group.get("DisplayName", "")
            names.append(name)
            if (team := source.team_of(name)) is not None:
                groups[group["GroupId"]] = team
    unread = [
        Unread(team, f"group {team!r}", f"there is none; {_nearest(team, names)}")
        for team in source.groups
        if team not in groups.values()
    ]
    members: dict[str, list[str]] = {}
    for group_id, team in groups.items():
        try:
            members[group_id] = _members(client, store, group_id)
        except ClientError as error:
            unread.append(Unread(team, f"group {group_id}", str(error)))
    wanted = {each for several in members.values() for each in several}
    people = _people(client, store, wanted)
    entries: list[TeamEntry] = []
    for group_id, several in members.items():
        team = groups[group_id]
        for user in several:
            if user in people:
                who = str(Principal(Kind.SSO, people[user].lower()))
                entries.append(TeamEntry(team, who, f"group {group_id}"))
            else:
                unread.append(Unread(team, f"member {user}", "Identity Center has no name of it"))
    return TeamsReading(tuple(entries), tuple(unread))


def _nearest(name: str, names: Iterable[str]) -> str:
    return did_you_mean(name, list(names)) or "`aws identitystore list-groups` shows all"


def _members(client: Any, store: str, group: str) -> list[str]:
    """The ids of its users; a group has no groups in it."""
    pages = client.get_paginator("list_group_memberships")
    return [
        each["MemberId"]["UserId"]
        for page in pages.paginate(IdentityStoreId=store, GroupId=group)
        for each in page["GroupMemberships"]
    ]


def _people(client: Any, store: str, wanted: set[str]) -> Mapping[str, str]:
    """By id the user names, which are what sessions of permission sets are called."""
    found: dict[str, str] = {}
    if not wanted:
        return found
    for page in client.get_paginator("list_users").paginate(IdentityStoreId=store):
        for user in page["Users"]:
            if user["UserId"] in wanted and user.get("UserName"):
                found[user["UserId"]] = user["UserName"]
        if len(found) == len(wanted):
            break
    return found
