"""Bedrock's own metrics of a Region: how many calls it counted, whoever made them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from quota_enforcer.aws.cloudwatch.metrics import QUERIES

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import MetricDataQueryTypeDef

NAMESPACE: Final = "AWS/Bedrock"
CALLS: Final = "Invocations"
UNDELIVERED: Final = "ModelInvocationLogsCloudWatchDeliveryFailure"
"""https://docs.aws.amazon.com/bedrock/latest/userguide/monitoring-runtime-metrics.html"""
_BY_MODEL: Final = {"ModelId"}
MANTLE: Final = "AWS/BedrockMantle"
INFERENCES: Final = "Inferences"
"""https://docs.aws.amazon.com/bedrock/latest/userguide/monitoring-mantle-metrics.html"""


class BedrockTraffic:
    """The metrics of the client's Region."""

    def __init__(self, client: "CloudWatchClient") -> None:
        self._client = client

    def calls(self, start: datetime, end: datetime, period: int) -> Mapping[datetime, int]:
        """The calls by period start (period in seconds); periods without any are left out."""
        return self._sums(NAMESPACE, CALLS, self._series(CALLS), start, end, period)

    def undelivered(self, start: datetime, end: datetime, period: int) -> int:
        """How many records Bedrock could not write into the log."""
        series = self._series(UNDELIVERED)
        return sum(self._sums(NAMESPACE, UNDELIVERED, series, start, end, period).values())

    def mantle(self, start: datetime, end: datetime, period: int) -> int:
        """How many calls the bedrock-mantle endpoint answered, whoever made them."""
        series = self._coarsest(MANTLE, INFERENCES)
        return sum(self._sums(MANTLE, INFERENCES, series, start, end, period).values())

    def linked(self) -> frozenset[str]:
        """The accounts with calls of the last two weeks among those whose metrics are shown here.

        There are such where this is a monitoring account; this account is among them then.
        https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html
        """
        pages = self._client.get_paginator("list_metrics").paginate(
            Namespace=NAMESPACE, MetricName=CALLS, IncludeLinkedAccounts=True
        )
        return frozenset(each for page in pages for each in page.get("OwningAccounts", []))

    def _sums(
        self,
        namespace: str,
        metric: str,
        series: Sequence[Any],
        start: datetime,
        end: datetime,
        period: int,
    ) -> Mapping[datetime, int]:
        sums: Counter[datetime] = Counter()
        for first in range(0, len(series), QUERIES):
            queries: list[MetricDataQueryTypeDef] = [
                {
                    "Id": f"m{place}",
                    "MetricStat": {
                        "Metric": {
                            "Namespace": namespace,
                            "MetricName": metric,
                            "Dimensions": each,
                        },
                        "Period": period,
                        "Stat": "Sum",
                    },
                }
                for place, each in enumerate(series[first : first + QUERIES])
            ]
            pages = self._client.get_paginator("get_metric_data").paginate(
                MetricDataQueries=queries, StartTime=start, EndTime=end
            )
            for page in pages:
                for result in page["MetricDataResults"]:
                    for moment, value in zip(result["Timestamps"], result["Values"], strict=True):
                        sums[moment.astimezone(UTC)] += int(value)
        return {moment: count for moment, count in sums.items() if count}

    def _series(self, metric: str) -> Sequence[Any]:
        """The dimensions to read: each model's, which a sum over all models would count twice."""
        listed = self._listed(NAMESPACE, metric)
        by_model = [each for each in listed if {one["Name"] for one in each} == _BY_MODEL]
        return by_model or [each for each in listed if not each]

    def _coarsest(self, namespace: str, metric: str) -> Sequence[Any]:
        """The dimensions of one level, since each holds all calls: the account's if it is there."""
        listed = self._listed(namespace, metric)
        levels = {frozenset(one["Name"] for one in each) for each in listed}
        level = min(levels, key=lambda names: (len(names), sorted(names)), default=frozenset())
        return [each for each in listed if {one["Name"] for one in each} == level]

    def _listed(self, namespace: str, metric: str) -> Sequence[Any]:
        pages = self._client.get_paginator("list_metrics").paginate(
            Namespace=namespace, MetricName=metric
        )
        return [each["Dimensions"] for page in pages for each in page["Metrics"]]
