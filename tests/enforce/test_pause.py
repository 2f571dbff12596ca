"""A pause: nobody new is blocked until it ends by itself, and admins hear of both."""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from builders import NOON
from quota_enforcer.core.deployment import Metering
from quota_enforcer.core.ledger import QuotaMemory
from quota_enforcer.core.notices.notice import NoticeKind
from quota_enforcer.core.quotas.quota import Pause
from quota_enforcer.core.quotas.subject import PAUSE
from quota_enforcer.enforce.notify.pauses import PauseNotifier
from world import World

MINUTES = timedelta(minutes=1)
ENDS = NOON + timedelta(hours=2)
OVER = ["user/alice", "user/bob"]


def paused(world: World, until: datetime = ENDS, at: datetime = NOON, **but: object) -> None:
    """An admin pauses; the stream of the quota table tells the enforcer."""
    item = {"principal": "pause", "quota": "new-blocks", "until": until.isoformat(), **but}
    world.quotas.put(item)
    world.enforcer().edited(at)


@pytest.fixture(params=[Metering.STREAM, Metering.CLOUDWATCH])
def world(request: pytest.FixtureRequest) -> World:
    """Carol is blocked already; alice and bob are about to be over limits that nobody edited."""
    world = World()
    world.metering(request.param)
    for who in (*OVER, "user/carol"):
        world.quota(principal=who)
    world.stream("carol", NOON - 5 * MINUTES, 1200)
    world.sweep(NOON - 4 * MINUTES)
    world.wake(NOON - 3 * MINUTES, "user/carol")
    assert world.denied == {"user/carol"}
    paused(world, edited_by="user/root-of-all", note="incident 4711")
    return world


def go_over(world: World, at: datetime) -> None:
    for who in OVER:
        world.stream(who.removeprefix("user/"), at, 2500)
    world.wake(at, *OVER)


def test_nobody_new_is_blocked_and_who_is_blocked_stays_so(world: World) -> None:
    go_over(world, NOON + MINUTES)
    report = world.sweep(NOON + 5 * MINUTES)
    assert (report.held, report.failures) == (OVER, [])
    assert world.denied == {"user/carol"}
    assert world.ledger.state().breaker_since is None
    assert world.told("user/alice") == []


def test_everybody_who_is_over_is_blocked_when_it_ends(world: World) -> None:
    go_over(world, NOON + MINUTES)
    world.sweep(ENDS - MINUTES)
    assert world.denied == {"user/carol"}
    world.sweep(ENDS)
    assert world.denied == {"user/carol", *OVER}
    assert world.told("user/alice") == ["blocked"]


def test_a_call_after_the_end_is_enough(world: World) -> None:
    go_over(world, NOON + MINUTES)
    world.stream("alice", ENDS, 1)
    world.wake(ENDS, "user/alice")
    assert world.denied == {"user/carol", "user/alice"}


def test_resuming_blocks_at_once_whoever_waits(world: World) -> None:
    go_over(world, NOON + MINUTES)
    world.quotas.delete("pause", "new-blocks")
    world.enforcer().edited(NOON + 2 * MINUTES)
    assert world.denied == {"user/carol", *OVER}


def test_who_is_free_again_is_released_meanwhile(world: World) -> None:
    world.quota(principal="user/carol", limit=5000)
    world.enforcer().edited(NOON + MINUTES)
    assert world.denied == set()


def test_a_block_by_hand_waits_too(world: World) -> None:
    world.quota(principal="user/dave", quota="block", limit=0)
    world.enforcer().edited(NOON + MINUTES)
    world.sweep(NOON + 5 * MINUTES, confirm_blocks=True)
    assert "user/dave" not in world.denied
    world.sweep(ENDS)
    assert "user/dave" in world.denied


def test_admins_are_told_once_when_it_begins_and_once_when_it_ends(world: World) -> None:
    for minute in range(0, 150, 30):
        world.sweep(NOON + minute * MINUTES)
    kinds = [kind for kind in world.told() if kind.endswith(("paused", "resumed"))]
    assert kinds == [" paused", " resumed"]
    begun, over = (notice for notice, _ in world.topic.sent
                   if notice.kind in {NoticeKind.PAUSED, NoticeKind.RESUMED})  # fmt: skip
    assert begun.reason == (
        'user/root-of-all paused all new blocks until 2026-11-24 14:00 UTC: "incident 4711"'
    )
    assert begun.kind.audience == over.kind.audience == "admins"
    assert over.reason == "the pause until 2026-11-24 14:00 UTC is over"


