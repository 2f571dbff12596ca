"""The principals that rules name, and the members of teams."""

from builders import a_quota
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.quota import Exemption, Share, named_by, teams_of
from quota_enforcer.core.quotas.subject import Subject

ALICE, BOB, CI = map(Principal.parse, ("user/alice", "user/bob", "session/ci/42"))
TEAM = Principal.parse("team/x")


def test_groups_name_nobody() -> None:
    groups = ("user/*", "sso/*", "role/*", "session/ci/*", "default")
    assert named_by(a_quota(subject=each) for each in groups) == set()


def test_a_rule_names_its_principal_and_a_team_its_members() -> None:
    rules = [
        a_quota(subject="session/ci/42"),
        a_quota(subject="team/x", members=("user/alice", "user/bob")),
    ]
    assert named_by(rules) == {ALICE, BOB, CI}


def test_a_team_that_shares_one_quota_is_named_itself() -> None:
    shared = a_quota(subject="team/x", members=("user/alice",), share=Share.POOL)
    assert shared.named == {TEAM, ALICE}


def test_a_team_has_the_members_of_all_its_rules() -> None:
    rules = [
        a_quota(subject="team/x", members=("user/alice",)),
        Exemption(Subject("team/x"), "other", members=("user/bob",)),
        a_quota(subject="user/bob"),
    ]
    assert teams_of(rules) == {"team/x": {ALICE, BOB}}
