"""The invocation log by Logs Insights: only fields that count, every call once, none left out."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from log_records import PUBLISHED, a_record
from quota_enforcer.aws.cloudwatch.logs.calls_without_bodies import (
    FIELDS,
    QUERY,
    calls_without_bodies,
)
from quota_enforcer.aws.cloudwatch.logs.query import InsightsQueries, QueryUnread
from quota_enforcer.cli.files.exports import readings
from quota_enforcer.meter.log.record import Counted, read

START = datetime(2026, 11, 24, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


@dataclass
class Records:
    """Answers with the fields that are asked for, of the records of a stretch."""

    by_time: dict[datetime, dict[str, Any]]
    most: int = 10_000
    asked: list[dict[str, Any]] = field(default_factory=list)

    def start_query(self, **request: Any) -> dict[str, Any]:
        self.asked.append(request)
        return {"queryId": str(len(self.asked) - 1)}

    def get_query_results(self, **request: Any) -> dict[str, Any]:
        asked = self.asked[int(request["queryId"])]
        first, last = asked["startTime"], asked["endTime"]
        found = [
            [*_cells(each), {"field": "@ptr", "value": str(at)}]
            for at, each in self.by_time.items()
            if first <= int(at.timestamp()) <= last
        ]
        return {"status": "Complete", "results": found[: self.most]}


def _cells(record: dict[str, Any]) -> list[dict[str, str]]:
    cells = []
    for name in FIELDS:
        value: Any = record
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if value is not None and not isinstance(value, dict | list):
            cells.append({"field": name, "value": str(value)})
    return cells


def found(records: Records, end: datetime = START + HOUR) -> list[dict[str, Any]]:
    queries = InsightsQueries(records, "calls", lambda _: None)
    return list(calls_without_bodies(queries, START, end))


def test_no_field_holds_a_prompt_or_an_answer() -> None:
    """Of the bodies it asks for what the call cost only."""
    bodies = [name for name in FIELDS if "Body" in name]
    assert bodies
    assert all("usage" in name or "serviceTier" in name for name in bodies)
    assert "@message" not in QUERY
    assert "inputBodyJson" not in QUERY


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_a_published_record_counts_as_it_does_in_the_log(name: str) -> None:
    whole = read(json.dumps(PUBLISHED[name]))
    if not isinstance(whole, Counted):
        return
    [record] = found(Records({START: PUBLISHED[name]}))
    [reading] = readings(record)
    assert isinstance(reading, Counted)
    assert reading._replace(cache_writes=None) == whole._replace(cache_writes=None)


def test_how_long_cached_tokens_stay_is_told() -> None:
    split = {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 30}
    answer = {"content": "a secret", "usage": {"cache_creation": split}}
    logged = a_record(input__cacheWriteInputTokenCount=40, output__outputBodyJson=answer)
    [record] = found(Records({START: logged}))
    assert "secret" not in json.dumps(record)
    [reading] = readings(record)
    assert reading == read(json.dumps(logged))
    assert isinstance(reading, Counted)
    assert reading.cache_writes is not None


def test_a_failed_call_is_none() -> None:
    [record] = found(Records({START: a_record(errorCode="ThrottlingException")}))
    [reading] = readings(record)
    assert not isinstance(reading, Counted)


def test_more_than_a_query_returns_is_asked_for_in_parts_and_comes_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(f"{calls_without_bodies.__module__}.MOST_ROWS", 4)
    minutes = {START + timedelta(minutes=n): a_record(requestId=f"r{n}") for n in range(60)}
    records = Records(minutes, most=4)
    ids = [each["requestId"] for each in found(records)]
    assert sorted(ids) == sorted(f"r{n}" for n in range(60))
    assert len(records.asked) > 15


def test_more_in_a_moment_than_a_query_returns_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{calls_without_bodies.__module__}.MOST_ROWS", 4)
    at_once = {START + timedelta(milliseconds=n): a_record(requestId=f"r{n}") for n in range(9)}
    with pytest.raises(QueryUnread, match="simulate a file of it with --log"):
        found(Records(at_once, most=4))


def test_each_day_is_asked_for_by_itself_and_progress_told() -> None:
    records, told = Records({}), list[float]()
    queries = InsightsQueries(records, "calls", lambda _: None)
    end = START + timedelta(days=4)
    assert list(calls_without_bodies(queries, START, end, told.append)) == []
    assert len(records.asked) == 4
    assert told == [0.25, 0.5, 0.75, 1]


def test_boto3_takes_the_request_as_it_is() -> None:
    client: Any = boto3.Session("testing", "testing", region_name="us-east-1").client("logs")
    stubber = Stubber(client)
    asked = {
        "logGroupName": "calls",
        "startTime": int(START.timestamp()),
        "endTime": int((START + HOUR).timestamp()),
        "queryString": QUERY,
    }
    stubber.add_response("start_query", {"queryId": "q"}, asked)
    row = [{"field": "modelId", "value": "amazon.nova-pro-v1:0"}, {"field": "@ptr", "value": "p"}]
    answer = {"status": "Complete", "results": [row]}
    stubber.add_response("get_query_results", answer, {"queryId": "q"})
    with stubber:
        queries = InsightsQueries(client, "calls")
        assert list(calls_without_bodies(queries, START, START + HOUR)) == [
            {"modelId": "amazon.nova-pro-v1:0"}
        ]
