"""`quota-enforcer recount`: which hours it asks the meter for, and what it shows of the answers."""

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from builders import NOON
from cli_world import Shell, a_shell


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    return a_shell(monkeypatch)


def asked(shell: Shell, hours: str) -> list[str]:
    shell.asked_meter.clear()
    shell.out("recount", hours)
    return [event["hour"].removesuffix(":00Z") for event in shell.asked_meter]


@pytest.mark.parametrize(
    ("hours", "starts"),
    [
        ("2026-11-24T10", ["2026-11-24T10:00"]),
        ("2026-11-24T10..2026-11-24T12", [f"2026-11-24T{hour}:00" for hour in (10, 11, 12)]),
        ("2026-11-23T23..2026-11-24T00", ["2026-11-23T23:00", "2026-11-24T00:00"]),
        ("2026-11-24T10:59:59", ["2026-11-24T10:00"]),
        ("2026-11-24T10Z", ["2026-11-24T10:00"]),
        ("2026-11-24T10+02:00", ["2026-11-24T08:00"]),
    ],
)
def test_both_ends_are_included(shell: Shell, hours: str, starts: list[str]) -> None:
    assert asked(shell, hours) == starts


def test_hours_are_those_of_the_deployments_clock(shell: Shell) -> None:
    """On the night when Berlin's clocks go back, two hours begin at 2."""
    shell.world.settings = replace(shell.world.settings, zone=ZoneInfo("Europe/Berlin"))
    assert asked(shell, "2026-10-25T01..2026-10-25T03") == [
        "2026-10-24T23:00", "2026-10-25T00:00", "2026-10-25T01:00", "2026-10-25T02:00",
    ]  # fmt: skip
    shell.world.settings = replace(shell.world.settings, zone=ZoneInfo("Asia/Kolkata"))
    assert asked(shell, "2026-11-24T10") == ["2026-11-24T04:30"]


@pytest.mark.parametrize(
    "hours",
    [
        "yesterday", "", "..", "2026-11-24T10..", "..2026-11-24T10",
        "2026-11-24T10...2026-11-24T11", "2026-11-24T10-2026-11-24T12", "2026-11-24T25",
        "9999-12-31T23", "0001-01-01T00", "2026-11-24T12..2026-11-24T10",
        "2024-01-01T00..2026-01-01T00", "2026-W48-2",
    ],
)  # fmt: skip
def test_what_is_no_hour_is_refused(shell: Shell, hours: str) -> None:
    result = shell.run("recount", hours)
    assert (result.exit_code, shell.asked_meter) == (2, [])


def test_a_date_alone_could_mean_two_things(shell: Shell) -> None:
    result = shell.run("recount", "2026-11-24")
    assert (result.exit_code, shell.asked_meter) == (2, [])
    assert "'2026-11-24' is no hour" in result.stderr


def test_each_hour_is_shown(shell: Shell) -> None:
    printed = [line.split() for line in shell.out("recount", "2026-11-24T10").splitlines()]
    assert printed[-1] == ["2026-11-24T10:00:00Z", "1,200", "2", "1", "0", "0"]
    [hour] = shell.json("recount", "2026-11-24T10")["hours"]
    assert hour == {
        "hour": "2026-11-24T10:00:00Z", "records": 1200, "buckets": 2, "principals": 1,
        "quarantined": 0,
    }  # fmt: skip


def test_an_hour_that_is_refused_stops_no_other_and_fails(shell: Shell) -> None:
    shell.hours_refused["2026-11-24T11:00:00Z"] = "it is not closed yet"
    result = shell.run("recount", "2026-11-24T10..2026-11-24T12")
    assert result.exit_code == 1
    assert [hour in result.stdout for hour in ("T10:00", "T11:00", "T12:00")] == [True, False, True]
    assert "error: it is not closed yet" in result.stderr