def test_another_end_is_told_and_holds(world: World) -> None:
    paused(world, until=ENDS + 60 * MINUTES, at=NOON + MINUTES)
    go_over(world, NOON + 2 * MINUTES)
    world.sweep(ENDS + MINUTES)
    assert world.denied == {"user/carol"}
    assert world.told().count(" paused") == 2


def test_an_end_before_its_time_says_so(world: World) -> None:
    world.quotas.delete("pause", "new-blocks")
    world.enforcer().edited(NOON + MINUTES)
    [over] = (each for each, _ in world.topic.sent if each.kind is NoticeKind.RESUMED)
    assert over.reason.endswith("is over: somebody ended it before")


def test_it_needs_no_stream_of_edits(world: World) -> None:
    """The schedule finds it, and a wake with fresh rules obeys it."""
    world.quotas.delete("pause", "new-blocks")
    world.sweep(NOON + MINUTES)
    world.quotas.put({"principal": "pause", "quota": "new-blocks", "until": ENDS.isoformat()})
    go_over(world, NOON + 10 * MINUTES)
    world.sweep(NOON + 15 * MINUTES)
    assert world.denied == {"user/carol"}
    assert world.told().count(" paused") == 2


@pytest.mark.parametrize(
    ("but", "problem"),
    [
        ({"until": None}, "until is missing"),
        ({"until": "soon"}, "until is 'soon'"),
        ({"quota": "everything"}, "quota is 'everything'; allowed: new-blocks"),
        ({"limit": 5}, "limit is 5; allowed: only in a quota"),
        ({"for_ever": True}, "attribute 'for_ever' is unknown"),
    ],
)
def test_one_that_is_not_valid_pauses_nothing_and_is_told(
    but: dict[str, object], problem: str
) -> None:
    world = World()
    world.metering(Metering.STREAM)
    world.quota()
    item = {"principal": "pause", "quota": "new-blocks", "until": ENDS.isoformat(), **but}
    world.quotas.put({name: value for name, value in item.items() if value is not None})
    world.stream("alice", NOON, 1200)
    world.sweep(NOON)
    assert world.denied == {"user/alice"}
    [notice] = (each for each, _ in world.topic.sent if each.kind is NoticeKind.INVALID_QUOTA)
    assert problem in notice.reason


TOO_LATE = "allowed: at most 24 hours after it is written"


@pytest.mark.parametrize("until", [NOON.replace(year=2099), NOON + timedelta(hours=24, minutes=11)])
def test_one_without_a_near_end_pauses_nothing_and_is_told(until: datetime) -> None:
    """Written by hand: the command line allows none."""
    world = World()
    world.metering(Metering.STREAM)
    world.quota()
    world.sweep(NOON - MINUTES)
    paused(world, until=until)
    world.stream("alice", NOON, 1200)
    world.wake(NOON, "user/alice")
    assert world.denied == {"user/alice"}
    [notice] = (each for each, _ in world.topic.sent if each.kind is NoticeKind.INVALID_QUOTA)
    assert f"until is '{until.isoformat()}'; {TOO_LATE}" in notice.reason
    assert notice.reason.endswith("Until it is fixed, nothing is paused")


def test_one_that_was_refused_does_not_begin_when_its_end_has_come_near() -> None:
    world = World()
    world.metering(Metering.STREAM)
    world.quota()
    world.sweep(NOON - MINUTES)
    paused(world, until=NOON + timedelta(days=3))
    for hours in range(0, 73, 6):
        world.sweep(NOON + timedelta(hours=hours))
    assert [each for each in world.told() if each.endswith(("paused", "resumed"))] == []
    assert world.told().count("pause invalid-quota") == 1
    paused(world, until=NOON + timedelta(days=3, hours=1), at=NOON + timedelta(days=3))
    assert " paused" in world.told()


