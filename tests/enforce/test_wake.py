"""Wakes as timelines: who is looked at as usage comes in, and what stays the schedule's."""

from collections.abc import Callable, Iterable
from datetime import timedelta

import pytest

from builders import HAIKU, HOUR, NOON
from quota_enforcer.core.deployment import Metering, Mode
from quota_enforcer.core.errors import CannotDeny, Conflict
from quota_enforcer.core.ledger import ANY_PREMISE, GateIntent, Premise, Record, SweepState
from quota_enforcer.core.notices.notice import Notice
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.stored import Bucket
from world import World, principal

MINUTES = timedelta(minutes=1)
SECONDS = timedelta(seconds=1)
ALICE = principal("user/alice")
ANN = principal("sso/ann@example.com")


@pytest.fixture
def world() -> World:
    """A deployment on the stream, swept at noon, with a quota for alice."""
    world = World()
    world.metering(Metering.STREAM)
    world.quota()
    world.sweep(NOON)
    return world


def writes(world: World) -> list[str]:
    """The writes to the ledger since this was asked last."""
    methods = [method for method, _ in world.ledger.writes]
    world.ledger.writes.clear()
    return methods


def test_who_goes_over_is_blocked_in_the_same_breath(world: World) -> None:
    world.stream("alice", NOON + MINUTES, 1200)
    report = world.wake(NOON + MINUTES + 5 * SECONDS, "user/alice")
    assert world.denied == {"user/alice"}
    assert world.told() == ["user/alice blocked"]
    assert (report.looked_at, report.failures) == (1, [])


def test_only_the_named_are_looked_at(world: World) -> None:
    world.quota(principal="user/bob")
    world.sweep(NOON + MINUTES)
    for who in ("alice", "bob"):
        world.stream(who, NOON + MINUTES, 1200)
    world.wake(NOON + 2 * MINUTES, "user/bob")
    assert world.denied == {"user/bob"}


def test_a_wake_neither_begins_nor_finishes_a_sweep(world: World) -> None:
    before = world.ledger.state()
    world.stream("alice", NOON + MINUTES, 10)
    world.wake(NOON + MINUTES, "user/alice")
    after = world.ledger.state()
    assert (after.started, after.finished) == (before.started, before.finished)
    assert world.metrics.reads == []


def test_who_stays_below_is_not_written(world: World) -> None:
    world.stream("alice", NOON + MINUTES, 10)
    world.wake(NOON + MINUTES, "user/alice")
    writes(world)
    world.stream("alice", NOON + MINUTES, 10)
    world.wake(NOON + MINUTES + SECONDS, "user/alice")
    assert writes(world) == []


def test_how_fresh_usage_is_is_noted_once_a_minute(world: World) -> None:
    for seconds in (0, 30, 59, 60, 61):
        world.wake(NOON + MINUTES + seconds * SECONDS, "user/alice")
    assert writes(world).count("note") == 2
    assert world.sweep(NOON + 5 * MINUTES).data_age_seconds == 3 * 60
    assert world.ledger.state().fresh_at == NOON + 2 * MINUTES


def test_a_wake_says_nothing_of_what_it_has_not_seen(world: World) -> None:
    """It lists no policy: what others attached is found by the next sweep."""
    world.denies.attached[ALICE] = {"*"}
    world.denies.attached[principal("user/mallory")] = {"*"}
    assert world.wake(NOON + MINUTES, "user/alice").drift == []
    assert world.denied == {"user/alice", "user/mallory"}
    world.sweep(NOON + 20 * MINUTES)
    assert world.denied == set()


def test_the_clock_of_a_wake_never_runs_back_behind_the_last_sweep(world: World) -> None:
    world.sweep(NOON + 5 * MINUTES)
    assert world.wake(NOON + MINUTES, "user/alice").now == NOON + 5 * MINUTES


def test_a_sweep_of_an_earlier_tick_does_not_undo_what_a_later_wake_decided(world: World) -> None:
    """The wake saw a new day; the tick of the minute before comes late."""
    world.stream("alice", NOON, 1200)
    world.wake(NOON + SECONDS, "user/alice")
    world.wake(NOON + 12 * HOUR + SECONDS, "user/alice")
    assert world.denied == set()
    world.quota(limit=1100)  # a reason to look at her
    world.sweep(NOON + 12 * HOUR - MINUTES)
    assert world.denied == set()


