"""Series are found and summed, and an answer that is not complete is never taken for zero."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from logging import LogRecord
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.stub import ANY, Stubber

from builders import HAIKU, NOON
from quota_enforcer.aws.cloudwatch.metrics import CloudWatchMetrics
from quota_enforcer.core.usage.counts import METRIC_NAMES, OBSERVED
from quota_enforcer.meter.ports import Series

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

    from quota_enforcer.meter.ports import Metrics

MakeStub = Callable[[str], tuple[Any, Stubber]]
NAMESPACE = "BedrockQuota/q"
ALICE = "arn:aws:iam::123456789012:user/alice"
BOB = "arn:aws:iam::123456789012:user/bob"
FIVE_MINUTES = timedelta(minutes=5)
REQUESTS = Series("requests", ALICE, HAIKU)
TOKENS = Series("input_tokens", ALICE, HAIKU)


@pytest.fixture
def cloudwatch(mocked_aws: None, cloudwatch_client: "CloudWatchClient") -> "CloudWatchClient":  # noqa: ARG001
    return cloudwatch_client


def put(
    client: "CloudWatchClient",
    series: Series,
    at: datetime,
    value: float,
    namespace: str = NAMESPACE,
) -> None:
    """What a metric filter writes."""
    client.put_metric_data(
        Namespace=namespace,
        MetricData=[
            {
                "MetricName": METRIC_NAMES[series.counter],
                "Dimensions": [
                    {"Name": "PrincipalArn", "Value": series.arn},
                    {"Name": "ModelId", "Value": series.model_id},
                ],
                "Timestamp": at,
                "Value": value,
            }
        ],
    )


def result(id_: str, values: Mapping[datetime, float], status: str = "Complete") -> dict[str, Any]:
    return {
        "Id": id_,
        "Label": "",
        "Timestamps": list(values),
        "Values": list(values.values()),
        "StatusCode": status,
    }


def page(*results: dict[str, Any], more: str = "") -> dict[str, Any]:
    return {"MetricDataResults": list(results), **({"NextToken": more} if more else {})}


def read(client: Any, *series: Series) -> Mapping[Series, Mapping[datetime, int] | None]:
    metrics: Metrics = CloudWatchMetrics(client, NAMESPACE)
    return metrics.read(series, NOON, NOON + timedelta(hours=1), 300)


def test_every_counter_has_a_metric() -> None:
    assert tuple(METRIC_NAMES) == OBSERVED
    assert len(set(METRIC_NAMES.values())) == len(OBSERVED)


# Listing


def test_the_series_of_the_namespace_are_listed(cloudwatch: "CloudWatchClient") -> None:
    several = [Series(counter, arn, HAIKU) for counter in METRIC_NAMES for arn in (ALICE, BOB)]
    for series in several:
        put(cloudwatch, series, NOON, 1)
    put(cloudwatch, Series("requests", "arn:other-stack", HAIKU), NOON, 1, "BedrockQuota/other")
    listed = CloudWatchMetrics(cloudwatch, NAMESPACE).series(recent=False)
    assert sorted(listed) == sorted(several)


def test_metrics_that_are_not_ours_are_ignored(cloudwatch: "CloudWatchClient") -> None:
    put(cloudwatch, REQUESTS, NOON, 1)
    ours = [{"Name": "PrincipalArn", "Value": ALICE}, {"Name": "ModelId", "Value": HAIKU}]
    for name, dimensions in (
        ("Latency", ours),
        ("Invocations", ours[:1]),
        ("Invocations", []),
        ("Invocations", [*ours, {"Name": "Region", "Value": "us-east-1"}]),
        ("Invocations", [ours[0], {"Name": "Model", "Value": HAIKU}]),
    ):
        data: Any = {"MetricName": name, "Dimensions": dimensions, "Value": 1}
        cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=[data])
    assert CloudWatchMetrics(cloudwatch, NAMESPACE).series(recent=False) == [REQUESTS]


@pytest.mark.parametrize(("recent", "more"), [(True, {"RecentlyActive": "PT3H"}), (False, {})])
def test_one_listing_over_all_pages_serves_all_counters(
    stub: MakeStub, more: dict[str, str], *, recent: bool
) -> None:
    client, answers = stub("cloudwatch")
    request = {"Namespace": NAMESPACE, **more}
    metric = {
        "Namespace": NAMESPACE,
        "MetricName": "Invocations",
        "Dimensions": [
            {"Name": "ModelId", "Value": HAIKU},
            {"Name": "PrincipalArn", "Value": ALICE},
        ],
    }
    other = {**metric, "MetricName": "InputTokenCount"}
    answers.add_response("list_metrics", {"Metrics": [metric], "NextToken": "2"}, request)
    answers.add_response(
        "list_metrics", {"Metrics": [metric, other]}, {**request, "NextToken": "2"}
    )
    assert CloudWatchMetrics(client, NAMESPACE).series(recent=recent) == [REQUESTS, TOKENS]


# Reading


def test_values_are_summed_by_period(cloudwatch: "CloudWatchClient") -> None:
    for minute, value in ((0, 1), (4, 2), (5, 10), (60, 100)):
        put(cloudwatch, TOKENS, NOON + timedelta(minutes=minute), value)
    assert read(cloudwatch, TOKENS) == {TOKENS: {NOON: 3, NOON + FIVE_MINUTES: 10}}


def test_complete_and_empty_is_zero(cloudwatch: "CloudWatchClient") -> None:
    assert read(cloudwatch, TOKENS) == {TOKENS: {}}


def test_nothing_to_read_asks_nothing(stub: MakeStub) -> None:
    client, _ = stub("cloudwatch")
    assert read(client) == {}


def test_a_query_says_all_that_matters(stub: MakeStub) -> None:
    client, answers = stub("cloudwatch")
    request = {
        "StartTime": NOON,
        "EndTime": NOON + timedelta(hours=1),
        "ScanBy": "TimestampAscending",
        "MetricDataQueries": [
            {
                "Id": "m0",
                "MetricStat": {
                    "Metric": {
                        "Namespace": NAMESPACE,
                        "MetricName": "InputTokenCount",
                        "Dimensions": [
                            {"Name": "PrincipalArn", "Value": ALICE},
                            {"Name": "ModelId", "Value": HAIKU},
                        ],
                    },
                    "Period": 300,
                    "Stat": "Sum",
                },
            }
        ],
    }
    answers.add_response("get_metric_data", page(result("m0", {})), request)
    assert read(client, TOKENS, TOKENS) == {TOKENS: {}}


def test_five_hundred_series_are_read_in_one_call(stub: MakeStub) -> None:
    client, answers = stub("cloudwatch")
    several = [Series("requests", f"arn:{number}", HAIKU) for number in range(1001)]
    for size in (500, 500, 1):
        results = [result(f"m{place}", {NOON: place}) for place in range(size)]
        answers.add_response("get_metric_data", page(*results))
    sums = read(client, *several)
    assert [sums[series] for series in several[498:502]] == [
        {NOON: 498}, {NOON: 499}, {NOON: 0}, {NOON: 1},
    ]  # fmt: skip
    assert sums.keys() == set(several)


def test_pages_are_merged_and_the_last_status_counts(stub: MakeStub) -> None:
    client, answers = stub("cloudwatch")
    first = result("m0", {NOON: 1}, "PartialData")
    answers.add_response("get_metric_data", page(first, more="2"))
    request = {"NextToken": "2", **dict.fromkeys(
        ("MetricDataQueries", "StartTime", "EndTime", "ScanBy"), ANY
    )}  # fmt: skip
    answers.add_response(
        "get_metric_data",
        page(result("m0", {NOON + FIVE_MINUTES: 2}), result("m1", {NOON: 5})),
        request,
    )
    assert read(client, REQUESTS, TOKENS) == {
        REQUESTS: {NOON: 1, NOON + FIVE_MINUTES: 2},
        TOKENS: {NOON: 5},
    }


@pytest.mark.parametrize("status", ["PartialData", "InternalError", "Forbidden"])
def test_an_answer_that_is_not_complete_is_unknown(stub: MakeStub, status: str) -> None:
    client, answers = stub("cloudwatch")
    answers.add_response(
        "get_metric_data", page(result("m0", {NOON: 1}, status), result("m1", {NOON: 2}))
    )
    assert read(client, REQUESTS, TOKENS) == {REQUESTS: None, TOKENS: {NOON: 2}}


def test_a_series_that_a_later_page_leaves_incomplete_is_unknown(stub: MakeStub) -> None:
    client, answers = stub("cloudwatch")
    answers.add_response("get_metric_data", page(result("m0", {NOON: 1}), more="2"))
    answers.add_response("get_metric_data", page(result("m0", {}, "InternalError")))
    assert read(client, REQUESTS) == {REQUESTS: None}


def test_a_series_without_an_answer_is_unknown(stub: MakeStub) -> None:
    client, answers = stub("cloudwatch")
    answers.add_response("get_metric_data", page(result("m1", {})))
    assert read(client, REQUESTS, TOKENS) == {REQUESTS: None, TOKENS: {}}


@pytest.mark.parametrize("value", [0.5, -1.0, float("nan"), float("inf")])
def test_a_value_that_is_no_count_makes_its_series_unknown(stub: MakeStub, value: float) -> None:
    client, answers = stub("cloudwatch")
    answers.add_response("get_metric_data", page(result("m0", {NOON: value}), result("m1", {})))
    assert read(client, REQUESTS, TOKENS) == {REQUESTS: None, TOKENS: {}}


def test_a_failed_call_makes_only_its_own_series_unknown(
    stub: MakeStub, kept_log: list[LogRecord]
) -> None:
    client, answers = stub("cloudwatch")
    several = [Series("requests", f"arn:{number}", HAIKU) for number in range(501)]
    answers.add_client_error("get_metric_data", "ThrottlingException", "Rate exceeded")
    answers.add_response("get_metric_data", page(result("m0", {NOON: 1})))
    sums = read(client, *several)
    assert [sums[series] for series in several] == [*500 * [None], {NOON: 1}]
    [said] = [each.getMessage() for each in kept_log]
    assert "500 metric series could not be read: " in said
    assert "Rate exceeded" in said


def test_a_failure_in_the_middle_of_the_pages_makes_all_of_them_unknown(stub: MakeStub) -> None:
    client, answers = stub("cloudwatch")
    answers.add_response("get_metric_data", page(result("m0", {NOON: 1}), more="2"))
    answers.add_client_error("get_metric_data", "InternalServiceFault")
    assert read(client, REQUESTS) == {REQUESTS: None}


def test_no_connection_is_unknown(stub: MakeStub, monkeypatch: pytest.MonkeyPatch) -> None:
    client, _ = stub("cloudwatch")

    def time_out(*_: object) -> None:
        raise ReadTimeoutError(endpoint_url="https://monitoring")

    monkeypatch.setattr(client, "_make_api_call", time_out)
    assert read(client, REQUESTS) == {REQUESTS: None}


def test_moments_come_in_utc_whatever_the_machine_is_set_to(stub: MakeStub) -> None:
    client, answers = stub("cloudwatch")
    elsewhere = NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))
    answers.add_response("get_metric_data", page(result("m0", {elsewhere: 1})))
    sums = read(client, REQUESTS)[REQUESTS]
    assert sums is not None
    assert [moment.tzinfo for moment in sums] == [UTC]
