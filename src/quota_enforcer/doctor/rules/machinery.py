"""Whether sweeps happen: without them nobody is warned, blocked or restored."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from quota_enforcer.doctor.finding import Diagnosis, Finding, diagnosis, problem, warning
from quota_enforcer.doctor.fixes import age, at

SILENCE = timedelta(minutes=15)
"""So long no sweep is a finding, or three intervals where that is longer; as the alarm has it."""
UNDER_WAY = timedelta(minutes=15)
"""A sweep may take as long as a function may: it is no news before."""


@dataclass(frozen=True, slots=True)
class Sweeps:
    """What the ledger says of the last sweeps; `interval` is between two ticks of the schedule.

    `log` is the enforcer's log group.
    """

    now: datetime
    started: datetime | None
    finished: datetime | None
    interval: timedelta
    closed: bool = False
    log: str = ""


def last_sweep(seen: Sweeps) -> Diagnosis:
    """Whether the last sweep is young enough and got through."""
    fine = "none has run yet"
    if seen.finished is not None:
        fine = f"it finished as of {at(seen.finished)}, {age(seen.now - seen.finished)} ago"
    return diagnosis(fine, _sweeps(seen))


def _sweeps(seen: Sweeps) -> Iterator[Finding]:
    tail = f"aws logs tail {seen.log} --since 1h"
    if seen.closed:
        yield problem(
            "the ledger is closed, so nobody is blocked any more",
            "deleting the stack has begun and did not end",
            "delete the stack to its end in CloudFormation's console, or delete and deploy it anew",
        )
    latest = max((each for each in (seen.started, seen.finished) if each), default=None)
    if latest is None:
        yield warning("no sweep has run yet", "the ledger knows of none", "quota-enforcer sweep")
    elif seen.now - latest > max(SILENCE, 3 * seen.interval):
        yield problem(
            f"no sweep has begun for {age(seen.now - latest)}, so nobody is warned or restored",
            f"the last began as of {at(latest)}; one is due every {age(seen.interval)}",
            "quota-enforcer sweep",
            f"where that fails: {tail}",
        )
    elif seen.started != seen.finished and seen.now - latest > UNDER_WAY:
        finished = f"at {at(seen.finished)}" if seen.finished else "never"
        yield problem(
            "the last sweep did not get through",
            f"it began as of {at(latest)}; one finished last {finished}",
            tail,
            "it says why; then quota-enforcer sweep",
        )