def test_after_the_end_nobody_is_blocked(world: World) -> None:
    world.close(NOON + MINUTES)
    world.stream("alice", NOON + MINUTES, 1200)
    report = world.wake(NOON + 2 * MINUTES, "user/alice")
    assert (report.closed, world.denied, report.looked_at) == (True, set(), 0)


def test_a_stack_that_begins_to_go_during_a_wake_leaves_nobody_blocked(world: World) -> None:
    attach = world.denies.attach

    def going(principal: Principal, scope: str) -> None:
        world.ledger.close()
        attach(principal, scope)

    world.denies.attach = going  # type: ignore[method-assign]
    world.stream("alice", NOON, 1200)
    world.wake(NOON + MINUTES, "user/alice")
    assert world.denied == set()


def test_who_is_blocked_for_usage_that_is_gone_is_released_though_the_wake_was_lost(
    world: World,
) -> None:
    """A recount found less; who is blocked makes no call that would wake the enforcer again."""
    world.quota(window="month")
    world.stream("alice", NOON, 1200)
    world.wake(NOON + MINUTES, "user/alice")
    world.sweep(NOON + 5 * MINUTES)
    bucket = Bucket(ALICE, HAIKU, NOON.date())
    world.ledger.set_hours(bucket, {NOON: Counts(1, 100)}, "recount")
    world.sweep(NOON + HOUR)
    assert (world.denied, world.told()[-1]) == (set(), "user/alice restored")


def test_the_blocked_are_looked_at_once_an_hour(world: World) -> None:
    """Each look reads all usage of a window, which for a month costs something."""
    world.stream("alice", NOON, 1200)
    world.wake(NOON + MINUTES, "user/alice")
    looked_at = [world.sweep(NOON + 10 * n * MINUTES).looked_at for n in range(1, 14)]
    assert looked_at == [0] * 5 + [1] + [0] * 5 + [1] + [0]


def test_observe_mode_denies_nobody(world: World) -> None:
    world.mode(Mode.OBSERVE)
    world.stream("alice", NOON, 1200)
    world.wake(NOON + MINUTES, "user/alice")
    assert (world.denied, world.told()) == (set(), ["user/alice warning"])


# Quotas: kept for a while, and never older than what a sweep acted on


def test_wakes_read_the_quota_table_once(world: World) -> None:
    world.quotas.reads = 0
    for second in range(10):
        world.wake(NOON + MINUTES + second * SECONDS, "user/alice")
    assert world.quotas.reads == 1


def test_an_edit_that_a_sweep_has_seen_is_seen_by_the_next_wake(world: World) -> None:
    world.wake(NOON + MINUTES, "user/alice")
    world.quota(limit=100)
    world.sweep(NOON + 2 * MINUTES)
    world.stream("alice", NOON + 2 * MINUTES, 150)
    world.wake(NOON + 2 * MINUTES + SECONDS, "user/alice")
    assert world.denied == {"user/alice"}


def test_without_a_sweep_quotas_are_good_for_five_minutes(world: World) -> None:
    world.wake(NOON + MINUTES, "user/alice")
    world.quota(limit=100)
    world.stream("alice", NOON + 2 * MINUTES, 150)
    world.wake(NOON + 6 * MINUTES - SECONDS, "user/alice")
    assert world.denied == set()
    world.wake(NOON + 6 * MINUTES, "user/alice")
    assert world.denied == {"user/alice"}


def test_an_edit_that_only_a_wake_has_seen_is_still_news_to_the_sweep(world: World) -> None:
    world.quota(limit=100)
    world.quota(principal="user/bob", limit=100)
    for who in ("alice", "bob"):
        world.stream(who, NOON, 150)
    world.wake(NOON + MINUTES, "user/alice")
    assert world.denied == {"user/alice"}
    world.sweep(NOON + 2 * MINUTES)
    assert world.denied == {"user/alice", "user/bob"}


def test_an_edit_that_only_a_wake_has_seen_can_be_taken_back(world: World) -> None:
    """No sweep ever knew of it, and yet who was blocked for it is released."""
    world.stream("alice", NOON, 150)
    world.quota(limit=100)
    world.wake(NOON + MINUTES, "user/alice")
    assert world.denied == {"user/alice"}
    world.quota()
    world.sweep(NOON + 2 * MINUTES)
    assert world.denied == set()


def test_an_invalid_item_is_told_by_the_sweep_alone(world: World) -> None:
    world.quota(limit=-1)
    world.wake(NOON + MINUTES, "user/alice")
    assert world.told() == []
    world.sweep(NOON + 2 * MINUTES)
    assert world.told() == ["user/alice invalid-quota"]


