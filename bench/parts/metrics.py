"""A CloudWatch that answers from memory, in AWS's shapes and page sizes."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from quota_enforcer.aws.cloudwatch.metrics import ARN_DIMENSION, MODEL_DIMENSION
from quota_enforcer.core.usage.counts import METRIC_NAMES
from quota_enforcer.meter.ports import Series

PAGE = 500
"""Metrics that ListMetrics answers at once, and that GetMetricData may be asked for."""
_COUNTERS = {metric: counter for counter, metric in METRIC_NAMES.items()}
_RECENT = timedelta(hours=4)
"""Three hours, from the end of the hour that has data."""


class CloudWatch:
    """The two calls that the meter makes.

    Attributes:
        used: what each series has, by the start of its hour.
        now: when it is asked; where that is not known, every series is a recent one.
        calls: how often each call was made.
        asked: for how many metrics GetMetricData was asked.
    """

    def __init__(self, calls: Counter[str]) -> None:
        self.used: dict[Series, dict[datetime, int]] = {}
        self.now: datetime | None = None
        self.calls = calls
        self.asked = 0

    def get_paginator(self, operation: str) -> SimpleNamespace:
        """As boto3's clients have one for each operation."""
        name = "".join(map(str.capitalize, operation.split("_")))

        def paginate(**request: Any) -> Iterator[dict[str, Any]]:
            page = self.answer(name, request)
            yield page
            while "NextToken" in page:
                page = self.answer(name, request | {"NextToken": page["NextToken"]})
                yield page

        return SimpleNamespace(paginate=paginate)

    def answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """One page."""
        self.calls[operation] += 1
        return self._listed(request) if operation == "ListMetrics" else self._read(request)

    def _listed(self, request: dict[str, Any]) -> dict[str, Any]:
        since = self.now - _RECENT if self.now and "RecentlyActive" in request else None
        listed = [each for each, hours in self.used.items() if not since or max(hours) > since]
        first = int(request.get("NextToken", 0))
        metrics = [
            {
                "MetricName": METRIC_NAMES[series.counter],
                "Dimensions": [
                    {"Name": ARN_DIMENSION, "Value": series.arn},
                    {"Name": MODEL_DIMENSION, "Value": series.model_id},
                ],
            }
            for series in listed[first : first + PAGE]
        ]
        page: dict[str, Any] = {"Metrics": metrics}
        if first + PAGE < len(listed):
            page["NextToken"] = str(first + PAGE)
        return page

    def _read(self, request: dict[str, Any]) -> dict[str, Any]:
        queries = request["MetricDataQueries"]
        if len(queries) > PAGE:
            raise AssertionError(f"{len(queries)} queries in one call")
        self.asked += len(queries)
        start, end = request["StartTime"], request["EndTime"]
        return {"MetricDataResults": [self._series(each, start, end) for each in queries]}

    def _series(self, query: dict[str, Any], start: datetime, end: datetime) -> dict[str, Any]:
        metric = query["MetricStat"]["Metric"]
        dimensions = {each["Name"]: each["Value"] for each in metric["Dimensions"]}
        series = Series(
            _COUNTERS[metric["MetricName"]], dimensions[ARN_DIMENSION], dimensions[MODEL_DIMENSION]
        )
        points = {
            hour: used for hour, used in self.used.get(series, {}).items() if start <= hour < end
        }
        return {
            "Id": query["Id"],
            "StatusCode": "Complete",
            "Timestamps": list(points),
            "Values": [float(used) for used in points.values()],
        }
