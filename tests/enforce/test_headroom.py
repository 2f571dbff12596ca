"""Headroom: who has used too little to change anything is not looked at, and nobody can tell."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import HAIKU, HOUR, NOON
from quota_enforcer.core.deployment import Metering, Mode
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.looks.headroom import premise_of
from quota_enforcer.core.usage.stored import Bucket
from quota_enforcer.enforce.report import Report
from world import World, principal

ALICE = principal("user/alice")
SECONDS = timedelta(seconds=1)
MINUTES = timedelta(minutes=1)
OTHER = "amazon.nova-lite-v1:0"
DAY = timedelta(days=1)


def streaming(zone: str = "UTC") -> World:
    world = World(zone=zone)
    world.metering(Metering.STREAM)
    world.quota()
    world.sweep(NOON)
    return world


@pytest.fixture
def world() -> World:
    """A limit of 1,000 a day that warns at 80 %; alice has called before and has headroom."""
    world = streaming()
    for _ in range(3):
        use(world, NOON + MINUTES, 10)
    return world


def use(world: World, at: datetime, tokens: int, called_at: datetime | None = None) -> Report:
    """A call, and the wake that tells of it, so late."""
    called_at = called_at or at
    world.stream("alice", called_at, tokens)
    return world.wake(at, "user/alice", called={ALICE: {HAIKU: called_at}}, since=called_at)


def reads(world: World, at: datetime, tokens: int) -> bool:
    """Whether a call makes the wake look."""
    return bool(use(world, at, tokens).looked_at)


def test_who_is_far_from_any_threshold_is_not_looked_at(world: World) -> None:
    assert not reads(world, NOON + 2 * MINUTES, 500)
    assert world.ledger.marks == {}


def test_the_call_that_reaches_a_threshold_is_looked_at(world: World) -> None:
    assert not reads(world, NOON + 2 * MINUTES, 769)  # 799 of 800
    assert reads(world, NOON + 2 * MINUTES, 1)
    assert world.told("user/alice") == ["warning"]


def test_several_small_calls_reach_the_limit_like_a_large_one(world: World) -> None:
    for number in range(97):
        assert world.denied == set()
        use(world, NOON + 2 * MINUTES + number * SECONDS, 10)
    assert world.denied == {"user/alice"}


def test_who_is_denied_is_looked_at_each_time(world: World) -> None:
    use(world, NOON + 2 * MINUTES, 2_000)
    assert reads(world, NOON + 3 * MINUTES, 1)


def test_a_headroom_outlives_its_day(world: World) -> None:
    """One of three days before tells as well; after that somebody looks."""
    assert not reads(world, NOON + 12 * HOUR, 1)
    assert not reads(world, NOON + 12 * HOUR + 2 * SECONDS, 798)
    assert reads(world, NOON + 12 * HOUR + 3 * SECONDS, 1), "800 of the new day"
    assert world.told("user/alice") == ["warning"]


def test_what_was_used_before_midnight_counts_in_a_longer_window(world: World) -> None:
    world.quota(window="month")
    world.another_process()
    at = NOON + 2 * MINUTES
    for _ in range(2):
        use(world, at, 100)
    assert not reads(world, NOON + 12 * HOUR, 300)
    assert reads(world, NOON + DAY + HOUR, 300), "830 of the month"
    assert world.told("user/alice") == ["warning"]


def test_a_headroom_of_long_ago_is_of_no_use(world: World) -> None:
    assert not reads(world, NOON + 7 * DAY, 1)
    assert reads(world, NOON + 15 * DAY, 1)


def test_who_is_warned_is_looked_at_on_the_next_day(world: World) -> None:
    use(world, NOON + 2 * MINUTES, 800)
    use(world, NOON + 3 * MINUTES, 1)
    assert reads(world, NOON + 12 * HOUR, 1)


def edited(world: World, at: datetime, **but: object) -> Report:
    """An admin changes the quota, and the stream of the table tells of it."""
    world.quota(**but)
    world.metrics.now = at
    return world.enforcer().edited(at)


@pytest.mark.parametrize("swept", [False, True], ids=["told", "swept"])
def test_who_has_room_under_an_edited_default_is_not_looked_at(
    world: World, *, swept: bool
) -> None:
    world.quota(principal="default")
    world.quota(principal="user/alice", enabled=False)
    at = NOON + 2 * MINUTES
    world.sweep(at)
    world.stream("bob", at, 500)
    for _ in range(2):
        for who in ("alice", "bob"):
            names = {principal(f"user/{who}"): {HAIKU: at}}
            world.wake(at, f"user/{who}", called=names, since=at)
    at += MINUTES
    world.quota(principal="default", limit=Decimal(400))
    report = world.sweep(at) if swept else world.enforcer().edited(at)
    assert report.looked_at == 1
    assert world.denied == {"user/bob"}
    assert not reads(world, at + MINUTES, 289), "319 of the first warning's 320"
    assert reads(world, at + MINUTES, 1)
    assert edited(world, at + 2 * MINUTES, principal="default").looked_at == 2, "both are not plain"
    assert world.denied == set()


def test_an_edit_for_everybody_writes_headrooms_only_before_they_grow_too_old() -> None:
    """Who makes no calls for weeks need not be looked at, nor be written of at each edit."""
    world = streaming()
    world.quota(principal="default")
    world.sweep(NOON + MINUTES)
    for _ in range(3):
        world.stream("bob", NOON + MINUTES, 10)
        names = {principal("user/bob"): {HAIKU: NOON + MINUTES}}
        world.wake(NOON + MINUTES, "user/bob", called=names, since=NOON + MINUTES)
    written = []
    for days in range(0, 17, 2):
        before = world.ledger.kept[principal("user/bob")]
        limit = Decimal(2_000 + days)
        assert not edited(
            world, NOON + days * DAY + HOUR, principal="default", limit=limit
        ).looked_at
        written.append(world.ledger.kept[principal("user/bob")] != before)
    assert written == [False, False, *[True, False] * 3, True], "after four days"


def test_an_edit_of_what_is_counted_is_looked_at_by_all(world: World) -> None:
    world.quota(principal="user/alice", enabled=False)
    changes: list[dict[str, object]] = [
        {"window": "week"},
        {"measure": "requests"},
        {"window": "rolling 3 days"},
        {"raise_to": Decimal(9_000), "raise_until": (NOON + DAY).isoformat()},
    ]
    for number, but in enumerate(changes):
        at = NOON + (3 + number) * MINUTES
        assert edited(world, at, principal="default", **but).looked_at == 1, but


def test_a_call_of_the_day_before_is_looked_at_and_takes_the_headroom_away(world: World) -> None:
    world.quota(window="month")
    at = NOON + 12 * HOUR + MINUTES
    for _ in range(2):
        use(world, at, 1)
    assert use(world, at, 700, called_at=NOON).looked_at == 1
    assert reads(world, at, 1)
    assert reads(world, at, 100), "832 of 1,000 were used, 700 of them yesterday"
    assert world.told("user/alice") == ["warning"]


def test_assumed_prices_reach_a_limit_twice_and_each_is_looked_at(world: World) -> None:
    world.quota(measure="cost_usd", limit=Decimal(10))
    world.sweep(NOON + MINUTES)
    world.another_process()
    at = NOON + 2 * MINUTES

    def spend(cost: str) -> bool:
        world.stream("alice", at, 1, cost)
        return bool(world.wake(at, "user/alice", called={ALICE: {HAIKU: at}}, since=at).looked_at)

    world.assumed("alice", at, "12")
    assert spend("0")
    assert world.denied == set(), "it only warns"
    spend("0")
    assert not spend("9.99")
    assert spend("0.01")
    assert world.denied == {"user/alice"}


def test_an_edit_of_a_quota_ends_the_headroom(world: World) -> None:
    world.quota(limit=Decimal(400))
    world.another_process()
    assert reads(world, NOON + 2 * MINUTES, 400)
    assert world.denied == {"user/alice"}


def test_a_model_that_was_not_used_before_counts_at_once(world: World) -> None:
    world.stream("alice", NOON + MINUTES, 1)
    assert not reads(world, NOON + 2 * MINUTES, 1)
    called = {ALICE: {HAIKU: NOON + 2 * MINUTES}}
    assert world.wake(NOON + 2 * MINUTES, "user/alice", called=called).looked_at == 1, "no since"


def test_who_is_limited_by_nothing_is_not_looked_at_whatever_they_call(world: World) -> None:
    who = principal("role/batch")
    for number, model in enumerate((HAIKU, HAIKU, HAIKU, OTHER)):
        at = NOON + number * MINUTES
        looked = world.wake(at, str(who), called={who: {model: at}}, since=at).looked_at
        assert looked == (number < 2), "its record is made, and then what it leaves"


def test_while_blocks_are_held_or_paused_everybody_is_looked_at(world: World) -> None:
    until = NOON + 4 * HOUR
    world.quotas.put({"principal": "pause", "quota": "new-blocks", "until": until.isoformat()})
    world.sweep(NOON + 5 * MINUTES)
    assert reads(world, NOON + 6 * MINUTES, 1)
    assert premise(world) == "", "so the meter wakes for her"
    use(world, NOON + 5 * HOUR, 1)
    assert premise(world) != ""


def premise(world: World) -> str:
    """On what alice's headroom stands."""
    headroom = world.ledger.kept[ALICE].headroom
    assert headroom is not None
    return headroom.premise


