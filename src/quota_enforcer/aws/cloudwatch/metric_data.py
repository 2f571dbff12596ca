"""GetMetricData: the sums of metric series, many series in one call."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import MetricDataQueryTypeDef, MetricDataResultTypeDef

QUERIES: Final = 500
"""MetricDataQueries in one GetMetricData, at most.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
"""


class MetricSeries(NamedTuple):
    """One series: a metric, and the names and values of all of its dimensions."""

    namespace: str
    metric: str
    dimensions: tuple[tuple[str, str], ...] = ()

    @property
    def dimension_names(self) -> frozenset[str]:
        return frozenset(name for name, _ in self.dimensions)


def metric_sums(
    client: "CloudWatchClient",
    series: Sequence[MetricSeries],
    start: datetime,
    end: datetime,
    period: int,
) -> Iterator[tuple[MetricSeries, "MetricDataResultTypeDef"]]:
    """Each series with its sums by period (in seconds), from `start` to before `end`.

    A series may come in several parts; the status of its last part tells whether it is complete.
    """
    for first in range(0, len(series), QUERIES):
        asked = series[first : first + QUERIES]
        pages = client.get_paginator("get_metric_data").paginate(
            MetricDataQueries=[_query(place, each, period) for place, each in enumerate(asked)],
            StartTime=start,
            EndTime=end,
            ScanBy="TimestampAscending",
        )
        for page in pages:
            for result in page["MetricDataResults"]:
                yield asked[int(result["Id"].removeprefix("m"))], result


def _query(place: int, series: MetricSeries, period: int) -> "MetricDataQueryTypeDef":
    return {
        "Id": f"m{place}",
        "MetricStat": {
            "Metric": {
                "Namespace": series.namespace,
                "MetricName": series.metric,
                "Dimensions": [{"Name": name, "Value": value} for name, value in series.dimensions],
            },
            "Period": period,
            "Stat": "Sum",
        },
    }
