"""Whom a subject covers, and the id of a quota."""

import pytest

from quota_enforcer.core.errors import UnknownIdentity
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.subject import GROUPS, QuotaId, Subject, covering

PRINCIPALS = [
    "user/alice", "user/default", "role/ci", "sso/ada@example.com", "session/ci/42", "team/x",
    "other/arn:aws:iam::210987654321:user/alice",
    "444455556666/user/alice", "444455556666/role/ci", "444455556666/session/ci/42",
    "555566667777/role/ci",
]  # fmt: skip
COVERED = {
    "user/alice": {"user/alice"},
    "role/ci": {"role/ci"},
    "session/ci/42": {"session/ci/42"},
    "team/x": {"team/x"},
    "user/*": {"user/alice", "user/default", "444455556666/user/alice"},
    "sso/*": {"sso/ada@example.com"},
    "role/*": {"role/ci", "444455556666/role/ci", "555566667777/role/ci"},
    "session/ci/*": {"session/ci/42"},
    "session/c/*": set(),
    "default": {"user/alice", "user/default", "sso/ada@example.com", "444455556666/user/alice"},
    "444455556666/role/ci": {"444455556666/role/ci"},
    "444455556666/user/*": {"444455556666/user/alice"},
    "444455556666/role/*": {"444455556666/role/ci"},
    "444455556666/session/ci/*": {"444455556666/session/ci/42"},
    "444455556666/*": {"444455556666/user/alice", "444455556666/role/ci"},
}


@pytest.mark.parametrize("subject", COVERED)
def test_a_subject_covers_itself_or_a_group(subject: str) -> None:
    covered = {each for each in PRINCIPALS if Subject(subject).covers(Principal.parse(each))}
    assert covered == COVERED[subject]


@pytest.mark.parametrize("subject", COVERED)
def test_what_is_no_group_names_one_principal(subject: str) -> None:
    each = Subject(subject)
    assert each.is_group == (subject in GROUPS or subject.endswith("/*"))
    assert each.account == ("444455556666" if subject.startswith("4") else "")
    if each.is_group:
        with pytest.raises(UnknownIdentity):
            each.principal()
    else:
        assert covering(each.principal())[0] == each


def test_subjects_of_teams_and_sessions_are_told_apart() -> None:
    assert [each for each in COVERED if Subject(each).is_team] == ["team/x"]
    sessions = [each for each in COVERED if Subject(each).of_sessions]
    there = "444455556666/session/ci/*"
    assert sessions == ["session/ci/42", "session/ci/*", "session/c/*", there]
    roles = ["role/ci", "role/ci", "role/c", "444455556666/role/ci"]
    assert [str(Subject(each).role) for each in sessions] == roles


def test_the_default_is_the_sum_of_its_parts() -> None:
    assert Subject("default").parts == ("user/*", "sso/*")
    assert Subject("444455556666/*").parts == ("444455556666/user/*", "444455556666/role/*")
    whole = {"default", "444455556666/*"}
    assert not any(Subject(each).parts for each in COVERED if each not in whole)


def test_the_nearest_subject_comes_first() -> None:
    assert covering(Principal.parse("user/a")) == ("user/a", "user/*", "default")
    assert covering(Principal.parse("role/a")) == ("role/a", "role/*")
    assert covering(Principal.parse("session/a/1")) == ("session/a/1", "session/a/*")
    user, role, session = (f"444455556666/{each}" for each in ("user/a", "role/a", "session/a/1"))
    kinds, whole = "444455556666/user/*", "444455556666/*"
    assert covering(Principal.parse(user)) == (user, kinds, whole, "user/*", "default")
    assert covering(Principal.parse(role)) == (role, "444455556666/role/*", whole, "role/*")
    assert covering(Principal.parse(session)) == (session, "444455556666/session/a/*")


@pytest.mark.parametrize(
    ("subject", "one"),
    [
        ("444455556666/*", True),
        ("444455556666/user/*", True),
        ("444455556666/role/*", True),
        ("444455556666/sso/*", False),
        ("444455556666/default", False),
        ("444455556666/team/*", False),
        ("44445555666/*", False),
        ("role/*", False),
    ],
)
def test_every_member_account_has_three_groups(subject: str, one: bool) -> None:  # noqa: FBT001 - a table
    assert Subject(subject).is_of_an_account is one


@pytest.mark.parametrize(
    ("subject", "name"), [("user/alice", "daily"), ("default", "a-b_c.d"), ("", "")]
)
def test_the_id_of_a_quota_is_read_back_from_its_text(subject: str, name: str) -> None:
    of = QuotaId(Subject(subject), name)
    assert str(of) == f"{subject}#{name}"
    assert QuotaId.parse(str(of)) == of