@pytest.mark.parametrize("moment", range(12))
def test_a_wake_beside_a_sweep_that_raises_a_limit_never_blocks_for_good(
    world: World, moment: int
) -> None:
    """Whatever the sweep has done when the wake begins, who has been raised ends up open."""
    world.stream("alice", NOON, 1200)
    world.wake(NOON + MINUTES, "user/alice")
    world.quota(limit=5000)
    at = NOON + 2 * MINUTES
    ticking = Interleaved(world, moment, lambda: world.wake(at + SECONDS, "user/alice"))
    world.sweep(at)
    assert world.denied == set()
    ticking.stop()
    world.sweep(at + 5 * MINUTES)
    assert world.denied == set()


class Interleaved:
    """Does something just before the ledger's nth access by others."""

    METHODS = ("state", "records", "put", "usage", "due", "blocked", "begin", "finish")

    def __init__(self, world: World, nth: int, do: Callable[[], object]) -> None:
        self._ledger = world.ledger
        self._left = nth
        self._do = do
        for method in self.METHODS:
            setattr(world.ledger, method, self._wrapped(getattr(world.ledger, method)))

    def stop(self) -> None:
        for method in self.METHODS:
            delattr(self._ledger, method)

    def _wrapped(self, method: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **kwargs: object) -> object:
            self._left -= 1
            if self._left == -1:
                self._do()
            return method(*args, **kwargs)

        return call


@pytest.mark.parametrize("moment", range(8))
def test_a_sweep_beside_a_wake_never_leaves_an_older_limit_in_force(
    world: World, moment: int
) -> None:
    """The sweep acts on a raise at any moment of a wake that knows the limit before it."""
    world.wake(NOON + SECONDS, "user/alice")
    world.stream("alice", NOON, 1200)
    world.quota(limit=5000)
    at = NOON + MINUTES
    Interleaved(world, moment, lambda: world.sweep(at + SECONDS))
    world.wake(at, "user/alice")
    world.sweep(at + 5 * MINUTES)
    assert world.denied == set()


def test_two_wakes_at_once_block_once(world: World) -> None:
    world.stream("alice", NOON, 1200)
    Interleaved(world, 3, lambda: world.enforcer().wake([ALICE], NOON + MINUTES))
    report = world.wake(NOON + MINUTES, "user/alice")
    assert report.failures == []
    assert world.denied == {"user/alice"}
    assert sorted(world.told()) == ["user/alice blocked"]


# What IAM refuses


def test_who_cannot_be_denied_is_left_to_the_schedule(world: World) -> None:
    """Else every call would be an attempt; and nobody is told of a block that is none."""
    world.denies.refuse[ALICE] = CannotDeny("all 10 policy slots are full")
    world.stream("alice", NOON, 1200)
    world.wake(NOON + MINUTES, "user/alice")
    assert world.told() == ["user/alice could-not-deny"]
    world.denies.calls.clear()
    world.stream("alice", NOON + MINUTES, 1200)
    world.wake(NOON + 2 * MINUTES, "user/alice")
    assert world.denies.calls == []
    assert len(world.told()) == 1
    world.denies.refuse.clear()
    world.sweep(NOON + 5 * MINUTES)
    assert world.told("user/alice")[-1] == "blocked"


def test_what_a_crash_left_half_done_is_finished(world: World) -> None:
    world.denies.refuse[ALICE] = ConnectionError("IAM is away")
    world.stream("alice", NOON, 1200)
    assert world.wake(NOON + MINUTES, "user/alice").failures
    world.denies.refuse.clear()
    world.wake(NOON + MINUTES + SECONDS, "user/alice")
    assert world.denied == {"user/alice"}
    assert world.told() == ["user/alice blocked"]


def test_one_that_fails_does_not_stop_the_others(world: World) -> None:
    world.quota(principal="user/bob")
    world.denies.refuse[ALICE] = ConnectionError("IAM is away")
    for who in ("alice", "bob"):
        world.stream(who, NOON, 1200)
    report = world.wake(NOON + MINUTES, "user/alice", "user/bob")
    assert world.denied == {"user/bob"}
    assert report.failures == ["user/alice: ConnectionError: IAM is away"]


# Gates


@pytest.fixture
def gated(world: World) -> World:
    """The same with gates, and a quota for a person behind them."""
    world.keep_gates()
    world.quota(principal="sso/*")
    world.stream("sso:ann@example.com", NOON, 500)
    world.sweep(NOON + MINUTES)
    world.wake(NOON + MINUTES, str(ANN))
    return world


