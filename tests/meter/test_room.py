"""Who has room: whose delivery ends with the meter, and who is marked and woken for."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from builders import ALICE, HOUR, NOON
from log_records import ACCOUNT
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.counts import Counts, Measure
from quota_enforcer.core.usage.looks.headroom import Ground, Headroom, Measured
from quota_enforcer.core.usage.stored import Bucket, MeterRules
from stream_fakes import Died, Place, call, delivery

MODEL = "anthropic.claude-sonnet-4-5-20250929-v1:0"
BOB = Principal.parse("user/bob")
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
A_CALL = 120
"""Tokens."""
GROUND = Ground("enforce UTC", "some edits/some breaker")
HEADROOM = Headroom(
    quotas="a fingerprint",
    settings=GROUND.settings,
    until=NOON + 12 * HOUR,
    used=Counts(),
    buckets=frozenset({(MODEL, "")}),
    left={"default#daily": Decimal(100 * A_CALL)},
    day=NOON.date(),
    measured={"default#daily": Measured(Measure.TOTAL_TOKENS)},
    premise=GROUND.premise,
)


def known(left: Decimal | int) -> Place:
    """Alice has called twice in the last seconds, and the process has read what is left to her."""
    place = Place()
    place.ledger.ground = GROUND
    changed(left={"default#daily": Decimal(left)})(place)
    for number in range(2):
        delivers(place, number)
    place.wake.woken.clear()
    place.wake.called.clear()
    place.ledger.marks.clear()
    return place


@pytest.fixture
def place() -> Place:
    """Alice is known to have plenty of room."""
    return known(100 * A_CALL)


def delivers(place: Place, number: int, *, who: str = "alice", **but: Any) -> None:
    now = NOON + number * SECOND
    at = but.pop("at", now)
    place.stream.deliver(delivery([call(number, at, who, **but)]), now, "id")


def test_a_delivery_whose_people_have_plenty_of_room_ends_there(place: Place) -> None:
    for number in range(2, 9):
        delivers(place, number)
    assert (place.wake.woken, place.ledger.marks) == ([], {})
    assert place.ledger.rooms_read[-1] == {ALICE}


def test_the_first_delivery_of_a_process_marks_and_wakes(place: Place) -> None:
    """Though they have room: nobody knew of it before it was added."""
    place.another_process()
    delivers(place, 2)
    assert list(place.ledger.marks.values()) == [{ALICE}]
    assert place.wake.woken == [{"user/alice"}]
    assert [mark.startswith(place.wake.marks[-1]) for mark in place.ledger.marks] == [True]


def changed(**but: Any) -> Callable[[Place], None]:
    def change(place: Place) -> None:
        place.ledger.headrooms[ALICE] = replace(HEADROOM, **but)

    return change


def stands(ground: Ground) -> Callable[[Place], None]:
    return lambda place: setattr(place.ledger, "ground", ground)


def nothing(_: Place) -> None:
    """All is as it was."""


def away(place: Place) -> None:
    place.ledger.room = lambda *_: 1 / 0  # type: ignore[assignment, method-assign]


def another_model_was_used(place: Place) -> None:
    """By somebody else's delivery, and the headroom knows of it."""
    other = Bucket(ALICE, "amazon.nova-lite-v1:0", NOON.date(), "")
    place.ledger.usage[other][NOON] = Counts(1, 99 * A_CALL)
    changed(buckets=HEADROOM.buckets | {(other.model, "")})(place)


LOOKED_AT: list[tuple[str, Callable[[Place], None], dict[str, Any]]] = [
    ("no headroom", lambda place: place.ledger.headrooms.clear(), {}),
    ("other settings", stands(GROUND._replace(settings="observe UTC")), {}),
    ("settings nobody has acted on", stands(GROUND._replace(settings="")), {}),
    ("an edit", stands(GROUND._replace(premise="other edits/some breaker")), {}),
    ("the breaker", stands(GROUND._replace(premise="some edits/another breaker")), {}),
    ("found while somebody looks at all", changed(premise=""), {}),
    ("what an earlier version left", changed(measured={}, premise=""), {}),
    ("it does not say what is counted", changed(measured={}), {}),
    ("of the day before", changed(day=NOON.date() - DAY), {}),
    ("no day", changed(day=None), {}),
    ("its time is over", changed(until=NOON + 2 * SECOND), {}),
    ("the threshold is reached", changed(left={"default#daily": Decimal(3 * A_CALL)}), {}),
    ("one of two quotas is", changed(left={**HEADROOM.left, "x": Decimal(1)}), {}),
    ("what was used elsewhere counts", another_model_was_used, {}),
    ("a model that it does not know", nothing, {"modelId": "amazon.nova-lite-v1:0"}),
    ("a call of yesterday", nothing, {"at": NOON - DAY}),
    ("it cannot be read", away, {}),
]


