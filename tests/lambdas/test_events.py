"""What the enforcer can be asked, and what it refuses."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from quota_enforcer.core.errors import FutureTick, UnknownEvent
from quota_enforcer.lambdas.enforcer.events import (
    CloseRequest,
    EditRequest,
    StaleTick,
    SweepRequest,
    read_event,
)

CLOCK = datetime(2026, 11, 24, 12, 0, 30, tzinfo=UTC)


def tick(ago: timedelta) -> dict[str, Any]:
    return {"action": "sweep", "scheduled_time": f"{CLOCK - ago:%Y-%m-%dT%H:%M:%SZ}"}


def test_a_tick_sweeps_as_of_its_scheduled_time() -> None:
    on_the_minute = datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert read_event(tick(timedelta(seconds=30)), CLOCK) == SweepRequest(on_the_minute)


def test_a_tick_older_than_two_minutes_is_dropped() -> None:
    assert isinstance(read_event(tick(timedelta(seconds=119)), CLOCK), SweepRequest)
    assert isinstance(read_event(tick(timedelta(seconds=121)), CLOCK), StaleTick)


def test_a_tick_from_the_future_is_refused() -> None:
    with pytest.raises(FutureTick, match=r"scheduled for 2026-11-24 12:01:30.*only 2026-11-24"):
        read_event(tick(timedelta(seconds=-60)), CLOCK)


def test_an_admin_sweeps_now() -> None:
    asked = {"action": "sweep", "dry_run": True, "confirm_blocks": False}
    assert read_event(asked, CLOCK) == SweepRequest(CLOCK, dry_run=True)


def test_the_stack_closes() -> None:
    assert read_event({"action": "close"}, CLOCK) == CloseRequest(CLOCK)


def test_records_of_the_quota_tables_stream_are_edits_whatever_they_say() -> None:
    """The table says which: a record may come twice, late, or in another order."""
    records = [{"eventSource": "aws:dynamodb", "dynamodb": {}}, {"eventSource": "aws:dynamodb"}]
    assert read_event({"Records": records}, CLOCK) == EditRequest(CLOCK, 2)


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"action": "dance"},
        {"action": "sweep", "dry_run": "yes"},
        {"action": "sweep", "dryrun": True},
        {"action": "close", "dry_run": True},
        {"action": "sweep", "scheduled_time": "soon"},
        {"action": "sweep", "scheduled_time": "2026-11-24T12:00:00"},
        {"action": "sweep", "scheduled_time": "2026-11-24T12:00:00Z", "dry_run": True},
        {"Records": []},
        {"Records": [{"eventSource": "aws:sqs"}]},
        {"Records": [{"eventSource": "aws:dynamodb"}, "x"]},
        {"Records": [{"eventSource": "aws:dynamodb"}], "action": "sweep"},
        None,
        [],
    ],
    ids=str,
)
def test_anything_else_is_refused_with_what_is_known(event: Any) -> None:
    with pytest.raises(UnknownEvent, match=r"allowed|known"):
        read_event(event, CLOCK)
