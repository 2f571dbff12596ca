"""Whether admins are notified: the stack's alarms, and who listens to its topic."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from quota_enforcer.core.notices.amounts import count
from quota_enforcer.doctor.finding import Diagnosis, Finding, diagnosis, problem, warning
from quota_enforcer.doctor.fixes import at

ALARMING = "ALARM"
"""Of the other states OK is fine, and INSUFFICIENT_DATA is what an alarm says that has none yet."""


@dataclass(frozen=True, slots=True)
class AlarmFound:
    """An alarm as it is; its description is the template's own word on what to do."""

    state: str
    description: str = ""
    reason: str = ""
    since: datetime | None = None
    tells: bool = True
    """Whether it would notify anybody."""


@dataclass(frozen=True, slots=True)
class Listeners:
    """Who gets notices: how many confirmed, and the addresses that have not."""

    topic: str
    confirmed: int
    pending: tuple[str, ...] = ()


def alarms(seen: Mapping[str, AlarmFound | None], stack: str) -> Diagnosis:
    """Whether none of the alarms is on; they are named as in the template, None is gone."""
    findings = [found for part in sorted(seen) for found in _alarm(part, seen[part], stack)]
    return diagnosis(f"{count(len(seen), 'alarm')}, none is on", findings)


def _alarm(part: str, seen: AlarmFound | None, stack: str) -> Iterator[Finding]:
    if seen is None:
        yield warning(
            f"the alarm {part} is gone",
            "CloudWatch knows no alarm of its name",
            f"CloudFormation's console, {stack} > Template: make the alarm again as it says there",
        )
        return
    if seen.state == ALARMING:
        since = f" since {at(seen.since)}" if seen.since else ""
        yield problem(f"the alarm {part} is on{since}", seen.reason, seen.description)
    if not seen.tells:
        yield warning(
            f"the alarm {part} notifies nobody",
            "its actions are disabled or it has none",
            f"CloudWatch's console, Alarms > {part}: enable its actions",
        )


def listeners(seen: Listeners) -> Diagnosis:
    """Whether anybody gets the notices."""
    return diagnosis(f"notices go to {count(seen.confirmed, 'subscription')}", _listeners(seen))


def _listeners(seen: Listeners) -> Iterator[Finding]:
    if seen.pending:
        yield warning(
            "some addresses have not confirmed that they want notices, so they get none",
            "their subscriptions are pending",
            "have them follow the link in AWS's mail, or subscribe them again",
            about=seen.pending,
        )
    if not seen.confirmed:
        yield problem(
            "nobody gets the notices of blocks, failures and alarms",
            f"{seen.topic} has no confirmed subscription",
            f"aws sns subscribe --topic-arn {seen.topic} --protocol email "
            "--notification-endpoint YOU@EXAMPLE.COM",
        )
