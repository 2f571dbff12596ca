"""Alarms: those on an expression of several metrics, and a look at many that takes no time.

- The emulator's CloudFormation refuses an expression. Here such alarms are made and never go off:
  the emulator has no metric math, and none of its alarms goes by time.
  https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
- It looks through all datapoints of the account for each alarm, at each batch of log events, and
  takes those of every function for those of one; here each alarm gets those of its own metric and
  dimensions that are young enough to matter.
"""
# ruff: noqa: SLF001 - the emulator has no public hooks; its version is pinned for that reason

from types import FunctionType
from typing import Any, Final

from ministack.services import cloudwatch
from ministack.services.cloudformation import provisioners

NOWHERE: Final = "metric math"
"""The namespace that such an alarm is kept under; no metric has it."""


def install() -> None:
    """Make them from now on, and look at all of them at once."""
    plain = provisioners._cw_metric_alarm_record

    def record(name: str, properties: dict[str, Any]) -> dict[str, Any]:
        if "Metrics" in properties:
            rest = {key: each for key, each in properties.items() if key != "Metrics"}
            properties = rest | {"Namespace": NOWHERE, "MetricName": name}
        made: dict[str, Any] = plain(name, properties)
        return made

    provisioners._cw_metric_alarm_record = record
    cloudwatch._evaluate_all_alarms = _look_at_all


def _look_at_all() -> None:
    now = cloudwatch.time.time()
    for alarm in list(cloudwatch._alarms.values()):
        dimensions = cloudwatch._dims_from_list(alarm.get("Dimensions") or [])
        series = alarm.get("Namespace"), alarm.get("MetricName"), cloudwatch._dims_key(dimensions)
        since = now - alarm.get("Period", 60) * alarm.get("EvaluationPeriods", 1)
        points = cloudwatch._metrics.get(series, ())
        if young := [point for point in points if point["Timestamp"] >= since]:
            _look_at(alarm, {series: young})


def _look_at(alarm: dict[str, Any], metrics: dict[Any, list[dict[str, Any]]]) -> None:
    """The emulator's own look, at nothing but these."""
    plain = cloudwatch._evaluate_alarm
    FunctionType(plain.__code__, vars(cloudwatch) | {"_metrics": metrics})(alarm)
