"""Who is in a team: an item of its own, or on each of the team's quotas."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from builders import an_item
from quota_enforcer.core.errors import InvalidQuota
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.describe import granted, in_full
from quota_enforcer.core.quotas.item import read_rule
from quota_enforcer.core.quotas.quota import Quota, Team
from quota_enforcer.core.quotas.subject import (
    Subject,
    is_team_item,
    members_by_team,
    with_members,
)

TEAM = {"principal": "team/x", "quota": "members", "members": ["user/a", "user/b"]}


def read(item: dict[str, Any]) -> Any:
    return read_rule(item, ZoneInfo("UTC"), ["*"])


def test_an_item_of_a_team_says_who_is_in_it() -> None:
    rule = read({**TEAM, "note": "n", "edited_by": "me", "edited_at": "now"})
    assert rule == Team("team/x", "members", None, ("user/a", "user/b"))  # type: ignore[arg-type]
    assert granted(rule) == "who is in the team: 2 members"
    assert in_full(rule).endswith("for every quota of it that names none")


def test_an_older_quota_that_is_called_so_is_still_a_quota() -> None:
    rule = read(an_item(**TEAM))
    assert isinstance(rule, Quota)
    assert rule.members == ("user/a", "user/b")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"share": "pool"}, "share is 'pool'; allowed: only in a quota: this item says who is in"),
        ({"until": "2026-12-01"}, "until is '2026-12-01'; allowed: only in a quota"),
        ({"members": []}, "members is []"),
        ({"members": ["team/y"]}, "members is ['team/y']"),
        ({"membrs": ["user/a"]}, "attribute 'membrs' is unknown; did you mean members?"),
    ],
)
def test_what_it_may_not_say(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidQuota) as refused:
        read({**TEAM, **wrong})
    assert words in "; ".join(refused.value.problems)


def test_a_quota_without_members_takes_those_of_its_team() -> None:
    quota = an_item(principal="team/x", share="pool")
    teams = members_by_team([TEAM, quota, an_item(principal="team/y", members=["user/c"])])
    assert read(dict(with_members(quota, teams))).members == ("user/a", "user/b")


@pytest.mark.parametrize(
    "item",
    [
        an_item(principal="team/x", members=["user/c"]),
        an_item(principal="team/y"),
        an_item(),
        {"principal": "team/x", "quota": "members"},
        {},
    ],
)
def test_any_other_item_stays_as_it_is(item: dict[str, Any]) -> None:
    assert with_members(item, members_by_team([TEAM])) is item


def test_a_quota_of_a_team_that_nobody_is_in_says_where_they_may_stand() -> None:
    with pytest.raises(InvalidQuota, match="members is missing") as refused:
        read(an_item(principal="team/x"))
    assert "here or in the item 'members' of the team" in str(refused.value.problems)


@pytest.mark.parametrize("key", ["user/x", "team", "default", None])
def test_nobody_else_has_such_an_item(key: object) -> None:
    assert not is_team_item({**TEAM, "principal": key})


GUESTS = "444455556666"


@pytest.mark.parametrize(
    ("arn", "member"),
    [
        ("arn:aws:iam::111122223333:user/eng/alice", "user/alice"),
        (f"arn:aws:iam::{GUESTS}:user/alice", f"{GUESTS}/user/alice"),
        (f"arn:aws:iam::{GUESTS}:role/app/reporting", f"{GUESTS}/role/reporting"),
        (
            f"arn:aws:sts::{GUESTS}:assumed-role/AWSReservedSSO_Dev_0123456789abcdef/Ann@Example.com",
            "sso/ann@example.com",
        ),
    ],
)
def test_a_member_may_be_written_as_its_arn(arn: str, member: str) -> None:
    rule = read_rule({**TEAM, "members": [arn]}, ZoneInfo("UTC"), ["*"], "111122223333")
    assert rule.members == (member,)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ([f"{GUESTS}/*"], f"everybody of {GUESTS}/*"),
        (["user/a", f"{GUESTS}/role/*", "role/*"],
         f"everybody of {GUESTS}/role/*, role/* and 1 more"),
    ],
)  # fmt: skip
def test_a_group_as_a_member_is_everybody_of_it(members: list[str], words: str) -> None:
    rule = read({**TEAM, "members": members})
    assert granted(rule) == f"who is in the team: {words}"
    assert rule.named == frozenset(Subject(each).principal() for each in members if "*" not in each)


def test_who_is_known_of_a_group_is_in_the_team() -> None:
    known = map(Principal.parse, (f"{GUESTS}/user/ben", f"{GUESTS}/role/job", "user/a", "team/y"))
    rule = read({**TEAM, "members": ["user/z", f"{GUESTS}/*"]}).among(known)
    assert rule.members == ("user/z", f"{GUESTS}/*", f"{GUESTS}/role/job", f"{GUESTS}/user/ben")