def test_an_edit_ends_what_headrooms_stand_on_and_the_next_wake_renews_it(world: World) -> None:
    before = premise(world)
    assert before == premise_of(world.ledger.state().quotas_seen, "")
    edited(world, NOON + 2 * MINUTES, principal="user/bob")
    use(world, NOON + 3 * MINUTES, 1)
    assert premise(world) == premise_of(world.ledger.state().quotas_seen, "") != before
    assert not reads(world, NOON + 4 * MINUTES, 1), "it was no look either"


def test_the_breaker_ends_what_headrooms_stand_on(world: World) -> None:
    assert world.ledger.turn_breaker(NOON, world.ledger.state(), "turned")
    state = world.ledger.state()
    assert premise(world) != premise_of(state.quotas_seen, state.breaker)
    assert reads(world, NOON + 2 * MINUTES, 1)
    assert premise(world) == "", "nor does anything stand on what is found meanwhile"


def test_while_an_edit_is_not_acted_on_headrooms_stand_on_nothing(world: World) -> None:
    world.quota(limit=Decimal(10_000))
    world.another_process()
    use(world, NOON + 2 * MINUTES, 1)
    assert premise(world) == ""


def test_a_sweep_under_other_settings_first_takes_away_what_they_were(world: World) -> None:
    seen = []
    usage = world.ledger.usage
    world.mode(Mode.OBSERVE)
    world.ledger.usage = lambda *asked: seen.append(world.ledger.state().terms) or usage(*asked)  # type: ignore[func-returns-value, method-assign]
    world.sweep(NOON + 5 * MINUTES)
    assert seen == [""]
    assert "observe" in world.ledger.state().terms


