"""Whom doctor asks IAM about: one of each that may do the same, within a bound."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.doctor.checks.keys import SAMPLE, sampled

TODAY = date(2026, 11, 24)


def kinds(*sizes: int) -> list[list[Principal]]:
    return [
        [Principal(Kind.USER, f"u{kind:03}-{number}") for number in range(size)]
        for kind, size in enumerate(sizes)
    ]


@given(st.integers(0, 100), st.dates())
def test_never_more_than_the_bound_and_nobody_twice(number: int, today: date) -> None:
    alike = kinds(*[1] * number)
    asked = sampled(alike, SAMPLE, today)
    assert len(asked) == len({several[0] for several in asked}) == min(number, SAMPLE)


def test_the_largest_are_always_among_them() -> None:
    alike = kinds(*range(50, 0, -1))
    for day in range(20):
        assert sampled(alike, SAMPLE, TODAY + timedelta(day))[:6] == alike[:6]


def test_everybody_has_a_turn_within_days() -> None:
    """Somebody whose policies nobody else has is found too."""
    alike = kinds(*[1] * 100)
    days = [TODAY + timedelta(day) for day in range(16)]
    asked = {several[0] for day in days for several in sampled(alike, SAMPLE, day)}
    assert len(asked) == 100
