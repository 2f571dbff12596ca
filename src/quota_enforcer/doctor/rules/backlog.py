"""What waits to be done: messages about calls that could not be metered, and hours to recount."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from quota_enforcer.core.notices.amounts import count
from quota_enforcer.doctor.finding import Diagnosis, Finding, diagnosis, problem, warning
from quota_enforcer.doctor.fixes import age, at

OVERDUE = timedelta(hours=3)
"""An hour is recounted at most 70 minutes after it is closed, by the meter's schedule."""


@dataclass(frozen=True, slots=True)
class Queues:
    """How many messages wait in each dead-letter queue, and the queues' URLs."""

    meter: str
    of_meter: int
    enforcer: str
    of_enforcer: int


@dataclass(frozen=True, slots=True)
class RecountAsked:
    """A recount that waits: the hour's start, and since when it is asked for."""

    hour: datetime
    since: datetime


def dead_letters(seen: Queues) -> Diagnosis:
    """Whether either queue holds messages."""
    return diagnosis("both queues are empty", _letters(seen))


def _letters(seen: Queues) -> Iterator[Finding]:
    if seen.of_meter:
        yield problem(
            "calls could not be written to the ledger, so somebody's usage is too low",
            f"{count(seen.of_meter, 'message')} in the meter's dead-letter queue",
            f"aws sqs receive-message --queue-url {seen.meter} --max-number-of-messages 10",
            "it says which calls and why; quota-enforcer recount HOUR..HOUR for their hours, then "
            f"aws sqs purge-queue --queue-url {seen.meter}",
        )
    if seen.of_enforcer:
        yield warning(
            "sweeps or wakes were lost or failed twice in the last day",
            f"{count(seen.of_enforcer, 'message')} in the enforcer's dead-letter queue",
            f"aws sqs receive-message --queue-url {seen.enforcer} --max-number-of-messages 10",
            "it says why; the next sweep or call made up for it, and they go after a day",
        )


def recounts(seen: Sequence[RecountAsked], now: datetime) -> Diagnosis:
    """Whether recounts wait longer than the schedule takes."""
    waiting = sorted(seen, key=lambda each: each.hour)
    fine = f"{count(len(waiting), 'hour')} for the schedule to do" if waiting else "no hour waits"
    # It is no backlog before the hour itself is over.
    late = [each for each in waiting if now - max(each.since, each.hour) > OVERDUE]
    if not late:
        return diagnosis(fine)
    oldest = min(each.since for each in late)
    first, last = late[0].hour, late[-1].hour
    found = problem(
        "hours are waiting for a recount from the log, and none is made",
        f"{count(len(late), 'hour')}, the first asked for {age(now - oldest)} ago",
        f"quota-enforcer recount {first:%Y-%m-%dT%H}Z..{last:%Y-%m-%dT%H}Z",
        about=[at(each.hour) for each in late],
    )
    return diagnosis(fine, [found])
