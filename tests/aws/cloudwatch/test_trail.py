"""A trail's log group: one query by hour, place, caller and operation."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import boto3
import pytest
from botocore.stub import Stubber

from builders import UTC_ZONE
from quota_enforcer.aws.cloudwatch.logs import trail
from quota_enforcer.aws.cloudwatch.logs.query import QueryUnread
from quota_enforcer.aws.cloudwatch.logs.trail import TrailLog, query_text
from quota_enforcer.doctor.witness.trail import TrailRead, TrailRow
from trail_events import ACCOUNT, Insights, an_event

START, END = datetime(2026, 11, 24, 9, tzinfo=UTC), datetime(2026, 11, 24, 11, tzinfo=UTC)
TEN = datetime(2026, 11, 24, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ALICE, CI = f"arn:aws:iam::{ACCOUNT}:user/alice", f"arn:aws:sts::{ACCOUNT}:assumed-role/ci/42"


def read(
    insights: Insights, zone: ZoneInfo = UTC_ZONE, start: datetime = START, end: datetime = END
) -> TrailRead:
    return TrailLog(insights, "trail", zone, lambda _: None).read(start, end)


def test_calls_are_counted_by_hour_place_caller_and_operation() -> None:
    events = [
        an_event("Converse", "alice", START + MINUTE),
        an_event("Converse", "alice", START + 59 * MINUTE),
        an_event("Converse", "alice", TEN),
        an_event("InvokeModel", "alice", START),
        an_event("InvokeModelWithResponseStream", "ci/42", START, region="eu-west-1"),
        an_event("CreateInference", "ci/42", START, account="444455556666"),
    ]
    at_home = (ACCOUNT, "us-east-1")
    theirs = "arn:aws:sts::444455556666:assumed-role/ci/42"
    assert read(Insights(events)).rows == (
        TrailRow(START, ACCOUNT, "eu-west-1", CI, "InvokeModelWithResponseStream", 1),
        TrailRow(START, *at_home, ALICE, "Converse", 2, 2, 1888, 252),
        TrailRow(START, *at_home, ALICE, "InvokeModel", 1),
        TrailRow(START, "444455556666", "us-east-1", theirs, "CreateInference", 1),
        TrailRow(TEN, *at_home, ALICE, "Converse", 1, 1, 944, 126),
    )


@pytest.mark.parametrize(
    "event",
    [
        an_event("Converse", "alice", START, errorCode="AccessDenied"),
        an_event("Converse", "alice", START, errorCode="ThrottlingException"),
        an_event("ListFoundationModels", "alice", START),
        an_event("ListModels", "alice", START, eventSource="bedrock-mantle.amazonaws.com"),
        an_event("Converse", "alice", START, eventSource="elsewhere.amazonaws.com"),
        an_event("Converse", "alice", START - MINUTE),
        an_event("Converse", "alice", END),
    ],
)  # fmt: skip
def test_what_failed_or_is_no_call_or_another_hours_does_not_count(event: dict[str, Any]) -> None:
    assert read(Insights([event])) == TrailRead(())


def test_an_event_that_comes_late_counts_in_the_hour_of_its_call() -> None:
    late = Insights([an_event("Converse", "alice", END - MINUTE)], delay=timedelta(minutes=25))
    assert [row.hour for row in read(late).rows] == [TEN]


@pytest.mark.parametrize(
    ("zone", "start", "letters"),
    [
        ("UTC", datetime(2026, 11, 24, 9, tzinfo=UTC), 13),
        ("Asia/Kolkata", datetime(2026, 11, 24, 8, 30, tzinfo=UTC), 15),
        ("Asia/Kathmandu", datetime(2026, 11, 24, 8, 15, tzinfo=UTC), 16),
        ("Australia/Eucla", datetime(2026, 11, 24, 8, 15, tzinfo=UTC), 16),
    ],
)
def test_hours_are_the_deployments_own(zone: str, start: datetime, letters: int) -> None:
    """As the ledger has them, also where the clocks differ by half or quarter hours."""
    last = start + timedelta(minutes=59)
    events = [an_event("Converse", "alice", at) for at in (start, last, last + MINUTE)]
    insights = Insights(events)
    rows = read(insights, ZoneInfo(zone), start, start + timedelta(hours=2)).rows
    assert [(row.hour, row.calls) for row in rows] == [(start, 2), (start + 60 * MINUTE, 1)]
    assert f"substr(eventTime, 0, {letters})" in insights.asked[0]["queryString"]


def test_more_rows_than_a_query_returns_are_asked_for_in_parts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trail, "MOST_ROWS", 4)
    events = [an_event("Converse", f"ci/{n}", START + timedelta(minutes=10 * n)) for n in range(12)]
    found = read(Insights(events, most=4))
    assert sorted(row.arn.rpartition("/")[2] for row in found.rows) == sorted(map(str, range(12)))


def test_what_no_part_can_return_is_said_to_be_incomplete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trail, "MOST_ROWS", 4)
    events = [an_event("Converse", f"ci/{n}", START + n * MINUTE) for n in range(30)]
    assert not read(Insights(events, most=4)).complete
    assert read(Insights(events[:3], most=4)).complete


def test_a_caller_without_an_arn_has_none() -> None:
    service = {"type": "AWSService", "invokedBy": "bedrock.amazonaws.com"}
    found = read(Insights([an_event("InvokeModel", "alice", START, userIdentity=service)]))
    assert [row.arn for row in found.rows] == [""]


@pytest.mark.parametrize("status", ["Failed", "Cancelled", "Timeout", "Unknown"])
def test_a_query_that_ends_otherwise_is_no_empty_trail(status: str) -> None:
    with pytest.raises(QueryUnread, match=f"ended as {status}"):
        read(Insights([], ends=status))


def test_a_query_is_not_waited_for_for_ever() -> None:
    waited: list[float] = []
    log = TrailLog(Insights([], looks=10_000), "trail", UTC_ZONE, waited.append)
    with pytest.raises(QueryUnread, match="not done after 120 seconds"):
        log.read(START, END)
    assert sum(waited) == 120


def test_boto3_takes_the_request_as_it_is() -> None:
    client: Any = boto3.Session("testing", "testing", region_name="us-east-1").client("logs")
    stubber = Stubber(client)
    stubber.add_response(
        "start_query",
        {"queryId": "q"},
        {
            "logGroupName": "trail",
            "startTime": int(START.timestamp()),
            "endTime": int((END + timedelta(minutes=30)).timestamp()) - 1,
            "queryString": query_text(13),
        },
    )
    row = [
        {"field": "made", "value": "2026-11-24T09"},
        {"field": "recipientAccountId", "value": ACCOUNT},
        {"field": "awsRegion", "value": "us-east-1"},
        {"field": "userIdentity.arn", "value": ALICE},
        {"field": "eventName", "value": "InvokeModel"},
        {"field": "calls", "value": "3"},
        {"field": "with_tokens", "value": "0"},
    ]
    stubber.add_response(
        "get_query_results", {"status": "Complete", "results": [row]}, {"queryId": "q"}
    )
    with stubber:
        found = TrailLog(client, "trail", UTC_ZONE).read(START, END)
    expected = TrailRow(START, ACCOUNT, "us-east-1", ALICE, "InvokeModel", 3)
    assert found == TrailRead((expected,))
