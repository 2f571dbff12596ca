"""Whether the machinery runs: sweeps, schedules, event sources, functions, clocks."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from quota_enforcer.core.notices.amounts import count
from quota_enforcer.doctor.finding import Diagnosis, Finding, diagnosis, problem, warning
from quota_enforcer.doctor.fixes import age, at, deploy

SILENCE = timedelta(minutes=15)
"""So long, or three intervals if they are longer, without a sweep is a finding; as in the alarm."""
UNDER_WAY = timedelta(minutes=15)
"""A sweep may take as long as a function may, so it is no finding before."""


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
    """Whether the last sweep is young enough and got through.

    Without sweeps nobody is warned, blocked or restored.
    """
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
            "delete the stack to its end in CloudFormation's console; to keep it, deploy it again "
            "after that",
        )
    latest = max((each for each in (seen.started, seen.finished) if each), default=None)
    if latest is None:
        yield warning("no sweep has run yet", "the ledger knows of none", "quota-enforcer sweep")
    elif seen.now - latest > max(SILENCE, 3 * seen.interval):
        yield problem(
            f"no sweep has begun for {age(seen.now - latest)}, so nobody is warned or restored",
            f"the last began as of {at(latest)}; one is due every {age(seen.interval)}",
            "quota-enforcer sweep",
            f"if that fails: {tail}",
        )
    elif seen.started != seen.finished and seen.now - latest > UNDER_WAY:
        finished = f"at {at(seen.finished)}" if seen.finished else "never"
        yield problem(
            "the last sweep did not finish",
            f"it began as of {at(latest)}; one finished last {finished}",
            tail,
            "it says why; then quota-enforcer sweep",
        )


_FEEDING = {"Enabled", "Enabling", "Creating", "Updating"}
"""https://docs.aws.amazon.com/lambda/latest/api/API_GetEventSourceMapping.html"""
_CONSOLE = "Amazon EventBridge's console, Scheduler > Schedules"


@dataclass(frozen=True, slots=True)
class ScheduleWanted:
    """A schedule as the template makes it; `part` is its name there, the others are AWS's."""

    part: str
    name: str
    expression: str
    function: str
    role: str
    event: str


@dataclass(frozen=True, slots=True)
class ScheduleFound:
    """A schedule as it is; `target` is an ARN."""

    enabled: bool
    target: str


@dataclass(frozen=True, slots=True)
class FunctionFound:
    """A function of the stack; `reserved` is its reserved concurrency, None without a limit."""

    name: str
    state: str = "Active"
    update: str = "Successful"
    reserved: int | None = None


def schedules(seen: Sequence[tuple[ScheduleWanted, ScheduleFound | None]]) -> Diagnosis:
    """Whether each schedule is there, enabled, and for the right function."""
    findings = [found for wanted, there in seen for found in _schedule(wanted, there)]
    names = ", ".join(wanted.part for wanted, _ in seen)
    return diagnosis(f"enabled: {names}", findings)


def _schedule(wanted: ScheduleWanted, found: ScheduleFound | None) -> Iterator[Finding]:
    if found is None:
        target = {"Arn": wanted.function, "RoleArn": wanted.role, "Input": wanted.event}
        yield problem(
            f"the schedule {wanted.part} is gone",
            f"EventBridge Scheduler knows no {wanted.name}",
            f"aws scheduler create-schedule --name {wanted.name} --schedule-expression "
            f"'{wanted.expression}' --flexible-time-window Mode=OFF --target "
            f"'{json.dumps(target, separators=(',', ':'))}'",
        )
        return
    if not found.enabled:
        yield problem(
            f"the schedule {wanted.part} is disabled",
            f"the state of {wanted.name} is DISABLED",
            f"{_CONSOLE} > {wanted.name}: enable it",
        )
    if found.target != wanted.function:
        yield problem(
            f"the schedule {wanted.part} invokes something else",
            f"its target is {found.target}, and should be {wanted.function}",
            f"{_CONSOLE} > {wanted.name}: set its target to {wanted.function}",
        )


@dataclass(frozen=True, slots=True)
class MappingFound:
    """An event source that a function is fed from; `part` is its name in the template."""

    part: str
    uuid: str
    state: str
    """Empty if it is gone."""


def mappings(seen: Sequence[MappingFound], stack: str) -> Diagnosis:
    """Whether each event source feeds its function."""
    if not seen:
        return diagnosis("the stack has no event source")
    findings = [found for each in seen for found in _mapping(each, stack)]
    return diagnosis(f"enabled: {', '.join(each.part for each in seen)}", findings)


def _mapping(seen: MappingFound, stack: str) -> Iterator[Finding]:
    if not seen.state:
        yield problem(
            f"the event source {seen.part} is gone, so its events wait for the next sweep",
            f"Lambda knows no mapping {seen.uuid}",
            f"CloudFormation's console, {stack} > Template: make it again as it says there",
        )
    elif seen.state not in _FEEDING:
        yield problem(
            f"the event source {seen.part} is off, so its events wait for the next sweep",
            f"its state is {seen.state}",
            f"aws lambda update-event-source-mapping --uuid {seen.uuid} --enabled",
        )


def functions(seen: Sequence[FunctionFound], stack: str) -> Diagnosis:
    """Whether each function can run."""
    findings = [found for each in seen for found in _function(each, stack)]
    return diagnosis(f"{count(len(seen), 'function')} can run", findings)


def _function(seen: FunctionFound, stack: str) -> Iterator[Finding]:
    if seen.reserved == 0:
        yield problem(
            f"function {seen.name} is throttled to nothing",
            "its reserved concurrency is 0",
            f"aws lambda delete-function-concurrency --function-name {seen.name}",
        )
    # A function that was not called for weeks is Inactive and wakes with the next call.
    if seen.state == "Failed" or seen.update == "Failed":
        yield problem(
            f"function {seen.name} cannot run",
            f"its state is {seen.state}, its last update {seen.update}",
            deploy(stack),
            "the function's page in Lambda's console says what failed",
        )


OFF = timedelta(seconds=60)
"""AWS refuses requests that are signed five minutes or more off, and its header has whole seconds.

https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html
"""


def clocks(ahead: timedelta, zone: str, meter_zone: str, stack: str) -> Diagnosis:
    """How far this machine is `ahead` of AWS, and in which zones enforcer and meter count days."""
    seconds = int(abs(ahead).total_seconds())
    fine = f"this machine is right to {max(seconds, 1)} s; days begin in {zone}"
    return diagnosis(fine, _clocks(ahead, zone, meter_zone, stack))


def _clocks(ahead: timedelta, zone: str, meter_zone: str, stack: str) -> Iterator[Finding]:
    if abs(ahead) > OFF:
        which = "ahead of" if ahead > timedelta(0) else "behind"
        yield warning(
            f"this machine's clock is {int(abs(ahead).total_seconds())} s {which} AWS's",
            "the Date of an answer of AWS STS; windows shown here end that much off",
            "set this machine's clock, for instance with sudo timedatectl set-ntp true",
        )
    if meter_zone not in {zone, ""}:
        yield problem(
            "meter and enforcer count days in different time zones",
            f"TIME_ZONE is {meter_zone} in the meter's environment and {zone} in the enforcer's",
            deploy(stack, TimeZone=zone),
            "then quota-enforcer recount HOUR..HOUR for the days since it was so",
        )
