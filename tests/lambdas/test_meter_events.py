"""What the meter can be asked to do, and that anything else is refused in words."""

from datetime import UTC, datetime
from typing import Any

import pytest

from quota_enforcer.core.errors import UnknownEvent
from quota_enforcer.core.usage.place import Place
from quota_enforcer.lambdas.meter.events import (
    MOST_EVENTS,
    DeliveryRequest,
    RecountRequest,
    UrlRequest,
    read_event,
)
from quota_enforcer.satellites.intake import SatelliteCaller

HOUR = datetime(2026, 11, 24, 10, tzinfo=UTC)
THERE = Place("444455556666", "eu-west-1")
CALLER = SatelliteCaller("444455556666", "arn:aws:sts::444455556666:assumed-role/r/s", "o-x")


def posted(**changes: Any) -> dict[str, Any]:
    iam = {"accountId": CALLER.account, "userArn": CALLER.arn, "principalOrgId": "o-x"}
    context = {"http": {"method": "POST"}, "authorizer": {"iam": iam}}
    return {"rawPath": "/", "requestContext": context, "body": "{}", **changes}


ASKED = {"action": "recount", "hour": "2026-11-24T10:00:00Z"}


@pytest.mark.parametrize(
    ("event", "request_"),
    [
        ({"awslogs": {"data": "x"}}, DeliveryRequest("x")),
        ({"action": "recount"}, RecountRequest()),
        (ASKED, RecountRequest(HOUR)),
        ({**ASKED, "without": ["1", "2"]}, RecountRequest(HOUR, frozenset({"1", "2"}))),
        ({**ASKED, "everything": True}, RecountRequest(HOUR, everything=True)),
        ({**ASKED, "place": str(THERE)}, RecountRequest(HOUR, place=THERE)),
        (
            {**ASKED, "place": str(THERE), "without": ["1"]},
            RecountRequest(HOUR, frozenset({"1"}), place=THERE),
        ),
        (posted(), UrlRequest(CALLER, "POST", "/", "{}")),
        (posted(body="e30=", isBase64Encoded=True), UrlRequest(CALLER, "POST", "/", "{}")),
        (posted(body="%", isBase64Encoded=True), UrlRequest(CALLER, "POST", "/", "")),
        (posted(body=None), UrlRequest(CALLER, "POST", "/", "")),
        (
            {"rawPath": "/x", "requestContext": {"http": {"method": "GET"}}},
            UrlRequest(None, "GET", "/x", ""),
        ),
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
        {**ASKED, "place": "eu-west-1"},
        {**ASKED, "place": ""},
        {**ASKED, "place": 5},
        {"action": "recount", "place": str(THERE)},
        {**ASKED, "place": str(THERE), "more": 1},
        {"requestContext": {}, "rawPath": "/"},
        {"requestContext": {"http": {"method": "POST"}}},
        None,
        [],
        "recount",
    ],
)
def test_anything_else_is_refused(event: Any) -> None:
    with pytest.raises(UnknownEvent, match=r"known|allowed"):
        read_event(event)
