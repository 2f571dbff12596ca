"""The past that a sandbox begins with: real conversations of everybody, on working days."""

from datetime import UTC, datetime, timedelta

import pytest

from quota_enforcer.local.demo.cast import CAST, Call
from quota_enforcer.local.demo.traffic import conversations
from quota_enforcer.local.sandbox.calls import NobodyOfThatName, member_named
from quota_enforcer.local.sandbox.history import calls

BEGIN = datetime(2026, 11, 9, 10, 30, tzinfo=UTC)
END = BEGIN + timedelta(weeks=3)


@pytest.fixture(scope="module")
def weeks() -> list[Call]:
    return list(calls(BEGIN, END))


def test_everybody_talks_and_only_on_working_days_between_the_two_moments(
    weeks: list[Call],
) -> None:
    assert {call.principal for call in weeks} == {member.principal for member in CAST}
    assert all(BEGIN <= call.at < END for call in weeks)
    assert {call.at.weekday() for call in weeks} == {0, 1, 2, 3, 4}


def test_every_call_is_one_that_was_really_made(weeks: list[Call]) -> None:
    real = {request.counts for said in conversations().values() for request in said}
    assert {call.counts for call in weeks} <= real


def test_the_same_weeks_are_always_the_same(weeks: list[Call]) -> None:
    assert weeks == list(calls(BEGIN, END))


@pytest.mark.parametrize("name", ["alice", "user/alice"])
def test_somebody_is_meant_by_the_name_alone(name: str) -> None:
    assert str(member_named(name).principal) == "user/alice"


@pytest.mark.parametrize(
    ("name", "who"),
    [("batch", "role/batch"), ("ivy", "session/ml/ivy"), ("ml/ivy", "session/ml/ivy")],
)
def test_roles_and_sessions_too(name: str, who: str) -> None:
    assert str(member_named(name).principal) == who


def test_who_is_not_there_is_refused_with_who_may_be_meant() -> None:
    with pytest.raises(NobodyOfThatName, match="did you mean alice"):
        member_named("alcie")
