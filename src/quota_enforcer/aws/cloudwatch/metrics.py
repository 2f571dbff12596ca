"""The per-principal series in CloudWatch that the stack's metric filters write."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore import exceptions

from quota_enforcer.aws.cloudwatch.metric_data import QUERIES, MetricSeries, metric_sums
from quota_enforcer.core.usage.counts import METRIC_NAMES
from quota_enforcer.meter.ports import Series

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

ARN_DIMENSION = "PrincipalArn"

MODEL_DIMENSION = "ModelId"

_COUNTERS = {metric: counter for counter, metric in METRIC_NAMES.items()}

_UNANSWERED = (
    exceptions.ClientError,
    exceptions.HTTPClientError,
    exceptions.ConnectionError,
    exceptions.PaginationError,
)

_log = logging.getLogger(__name__)


class CloudWatchMetrics:
    """The `Metrics` of one namespace."""

    def __init__(self, client: "CloudWatchClient", namespace: str) -> None:
        self._client = client
        self._namespace = namespace

    def series(self, *, recent: bool) -> list[Series]:
        """Every listed series; with `recent` only those with data in about the last three hours.

        CloudWatch lists a new series up to 15 minutes late, and one without data for two weeks.
        """
        request: dict[str, Any] = {"Namespace": self._namespace}
        if recent:
            request["RecentlyActive"] = "PT3H"
        found: dict[Series, None] = {}
        for page in self._client.get_paginator("list_metrics").paginate(**request):
            for metric in page["Metrics"]:
                series = _series(metric)
                if series is not None:
                    found[series] = None
        return list(found)

    def read(
        self, series: Iterable[Series], start: datetime, end: datetime, period: int
    ) -> dict[Series, Mapping[datetime, int] | None]:
        """Sums by period start (period in seconds).

        Complete and empty is {}, that is zero; None if the answer is not complete or does not
        make sense, that is unknown.
        """
        wanted = list(dict.fromkeys(series))
        sums: dict[Series, Mapping[datetime, int] | None] = {}
        for first in range(0, len(wanted), QUERIES):
            asked = wanted[first : first + QUERIES]
            try:
                answers = self._answers(asked, start, end, period)
            except _UNANSWERED as error:
                _log.warning("%d metric series could not be read: %s", len(asked), error)
                answers = {}
            sums |= {each: answers.get(each) for each in asked}
        return sums

    def _answers(
        self, asked: Sequence[Series], start: datetime, end: datetime, period: int
    ) -> dict[Series, Mapping[datetime, int]]:
        """What is complete once the last page is read: a later page can complete a series."""
        by_metric = {self._metric_series(each): each for each in asked}
        values: dict[Series, dict[datetime, float]] = {each: {} for each in asked}
        complete: dict[Series, bool] = {}
        for metric, result in metric_sums(self._client, list(by_metric), start, end, period):
            series = by_metric[metric]
            complete[series] = result["StatusCode"] == "Complete"
            values[series].update(zip(result["Timestamps"], result["Values"], strict=True))
        return {
            series: _counts(values[series])
            for series, is_complete in complete.items()
            if is_complete and _whole(values[series].values())
        }

    def _metric_series(self, series: Series) -> MetricSeries:
        dimensions = ((ARN_DIMENSION, series.arn), (MODEL_DIMENSION, series.model_id))
        return MetricSeries(self._namespace, METRIC_NAMES[series.counter], dimensions)


def _series(metric: Mapping[str, Any]) -> Series | None:
    """The series that a listed metric is; None for what our filters do not write."""
    counter = _COUNTERS.get(metric["MetricName"])
    dimensions = {each["Name"]: each["Value"] for each in metric["Dimensions"]}
    if counter is None or dimensions.keys() != {ARN_DIMENSION, MODEL_DIMENSION}:
        return None
    return Series(counter, dimensions[ARN_DIMENSION], dimensions[MODEL_DIMENSION])


def _whole(values: Iterable[float]) -> bool:
    return all(value >= 0 and float(value).is_integer() for value in values)


def _counts(values: Mapping[datetime, float]) -> dict[datetime, int]:
    return {moment.astimezone(UTC): int(value) for moment, value in values.items()}
