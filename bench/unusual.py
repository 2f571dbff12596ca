"""How often `unusual: 5x` warns of hours that are none: real clients, by the product's own rule.

No published trace follows one caller for weeks. So one real day of 73 clients, in windows of ten
minutes, is read as twelve days: a window stands for an hour, and twelve windows for a day. Read
with the same course each day, a day has every twelfth window; read in order, the days of the night
are quiet and those of the noon are not, as of somebody who does other work each week. What a real
week brings lies between the two. A short window varies more than an hour does.
"""

import csv
import gzip
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from quota_enforcer.core.deployment import Context, Mode
from quota_enforcer.core.quotas.quota import Action, Quota, UsualHours
from quota_enforcer.core.quotas.subject import Subject
from quota_enforcer.core.usage.buckets import ModelUsage, Usage
from quota_enforcer.core.usage.counts import Counts, Measure
from quota_enforcer.core.usage.window import Unit, Window
from quota_enforcer.decide.pace.usual import usual_hours

if TYPE_CHECKING:
    from bench.parts.figures import Figure, report
else:  # a script finds what lies beside it
    from parts.figures import Figure, report

DATA = Path(__file__).parent / "data" / "servegen_clients.csv.gz"
START = datetime(2026, 11, 2, tzinfo=UTC)
ZONE = ZoneInfo("UTC")
WINDOW = 600
"""Seconds."""
DAYS = 12
HOURS = 144 // DAYS
TIMES = (3, 5, 10)
MONTH = 30
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
SURGE = 2
"""So many times the busiest hour ever seen before: that one is worth a look, whatever the rule."""
MOST = 0.25
"""Days with a warning of `5x` in a month of a principal whose days have the same course."""
QUOTA = Quota(
    Subject("default"),
    "runaway",
    measure=Measure.TOTAL_TOKENS,
    limit=Decimal(1),
    window=Window(Unit.HOUR),
    warn_at=(),
    action=Action.NOTIFY,
)
Reading = Callable[[int], tuple[int, int]]
"""Of which day and which of its hours a window is."""
READINGS: Mapping[str, Reading] = {
    "each day has the same course": lambda window: (window % DAYS, window // DAYS),
    "no day is like another": lambda window: divmod(window, HOURS),
}


class Warned(NamedTuple):
    """What became of one client."""

    days: int = 0
    """On which an hour could have been unusual."""
    hours: int = 0
    with_any: int = 0
    """Days with at least one unusual hour."""
    surges: int = 0

    def plus(self, other: "Warned") -> "Warned":
        return Warned._make(map(sum, zip(self, other, strict=True)))


def clients() -> dict[str, dict[int, int]]:
    """The tokens of each in each window."""
    found: defaultdict[str, dict[int, int]] = defaultdict(dict)
    with gzip.open(DATA, "rt", encoding="ascii", newline="") as text:
        for row in csv.DictReader(text):
            each = int(row["mean_input"]) + int(row["mean_output"])
            found[row["client"]][int(row["t_s"]) // WINDOW] = int(row["requests"]) * each
    return found


def held(windows: Mapping[int, int], times: int, reading: Reading) -> Warned:
    """One client against what is usual of it, day by day."""
    used: dict[datetime, int] = {}
    for window, tokens in windows.items():
        day, hour = reading(window)
        used[START + day * DAY + hour * HOUR] = tokens
    hours = {at: Counts(1, tokens) for at, tokens in used.items()}
    usage = Usage({"m": ModelUsage.of_hours(hours, ZONE)})
    found = Warned()
    for number in range(DAYS):
        today = START + number * DAY
        usual = usual_hours(QUOTA, usage, Context(today, ZONE, Mode.ENFORCE))
        if usual.known:
            hours_of_today = [used[at] for at in used if today <= at < today + DAY]
            found = found.plus(_day(hours_of_today, usual, times))
    return found


def _day(day: list[int], usual: UsualHours, times: int) -> Warned:
    quota = replace(QUOTA, unusual=Decimal(times), usual=usual)
    limit = quota.limit_at(START)
    unusual = [tokens for tokens in day if tokens >= limit]
    surges = sum(tokens >= SURGE * usual.most for tokens in unusual)
    return Warned(1, len(unusual), bool(unusual), surges)


def main() -> None:
    """A table for each way to read the day."""
    traces = clients()
    figures = []
    print(f"unusual: {len(traces)} clients; hours beyond twice the busiest ever are surges\n")
    print("| the days | `unusual` | principal-months | days with any, a month | hours | surges |")
    print("|---|---|---:|---:|---:|---:|")
    for name, reading in READINGS.items():
        for times in TIMES:
            several = Warned()
            for windows in traces.values():
                several = several.plus(held(windows, times, reading))
            months = several.days / MONTH
            a_month = several.with_any / months
            print(
                f"| {name} | {times}x | {months:.1f} | {a_month:.2f} | {several.hours} "
                f"| {several.surges} |"
            )
            if (times, reading) == (5, next(iter(READINGS.values()))):
                what = "days with a warning of `unusual: 5x`, of a principal and month"
                figures.append(Figure(what, a_month, "", MOST))
    report(figures)


if __name__ == "__main__":
    main()