def test_prices_that_the_meter_does_not_know_yet_are_not_taken_for_todays(shell: Shell) -> None:
    shell.out("prices", "set", "acme.big-v1", "--input", "1", "--output", "2")
    result = shell.run("recount", "2026-11-24T10")
    assert (result.exit_code, shell.asked_meter) == (1, [])
    assert "run `quota-enforcer sweep` first" in result.stderr
    shell.sweep()
    assert asked(shell, "2026-11-24T10") == ["2026-11-24T10:00"]


def test_the_longest_range_is_as_long_as_usage_is_kept(shell: Shell) -> None:
    first = NOON - timedelta(days=400)
    assert len(asked(shell, f"{first:%Y-%m-%dT%H}..{NOON:%Y-%m-%dT%H}")) == 400 * 24 + 1


def test_events_that_are_no_usage_are_named_to_the_meter(shell: Shell) -> None:
    shell.run("recount", "2026-11-24T10", "--without", "314", "--without", "159")
    (event,) = shell.asked_meter
    assert event["without"] == ["314", "159"]


def test_what_was_left_out_is_asked_for_again(shell: Shell) -> None:
    shell.run("recount", "2026-11-24T10..2026-11-24T11", "--everything")
    assert [event["everything"] for event in shell.asked_meter] == [True, True]


@pytest.mark.parametrize(
    "but", [["2026-11-24T10..2026-11-24T11"], ["2026-11-24T10", "--everything"]]
)
def test_events_are_left_out_of_one_hour(shell: Shell, but: list[str]) -> None:
    result = shell.run("recount", *but, "--without", "314")
    assert (result.exit_code, shell.asked_meter) == (2, [])
    assert "goes with one hour" in " ".join(result.stderr.split())


HOUR_SET = {"hour": "2026-11-24T10:00:00Z", "principals": 1, "quarantined": 0, "left_out": 0}
IRELAND, OREGON, INDIA = (
    f"444455556666/{region}" for region in ("eu-west-1", "us-west-2", "ap-south-1")
)


def test_each_satellite_with_something_in_an_hour_has_a_row(shell: Shell) -> None:
    shell.satellites_set = [
        {**HOUR_SET, "place": IRELAND, "records": 12, "buckets": 3},
        {**HOUR_SET, "place": OREGON, "records": 0, "buckets": 0},
    ]
    printed = [line.split() for line in shell.out("recount", "2026-11-24T10").splitlines()]
    assert [row[:3] for row in printed[2:]] == [
        ["2026-11-24T10:00:00Z", "home", "1,200"],
        ["2026-11-24T10:00:00Z", IRELAND, "12"],
    ]
    assert [each.get("place") for each in shell.json("recount", "2026-11-24T10")["hours"]] == [
        None, IRELAND, OREGON,
    ]  # fmt: skip


def test_a_satellite_that_cannot_be_read_fails_and_one_that_is_younger_does_not(
    shell: Shell,
) -> None:
    young = {"hour": HOUR_SET["hour"], "place": OREGON, "refused": "the log is of later"}
    shell.satellites_set = [young]
    result = shell.run("recount", "2026-11-24T10")
    assert (result.exit_code, f"{OREGON}: the log is of later" in result.stderr) == (0, True)
    unread = {"hour": HOUR_SET["hour"], "place": IRELAND, "unread": "ClientError AccessDenied"}
    shell.satellites_set = [young, unread]
    result = shell.run("recount", "2026-11-24T10")
    assert result.exit_code == 1
    said = " ".join(result.stderr.split())
    assert f"error: {IRELAND} cannot be read (ClientError AccessDenied)" in said
    assert "stays asked for" in said


def test_one_place_is_asked_for_by_itself(shell: Shell) -> None:
    shell.run("recount", "2026-11-24T10", "--place", INDIA, "--without", "314")
    (event,) = shell.asked_meter
    assert (event["place"], event["without"]) == (INDIA, ["314"])
    result = shell.run("recount", "2026-11-24T10", "--place", "ap-south-1")
    assert result.exit_code == 2
    assert "write 444455556666/eu-west-1" in " ".join(result.stderr.split())
