"""The breaker's rule, case by case: what trips it, who counts for whom, and who is never held."""

from collections.abc import Iterable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quota_enforcer.core.deployment import Breaker
from quota_enforcer.core.principal import Principal
from quota_enforcer.decide.breaker import FAR, NewBlock, by_quota, judge_wave

BREAKER = Breaker(number=10, percent=20)
TYPO = "default#typo"


def people(count: int, first: int = 0) -> list[Principal]:
    return [Principal.parse(f"user/u{number}") for number in range(first, first + count)]


def sessions(count: int, role: str = "ci") -> list[Principal]:
    return [Principal.parse(f"session/{role}/{number}") for number in range(count)]


def blocked(
    several: Iterable[Principal], percent: int = 120, quota: str = TYPO, pool: str = ""
) -> list[NewBlock]:
    return [NewBlock(each, quota, percent, pool) for each in several]


POOL = "team/research#monthly"


@dataclass(frozen=True)
class Case:
    """What recent edits would newly block, and how many of them are held."""

    name: str
    blocks: list[NewBlock]
    everybody: list[Principal]
    held: int
    count: int
    lately: tuple[NewBlock, ...] = ()


CASES = [
    Case("fourteen sessions of one role are one", blocked(sessions(14)),
         [*sessions(14), *people(6)], held=0, count=1),
    Case("fourteen roles with a session each are fourteen",
         [block for role in range(14) for block in blocked(sessions(1, f"r{role}"))],
         [*people(6), *(each for role in range(14) for each in sessions(1, f"r{role}"))],
         held=14, count=14),
    Case("a spent pool of 12 among 40 is one",
         blocked(people(12), quota=POOL, pool="team/research"), people(40), held=0, count=1),
    Case("a default that blocks 60 of 100", blocked(people(60)), people(100), held=60, count=60),
    Case("a first delivery with 18 of 100 over is 18 %", blocked(people(18)), people(100),
         held=0, count=18),
    Case("a first delivery with 21 of 100 over", blocked(people(21)), people(100),
         held=21, count=21),
    Case("ten of ten are too few to tell", blocked(people(10)), people(10), held=0, count=10),
    Case("eleven of eleven", blocked(people(11)), people(11), held=11, count=11),
    Case("one by one: six now and six just before", blocked(people(6)), people(20),
         held=6, count=12, lately=tuple(blocked(people(6, first=6)))),
    Case("somebody at 70 M of 1,000 is blocked whatever the breaker does",
         [*blocked(people(60)), *blocked(people(1, first=60), percent=7_000_000)], people(100),
         held=60, count=61),
    Case("ten at twice the limit are blocked, the others held",
         [*blocked(people(20)), *blocked(people(10, first=20), percent=FAR)], people(100),
         held=20, count=30),
    Case("a limit with three zeros too few: all are far beyond, so the limit is wrong",
         blocked(people(60), percent=50_000), people(100), held=60, count=60),
    Case("there, too, who is far beyond the others is blocked",
         [*blocked(people(60), percent=50_000), *blocked(people(1, first=60), percent=7_000_000)],
         people(100), held=60, count=61),
    Case("a limit of 0 for everybody: nobody is beyond it", blocked(people(60), percent=0),
         people(100), held=60, count=60),
    Case("a member of a spent pool who is over a limit of their own counts for that",
         [*blocked(people(12)), *blocked(people(12), quota=POOL, pool="team/research")],
         people(40), held=12, count=12),
    Case("a team is nobody of whom there may be too many",
         blocked([*people(11), Principal.parse("team/research")], quota=POOL,
                 pool="team/research"), people(11), held=0, count=1),
    Case("nor do teams", blocked(people(11)),
         [*people(54), *(Principal.parse(f"team/t{number}") for number in range(10))],
         held=11, count=11),
    Case("just under twice the limit is held", blocked(people(11), percent=199), people(11),
         held=11, count=11),
    Case("one at twice the limit is not",
         [*blocked(people(11), percent=199), *blocked(people(1, first=11), percent=200)],
         people(12), held=11, count=12),
    Case("sessions do not thin out the people", blocked(people(11)),
         [*people(20), *sessions(1_000)], held=11, count=11),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_held(case: Case) -> None:
    wave = judge_wave(case.blocks, case.lately, case.everybody, BREAKER)
    assert (len(wave.held(case.blocks)), wave.count) == (case.held, case.count)
    assert wave.trips == (case.held > 0)


def test_only_the_quota_that_is_edited_is_held_of_somebody() -> None:
    """The block of a quota that nobody edited is no new block of an edit, and goes through."""
    wave = judge_wave(blocked(people(60)), (), people(100), BREAKER)
    held = wave.held(blocked(people(60)))
    assert held[people(1)[0]] == {TYPO: 120}
    assert by_quota(held) == {TYPO: sorted(people(60))}


def test_its_share_is_said_of_all() -> None:
    assert judge_wave(blocked(people(18)), (), people(100), BREAKER).percent == 18


@given(
    percents=st.lists(st.integers(0, 10**9), max_size=40),
    known=st.integers(1, 80),
    number=st.integers(0, 12),
    percent=st.integers(0, 100),
)
def test_no_more_than_the_breaker_lets_through_are_blocked_while_it_holds(
    percents: list[int], known: int, number: int, percent: int
) -> None:
    breaker = Breaker(number, percent)
    blocks = [
        NewBlock(who, TYPO, used) for who, used in zip(people(len(percents)), percents, strict=True)
    ]
    everybody = people(max(known, len(percents)))
    wave = judge_wave(blocks, (), everybody, breaker)
    held = wave.held(blocks)
    assert bool(held) <= wave.trips == breaker.trips(len(blocks), len(everybody))
    if wave.trips:
        assert not breaker.trips(len(blocks) - len(held), len(everybody))
        assert all(each.percent < wave.far for each in blocks if each.principal in held)
