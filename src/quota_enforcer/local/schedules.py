"""Fires a stack's EventBridge Scheduler schedule at the simulated time.

As Scheduler does, it takes the schedule's role, puts the moment into the input and invokes the
target; unlike Scheduler, it waits for the answer.
https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
"""

import base64
import json
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    import boto3
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_sts import STSClient


_LASTS: Final = 600.0
"""Seconds that a role is kept for: its session would end after an hour."""


class FunctionError(RuntimeError):
    """A Lambda function raised; the message carries its error and the end of its log.

    Attributes:
        payload: what Lambda answered: errorType, errorMessage, requestId.
        log: the end of the function's log.
    """

    def __init__(self, function: str, payload: Any, log: str) -> None:
        self.payload = payload
        self.log = log
        super().__init__(f"{function} raised {json.dumps(payload)}; its log ends with:\n{log}")


@dataclass(frozen=True, slots=True)
class Clients:
    """What firing a schedule needs.

    Attributes:
        known: the schedules that were found before, and the sessions of their roles by ARN; to be
            forgotten when a stack is changed, since finding them again takes longer than a sweep.
    """

    cloudformation: "CloudFormationClient"
    scheduler: "EventBridgeSchedulerClient"
    sts: "STSClient"
    session_for: "Callable[[str, str, str], boto3.Session]"
    known: "Known"


@dataclass(frozen=True, slots=True)
class Known:
    """See Clients; a schedule's name and group, and until when a session lasts."""

    schedules: "dict[tuple[str, str | None], tuple[str, str]]" = field(default_factory=dict)
    sessions: "dict[str, tuple[boto3.Session, float]]" = field(default_factory=dict)

    def forget(self) -> None:
        self.schedules.clear()
        self.sessions.clear()


def fire(clients: Clients, stack_name: str, named: str | None, at: datetime) -> Any:
    """Invoke the target of the stack's schedule, and return what it answered.

    `named` is its logical id in the template; None if the stack has just one.

    Raises:
        LookupError: the stack has no such schedule, or none or several if none is named.
        FunctionError: the function raised.
        botocore.exceptions.ClientError: the schedule's role may not invoke the target.
    """
    known = clients.known.schedules
    if (stack_name, named) not in known:
        known[stack_name, named] = _place(clients, stack_name, named)
    name, group = known[stack_name, named]
    schedule = clients.scheduler.get_schedule(Name=name, GroupName=group)
    if schedule["State"] != "ENABLED":
        raise LookupError(f"schedule {schedule['Name']} is {schedule['State']}, not ENABLED")
    target = schedule["Target"]
    told = (
        target.get("Input", "{}")
        .replace("<aws.scheduler.scheduled-time>", at.strftime("%Y-%m-%dT%H:%M:%SZ"))
        .replace("<aws.scheduler.schedule-arn>", schedule["Arn"])
        .replace("<aws.scheduler.execution-id>", "simulated")
        .replace("<aws.scheduler.attempt-number>", "1")
    )
    answer = (
        _taken(clients, target["RoleArn"])
        .client("lambda")
        .invoke(FunctionName=target["Arn"], Payload=told.encode(), LogType="Tail")
    )
    payload = json.loads(answer["Payload"].read() or b"null")
    if answer.get("FunctionError"):
        log = base64.b64decode(answer.get("LogResult", "")).decode("utf-8", "replace")
        raise FunctionError(target["Arn"].rpartition(":")[2], payload, log)
    return payload


def _taken(clients: Clients, role: str) -> "boto3.Session":
    """The schedule's role."""
    sessions = clients.known.sessions
    if role not in sessions or time.monotonic() > sessions[role][1]:
        taken = clients.sts.assume_role(RoleArn=role, RoleSessionName="scheduler")
        key = taken["Credentials"]
        session = clients.session_for(
            key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"]
        )
        sessions[role] = session, time.monotonic() + _LASTS
    return sessions[role][0]


def _place(clients: Clients, stack_name: str, named: str | None) -> tuple[str, str]:
    """The name and the group of the schedule."""
    resources = clients.cloudformation.describe_stack_resources(StackName=stack_name)
    found = {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for resource in resources["StackResources"]
        if resource["ResourceType"] == "AWS::Scheduler::Schedule"
    }
    names = {physical for logical, physical in found.items() if named in {None, logical}}
    if len(names) != 1:
        raise LookupError(
            f"stack {stack_name} has {len(found)} schedules ({', '.join(sorted(found))}): "
            f"{'name one of them' if named is None else f'none is called {named}'}"
        )
    for page in clients.scheduler.get_paginator("list_schedules").paginate():
        for listed in page["Schedules"]:
            if listed["Name"] in names:
                return listed["Name"], listed["GroupName"]
    raise LookupError(f"stack {stack_name}: schedule {names.pop()} does not exist")
