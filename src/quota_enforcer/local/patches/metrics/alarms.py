"""Alarms on an expression of several metrics, which the emulator's CloudFormation refuses.

Here they are made and never go off: the emulator has no metric math, and none of its alarms goes by
time. https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""
# ruff: noqa: SLF001 - the emulator has no public hooks; its version is pinned for that reason

from typing import Any, Final

from ministack.services.cloudformation import provisioners

NOWHERE: Final = "metric math"
"""The namespace that such an alarm is kept under; no metric has it."""


def install() -> None:
    """Make them from now on."""
    plain = provisioners._cw_metric_alarm_record

    def record(name: str, properties: dict[str, Any]) -> dict[str, Any]:
        if "Metrics" in properties:
            rest = {key: each for key, each in properties.items() if key != "Metrics"}
            properties = rest | {"Namespace": NOWHERE, "MetricName": name}
        made: dict[str, Any] = plain(name, properties)
        return made

    provisioners._cw_metric_alarm_record = record
