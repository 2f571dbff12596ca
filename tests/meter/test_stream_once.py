"""The stream meter's promise: whatever happens to deliveries, each call counts exactly once."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from builders import HOUR, NOON
from quota_enforcer.meter.ports import LogEvent
from quota_enforcer.meter.recount.recounter import RecountRefused
from stream_fakes import Died, Place, call, delivery, truth

MINUTE = timedelta(minutes=1)
WHO = ("alice", "bob", "carol")
END = NOON + 5 * HOUR

CALLS = st.lists(st.tuples(st.integers(0, 119), st.sampled_from(WHO)), min_size=1, max_size=8).map(
    lambda drawn: [
        call(number, NOON + minute * MINUTE, who) for number, (minute, who) in enumerate(drawn)
    ]
)
"""Calls of two hours; the log has each at once, the subscription whenever it likes."""


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[LogEvent], list[tuple[str, int, list[int], int]]]:
    """Calls, and steps: after so many minutes deliver these, or recount; die at that write."""
    events = draw(CALLS)
    numbers = st.lists(st.integers(0, len(events) - 1), min_size=1, max_size=6)
    step = st.tuples(
        st.sampled_from(["deliver", "deliver", "deliver", "recount", "settle", "lose"]),
        st.integers(0, 60),
        numbers,
        st.integers(-1, 8),
    )
    return events, draw(st.lists(step, max_size=12))


def happened(event: LogEvent, minute: int) -> bool:
    return event.timestamp <= (NOON + minute * MINUTE).timestamp() * 1000


@given(stories())
def test_any_story_of_deliveries_crashes_and_recounts_counts_each_call_once(
    story: tuple[list[LogEvent], list[tuple[str, int, list[int], int]]],
) -> None:
    events, steps = story
    place = Place()
    place.ledger.at_once = 2
    minute = 120
    pending: list[list[int]] = []
    for what, minutes, numbers, dies_at in steps:
        minute += minutes
        now = NOON + minute * MINUTE
        place.log.lines = [each for each in events if happened(each, minute)]
        place.crashes.at = None if dies_at < 0 else dies_at
        try:
            match what:
                case "deliver":
                    pending.append(numbers)
                    batch = delivery(events[number] for number in numbers)
                    place.stream.deliver(batch, now, "id")
                    pending.pop()
                case "lose":
                    place.stream.deliver("half a gzip", now, "id")
                case "recount":
                    place.recounter.recount(NOON, now)
                case _:
                    for hour in place.recounter.due(now):
                        place.recounter.settle(hour, now)
        except (Died, RecountRefused):
            pass
        place.crashes.at = None

    # In the end everything was delivered, what failed was repeated, and the schedule has run.
    now = NOON + minute * MINUTE
    place.log.lines = events
    for numbers in [*pending, list(range(len(events)))]:
        place.stream.deliver(delivery(events[number] for number in numbers), now, "id")
    now += 3 * HOUR
    for hour in place.recounter.due(now):
        place.recounter.settle(hour, now)
    assert place.recounter.due(now) == []
    assert place.ledger.totals() == truth(events, place)