def test_a_longer_end_leaves_the_pause_that_there_is(world: World) -> None:
    paused(world, until=NOON.replace(year=2099), at=NOON + MINUTES)
    go_over(world, NOON + 2 * MINUTES)
    assert world.denied == {"user/carol"}
    world.sweep(ENDS)
    assert world.denied == {"user/carol", *OVER}


def test_one_for_years_that_an_earlier_version_took_pauses_nothing_any_more() -> None:
    world = World()
    world.metering(Metering.STREAM)
    world.quota()
    world.sweep(NOON - MINUTES)
    until = NOON.replace(year=2099)
    item = {"principal": "pause", "quota": "new-blocks", "until": until.isoformat()}
    world.quotas.put(item)
    memory = QuotaMemory("pause", "new-blocks")
    world.ledger.remember_quota(replace(memory, item=item, stamp="then"), memory)
    world.ledger.note_pause(until, world.ledger.state(), [])
    world.sweep(NOON)
    world.stream("alice", NOON, 1200)
    world.wake(NOON, "user/alice")
    assert world.denied == {"user/alice"}
    assert {" resumed", "pause invalid-quota"} <= set(world.told())


def test_what_the_breaker_held_before_it_holds_again_after(world: World) -> None:
    people = [f"user/u{number}" for number in range(14)]
    world.quotas.delete("pause", "new-blocks")
    world.sweep(NOON + MINUTES)
    for who in people:
        world.stream(who.removeprefix("user/"), NOON + MINUTES, 100)
    world.wake(NOON + MINUTES, *people)
    world.quota(principal="default", quota="typo", limit=90)
    assert len(world.enforcer().edited(NOON + 2 * MINUTES).held) >= 14
    paused(world, at=NOON + 3 * MINUTES)
    world.sweep(NOON + 5 * MINUTES)
    assert world.ledger.state().breaker_since == NOON + 2 * MINUTES
    world.sweep(ENDS + MINUTES)
    assert world.denied.isdisjoint(people)
    assert world.told().count(" breaker") == 1


def test_a_crash_between_any_two_writes_tells_it_once_unless_it_was_just_sent() -> None:
    def begun() -> World:
        world = World()
        world.metering(Metering.STREAM)
        world.quota()
        world.sweep(NOON - MINUTES)
        world.ledger.writes.clear()
        return world

    world = begun()
    paused(world)
    several = [method for method, _ in world.ledger.writes]
    assert {"note_pause", "sent"} <= set(several)
    for crash, method in enumerate(several):
        world = begun()
        world.ledger.fails_at = crash
        with suppress(ConnectionError):  # a notice that was sent is in the outbox still
            paused(world)
        world.ledger.fails_at = None
        sent, waits = world.told().count(" paused"), world.ledger.outbox(ENDS)
        world.enforcer().edited(NOON + MINUTES)
        world.sweep(NOON + 15 * MINUTES)
        assert world.told().count(" paused") == (2 if sent and waits else 1), method
        assert world.ledger.state().paused_until == ENDS


def test_two_at_once_tell_it_once(world: World) -> None:
    """A sweep that read the state before another run told of a new end."""
    begun = world.ledger.state()
    later = ENDS + 30 * MINUTES
    paused(world, until=later, at=NOON + MINUTES)
    rules = [Pause(PAUSE, "new-blocks", later)]
    notify = PauseNotifier(world.ledger, world.settings.zone).notify
    assert notify(begun, rules, NOON + MINUTES).notices == ()
    assert notify(world.ledger.state(), rules, NOON + MINUTES).notices == ()
    assert world.told().count(" paused") == 2
    assert world.ledger.outbox(NOON + timedelta(hours=1)) == []


def test_a_sweep_under_way_does_not_forget_what_was_told_meanwhile(world: World) -> None:
    begun = replace(world.ledger.state(), started=NOON, finished=NOON)
    world.quotas.delete("pause", "new-blocks")
    world.enforcer().edited(NOON + MINUTES)
    world.ledger.finish(begun)
    world.sweep(NOON + 5 * MINUTES)
    assert [each for each in world.told() if each.endswith(("paused", "resumed"))] == [
        " paused", " resumed",
    ]  # fmt: skip
