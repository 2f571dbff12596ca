"""Bedrock's own metrics of a Region: its calls, whoever made them, and service tiers in use."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from quota_enforcer.aws.cloudwatch.metric_data import MetricSeries, metric_sums

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

NAMESPACE: Final = "AWS/Bedrock"
CALLS: Final = "Invocations"
UNDELIVERED: Final = "ModelInvocationLogsCloudWatchDeliveryFailure"
"""https://docs.aws.amazon.com/bedrock/latest/userguide/monitoring-runtime-metrics.html"""
_MODEL: Final = "ModelId"
_SERVED: Final = "ResolvedServiceTier"
_ASKED: Final = "ServiceTier"
MANTLE: Final = "AWS/BedrockMantle"
INFERENCES: Final = "Inferences"
"""https://docs.aws.amazon.com/bedrock/latest/userguide/monitoring-mantle-metrics.html"""


class BedrockTraffic:
    """The metrics of the client's Region."""

    def __init__(self, client: "CloudWatchClient") -> None:
        self._client = client

    def calls(self, start: datetime, end: datetime, period: int) -> Mapping[datetime, int]:
        """The calls by period start (period in seconds); periods without any are left out."""
        return self._sums(self._by_model(CALLS), start, end, period)

    def undelivered(self, start: datetime, end: datetime, period: int) -> int:
        """How many records Bedrock could not write into the log."""
        return sum(self._sums(self._by_model(UNDELIVERED), start, end, period).values())

    def mantle(self, start: datetime, end: datetime, period: int) -> int:
        """How many calls the bedrock-mantle endpoint answered, whoever made them."""
        series = self._coarsest(MANTLE, INFERENCES)
        return sum(self._sums(series, start, end, period).values())

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
        self, series: Sequence[MetricSeries], start: datetime, end: datetime, period: int
    ) -> Mapping[datetime, int]:
        sums: Counter[datetime] = Counter()
        for _, result in metric_sums(self._client, series, start, end, period):
            for moment, value in zip(result["Timestamps"], result["Values"], strict=True):
                sums[moment.astimezone(UTC)] += int(value)
        return {moment: count for moment, count in sums.items() if count}

    def _by_model(self, metric: str) -> Sequence[MetricSeries]:
        """The series of each model; one over all models would count each call twice."""
        listed = self._listed(NAMESPACE, metric)
        by_model = [each for each in listed if each.dimension_names == {_MODEL}]
        return by_model or [each for each in listed if not each.dimensions]

    def _coarsest(self, namespace: str, metric: str) -> Sequence[MetricSeries]:
        """The series of one level, since each holds all calls: the account's if it is there."""
        listed = self._listed(namespace, metric)
        levels = {each.dimension_names for each in listed}
        level = min(levels, key=lambda names: (len(names), sorted(names)), default=frozenset())
        return [each for each in listed if each.dimension_names == level]

    def _listed(self, namespace: str, metric: str) -> Sequence[MetricSeries]:
        pages = self._client.get_paginator("list_metrics").paginate(
            Namespace=namespace, MetricName=metric
        )
        return [
            MetricSeries(
                namespace, metric, tuple((d["Name"], d["Value"]) for d in each["Dimensions"])
            )
            for page in pages
            for each in page["Metrics"]
        ]


class BedrockTiers:
    """The `ServiceTiers` of the client's Region.

    Series with a tier have the dimensions ModelId, ServiceTier and ResolvedServiceTier; the first
    ones had it after the model's id, as in `ID+flex`.
    https://docs.aws.amazon.com/bedrock/latest/userguide/service-tiers-inference.html
    """

    def __init__(self, client: "CloudWatchClient") -> None:
        self._client = client

    def in_use(self) -> Mapping[str, frozenset[str]]:
        """The models by tier, of the last three hours; mostly one call of ListMetrics."""
        pages = self._client.get_paginator("list_metrics").paginate(
            Namespace=NAMESPACE, MetricName=CALLS, RecentlyActive="PT3H"
        )
        found: dict[str, set[str]] = {}
        for tier, model in (each for page in pages for each in _tiers(page["Metrics"])):
            found.setdefault(tier, set()).add(model)
        return {tier: frozenset(models) for tier, models in found.items()}


def _tiers(metrics: list[Any]) -> Iterator[tuple[str, str]]:
    for metric in metrics:
        named = {each["Name"]: each["Value"] for each in metric["Dimensions"]}
        model, _, suffix = named.get(_MODEL, "").partition("+")
        tier = named.get(_SERVED) or named.get(_ASKED) or suffix
        if tier:
            yield tier.lower(), model