@pytest.mark.parametrize(
    ("change", "call_"), [case[1:] for case in LOOKED_AT], ids=[case[0] for case in LOOKED_AT]
)
def test_who_may_have_none_is_marked_and_woken_for(
    place: Place, change: Callable[[Place], None], call_: dict[str, Any]
) -> None:
    change(place)
    delivers(place, 2, **call_)
    assert place.wake.woken == [{"user/alice"}]
    assert list(place.ledger.marks.values()) == [{ALICE}]


def test_who_calls_what_has_no_known_price_is_woken_for_each_time(place: Place) -> None:
    """Admins are told of it."""
    changed(buckets=frozenset({("mystery.one", "")}))(place)
    for number in (2, 3, 4):
        delivers(place, number, modelId="mystery.one")
    assert place.wake.woken == [{"user/alice"}] * 3


def test_one_token_less_than_a_threshold_is_room(place: Place) -> None:
    changed(left={"default#daily": Decimal(3 * A_CALL + 1)})(place)
    delivers(place, 2)
    assert place.wake.woken == []


def test_who_is_limited_by_nothing_has_room_whatever_they_call(place: Place) -> None:
    changed(left={}, measured={}, buckets=frozenset())(place)
    delivers(place, 2)
    delivers(place, 3, modelId="amazon.nova-lite-v1:0")
    assert place.wake.woken == []


def test_weights_count(place: Place) -> None:
    weights = tuple(map(Decimal, (0, 0, 1, 0, 0, 0)))
    weighed = {"default#daily": Measured(Measure.WEIGHTED_TOKENS, weights)}
    changed(left={"default#daily": Decimal(61)}, measured=weighed)(place)
    delivers(place, 2)
    assert place.wake.woken == [], "60 output tokens"
    delivers(place, 3)
    assert place.wake.woken == [{"user/alice"}]


def test_once_a_minute_the_enforcer_is_woken_all_the_same(place: Place) -> None:
    """For one of those in the delivery, who are not marked: they have room."""
    place.ledger.headrooms[BOB] = HEADROOM
    for number in (2, 30):
        delivers(place, number, who="bob")
    place.wake.woken.clear()
    place.ledger.marks.clear()
    for number in (59, 61, 62, 89, 90, 150):
        now = NOON + number * SECOND
        both = [call(1000 + number, now), call(2000 + number, now, "bob")]
        place.stream.deliver(delivery(both), now, "id")
    assert place.wake.woken == [{"user/alice"}] * 2, "at 62 and at 150"
    assert (place.wake.marks[-2:], place.ledger.marks) == (["", ""], {})


def test_of_two_in_a_delivery_the_one_without_room_is_woken_for(place: Place) -> None:
    now = NOON + 2 * SECOND
    both = delivery([call(8, now), call(9, now, "bob")])
    place.stream.deliver(both, now, "id")
    assert place.wake.woken == [{"user/bob"}]
    assert [set(map(str, each)) for each in place.ledger.marks.values()] == [{"user/bob"}]
    assert [set(map(str, each)) for each in place.wake.called] == [{"user/bob"}]


@pytest.mark.parametrize(("callers", "asked"), [(100, True), (101, False)])
def test_of_more_than_a_hundred_callers_nobody_is_asked_about(
    place: Place, callers: int, *, asked: bool
) -> None:
    """All are marked and woken for at once, also who is known to have plenty."""
    now = NOON + 2 * SECOND
    names = ["alice", *(f"u{number}" for number in range(callers - 1))]
    events = [call(100 + number, now, who) for number, who in enumerate(names)]
    before = len(place.ledger.rooms_read)
    place.stream.deliver(delivery(events), now, "id")
    assert (len(place.ledger.rooms_read) > before) is asked
    assert ("user/alice" in place.wake.woken[0]) is not asked
    assert len(place.wake.woken[0]) == callers - asked


