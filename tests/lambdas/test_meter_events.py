"""What the meter can be asked to do, and that anything else is refused in words."""

from datetime import UTC, datetime
from typing import Any

import pytest

from quota_enforcer.core.errors import UnknownEvent
from quota_enforcer.lambdas.meter.events import (
    MOST_EVENTS,
    DeliveryRequest,
    RecountRequest,
    read_event,
)

HOUR = datetime(2026, 11, 24, 10, tzinfo=UTC)
ASKED = {"action": "recount", "hour": "2026-11-24T10:00:00Z"}


@pytest.mark.parametrize(
    ("event", "request_"),
    [
        ({"awslogs": {"data": "x"}}, DeliveryRequest("x")),
        ({"action": "recount"}, RecountRequest()),
        (ASKED, RecountRequest(HOUR)),
        ({**ASKED, "without": ["1", "2"]}, RecountRequest(HOUR, frozenset({"1", "2"}))),
        ({**ASKED, "everything": True}, RecountRequest(HOUR, everything=True)),
    ],
)
def test_what_is_understood(event: Any, request_: object) -> None:
    assert read_event(event) == request_


@pytest.mark.parametrize(
    "event",
    [
        {**ASKED, "without": []},
        {**ASKED, "without": [""]},
        {**ASKED, "without": [1]},
        {**ASKED, "without": "12"},
        {**ASKED, "without": ["1" * 101]},
        {**ASKED, "without": [str(number) for number in range(MOST_EVENTS + 1)]},
        {**ASKED, "without": ["1"], "everything": True},
        {**ASKED, "everything": False},
        {"action": "recount", "without": ["1"]},
        {**ASKED, "hour": "2026-11-24T10:00:00"},
        {**ASKED, "hour": "0001-01-01T00:00:00+14:00"},
        {**ASKED, "hour": 5},
        None,
        [],
        "recount",
    ],
)
def test_anything_else_is_refused(event: Any) -> None:
    with pytest.raises(UnknownEvent, match=r"known|allowed"):
        read_event(event)
