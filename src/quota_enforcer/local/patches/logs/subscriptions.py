"""Subscription filters: each batch of log events goes to its function, asynchronously.

- PutSubscriptionFilter is refused where the function's policy does not let CloudWatch Logs invoke
  it for this log group and account, and where the log group has as many filters as it may have.
  https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
- An event has the same id in a delivery and in FilterLogEvents; the emulator invents a new one.
- What came into a log group and went on from it is counted in the metrics of AWS/Logs.
  https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch-Logs-Monitoring-CloudWatch-Metrics.html
- A delivery is tried again as any asynchronous invocation is (`deliveries`); the emulator tries
  once.
Not imitated: batches are delivered at once and exactly once; AWS gathers them for seconds and may
deliver one again.
"""
# ruff: noqa: SLF001 - the emulator has no public hooks; its version is pinned for that reason

import base64
import gzip
import json
from contextvars import ContextVar
from typing import Any, Final

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region, new_uuid
from ministack.services import cloudwatch, cloudwatch_logs, lambda_svc

from quota_enforcer.local.patches.functions import deliveries

MOST: Final = 2
"""Filters of one log group, by the older of two figures that AWS gives.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutSubscriptionFilter.html
"""
_SERVICE: Final = "logs.amazonaws.com"

_stored: ContextVar[list[dict[str, Any]]] = ContextVar("stored", default=[])  # noqa: B039 - read only
"""The events that were stored last, with their ids."""


def install() -> None:
    """Check filters before they are stored, and deliver by them."""
    plain_append = cloudwatch_logs._append_log_events
    plain_put = cloudwatch_logs._put_subscription_filter

    def append(stream: dict[str, Any], events: list[dict[str, Any]]) -> None:
        for event in events:
            event.setdefault("eventId", new_uuid())
        _stored.set(events)
        plain_append(stream, events)

    def put(request: dict[str, Any]) -> Any:
        return _refusal(request) or plain_put(request)

    cloudwatch_logs._append_log_events = append
    cloudwatch_logs._put_subscription_filter = put
    cloudwatch_logs._fanout_to_subscription_filters = _deliver


def _deliver(group: str, stream: str, events: list[dict[str, Any]]) -> None:
    """Hand the events that were just stored to every function that subscribes to them."""
    filters = (cloudwatch_logs._log_groups.get(group) or {}).get("subscriptionFilters") or {}
    _count("IncomingLogEvents", len(events), LogGroupName=group)
    stored = _stored.get()
    if len(stored) != len(events):
        stored = [{"eventId": new_uuid(), **event} for event in events]
    for each in list(filters.values()):
        function = lambda_svc._functions.get(_name(each["destinationArn"]))
        wanted = [
            event
            for event in stored
            if cloudwatch_logs._subscription_pattern_matches(
                each["filterPattern"], event["message"]
            )
        ]
        # Without the permission AWS disables the filter for minutes and skips what arrives.
        if function and wanted and _may_invoke(function, group):
            name = each["filterName"]
            deliveries.invoke(function, _envelope(group, stream, name, wanted))
            place = {"LogGroupName": group, "DestinationType": "Lambda", "FilterName": name}
            _count("ForwardedLogEvents", len(wanted), **place)


def _count(name: str, events: int, **dimensions: str) -> None:
    cloudwatch.record_metric("AWS/Logs", name, events, "Count", dimensions)


def _envelope(group: str, stream: str, name: str, events: list[dict[str, Any]]) -> Any:
    message = {
        "messageType": "DATA_MESSAGE",
        "owner": get_account_id(),
        "logGroup": group,
        "logStream": stream,
        "subscriptionFilters": [name],
        "logEvents": [
            {
                "id": event["eventId"],
                "timestamp": event["timestamp"],
                "message": event["message"],
            }
            for event in events
        ],
    }
    data = gzip.compress(json.dumps(message).encode(), compresslevel=1)
    return {"awslogs": {"data": base64.b64encode(data).decode()}}


def _refusal(request: dict[str, Any]) -> Any:
    """The error that PutSubscriptionFilter answers for a filter AWS would not take, or None."""
    group, destination = request.get("logGroupName", ""), request.get("destinationArn", "")
    known = cloudwatch_logs._log_groups.get(group)
    if known is None or ":function:" not in destination:
        return None  # the emulator answers
    if len({*known["subscriptionFilters"], request.get("filterName")}) > MOST:
        return cloudwatch_logs.error_response_json(
            "LimitExceededException", "Resource limit exceeded.", 400
        )
    function = lambda_svc._functions.get(_name(destination))
    if function is None or not _may_invoke(function, group):
        return cloudwatch_logs.error_response_json(
            "InvalidParameterException",
            "Could not execute the lambda function. Make sure you have given CloudWatch Logs "
            "permission to execute your function.",
            400,
        )
    return None


def _may_invoke(function: dict[str, Any], group: str) -> bool:
    """Whether the function's own policy lets CloudWatch Logs invoke it for this log group."""
    account, region = get_account_id(), get_region()
    asked = iam_evaluator.EvalContext(
        principal_arn=_SERVICE,
        principal_type="Service",
        principal_account=account,
        action="lambda:InvokeFunction",
        resource_arn=function["config"]["FunctionArn"],
        region=region,
        service_context={
            "aws:sourceaccount": account,
            "aws:sourcearn": f"arn:aws:logs:{region}:{account}:log-group:{group}:*",
        },
    )
    return any(
        statement["Effect"] == "Allow"
        and _SERVICE in json.dumps(statement["Principal"])
        and iam_evaluator._conditions_met(statement.get("Condition", {}), asked)
        for statement in function["policy"]["Statement"]
    )


def _name(function_arn: str) -> str:
    return function_arn.rpartition(":function:")[2].partition(":")[0]
