"""Which service tiers Bedrock's metrics name."""

from typing import TYPE_CHECKING, Any

import pytest

from quota_enforcer.aws.cloudwatch.traffic import BedrockTiers

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient


@pytest.fixture
def cloudwatch(mocked_aws: None, cloudwatch_client: "CloudWatchClient") -> "CloudWatchClient":  # noqa: ARG001
    return cloudwatch_client


def put(client: "CloudWatchClient", name: str, **dimensions: str) -> None:
    data: Any = {
        "MetricName": name,
        "Dimensions": [{"Name": each, "Value": value} for each, value in dimensions.items()],
        "Value": 1,
    }
    client.put_metric_data(Namespace="AWS/Bedrock", MetricData=[data])


def test_the_tier_that_served_counts_and_not_the_one_asked_for(
    cloudwatch: "CloudWatchClient",
) -> None:
    put(cloudwatch, "Invocations", ModelId="a.m", ServiceTier="flex", ResolvedServiceTier="Default")
    put(cloudwatch, "Invocations", ModelId="a.n", ServiceTier="flex", ResolvedServiceTier="flex")
    put(cloudwatch, "Invocations", ModelId="a.o", ServiceTier="flex")
    assert BedrockTiers(cloudwatch).in_use() == {
        "default": frozenset({"a.m"}), "flex": frozenset({"a.n", "a.o"}),
    }  # fmt: skip


def test_the_first_form_had_it_after_the_model(cloudwatch: "CloudWatchClient") -> None:
    put(cloudwatch, "Invocations", ModelId="a.m+priority")
    assert BedrockTiers(cloudwatch).in_use() == {"priority": frozenset({"a.m"})}


def test_series_without_a_tier_and_other_metrics_say_nothing(
    cloudwatch: "CloudWatchClient",
) -> None:
    put(cloudwatch, "Invocations", ModelId="a.m")
    put(cloudwatch, "Invocations")
    put(cloudwatch, "InputTokenCount", ModelId="a.m", ResolvedServiceTier="flex")
    assert BedrockTiers(cloudwatch).in_use() == {}
