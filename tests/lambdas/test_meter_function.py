"""The meter's entry point over fakes: what it measures, and which recounts one failure stops."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from logging import LogRecord
from types import SimpleNamespace
from typing import Any, cast

import pytest

from builders import HOUR, NOON
from quota_enforcer.aws.cloudwatch.elsewhere import Elsewhere
from quota_enforcer.lambdas.meter import handler as meter
from quota_enforcer.lambdas.meter import wiring
from quota_enforcer.lambdas.meter.wiring import Meter
from quota_enforcer.meter.ports import LogEvent
from quota_enforcer.meter.watch.compare import Volume, Witnessed
from stopped_clock import at
from stream_fakes import Place, call, delivery, event

LATER = NOON + 4 * HOUR
HOURS = [NOON, NOON + HOUR, NOON + 2 * HOUR]


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Place:
    """A meter over fakes behind the handler, with a call in each of three hours of its log."""
    place = Place()
    place.log.lines = [call(number, hour) for number, hour in enumerate(HOURS)]
    behind(monkeypatch, place, Elsewhere({}))
    return place


def behind(
    monkeypatch: pytest.MonkeyPatch, place: Place, found: Elsewhere | Exception
) -> list[timedelta]:
    """The handler's meter, with what is used in other Regions; how far back each look was."""
    looks: list[timedelta] = []

    def elsewhere(_: datetime, back: timedelta) -> Elsewhere:
        looks.append(back)
        if isinstance(found, Exception):
            raise found
        return found

    made = Meter(place.stream, place.recounter, elsewhere, place.watch, lambda _: tuple(place.gone))
    monkeypatch.setattr(meter, "meter", lambda: made)
    return looks


def invoke(asked: Any) -> dict[str, Any]:
    context = SimpleNamespace(
        function_name="meter",
        memory_limit_in_mb=512,
        invoked_function_arn="arn:aws:lambda:us-east-1:111122223333:function:meter",
        aws_request_id="52fdfc07-2182-454f-963f-5f0f9a621d72",
    )
    return cast("dict[str, Any]", meter.handler(asked, cast("Any", context)))


def emitted(output: str, name: str) -> list[Any]:
    """The values of one of the meter's own metrics in its log."""
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return [line[name] for line in lines if name in line and "_aws" in line]


def recounted(place: Place) -> set[datetime]:
    return {hour for _, _, hour in place.ledger.totals()}


@pytest.fixture
def broken(place: Place, monkeypatch: pytest.MonkeyPatch) -> datetime:
    """The hour that cannot be read: the oldest, which comes first."""
    read = place.log.events

    def events(start: datetime, end: datetime) -> Iterator[LogEvent]:
        if start < NOON:
            raise TimeoutError("the log does not answer")
        return read(start, end)

    monkeypatch.setattr(place.log, "events", events)
    return NOON


@at(LATER)
def test_an_hour_that_cannot_be_read_stops_no_other_and_is_an_error_in_the_end(
    place: Place, broken: datetime
) -> None:
    place.ledger.ask_recounts(HOURS, NOON)
    with pytest.raises(TimeoutError, match="does not answer"):
        invoke({"action": "recount"})
    assert recounted(place) == set(HOURS) - {broken}
    assert list(place.ledger.asked) == [broken], "the next run tries it again"


