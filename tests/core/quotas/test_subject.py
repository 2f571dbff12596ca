"""Whom a subject covers, and the id of a quota."""

import pytest

from quota_enforcer.core.errors import UnknownIdentity
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.subject import GROUPS, QuotaId, Subject, covering

PRINCIPALS = [
    "user/alice", "user/default", "role/ci", "sso/ada@example.com", "session/ci/42", "team/x",
    "other/arn:aws:iam::210987654321:user/alice",
]  # fmt: skip
COVERED = {
    "user/alice": {"user/alice"},
    "role/ci": {"role/ci"},
    "session/ci/42": {"session/ci/42"},
    "team/x": {"team/x"},
    "user/*": {"user/alice", "user/default"},
    "sso/*": {"sso/ada@example.com"},
    "role/*": {"role/ci"},
    "session/ci/*": {"session/ci/42"},
    "session/c/*": set(),
    "default": {"user/alice", "user/default", "sso/ada@example.com"},
}


@pytest.mark.parametrize("subject", COVERED)
def test_a_subject_covers_itself_or_a_group(subject: str) -> None:
    covered = {each for each in PRINCIPALS if Subject(subject).covers(Principal.parse(each))}
    assert covered == COVERED[subject]


@pytest.mark.parametrize("subject", COVERED)
def test_what_is_no_group_names_one_principal(subject: str) -> None:
    each = Subject(subject)
    assert each.is_group == (subject in GROUPS or subject.endswith("/*"))
    if each.is_group:
        with pytest.raises(UnknownIdentity):
            each.principal()
    else:
        assert covering(each.principal())[0] == each


def test_subjects_of_teams_and_sessions_are_told_apart() -> None:
    assert [each for each in COVERED if Subject(each).is_team] == ["team/x"]
    sessions = [each for each in COVERED if Subject(each).of_sessions]
    assert sessions == ["session/ci/42", "session/ci/*", "session/c/*"]
    assert [Subject(each).role for each in sessions] == ["ci", "ci", "c"]


def test_the_default_is_the_sum_of_its_parts() -> None:
    assert Subject("default").parts == ("user/*", "sso/*")
    assert not any(Subject(each).parts for each in COVERED if each != "default")


def test_the_nearest_subject_comes_first() -> None:
    assert covering(Principal.parse("user/a")) == ("user/a", "user/*", "default")
    assert covering(Principal.parse("role/a")) == ("role/a", "role/*")
    assert covering(Principal.parse("session/a/1")) == ("session/a/1", "session/a/*")


@pytest.mark.parametrize(
    ("subject", "name"), [("user/alice", "daily"), ("default", "a-b_c.d"), ("", "")]
)
def test_the_id_of_a_quota_is_read_back_from_its_text(subject: str, name: str) -> None:
    of = QuotaId(Subject(subject), name)
    assert str(of) == f"{subject}#{name}"
    assert QuotaId.parse(str(of)) == of
