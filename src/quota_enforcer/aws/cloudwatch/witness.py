"""What AWS itself counted: Bedrock's totals by model, and what went through a log group."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from quota_enforcer.aws.cloudwatch.metric_data import MetricSeries, metric_sums
from quota_enforcer.aws.cloudwatch.traffic import CALLS, NAMESPACE
from quota_enforcer.core.usage.counts import PROMPT, TOKEN_COUNTS
from quota_enforcer.core.usage.window import hour_start, next_hour
from quota_enforcer.meter.ports import Models
from quota_enforcer.meter.watch.compare import Volume, Witnessed
from quota_enforcer.meter.watch.ports import LogTraffic

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from mypy_boto3_cloudwatch import CloudWatchClient

LOGS: Final = "AWS/Logs"
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch-Logs-Monitoring-CloudWatch-Metrics.html"""
_MODEL: Final = "ModelId"
_FILTER: Final = "FilterName"
"""What one subscription got; a sum for the whole group would count it twice."""
_Part = tuple[int, int, int]
_NEITHER: Final = (0, 0, 0)
_PROMPT_PART: Final = (0, 1, 0)
_PROMPTS: Final[Mapping[str, tuple[_Part, _Part]]] = {
    f"{name[0].upper()}{name[1:]}": (_NEITHER, _PROMPT_PART)
    for counter in PROMPT
    for name in (TOKEN_COUNTS[counter].field, *TOKEN_COUNTS[counter].spellings)
}
_WEIGHTS: Final[Mapping[str, tuple[_Part, _Part]]] = {
    **_PROMPTS,
    CALLS: ((1, 0, 0), (1, 0, 0)),
    "InvocationClientErrors": ((-1, 0, 0), _NEITHER),
    "InvocationServerErrors": ((-1, 0, 0), _NEITHER),
    TOKEN_COUNTS["input_tokens"].metric: (_PROMPT_PART, _PROMPT_PART),
    TOKEN_COUNTS["output_tokens"].metric: ((0, 0, 1), (0, 0, 1)),
}
"""What each metric adds to requests, tokens of prompts and of answers: at least, and at most.

Whether `Invocations` has those that failed later is told in two ways, and so is how the metrics of
cached tokens are called.
https://docs.aws.amazon.com/bedrock/latest/userguide/monitoring-runtime-metrics.html
"""
_PERIOD: Final = 900
"""Seconds: hours begin at the quarter in some zones."""


class CloudWatchWitness:
    """The `Witness` of the client's Region: one ListMetrics and one GetMetricData, as a rule."""

    def __init__(
        self,
        client: "CloudWatchClient",
        models: Models,
        group: str,
        zone: "ZoneInfo",
        is_ours: Callable[[], Callable[[str], bool]] = lambda: lambda _: True,
    ) -> None:
        """`is_ours` looks up which subscriptions of the group, by name, are the meter's."""
        self._is_ours = is_ours
        self._client = client
        self._models = models
        self._group = group
        self._zone = zone

    def counted(self, hours: Sequence[datetime]) -> Mapping[datetime, Mapping[str, Witnessed]]:
        """What Bedrock counted in these hours that follow each other, by canonical model."""
        series = [
            each
            for each in self._listed(NAMESPACE)
            if each.metric in _WEIGHTS and [name for name, _ in each.dimensions] == [_MODEL]
        ]
        sums: defaultdict[datetime, defaultdict[str, list[int]]]
        sums = defaultdict(lambda: defaultdict(lambda: [0] * 6))
        for each, moment, value in self._values(series, hours[0], self._end(hours[-1])):
            # The first metrics of service tiers had the tier after the model: `ID+flex`.
            model = self._models.named(each.dimensions[0][1].partition("+")[0]).name
            least, most = _WEIGHTS[each.metric]
            known = sums[hour_start(moment, self._zone)][model]
            for place, weight in enumerate((*least, *most)):
                known[place] += weight * value
        return {
            hour: {model: _witnessed(numbers) for model, numbers in several.items()}
            for hour, several in sums.items()
        }

    def log_traffic(self, start: datetime, end: datetime) -> LogTraffic:
        """What came into the log group and went on from it."""
        group = ("LogGroupName", self._group)
        arrived = [MetricSeries(LOGS, "IncomingLogEvents", (group,))]
        handed = [
            each
            for each in self._listed(LOGS, *group)
            if each.metric == "ForwardedLogEvents" and _FILTER in dict(each.dimensions)
        ]
        is_ours = self._is_ours()
        sums = {True: 0, False: 0}
        for series, _, value in self._values(handed, start, end):
            sums[is_ours(dict(series.dimensions)[_FILTER])] += value
        came = sum(value for *_, value in self._values(arrived, start, end))
        return LogTraffic(came, sums[True], sums[False])

    def _end(self, hour: datetime) -> datetime:
        return next_hour(hour, self._zone)

    def _listed(self, namespace: str, *dimension: str) -> Iterator[MetricSeries]:
        """Every series of the last two weeks, or those with one dimension's value."""
        request: dict[str, Any] = {"Namespace": namespace}
        if dimension:
            name, value = dimension
            request["Dimensions"] = [{"Name": name, "Value": value}]
        for page in self._client.get_paginator("list_metrics").paginate(**request):
            for each in page["Metrics"]:
                named = tuple((one["Name"], one["Value"]) for one in each["Dimensions"])
                yield MetricSeries(namespace, each["MetricName"], named)

    def _values(
        self, series: Sequence[MetricSeries], start: datetime, end: datetime
    ) -> Iterator[tuple[MetricSeries, datetime, int]]:
        """The sums of each quarter of an hour. Raises TimeoutError if some are not complete."""
        last = end - timedelta(seconds=1)
        for each, result in metric_sums(self._client, series, start, last, _PERIOD):
            if result.get("StatusCode") in {"InternalError", "Forbidden"}:
                raise TimeoutError(f"CloudWatch did not say {each.namespace} {each.metric}")
            for moment, value in zip(result["Timestamps"], result["Values"], strict=True):
                yield each, moment.astimezone(UTC), int(value)


def _witnessed(numbers: Sequence[int]) -> Witnessed:
    least, most = ([max(number, 0) for number in half] for half in (numbers[:3], numbers[3:]))
    return Witnessed(Volume(*least), Volume(*most))
