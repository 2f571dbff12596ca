"""Which service tiers Bedrock's own metrics say are in use."""

from typing import TYPE_CHECKING, Any, Final

from quota_enforcer.aws.cloudwatch.traffic import CALLS, NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_cloudwatch import CloudWatchClient

_SERVED: Final = "ResolvedServiceTier"
_ASKED: Final = "ServiceTier"
_MODEL: Final = "ModelId"


class BedrockTiers:
    """The `ServiceTiers` of the client's Region.

    Series with a tier have the dimensions ModelId, ServiceTier and ResolvedServiceTier; the first
    ones had it after the model's id, as in `ID+flex`.
    https://docs.aws.amazon.com/bedrock/latest/userguide/service-tiers-inference.html
    """

    def __init__(self, client: "CloudWatchClient") -> None:
        self._client = client

    def in_use(self) -> "Mapping[str, frozenset[str]]":
        """The models by tier, of the last three hours; mostly one call of ListMetrics."""
        pages = self._client.get_paginator("list_metrics").paginate(
            Namespace=NAMESPACE, MetricName=CALLS, RecentlyActive="PT3H"
        )
        found: dict[str, set[str]] = {}
        for tier, model in (each for page in pages for each in _tiers(page["Metrics"])):
            found.setdefault(tier, set()).add(model)
        return {tier: frozenset(models) for tier, models in found.items()}


def _tiers(metrics: "list[Any]") -> "Iterator[tuple[str, str]]":
    for metric in metrics:
        named = {each["Name"]: each["Value"] for each in metric["Dimensions"]}
        model, _, suffix = named.get(_MODEL, "").partition("+")
        tier = named.get(_SERVED) or named.get(_ASKED) or suffix
        if tier:
            yield tier.lower(), model
