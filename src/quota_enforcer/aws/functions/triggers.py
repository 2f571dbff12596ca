"""What sets a deployment's work off: schedules of EventBridge Scheduler, and functions' state."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from quota_enforcer.doctor.rules.machinery import FunctionFound, ScheduleFound

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_scheduler import EventBridgeSchedulerClient

_LOGS = "logs.amazonaws.com"


def schedule(client: "EventBridgeSchedulerClient", name: str) -> ScheduleFound | None:
    """A schedule of the default group; None if it is gone."""
    try:
        found = client.get_schedule(Name=name)
    except client.exceptions.ResourceNotFoundException:
        return None
    return ScheduleFound(found["State"] == "ENABLED", found["Target"]["Arn"])


def mapping_state(client: "LambdaClient", uuid: str) -> str:
    """The state of an event source mapping; empty if it is gone."""
    try:
        return client.get_event_source_mapping(UUID=uuid)["State"]
    except client.exceptions.ResourceNotFoundException:
        return ""


class FunctionState:
    """Lambda functions, by name."""

    def __init__(self, client: "LambdaClient") -> None:
        self._client = client

    def found(self, name: str) -> FunctionFound:
        """Whether it can run."""
        configured = self._client.get_function_configuration(FunctionName=name)
        limits = self._client.get_function_concurrency(FunctionName=name)
        return FunctionFound(
            name,
            configured.get("State", "Active"),
            configured.get("LastUpdateStatus", "Successful"),
            limits.get("ReservedConcurrentExecutions"),
        )

    def logs_may_invoke(self, name: str) -> bool:
        """Whether its own policy lets CloudWatch Logs invoke it."""
        try:
            policy = json.loads(self._client.get_policy(FunctionName=name)["Policy"])
        except self._client.exceptions.ResourceNotFoundException:
            return False
        return any(_allows_logs(statement) for statement in _statements(policy))


def _statements(policy: dict[str, Any]) -> Iterator[dict[str, Any]]:
    statements = policy.get("Statement", [])
    yield from statements if isinstance(statements, list) else [statements]


def _allows_logs(statement: dict[str, Any]) -> bool:
    principal = statement.get("Principal")
    service = principal.get("Service", "") if isinstance(principal, dict) else ""
    return statement.get("Effect") == "Allow" and _LOGS in str(service)
