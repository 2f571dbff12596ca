"""Metric filters that really produce metrics.

AWS turns each matching log event into a datapoint, stamped with the event's own time, with the
dimensions read from the event; an event that lacks a dimension's property yields none.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringPolicyExamples.html
The emulator stores metric filters and never applies them.
Not imitated: AWS may switch off a filter that yields 1,000 different dimension values in an hour.
"""
# ruff: noqa: SLF001 - the emulator has no public hooks; its version is pinned for that reason

import math
from typing import Any, Final

from ministack.services import cloudwatch, cloudwatch_logs

from quota_enforcer.local.patches.metrics import embedded_metrics, filter_patterns
from quota_enforcer.local.patches.metrics.filter_patterns import MISSING, selected

MAX_DIMENSIONS: Final = 3
"""Dimensions of one metric filter.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_MetricTransformation.html
"""


def install() -> None:
    """Apply filter patterns and metric filters to every log event that arrives."""
    plain_match = cloudwatch_logs._subscription_pattern_matches
    plain_compile = cloudwatch_logs._compile_filter_pattern
    plain_put = cloudwatch_logs._put_metric_filter
    fan_out = cloudwatch_logs._fanout_to_subscription_filters

    def matches(pattern: str | None, message: str) -> bool:
        if pattern and filter_patterns.is_json_pattern(pattern):
            return filter_patterns.matches(pattern, message)
        return bool(plain_match(pattern, message))

    def compile_pattern(pattern: str) -> Any:
        if pattern and filter_patterns.is_json_pattern(pattern):
            return lambda message: filter_patterns.matches(pattern, message)
        return plain_compile(pattern)

    def put(request: dict[str, Any]) -> Any:
        return _refusal(request) or plain_put(request)

    def arrived(group: str, stream: str, events: list[dict[str, Any]]) -> None:
        for stored in list(cloudwatch_logs._metric_filters.values()):
            if stored["logGroupName"] == group:
                _apply(
                    stored,
                    [
                        event
                        for event in events
                        if matches(stored["filterPattern"], event["message"])
                    ],
                )
        for event in events:
            embedded_metrics.record(event["message"])
        cloudwatch._evaluate_all_alarms()
        fan_out(group, stream, events)

    cloudwatch_logs._subscription_pattern_matches = matches
    cloudwatch_logs._compile_filter_pattern = compile_pattern
    cloudwatch_logs._put_metric_filter = put
    cloudwatch_logs._fanout_to_subscription_filters = arrived


def _apply(stored: dict[str, Any], events: list[dict[str, Any]]) -> None:
    for event in events:
        body = filter_patterns.parsed(event["message"])
        seconds = event["timestamp"] / 1000
        for transformation in stored["metricTransformations"]:
            value = _value(transformation["metricValue"], body)
            dimensions = {
                name: selected(body, selector)
                for name, selector in (transformation.get("dimensions") or {}).items()
            }
            if value is None or any(found in (MISSING, None) for found in dimensions.values()):
                continue
            cloudwatch._store_datum(
                transformation["metricNamespace"],
                transformation["metricName"],
                {name: str(found) for name, found in dimensions.items()},
                seconds,
                transformation.get("unit", "None"),
                value,
                None,
                None,
                None,
            )


def _value(metric_value: str, body: Any) -> float | None:
    """The datapoint's value, or None when the event has no number there."""
    found = selected(body, metric_value) if metric_value.startswith("$") else metric_value
    if found is MISSING or isinstance(found, bool | dict | list):
        return None
    try:
        value = float(found)
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None


def _refusal(request: dict[str, Any]) -> Any:
    """The error that PutMetricFilter answers for a filter that AWS would not take, or None."""
    pattern = request.get("filterPattern", "")
    if filter_patterns.is_json_pattern(pattern):
        try:
            filter_patterns.compiled(pattern)
        except filter_patterns.InvalidPatternError as error:
            return _invalid(str(error))
    for transformation in request.get("metricTransformations", []):
        dimensions = transformation.get("dimensions") or {}
        if len(dimensions) > MAX_DIMENSIONS:
            return _invalid(f"{len(dimensions)} dimensions, at most {MAX_DIMENSIONS} are allowed")
        if dimensions and transformation.get("defaultValue") is not None:
            return _invalid("a default value and dimensions exclude each other")
    return None


def _invalid(message: str) -> Any:
    return cloudwatch_logs.error_response_json("InvalidParameterException", message, 400)
