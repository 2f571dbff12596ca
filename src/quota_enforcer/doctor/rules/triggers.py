"""What sets the deployment's work off: its schedules, and functions that can run."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from quota_enforcer.doctor.finding import Diagnosis, Finding, diagnosis, problem
from quota_enforcer.doctor.fixes import count, deploy

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
    """A function of the stack, and how much of it may run at once (None: no limit of its own)."""

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
    """Empty where it is gone."""


def mappings(seen: Sequence[MappingFound], stack: str) -> Diagnosis:
    """Whether each event source feeds its function."""
    if not seen:
        return diagnosis("the stack has no event source")
    findings = [found for each in seen for found in _mapping(each, stack)]
    return diagnosis(f"enabled: {', '.join(each.part for each in seen)}", findings)


def _mapping(seen: MappingFound, stack: str) -> Iterator[Finding]:
    if not seen.state:
        yield problem(
            f"the event source {seen.part} is gone, so what it told of waits for the next sweep",
            f"Lambda knows no mapping {seen.uuid}",
            f"CloudFormation's console, {stack} > Template: make it again as it says there",
        )
    elif seen.state not in _FEEDING:
        yield problem(
            f"the event source {seen.part} is off, so what it told of waits for the next sweep",
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