def test_who_shares_a_pool_is_looked_at_each_time(world: World) -> None:
    world.quota(
        principal="team/research", quota="shared", members=["user/alice", "user/bob"], share="pool"
    )
    world.sweep(NOON + 5 * MINUTES)
    for number in range(3):
        assert reads(world, NOON + (6 + number) * MINUTES, 1)


def test_a_lost_wake_is_looked_at_by_the_sweep_which_takes_the_headroom_away(world: World) -> None:
    world.ledger.marks["m#1"] = frozenset({ALICE})
    assert world.sweep(NOON + 5 * MINUTES).looked_at == 1
    assert reads(world, NOON + 6 * MINUTES, 1)


def test_a_dry_run_takes_nothing_away(world: World) -> None:
    world.ledger.marks["m#1"] = frozenset({ALICE})
    world.sweep(NOON + 5 * MINUTES, dry_run=True)
    assert not reads(world, NOON + 6 * MINUTES, 1)


def test_a_dry_run_under_other_settings_leaves_those_that_were_acted_on(world: World) -> None:
    before = world.ledger.state().terms
    world.mode(Mode.OBSERVE)
    world.sweep(NOON + 5 * MINUTES, dry_run=True)
    assert world.ledger.state().terms == before != ""


def test_a_model_of_today_stays_known_when_it_leaves_a_rolling_window(world: World) -> None:
    """A look that saw nothing of it may be under way while the meter adds to it."""
    world.quota(window="rolling 5 hours")
    world.another_process()
    night = NOON + 12 * HOUR
    world.ledger.add(Bucket(ALICE, OTHER, NOON.date()), night - HOUR, Counts(1, 300))
    for minutes in (1, 2):
        use(world, night + HOUR + minutes * MINUTES, 1)
    assert reads(world, night + 7 * HOUR, 790), "more than was left until then"
    headroom = world.ledger.kept[ALICE].headroom
    assert headroom is not None
    assert headroom.buckets == {(HAIKU, ""), (OTHER, "")}


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["alice", "bob", "role:ci/42"]),
        st.integers(0, 400),
        st.sampled_from([SECONDS, MINUTES, HOUR, 9 * HOUR, DAY]),
        st.sampled_from([timedelta(0), MINUTES, 5 * HOUR, 2 * DAY]),
        st.integers(0, 12),
    ),
    max_size=25,
)
QUOTAS = st.sampled_from(
    [
        [{}],
        [{"window": "month"}, {"quota": "hourly", "window": "hour", "limit": Decimal(300)}],
        [{"principal": "default", "window": "rolling 3 days", "warn_at": [10, 50, 90]}],
        [{"principal": "default", "action": "notify"}, {"principal": "role/ci", "limit": 700}],
        [{"principal": "default", "window": "week", "models": ["anthropic.*"]}],
    ]
)


