"""Whatever stands in the log: a line is counted, skipped or quarantined, and stops no other."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from any_values import ANY_JSON, TEXTS, damaged
from builders import NOON
from log_records import ACCOUNT, PUBLISHED, a_record
from quota_enforcer.core.usage.counts import OBSERVED
from quota_enforcer.meter.log.fields import MOST_TOKENS
from quota_enforcer.meter.log.record import Counted, read
from quota_enforcer.meter.ports import LogEvent
from stream_fakes import GROUP, Place, delivery, packed

LONGEST_REASON = 1000
RECORDS = st.sampled_from([a_record(), *PUBLISHED.values()]).flatmap(damaged)
LINES = st.text() | RECORDS.map(json.dumps) | ANY_JSON.map(json.dumps)


def is_sane(line: str | bytes) -> None:
    reading = read(line, ACCOUNT)
    if not isinstance(reading, Counted):
        assert 0 < len(reading.reason) <= LONGEST_REASON
        assert "\n" not in reading.reason
        return
    numbers = reading.counts[: len(OBSERVED)]
    assert all(type(each) is int and 0 <= each <= MOST_TOKENS for each in numbers)
    assert reading.counts.requests == 1
    assert reading.at.utcoffset() == timedelta(0)


@given(LINES | st.binary())
def test_any_line_is_read_or_refused_with_a_short_reason(line: str | bytes) -> None:
    is_sane(line)


@given(RECORDS, st.integers(0, 5000), st.integers(0, 5000))
def test_a_record_that_was_cut_or_mixed_up_is_too(record: Any, first: int, last: int) -> None:
    line = json.dumps(record)
    is_sane(line[first % len(line) :] + line[: last % len(line)])
    is_sane(line.encode()[: last % len(line)])


@pytest.mark.parametrize(
    "line",
    [
        "[" * 100_000,
        '{"a":' * 50_000,
        '{"timestamp": ' + "9" * 100_000 + "}",
        json.dumps(a_record(modelId="a" * 10**6)),
        json.dumps(a_record(modelId="us." * 10**5)),
        json.dumps(a_record(identity__arn="arn:aws:sts::1:assumed-role/" + "x/" * 10**5)),
        json.dumps(a_record(output__outputBodyJson=["[DONE]"] * 10**5)),
        json.dumps(a_record(output__outputBodyJson={"usage": {"cache_creation": [[[]]] * 9}})),
        json.dumps(a_record(timestamp="2026-11-30T10:15:20." + "1" * 10**5 + "Z")),
        '{"timestamp": "\\ud800", "modelId": "\\udfff", "identity": {"arn": "\\u0000"}}',
        '{"input": {"inputTokenCount": 1e400}, "input": {"inputTokenCount": NaN}}',
        "\ufeff" + json.dumps(a_record()),
    ],
    ids=range(12),
)
def test_a_line_of_any_depth_and_length_is_read(line: str) -> None:
    is_sane(line)


EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "id": TEXTS | ANY_JSON,
        "timestamp": st.integers(-(10**30), 10**30) | st.just(1_795_000_000_000) | ANY_JSON,
        "message": LINES | ANY_JSON,
        "more": ANY_JSON,
    },
)


@given(st.lists(EVENTS, max_size=5))
def test_each_event_of_any_delivery_is_accounted_for(events: list[Any]) -> None:
    place = Place()
    good = json.dumps(a_record(timestamp=f"{NOON:%Y-%m-%dT%H:%M:%SZ}"))
    whole = LogEvent("good", int(NOON.timestamp() * 1000), good)._asdict()
    metered = place.stream.deliver(delivery([*events, whole]), NOON, "r")
    accounted = metered.counted + metered.duplicates + metered.late + len(metered.quarantined)
    accounted += sum(metered.skipped.values()) + len(metered.failed)
    assert accounted == len(events) + 1
    assert metered.counted >= 1
    assert all(each.reason for each in [*metered.quarantined, *metered.failed])


@given(
    st.text()
    | st.binary().map(packed)
    | ANY_JSON.map(lambda value: packed(json.dumps(value).encode()))
    | damaged({
        "messageType": "DATA_MESSAGE", "owner": ACCOUNT, "logGroup": GROUP, "logStream": "s",
        "subscriptionFilters": ["f"], "logEvents": [{"id": "1", "timestamp": 1, "message": "m"}],
    }).map(lambda value: packed(json.dumps(value).encode()))
)  # fmt: skip
def test_any_delivery_is_metered_skipped_or_left_in_the_queue_with_a_reason(data: str) -> None:
    place = Place()
    metered = place.stream.deliver(data, NOON, "r")
    assert metered.counted == 0
    assert list(metered.failed) == place.letters.left
    assert all(each.reason for each in metered.failed)
