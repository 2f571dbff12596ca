"""Ends as admins write them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
import typer

from builders import NOON, UTC_ZONE
from quota_enforcer.cli.terminal.when import end_moment
from quota_enforcer.core.deployment import Context, Mode
from quota_enforcer.core.quotas.form.ends import end_text

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str, now: datetime = NOON, zone: ZoneInfo = UTC_ZONE) -> datetime:
    return end_moment(text, Context(now, zone, Mode.ENFORCE), "--until")


@pytest.mark.parametrize(
    ("text", "day", "hour", "minute"),
    [
        ("2h", 24, 14, 0),
        ("90m", 24, 13, 30),
        ("3d", 27, 12, 0),
        ("1d12h", 26, 0, 0),
        ("1w", 1, 12, 0),
        ("2 hours", 24, 14, 0),
        ("3 days", 27, 12, 0),
        ("1 hour 30 min", 24, 13, 30),
        ("2026-11-25", 25, 0, 0),
        ("2026-11-25T09:30", 25, 9, 30),
        ("2026-11-25T09:30+01:00", 25, 8, 30),
    ],
)
def test_a_while_and_a_moment_are_ends(text: str, day: int, hour: int, minute: int) -> None:
    found = at(text)
    assert (found.day, found.hour, found.minute) == (day, hour, minute)


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("1d", datetime(2026, 10, 25, 11, tzinfo=UTC)),
        ("24h", datetime(2026, 10, 25, 10, tzinfo=UTC)),
        ("1d1h", datetime(2026, 10, 25, 12, tzinfo=UTC)),
    ],
)
def test_days_end_at_the_same_time_of_day_and_hours_are_hours(text: str, ends: datetime) -> None:
    """That night the clocks go back."""
    assert at(text, datetime(2026, 10, 24, 10, tzinfo=UTC), BERLIN) == ends


def test_a_while_is_written_as_the_moment_it_ends_without_parts_of_seconds() -> None:
    assert end_text("2h", NOON.replace(microsecond=5), BERLIN) == "2026-11-24T15:00:00+01:00"


@pytest.mark.parametrize("text", ["2026-12-01", "tomorrow", "h", "", "2 monkeys"])
def test_what_is_no_while_is_left_for_validation(text: str) -> None:
    assert end_text(text, NOON, UTC_ZONE) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tomorrow", "'tomorrow' is not an end; write a while such as 2h, 3d or 1d12h; a moment"),
        ("", "'' is not an end"),
        ("3", "'3' is not an end"),
        ("2 x", "'2 x' is not an end"),
        ("1h2d", "'1h2d' is not an end"),
        ("99999999999d", "is not an end"),
        ("9000w9000w", "is not an end"),
        ("500000w", "is not an end"),
        ("0h", "2026-11-24 12:00 UTC is past; it is now 2026-11-24 12:00 UTC"),
        ("2026-11-01", "2026-11-01 00:00 UTC is past"),
    ],
)
def test_what_is_no_end_is_refused_with_what_is(text: str, words: str) -> None:
    with pytest.raises(typer.BadParameter) as refused:
        at(text)
    assert words in refused.value.message
