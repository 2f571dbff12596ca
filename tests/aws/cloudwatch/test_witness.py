"""Bedrock's totals by model and hour, and what went through the log group, from CloudWatch."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from freezegun import freeze_time

from builders import HAIKU, HOUR, NOON, UTC_ZONE
from quota_enforcer.aws.cloudwatch.witness import CloudWatchWitness
from quota_enforcer.meter.ports import NamedByThemselves
from quota_enforcer.meter.watch.compare import Volume, Witnessed
from quota_enforcer.meter.watch.ports import LogTraffic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_cloudwatch import CloudWatchClient

GROUP = "/bedrock/invocations"


@pytest.fixture(autouse=True)
def _today() -> "Iterator[None]":
    with freeze_time(NOON + 3 * HOUR):
        yield


@pytest.fixture
def cloudwatch(mocked_aws: None, cloudwatch_client: "CloudWatchClient") -> "CloudWatchClient":  # noqa: ARG001
    return cloudwatch_client


def put(
    client: "CloudWatchClient",
    name: str,
    value: float,
    at: datetime = NOON,
    namespace: str = "AWS/Bedrock",
    **dimensions: str,
) -> None:
    data: Any = {
        "MetricName": name,
        "Dimensions": [{"Name": each, "Value": said} for each, said in dimensions.items()],
        "Value": value,
        "Timestamp": at,
    }
    client.put_metric_data(Namespace=namespace, MetricData=[data])


def witness(client: "CloudWatchClient", zone: ZoneInfo = UTC_ZONE) -> CloudWatchWitness:
    return CloudWatchWitness(client, NamedByThemselves(), GROUP, zone)


def test_requests_and_tokens_come_by_canonical_model_and_hour(
    cloudwatch: "CloudWatchClient",
) -> None:
    for model in (HAIKU, f"us.{HAIKU}"):
        put(cloudwatch, "Invocations", 5, ModelId=model)
        put(cloudwatch, "InputTokenCount", 100, ModelId=model)
        put(cloudwatch, "OutputTokenCount", 10, ModelId=model)
    put(cloudwatch, "Invocations", 7, NOON + HOUR, ModelId=HAIKU)
    both = Volume(10, 200, 20)
    assert witness(cloudwatch).counted([NOON, NOON + HOUR]) == {
        NOON: {HAIKU: Witnessed(both, both)},
        NOON + HOUR: {HAIKU: Witnessed(Volume(7), Volume(7))},
    }


def test_failed_calls_and_cached_tokens_count_at_most(cloudwatch: "CloudWatchClient") -> None:
    put(cloudwatch, "Invocations", 9, ModelId=HAIKU)
    put(cloudwatch, "InvocationClientErrors", 3, ModelId=HAIKU)
    put(cloudwatch, "InvocationServerErrors", 1, ModelId=HAIKU)
    put(cloudwatch, "InputTokenCount", 100, ModelId=HAIKU)
    put(cloudwatch, "CacheReadInputTokens", 1000, ModelId=HAIKU)
    counted = witness(cloudwatch).counted([NOON])[NOON][HAIKU]
    assert counted == Witnessed(Volume(5, 100), Volume(9, 1100))


def test_more_errors_than_calls_are_no_negative_number(cloudwatch: "CloudWatchClient") -> None:
    put(cloudwatch, "InvocationClientErrors", 3, ModelId=HAIKU)
    assert witness(cloudwatch).counted([NOON]) == {NOON: {HAIKU: Witnessed()}}


def test_series_of_other_dimensions_hold_the_same_calls_again(
    cloudwatch: "CloudWatchClient",
) -> None:
    put(cloudwatch, "Invocations", 5)
    put(cloudwatch, "Invocations", 5, ModelId=HAIKU, ServiceTier="flex")
    put(cloudwatch, "InvocationLatency", 5, ModelId=HAIKU)
    assert witness(cloudwatch).counted([NOON]) == {}


def test_hours_of_a_quarter_hour_zone_are_its_own(cloudwatch: "CloudWatchClient") -> None:
    zone = ZoneInfo("Asia/Kathmandu")
    hour = NOON + timedelta(minutes=15)
    put(cloudwatch, "Invocations", 5, hour - timedelta(minutes=1), ModelId=HAIKU)
    put(cloudwatch, "Invocations", 7, hour, ModelId=HAIKU)
    put(cloudwatch, "Invocations", 2, hour + HOUR - timedelta(minutes=1), ModelId=HAIKU)
    put(cloudwatch, "Invocations", 3, hour + HOUR, ModelId=HAIKU)
    assert witness(cloudwatch, zone).counted([hour])[hour][HAIKU].most == Volume(9)


def test_what_came_into_the_log_group_and_went_on(cloudwatch: "CloudWatchClient") -> None:
    logs = "AWS/Logs"
    put(cloudwatch, "IncomingLogEvents", 8, namespace=logs, LogGroupName=GROUP)
    put(cloudwatch, "IncomingLogEvents", 99, namespace=logs, LogGroupName="/other")
    assert witness(cloudwatch).log_traffic(NOON, NOON + HOUR) == LogTraffic(8, 0)
    put(cloudwatch, "ForwardedLogEvents", 6, namespace=logs, LogGroupName=GROUP,
        DestinationType="Lambda", FilterName="meter")  # fmt: skip
    assert witness(cloudwatch).log_traffic(NOON, NOON + HOUR) == LogTraffic(8, 6)


def test_what_others_subscribed_to_is_no_traffic_of_ours(cloudwatch: "CloudWatchClient") -> None:
    """Nor is what AWS sums up for the whole group."""
    place: Any = {"namespace": "AWS/Logs", "LogGroupName": GROUP}
    put(cloudwatch, "IncomingLogEvents", 8, **place)
    put(cloudwatch, "ForwardedLogEvents", 8, DestinationType="Lambda", FilterName="siem", **place)
    put(cloudwatch, "ForwardedLogEvents", 8, **place)
    seen = CloudWatchWitness(
        cloudwatch, NamedByThemselves(), GROUP, ZoneInfo("UTC"), lambda: "meter".__eq__
    )
    assert seen.log_traffic(NOON, NOON + HOUR) == LogTraffic(8, 0, 8)
    put(cloudwatch, "ForwardedLogEvents", 3, DestinationType="Lambda", FilterName="meter", **place)
    assert seen.log_traffic(NOON, NOON + HOUR) == LogTraffic(8, 3, 8)
