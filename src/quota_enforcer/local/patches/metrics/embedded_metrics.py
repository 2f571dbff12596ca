"""Metrics from log lines in CloudWatch's embedded metric format, as Powertools writes them.

AWS: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
The emulator keeps such lines as text and extracts nothing.
"""
# ruff: noqa: SLF001 - the emulator has no public hooks; its version is pinned for that reason

from typing import Any

from ministack.services import cloudwatch

from quota_enforcer.local.patches.metrics import filter_patterns


def record(message: str) -> None:
    """Store the datapoints that one log line carries; a line that carries none is left alone."""
    if '"_aws"' not in message:
        return
    line = filter_patterns.parsed(message)
    if not isinstance(line, dict) or not isinstance(line.get("_aws"), dict):
        return
    seconds = line["_aws"]["Timestamp"] / 1000
    for directive in line["_aws"].get("CloudWatchMetrics", []):
        for names in directive.get("Dimensions") or [[]]:
            dimensions = {name: str(line[name]) for name in names if name in line}
            for metric in directive.get("Metrics", []):
                _store(directive["Namespace"], metric, dimensions, seconds, line)


def _store(
    namespace: str,
    metric: dict[str, Any],
    dimensions: dict[str, str],
    seconds: float,
    line: dict[str, Any],
) -> None:
    found = line.get(metric["Name"], [])
    values = found if isinstance(found, list) else [found]
    if values:
        cloudwatch._store_datum(
            namespace,
            metric["Name"],
            dimensions,
            seconds,
            metric.get("Unit", "None"),
            None,
            values,
            None,
            None,
        )