def test_a_gate_is_written_only_where_somebody_is_newly_denied_or_released(gated: World) -> None:
    author = gated.author
    assert author is not None
    before = author.runs
    gated.stream("sso:ann@example.com", NOON, 350)
    gated.wake(NOON + 2 * MINUTES, str(ANN))
    assert (author.runs, gated.told(str(ANN))) == (before, ["warning"])
    gated.stream("sso:ann@example.com", NOON, 350)
    gated.wake(NOON + 3 * MINUTES, str(ANN))
    assert (author.runs, author.denied) == (before + 1, {ANN: {"*"}})
    gated.wake(NOON + 4 * MINUTES, str(ANN))
    assert author.runs == before + 1


def test_who_no_gate_denies_yet_is_not_called_blocked_by_the_next_wake(gated: World) -> None:
    author = gated.author
    assert author is not None
    author.trouble = {ANN: "no gate is set up for AWSReservedSSO_Developer"}
    gated.stream("sso:ann@example.com", NOON, 900)
    gated.wake(NOON + 2 * MINUTES, str(ANN))
    gated.wake(NOON + 3 * MINUTES, str(ANN))
    assert gated.told(str(ANN)) == ["could-not-deny"]


@pytest.fixture
def lost_race(monkeypatch: pytest.MonkeyPatch) -> Callable[[World], list[Record]]:
    """Another wake writes first, once; returns whose record it was that could not be written.

    Of a world with an author it is the first record that comes with a gate.
    """

    def lose(world: World) -> list[Record]:
        put, raced = world.ledger.put, list[Record]()

        def racing(
            record: Record,
            notices: Iterable[Notice] = (),
            gate: GateIntent | None = None,
            premise: Premise = ANY_PREMISE,
        ) -> None:
            if not raced and (gate is not None or world.author is None):
                raced.append(record)
                raise Conflict("another wake was first")
            put(record, notices, gate, premise)

        monkeypatch.setattr(world.ledger, "put", racing)
        return raced

    return lose


def test_two_wakes_at_once_for_a_person_are_no_failure(
    gated: World, lost_race: Callable[[World], list[Record]]
) -> None:
    """Who is second leaves the gate to the first, and the next sweep looks again."""
    raced = lost_race(gated)
    gated.stream("sso:ann@example.com", NOON, 900)
    report = gated.wake(NOON + 2 * MINUTES, str(ANN))
    assert (len(raced), report.failures) == (1, [])
    gated.sweep(NOON + 5 * MINUTES)
    assert gated.author is not None
    assert gated.author.denied == {ANN: {"*"}}


def test_who_loses_a_race_looks_again_and_lists_nobody_else(
    world: World, lost_race: Callable[[World], list[Record]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Listed only if a team has a group, whoever of it is known being in it."""
    raced = lost_race(world)
    monkeypatch.setattr(world.ledger, "everybody", lambda: pytest.fail("it listed everybody"))
    world.stream("alice", NOON, 1200)
    assert world.wake(NOON + MINUTES, "user/alice").failures == []
    assert (len(raced), world.denied) == (1, {"user/alice"})


# The stream and the sweep


def test_a_sweep_on_the_stream_reads_no_metrics_and_says_so(world: World) -> None:
    world.call("alice", NOON, 1200)
    report = world.sweep(NOON + 5 * MINUTES)
    assert (report.to_json()["metering"], report.series, world.metrics.listings) == (
        "stream",
        0,
        [],
    )
    assert world.denied == set()


def test_a_sweep_on_the_stream_resets_by_the_clock(world: World) -> None:
    world.stream("alice", NOON, 1200)
    world.wake(NOON + MINUTES, "user/alice")
    world.sweep(NOON + 12 * HOUR)
    assert world.denied == set()


def test_a_sweep_that_finishes_late_keeps_what_wakes_have_noted(world: World) -> None:
    at = NOON + 5 * MINUTES
    once = Interleaved(world, 2, lambda: world.wake(at + SECONDS, "user/alice"))
    world.sweep(at)
    once.stop()
    assert world.ledger.state().fresh_at == at + SECONDS


def test_a_wake_before_the_first_sweep_works() -> None:
    world = World()
    world.metering(Metering.STREAM)
    world.quota()
    world.stream("alice", NOON, 1200)
    world.wake(NOON, "user/alice")
    assert world.denied == {"user/alice"}
    assert world.ledger.state() == SweepState(fresh_at=NOON)