@at(LATER)
def test_hours_that_are_refused_are_measured_apart_from_calls_that_failed(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    place.ledger.ask_recounts(HOURS, NOON)
    place.log.kept = NOON + HOUR
    answer = invoke({"action": "recount"})
    assert ["refused" in each for each in answer["hours"]] == [True, False, False]
    output = capsys.readouterr().out
    assert (emitted(output, "Refused"), emitted(output, "Failed")) == ([[1.0]], [])


@at(LATER)
def test_what_no_recount_can_read_is_measured_as_if_it_were_delivered(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """It may be the first to see it: hours are recounted after an outage."""
    place.ledger.ask_recounts(HOURS, NOON)
    place.log.lines += [event(90, "{broken", NOON), event(91, "{broken", NOON + HOUR)]
    invoke({"action": "recount"})
    assert emitted(capsys.readouterr().out, "Quarantined") == [[2.0]]


@at(NOON)
def test_calls_in_other_regions_are_measured_and_named(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = Elsewhere({"eu-west-1": 5, "sa-east-1": 2}, ("us-west-2",))
    looks = behind(monkeypatch, place, found)
    assert invoke({"action": "recount"})["elsewhere"] == {"eu-west-1": 5, "sa-east-1": 2}
    assert emitted(capsys.readouterr().out, "Elsewhere") == [[7.0]]
    assert looks == [timedelta(hours=7)]


@at(LATER)
def test_they_are_not_looked_at_every_hour(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = behind(monkeypatch, place, Elsewhere({}))
    invoke({"action": "recount"})
    assert looks == []


@at(NOON)
def test_regions_that_cannot_be_asked_stop_no_recount(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    behind(monkeypatch, place, TimeoutError("no answer"))
    place.ledger.ask_recounts([NOON - 2 * HOUR], NOON - 3 * HOUR)
    place.log.lines = [call(1, NOON - 2 * HOUR)]
    assert [each["records"] for each in invoke({"action": "recount"})["hours"]] == [1]
    assert emitted(capsys.readouterr().out, "Elsewhere") == []


@at(NOON)
def test_a_delivery_is_measured(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    data = delivery(place.log.lines[:1])
    assert invoke({"awslogs": {"data": data}})["counted"] == 1
    assert emitted(capsys.readouterr().out, "Counted") == [[1.0]]


@at(NOON)
def test_a_delivery_leaves_one_short_line(
    place: Place, capsys: pytest.CaptureFixture[str], kept_log: list[LogRecord]
) -> None:
    """A log costs by the byte, and a million calls may come one by one."""
    invoke({"awslogs": {"data": delivery(place.log.lines[:1])}})
    (line,) = capsys.readouterr().out.splitlines()
    assert kept_log == []
    (metrics,) = json.loads(line)["_aws"]["CloudWatchMetrics"]
    assert [each["Name"] for each in metrics["Metrics"]] == ["Counted", "Lag", "CostUsd"]
    assert len(line) < 360


@at(NOON)
@pytest.mark.usefixtures("place")
def test_what_is_skipped_is_named_in_that_line(capsys: pytest.CaptureFixture[str]) -> None:
    invoke({"awslogs": {"data": delivery([call(1, NOON, errorCode="ThrottlingException")])}})
    (line,) = capsys.readouterr().out.splitlines()
    assert sum(json.loads(line)["reasons"].values()) == 1
    assert emitted(line, "Skipped") == [[1.0]]


@at(NOON)
def test_what_somebody_typed_is_not_logged(
    place: Place, capsys: pytest.CaptureFixture[str], kept_log: list[LogRecord]
) -> None:
    bodies: dict[str, Any] = {"input__inputBodyJson": {"prompt": "my secret diagnosis"}}
    place.models.broken = {"odd"}
    events = [
        call(1, NOON, **bodies),
        call(2, NOON, input__inputTokenCount="secret", **bodies),
        call(3, NOON, modelId="odd", **bodies),
    ]
    answer = invoke({"awslogs": {"data": delivery(events)}})
    assert (answer["counted"], answer["quarantined"], answer["failed"]) == (1, 1, 1)
    logged = [vars(each) for each in kept_log]
    assert {each["msg"] for each in logged} >= {"quarantined"}
    assert "secret" not in json.dumps(answer) + capsys.readouterr().out + repr(logged)


LOOK = NOON + timedelta(minutes=75)


def watched(place: Place) -> None:
    """The first look was in the morning; since then Bedrock counted more than was metered."""
    place.watch.look(NOON - HOUR)
    volume = Volume(40)
    place.witness.hours[NOON] = {"a.model": Witnessed(volume, volume)}


@at(LOOK)
def test_a_gap_is_measured_and_healed_by_the_recounts_of_the_same_run(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    watched(place)
    answer = invoke({"action": "recount"})
    output = capsys.readouterr().out
    assert emitted(output, "Unmetered") == [[40.0]]
    assert (emitted(output, "Overmetered"), emitted(output, "Unseen")) == ([], [[0.0]])
    assert [each["hour"] for each in answer["hours"]] == ["2026-11-24T12:00:00Z"]
    assert recounted(place) == {NOON}


@at(LOOK)
def test_wires_that_are_gone_are_measured(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.gone = ["subscription"]
    invoke({"action": "recount"})
    assert emitted(capsys.readouterr().out, "Unwired") == [[1.0]]


@at(LOOK)
def test_a_look_that_fails_is_measured_and_keeps_no_hour_from_being_set(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    watched(place)
    place.witness.fails = TimeoutError("no")
    place.ledger.ask_recounts([NOON], NOON)
    invoke({"action": "recount"})
    output = capsys.readouterr().out
    assert (emitted(output, "Unseen"), emitted(output, "Unmetered")) == ([[1.0]], [])
    assert recounted(place) == {NOON}


def test_one_hour_that_an_admin_asks_for_is_no_hourly_look(place: Place) -> None:
    watched(place)
    with at(LOOK):
        invoke({"action": "recount", "hour": "2026-11-24T12:00:00Z"})
    assert place.witness.asked == 0


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("q-InvocationSubscription-A1", True),  # one that is gone
        ("by-hand", True),
        ("siem", False),
        ("q-InvocationSubscription-B2", False),  # somebody else's, called like ours
        ("gone", False),
    ],
)
def test_which_subscription_is_the_meters(name: str, *, ours: bool) -> None:
    function = "arn:aws:lambda:us-east-1:111122223333:function:"
    now = {
        "by-hand": f"{function}q-MeterFunction-X",
        "siem": "arn:aws:kinesis:us-east-1:111122223333:stream/siem",
        "q-InvocationSubscription-B2": f"{function}theirs",
    }
    assert wiring.ours("q", now, name) is ours
