"""An hour is unusual beside the busiest hours of the days before; without any nothing is."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import ALICE, HAIKU, NOON, UTC_ZONE, Story, a_quota, kinds, tokens
from quota_enforcer.core.deployment import Context, Metering, Mode
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.quota import (
    ENOUGH_DAYS,
    NOTHING_USUAL,
    UNLIMITED,
    Action,
    Quota,
    UsualHours,
)
from quota_enforcer.core.usage.buckets import MinuteCounts, Usage
from quota_enforcer.core.usage.counts import Measure
from quota_enforcer.core.usage.model import ModelScope
from quota_enforcer.core.usage.window import Unit, Window
from quota_enforcer.decide.pace.usual import LOOKED_BACK, UsualHoursRead, usual_hours
from world import World

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
CONTEXT = Context(NOON, UTC_ZONE, Mode.ENFORCE)


def runaway(**but: Any) -> Quota:
    """Five times what is usual, and no hour below 1,000 tokens."""
    ordinary: dict[str, Any] = {
        "name": "runaway",
        "window": Window(Unit.HOUR),
        "unusual": Decimal(5),
        "warn_at": (),
        "action": Action.NOTIFY,
    }
    return a_quota(**{**ordinary, **but})


def days_before(*busiest: int, at: datetime = NOON) -> dict[datetime, int]:
    """In the busiest hour of yesterday so much, of the day before so much, and so on."""
    return {at - DAY * (n + 1): number for n, number in enumerate(busiest)}


@pytest.mark.parametrize(
    ("used", "usual"),
    [
        pytest.param({}, NOTHING_USUAL, id="nothing"),
        pytest.param(days_before(10, 30, 20), UsualHours(3, Decimal(20), Decimal(30)), id="median"),
        pytest.param(
            days_before(10, 40, 20, 30), UsualHours(4, Decimal(20), Decimal(40)),
            id="of an even number the lower of both in the middle",
        ),
        pytest.param(
            {NOON - DAY: 7, NOON - DAY - HOUR: 9, NOON - DAY + HOUR: 8},
            UsualHours(1, Decimal(9), Decimal(9)), id="one hour of a day",
        ),
        pytest.param({NOON - HOUR: 500, NOON: 900}, NOTHING_USUAL, id="not of today"),
        pytest.param(
            {NOON - DAY * LOOKED_BACK: 5}, UsualHours(1, Decimal(5), Decimal(5)),
            id="the first day that counts",
        ),
        pytest.param({NOON - DAY * (LOOKED_BACK + 1): 5}, NOTHING_USUAL, id="longer ago"),
        pytest.param(days_before(0, 0, 6), UsualHours(1, Decimal(6), Decimal(6)), id="idle days"),
    ],
)  # fmt: skip
def test_what_is_usual(used: Mapping[datetime, int], usual: UsualHours) -> None:
    assert usual_hours(runaway(), tokens(used), CONTEXT) == usual


def test_models_that_it_does_not_count_are_not_usual_either() -> None:
    of_opus = runaway(models=(ModelScope("anthropic.claude-3-opus*"),))
    assert usual_hours(of_opus, tokens(days_before(10)), CONTEXT) == NOTHING_USUAL
    both = Usage({**tokens(days_before(10)).models, "b": tokens(days_before(7)).models[HAIKU]})
    assert usual_hours(runaway(), both, CONTEXT).busiest == 17


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Australia/Lord_Howe", "America/New_York"])
def test_days_are_those_of_the_deployments_clock(zone: str) -> None:
    """The last hour before local midnight is yesterday's, and the first after it today's."""
    local = ZoneInfo(zone)
    midnight = datetime(2026, 11, 24, tzinfo=local).astimezone(UTC)
    used = tokens({midnight - MINUTE: 6, midnight: 9}, zone=local)
    context = replace(CONTEXT, zone=local)
    assert usual_hours(runaway(), used, context).most == 6


@pytest.mark.parametrize(
    ("quota", "usual", "limit"),
    [
        (runaway(), UsualHours(14, Decimal(410), Decimal(640)), 2050),
        (runaway(unusual=Decimal("2.5")), UsualHours(5, Decimal(999), Decimal(999)), 2498),
        (runaway(), UsualHours(14, Decimal(10), Decimal(10)), 1000),
        (runaway(), UsualHours(ENOUGH_DAYS - 1, Decimal(410), Decimal(640)), UNLIMITED),
        (runaway(), NOTHING_USUAL, UNLIMITED),
        (
            runaway(raise_to=Decimal(9), raise_until=NOON + HOUR),
            UsualHours(14, Decimal(410), Decimal(640)), 9,
        ),
        (
            runaway(measure=Measure.COST_USD, limit=Decimal(1), unusual=Decimal("2.5")),
            UsualHours(5, Decimal("1.01"), Decimal(2)), Decimal("2.525"),
        ),
    ],
)  # fmt: skip
def test_the_limit_of_an_hour(quota: Quota, usual: UsualHours, limit: Decimal) -> None:
    assert replace(quota, usual=usual).limit_at(NOON) == limit


def test_the_notice_has_the_sum() -> None:
    quota = runaway(
        limit=Decimal(100_000), usual=UsualHours(14, Decimal(410_000), Decimal(640_000))
    )
    [notice] = Story(quota).at(NOON, 2_100_000).notices
    assert notice.reason == (
        "2,100,000 of 2,050,000 total tokens used this hour (quota runaway of user/alice); that is "
        "5.1 times what is usual: in the last 3 weeks the busiest hour of a day came to 410,000 "
        "total tokens in the median of 14 days, and to 640,000 total tokens at most; it blocks "
        "nothing, since this quota only notifies"
    )


_HOURS = st.integers(0, 23)
_AMOUNTS = st.integers(0, 10**9)


@given(
    st.dictionaries(st.integers(1, LOOKED_BACK), _AMOUNTS, max_size=ENOUGH_DAYS - 1),
    st.lists(_AMOUNTS, min_size=1, max_size=4),
)
def test_without_history_nothing_is_unusual(history: dict[int, int], hours: list[int]) -> None:
    """However much is used now, and however much was on four days before."""
    before = {NOON - DAY * ago: number for ago, number in history.items()}
    story = known(runaway(action=Action.DENY), before)
    for number, used in enumerate(hours):
        assert not story.at(NOON + HOUR * number, used).notices
        assert not story.standing.denied


@given(
    st.lists(_AMOUNTS, min_size=ENOUGH_DAYS, max_size=LOOKED_BACK),
    st.lists(st.integers(0, 10**6), min_size=1, max_size=8),
    st.sampled_from(Action),
)
def test_within_an_hour_it_never_flaps(
    history: list[int], steps: list[int], action: Action
) -> None:
    """What is used only grows, and what it is held against stays."""
    story = known(runaway(action=action), days_before(*history))
    told: list[str] = []
    used = 0
    for minute, more in enumerate(steps):
        used += more
        at = NOON + MINUTE * minute
        told += kinds(story.at(at, {NOON: used}))
    assert len(told) <= 1
    assert story.at(NOON + HOUR, {NOON: used}).standing.denied == frozenset()


def known(quota: Quota, history: Mapping[datetime, int]) -> Story:
    """With what is usual by this history."""
    return Story(replace(quota, usual=usual_hours(quota, tokens(history), CONTEXT)))


@pytest.fixture
def world() -> World:
    """A deployment on the stream in which alice used 400 tokens in an hour of each day."""
    world = World()
    world.metering(Metering.STREAM)
    for each in days_before(*[400] * 10):
        world.stream("alice", each, 400)
    runaway_item(world)
    world.sweep(NOON - HOUR)
    return world


def runaway_item(world: World, **but: Any) -> None:
    said = {"quota": "runaway", "window": "hour", "unusual": "5x", "limit": 1000}
    world.quota(**{**said, **but})


def test_an_unusual_hour_is_told_once_and_blocks_nothing(world: World) -> None:
    for minute, used in ((1, 1999), (2, 1), (3, 700)):
        world.stream("alice", NOON + MINUTE * minute, used)
        world.wake(NOON + MINUTE * minute, "user/alice")
        assert world.told() == (["user/alice warning"] if minute > 1 else [])
    assert world.denied == set()
    [(_, message)] = world.topic.sent
    assert message.headline == "user/alice has used 100 % of Bedrock quota runaway"
    assert "5.0 times what is usual" in message.body


def test_where_asked_it_blocks_until_the_hour_is_over(world: World) -> None:
    runaway_item(world, action="deny")
    world.stream("alice", NOON + MINUTE, 2000)
    world.wake(NOON + MINUTE, "user/alice")
    assert world.denied == {"user/alice"}
    world.sweep(NOON + HOUR - MINUTE)
    assert world.denied == {"user/alice"}
    world.sweep(NOON + HOUR)
    assert world.told() == ["user/alice blocked", "user/alice restored"]
    [_, (notice, _)] = world.topic.sent
    assert notice.reason == "the window has rolled over"


def test_one_runaway_does_not_make_the_next_usual(world: World) -> None:
    world.stream("alice", NOON, 50_000)
    world.wake(NOON, "user/alice")
    world.sweep(NOON + DAY)
    world.stream("alice", NOON + DAY, 2000)
    world.wake(NOON + DAY, "user/alice")
    assert world.told() == ["user/alice warning"] * 2


def test_everybody_is_held_against_their_own_hours(world: World) -> None:
    """Bob is usually so busy, and of carol nothing is known yet."""
    runaway_item(world, principal="user/*")
    world.quota(quota="runaway", limit=None, exempt=True, measure=None, window=None)
    for each in days_before(*[5000] * 6):
        world.stream("bob", each, 5000)
    world.sweep(NOON - HOUR / 2)
    for who in ("alice", "bob", "carol"):
        world.stream(who, NOON, 20_000)
    world.wake(NOON, "user/alice", "user/bob", "user/carol")
    assert world.told() == []
    world.stream("bob", NOON, 5000)
    world.wake(NOON, "user/bob")
    assert world.told() == ["user/bob warning"]


def reads(world: World) -> list[date]:
    """From which day on usage is read from now on."""
    found: list[date] = []
    usage = world.ledger.usage

    def noted(principal: Principal, first: date) -> Usage:
        found.append(first)
        return usage(principal, first)

    world.ledger.usage = noted  # type: ignore[method-assign]
    return found


def test_the_weeks_are_read_once_a_day_by_a_process(world: World) -> None:
    world.another_process()
    found = reads(world)
    for minute in range(5):
        world.stream("alice", NOON + MINUTE * minute, 10)
        world.wake(NOON + MINUTE * minute, "user/alice")
    weeks = [first for first in found if first < NOON.date()]
    assert weeks == [NOON.date() - DAY * LOOKED_BACK]
    world.stream("alice", NOON + DAY, 10)
    world.wake(NOON + DAY, "user/alice")
    assert len([first for first in found if first <= NOON.date()]) == 7


def test_nobody_pays_for_the_quotas_of_others(world: World) -> None:
    world.quota(principal="user/bob", limit=100_000)
    world.sweep(NOON)
    found = reads(world)
    world.stream("bob", NOON + MINUTE, 99_000)
    world.wake(NOON + MINUTE, "user/bob")
    assert found == [NOON.date()]


def test_headroom_holds_until_the_hour_may_become_unusual(world: World) -> None:
    def looked_at(at: datetime, used: int) -> int:
        world.stream("alice", at, used)
        called = {ALICE: {HAIKU: at}}
        return world.wake(at, "user/alice", called=called, since=at).looked_at

    for _ in range(3):
        looked_at(NOON + MINUTE, 10)
    assert [looked_at(NOON + MINUTE, 900), looked_at(NOON + MINUTE, 1060)] == [0, 0]
    assert looked_at(NOON + MINUTE, 20) == 1
    assert world.told() == ["user/alice warning"]


@given(st.lists(_AMOUNTS, min_size=ENOUGH_DAYS, max_size=LOOKED_BACK), st.data())
def test_fewer_than_half_of_the_days_move_it_no_further_than_to_another_day(
    history: list[int], data: st.DataObject
) -> None:
    """However odd they are: it stays between the busiest hours of the days that are not."""
    odd = data.draw(st.sets(st.integers(0, len(history) - 1), max_size=(len(history) - 1) // 2))
    spoilt = [10**12 if n in odd else 1 + number for n, number in enumerate(history)]
    usual = usual_hours(runaway(), tokens(days_before(*spoilt)), CONTEXT)
    assert usual.busiest < 10**12


def test_what_is_remembered_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a process that lives long would hold everybody that there ever was."""
    monkeypatch.setattr("quota_enforcer.decide.pace.usual.KEPT", 2)
    read: list[date] = []

    class Weeks:
        def usage(self, principal: object, first: date) -> Usage:
            del principal
            read.append(first)
            return Usage()

        def minutes(self, principal: Principal, since: datetime) -> MinuteCounts:
            raise AssertionError(f"{principal} {since}: no window is of minutes")

    usuals = UsualHoursRead(Weeks())
    for _ in range(2):
        for number in (1, 2, 3):
            usuals.usual(ALICE, [runaway(limit=Decimal(number))], CONTEXT)
    assert len(read) > 3
