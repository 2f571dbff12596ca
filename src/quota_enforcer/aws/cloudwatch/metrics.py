"""The per-principal series in CloudWatch that the stack's metric filters write."""

import logging
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore import exceptions

from quota_enforcer.core.usage.counts import METRIC_NAMES
from quota_enforcer.meter.ports import Series

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import MetricDataQueryTypeDef

ARN_DIMENSION = "PrincipalArn"

MODEL_DIMENSION = "ModelId"

QUERIES = 500
"""MetricDataQueries in one GetMetricData, at most.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
"""

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
            chunk = {
                f"m{place}": each for place, each in enumerate(wanted[first : first + QUERIES])
            }
            queries = [self._query(id_, each, period) for id_, each in chunk.items()]
            try:
                answers = self._answers(queries, start, end)
            except _UNANSWERED as error:
                _log.warning("%d metric series could not be read: %s", len(chunk), error)
                answers = {}
            sums |= {each: answers.get(id_) for id_, each in chunk.items()}
        return sums

    def _query(self, id_: str, series: Series, period: int) -> "MetricDataQueryTypeDef":
        return {
            "Id": id_,
            "MetricStat": {
                "Metric": {
                    "Namespace": self._namespace,
                    "MetricName": METRIC_NAMES[series.counter],
                    "Dimensions": [
                        {"Name": ARN_DIMENSION, "Value": series.arn},
                        {"Name": MODEL_DIMENSION, "Value": series.model_id},
                    ],
                },
                "Period": period,
                "Stat": "Sum",
            },
        }

    def _answers(
        self, queries: list["MetricDataQueryTypeDef"], start: datetime, end: datetime
    ) -> dict[str, Mapping[datetime, int]]:
        """By query id, what is complete once the last page is read: a later page can complete."""
        values: dict[str, dict[datetime, float]] = {}
        status: dict[str, str] = {}
        pages = self._client.get_paginator("get_metric_data").paginate(
            MetricDataQueries=queries,
            StartTime=start,
            EndTime=end,
            ScanBy="TimestampAscending",
        )
        for page in pages:
            for result in page["MetricDataResults"]:
                status[result["Id"]] = result["StatusCode"]
                values.setdefault(result["Id"], {}).update(
                    zip(result["Timestamps"], result["Values"], strict=True)
                )
        complete = {id_: values[id_] for id_, code in status.items() if code == "Complete"}
        return {id_: _counts(each) for id_, each in complete.items() if _whole(each.values())}


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