def test_a_session_and_its_role_both_need_room(place: Place) -> None:
    role = f"arn:aws:sts::{ACCOUNT}:assumed-role/ci/42"
    place.ledger.the_brief = MeterRules(sessions=frozenset({"session/ci/*"}))
    place.another_process()
    for who in ("role/ci", "session/ci/42"):
        delivers(place, 2 if who == "role/ci" else 3, who=role)
    names = {str(each): each for each in place.ledger.rooms_read[-1]}
    place.ledger.headrooms[names["role/ci"]] = HEADROOM
    place.wake.woken.clear()
    delivers(place, 4, who=role)
    assert place.wake.woken == [{"role/ci", "session/ci/42"}], "both are marked, one has none"
    place.ledger.headrooms[names["session/ci/42"]] = HEADROOM
    delivers(place, 5, who=role)
    delivers(place, 6, who=role)
    place.wake.woken.clear()
    delivers(place, 7, who=role)
    assert place.wake.woken == []


def test_calls_that_may_be_written_yet_are_marked_after_all(place: Place) -> None:
    place.ledger.refused = {"user/alice"}
    delivers(place, 2)
    assert place.wake.woken == [{"user/alice"}]
    assert list(place.ledger.marks.values()) == [{ALICE}]


# Marks

NEAR = Decimal(9 * A_CALL)
"""Room for a call, but not for ten."""


def test_who_had_not_plenty_is_marked_before_anything_is_added(place: Place) -> None:
    changed(left={"default#daily": NEAR})(place)
    delivers(place, 2)
    assert (place.wake.woken, place.ledger.marks) == ([], {}), "there was plenty a second ago"
    place.crashes.at = 2  # before the mark, and after it
    with pytest.raises(Died):
        delivers(place, 3)
    assert list(place.ledger.marks.values()) == [{ALICE}]
    assert used(place) == 3 * A_CALL


def test_who_had_not_plenty_is_woken_for_so_that_the_mark_is_taken_out() -> None:
    place = known(NEAR)
    delivers(place, 2)
    assert place.wake.woken == [{"user/alice"}]


def test_what_was_read_long_ago_is_no_plenty(place: Place) -> None:
    for minutes in range(1, 16):
        delivers(place, 60 * minutes, who="bob")
    place.wake.woken.clear()
    place.ledger.marks.clear()
    delivers(place, 15 * 60 + 2)
    assert place.wake.woken == [{"user/alice"}]


def test_a_mark_that_fails_afterwards_stops_no_wake_and_has_the_delivery_repeated(
    place: Place,
) -> None:
    place.ledger.headrooms.clear()
    place.ledger.mark_unseen = lambda *_: 1 / 0  # type: ignore[assignment, method-assign]
    with pytest.raises(ZeroDivisionError):
        delivers(place, 2)
    assert place.wake.woken == [{"user/alice"}]


def used(place: Place) -> int:
    """Alice's tokens."""
    return sum(counts.tokens for counts in place.ledger.totals().values())


@pytest.mark.parametrize("plenty", [True, False], ids=["plenty", "not-plenty"])
def test_a_crash_at_any_moment_forgets_nobody(*, plenty: bool) -> None:
    """Repeated, the delivery wakes for who reached a threshold by it.

    If it never is, the usage is marked, but of who had plenty of room a moment ago.
    """
    moment, died = 0, True
    while died:
        place, died = known(100 * A_CALL if plenty else NEAR), False
        changed(left={"default#daily": Decimal(3 * A_CALL)})(place)
        place.crashes.at = moment
        try:
            delivers(place, 2)
        except Died:
            died = True
        if used(place) == 3 * A_CALL:
            assert plenty or place.ledger.marks or place.wake.woken
        place.crashes.at = None
        place.another_process()
        delivers(place, 2)
        assert place.wake.woken
        assert used(place) == 3 * A_CALL
        moment += 1
    assert moment > (4 if plenty else 5)