EDITS = {1: Decimal(200), 2: Decimal(2_000), 3: Decimal(900)}
"""An admin sets the first quota's limit to so much."""


def histories(
    events: list[tuple[str, int, timedelta, timedelta, int]],
    quotas: list[dict[str, object]],
    *,
    told: bool,
) -> Iterator[tuple[set[str], list[str]]]:
    """Whom IAM denies and what was told after each event; `told` whether wakes say since when."""
    world = streaming("Europe/Berlin")
    for quota in quotas:
        world.quota(**quota)
    now = NOON
    for who, tokens, later, late, sweep in events:
        now += later
        at = max(now - late, NOON - 3 * DAY)
        world.stream(who, at, tokens)
        names = ["role/ci", "session/ci/42"] if who.startswith("role") else [f"user/{who}"]
        called = {principal(each): {HAIKU: at} for each in names}
        world.wake(now, *names, called=called, since=at if told else None)
        if sweep == 0:
            world.sweep(now)
        if sweep in EDITS:
            world.quota(**{**quotas[0], "limit": EDITS[sweep]})
            world.metrics.now = now
            world.enforcer().edited(now)
        yield world.denied, sorted(world.told())


@given(EVENTS, QUOTAS)
@settings(max_examples=2 * settings().max_examples)
def test_nobody_can_tell_who_was_looked_at(
    events: list[tuple[str, int, timedelta, timedelta, int]], quotas: list[dict[str, object]]
) -> None:
    """Whatever is used, and however late it is told: the same denies and notices at each moment."""
    skipping = histories(events, quotas, told=True)
    assert list(skipping) == list(histories(events, quotas, told=False))


def test_what_another_model_used_since_is_not_forgotten(world: World) -> None:
    """Who begins with a second model is looked at, so that later calls of the first count both."""
    at = NOON + 2 * MINUTES
    world.ledger.add(Bucket(ALICE, OTHER, at.date()), NOON, Counts(1, 700))
    world.wake(at, "user/alice", called={ALICE: {OTHER: at}}, since=at)
    use(world, at, 100)
    assert world.told("user/alice") == ["warning"]
