import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded_account import LOG_GROUP, START, Caller, series
from quota_enforcer.local.embedded import EmbeddedAws

MODEL = "anthropic.claude-3-opus-20240229-v1:0"
ALLOW = {"Effect": "Allow", "Action": "bedrock:Invoke*", "Resource": "*"}
NAMESPACE = "BedrockQuota/test"


def put_filter(aws: EmbeddedAws, name: str, value: str, pattern: str) -> None:
    aws.client("logs").put_metric_filter(
        logGroupName=LOG_GROUP,
        filterName=name,
        filterPattern=pattern,
        metricTransformations=[
            {
                "metricNamespace": NAMESPACE,
                "metricName": name,
                "metricValue": value,
                "dimensions": {"PrincipalArn": "$.identity.arn", "ModelId": "$.modelId"},
            }
        ],
    )


def invoke(session: Any, **simulate: Any) -> None:
    body = {"max_tokens": 1, "messages": [], "simulate": simulate}
    session.client("bedrock-runtime").invoke_model(modelId=MODEL, body=json.dumps(body))


def put_points(aws: EmbeddedAws, name: str, **dimensions: str) -> None:
    """One datapoint of value 1 in each of the next four quarters of an hour."""
    aws.client("cloudwatch").put_metric_data(
        Namespace=NAMESPACE,
        MetricData=[
            {
                "MetricName": name,
                "Dimensions": [{"Name": k, "Value": v} for k, v in dimensions.items()],
                "Timestamp": START + timedelta(minutes=15 * quarter + 7),
                "Value": 1,
            }
            for quarter in range(4)
        ],
    )


def query(identifier: str, name: str, period: int = 3600, **dimensions: str) -> Any:
    metric = {
        "Namespace": NAMESPACE,
        "MetricName": name,
        "Dimensions": [{"Name": k, "Value": v} for k, v in dimensions.items()],
    }
    return {"Id": identifier, "MetricStat": {"Metric": metric, "Period": period, "Stat": "Sum"}}


def read(aws: EmbeddedAws, *queries: Any, **options: Any) -> Any:
    return aws.client("cloudwatch").get_metric_data(
        StartTime=START, EndTime=START + timedelta(hours=1), MetricDataQueries=queries, **options
    )


def test_a_call_reaches_the_metric_of_its_caller_at_its_simulated_time(
    logged: EmbeddedAws, user: Caller
) -> None:
    put_filter(
        logged, "InputTokenCount", "$.input.inputTokenCount", "{ $.input.inputTokenCount = * }"
    )
    put_filter(logged, "Invocations", "1", "{ ($.modelId = *) && ($.errorCode NOT EXISTS) }")
    alice, bob = user("alice", ALLOW), user("bob", ALLOW)
    invoke(alice, input_tokens=5)
    invoke(bob, input_tokens=7)
    logged.set_time(START + timedelta(minutes=10))
    invoke(alice, input_tokens=11)
    with pytest.raises(ClientError, match="Throttling"):
        invoke(alice, error="ThrottlingException")

    arn = f"arn:aws:iam::{logged.account_id}:user/alice"
    later = START + timedelta(minutes=10)
    of_alice = {"PrincipalArn": arn, "ModelId": MODEL}
    assert series(logged, NAMESPACE, "InputTokenCount", **of_alice) == {START: 5, later: 11}
    assert series(logged, NAMESPACE, "Invocations", **of_alice) == {START: 1, later: 1}


def test_a_streamed_call_reaches_the_metric_too(logged: EmbeddedAws, user: Caller) -> None:
    put_filter(logged, "OutputTokenCount", "$.output.outputTokenCount", "{ $.modelId = * }")
    stream = (
        user("alice", ALLOW)
        .client("bedrock-runtime")
        .converse_stream(
            modelId=MODEL,
            messages=[{"role": "user", "content": [{"text": "hi"}]}],
            additionalModelRequestFields={"simulate": {"output_tokens": 42}},
        )
    )
    list(stream["stream"])
    arn = f"arn:aws:iam::{logged.account_id}:user/alice"
    found = series(logged, NAMESPACE, "OutputTokenCount", PrincipalArn=arn, ModelId=MODEL)
    assert found == {START: 42}


def test_an_event_without_a_number_or_a_dimension_yields_no_datapoint(
    logged: EmbeddedAws,
) -> None:
    put_filter(logged, "CacheReadInputTokenCount", "$.input.cacheRead", "{ $.a = * }")
    logs = logged.client("logs")
    logs.create_log_stream(logGroupName=LOG_GROUP, logStreamName="s")
    moment = int(START.timestamp() * 1000)
    messages = [
        '{"a": 1, "modelId": "m", "identity": {"arn": "x"}, "input": {}}',
        '{"a": 1, "modelId": "m", "input": {"cacheRead": 3}}',
        '{"a": 1, "modelId": "m", "identity": {"arn": "x"}, "input": {"cacheRead": "many"}}',
        "no json",
    ]
    logs.put_log_events(
        logGroupName=LOG_GROUP,
        logStreamName="s",
        logEvents=[{"timestamp": moment, "message": message} for message in messages],
    )
    assert logged.client("cloudwatch").list_metrics(Namespace=NAMESPACE)["Metrics"] == []


@pytest.mark.parametrize("pattern", ["{ $.a }", "{ $.a = 1 && }"])
def test_a_metric_filter_with_a_broken_pattern_is_refused(
    logged: EmbeddedAws, pattern: str
) -> None:
    with pytest.raises(ClientError, match="InvalidParameter"):
        put_filter(logged, "Broken", "1", pattern)


def test_a_line_in_embedded_metric_format_becomes_a_metric(aws: EmbeddedAws) -> None:
    logs = aws.client("logs")
    logs.create_log_group(logGroupName=LOG_GROUP)
    logs.create_log_stream(logGroupName=LOG_GROUP, logStreamName="s")
    moment = int(START.timestamp() * 1000)
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [["service"]],
        "Metrics": [{"Name": "Blocked", "Unit": "Count"}],
    }
    line = {
        "_aws": {"Timestamp": moment, "CloudWatchMetrics": [directive]},
        "service": "quota",
        "Blocked": [2, 3],
    }
    logs.put_log_events(
        logGroupName=LOG_GROUP,
        logStreamName="s",
        logEvents=[{"timestamp": moment, "message": json.dumps(line)}],
    )
    assert series(aws, NAMESPACE, "Blocked", service="quota") == {START: 5}


@pytest.mark.parametrize(("period", "values"), [(900, [1, 1, 1, 1]), (1800, [2, 2]), (3600, [4])])
def test_datapoints_are_summed_by_the_period(
    aws: EmbeddedAws, period: int, values: list[float]
) -> None:
    put_points(aws, "Tokens", who="alice")
    (result,) = read(aws, query("a", "Tokens", period, who="alice"))["MetricDataResults"]
    assert result["Values"] == values
    assert result["StatusCode"] == "Complete"


def test_datapoints_come_newest_first_unless_asked_otherwise(aws: EmbeddedAws) -> None:
    put_points(aws, "Tokens")
    (newest,) = read(aws, query("a", "Tokens", 1800))["MetricDataResults"]
    (oldest,) = read(aws, query("a", "Tokens", 1800), ScanBy="TimestampAscending")[
        "MetricDataResults"
    ]
    assert newest["Timestamps"] == [START + timedelta(minutes=30), START]
    assert oldest["Timestamps"] == newest["Timestamps"][::-1]


def test_a_query_without_dimensions_means_the_metric_that_has_none(aws: EmbeddedAws) -> None:
    put_points(aws, "Tokens", who="alice")
    (result,) = read(aws, query("a", "Tokens"))["MetricDataResults"]
    assert (result["Values"], result["StatusCode"]) == ([], "Complete")


def test_500_queries_fit_into_a_call_and_501_do_not(aws: EmbeddedAws) -> None:
    put_points(aws, "Tokens", who="alice")
    queries = [query(f"q{number}", "Tokens", who="alice") for number in range(501)]
    results = read(aws, *queries[:500])["MetricDataResults"]
    assert [result["Values"] for result in results] == [[4]] * 500
    with pytest.raises(ClientError, match="at most 500"):
        read(aws, *queries)


def test_an_answer_is_cut_into_pages_and_partial_until_the_last(aws: EmbeddedAws) -> None:
    put_points(aws, "Tokens", who="alice")
    put_points(aws, "Tokens", who="bob")
    queries = [query("a", "Tokens", 900, who="alice"), query("b", "Tokens", 900, who="bob")]
    first = read(aws, *queries, MaxDatapoints=5)
    assert [result["StatusCode"] for result in first["MetricDataResults"]] == [
        "Complete",
        "PartialData",
    ]
    second = read(aws, *queries, MaxDatapoints=5, NextToken=first["NextToken"])
    assert [len(result["Values"]) for result in second["MetricDataResults"]] == [0, 3]
    assert "NextToken" not in second


def test_metrics_are_listed_in_pages_of_500(aws: EmbeddedAws) -> None:
    cloudwatch = aws.client("cloudwatch")
    for hundred in range(6):
        cloudwatch.put_metric_data(
            Namespace=NAMESPACE,
            MetricData=[
                {
                    "MetricName": "Tokens",
                    "Dimensions": [{"Name": "who", "Value": f"{hundred}-{number}"}],
                    "Value": 1,
                }
                for number in range(100)
            ],
        )
    pages = list(cloudwatch.get_paginator("list_metrics").paginate(Namespace=NAMESPACE))
    assert [len(page["Metrics"]) for page in pages] == [500, 100]


def test_recently_active_means_three_simulated_hours(aws: EmbeddedAws) -> None:
    cloudwatch = aws.client("cloudwatch")
    put_points(aws, "Tokens")
    recent = {"Namespace": NAMESPACE, "RecentlyActive": "PT3H"}
    aws.set_time(START + timedelta(hours=3))
    assert len(cloudwatch.list_metrics(**recent)["Metrics"]) == 1
    aws.set_time(START + timedelta(hours=4))
    assert cloudwatch.list_metrics(**recent)["Metrics"] == []
    assert len(cloudwatch.list_metrics(Namespace=NAMESPACE)["Metrics"]) == 1


def test_datapoints_in_the_simulated_past_and_future_are_kept(aws: EmbeddedAws) -> None:
    for year in (2020, 2040):
        aws.set_time(START.replace(year=year))
        aws.client("cloudwatch").put_metric_data(
            Namespace=NAMESPACE,
            MetricData=[{"MetricName": "Tokens", "Value": 1, "Timestamp": aws.time}],
        )
        assert series(aws, NAMESPACE, "Tokens") == {aws.time: 1}


def test_an_alarm_goes_by_its_own_metric_and_by_the_young_datapoints(logged: EmbeddedAws) -> None:
    """Each batch of log events has all alarms looked at."""
    cloudwatch, logs = logged.client("cloudwatch"), logged.client("logs")
    logs.create_log_stream(logGroupName=LOG_GROUP, logStreamName="app")
    for name in ("Failures", "Others"):
        logs.put_metric_filter(
            logGroupName=LOG_GROUP,
            filterName=name,
            filterPattern=f'{{ $.kind = "{name}" }}',
            metricTransformations=[
                {"metricNamespace": NAMESPACE, "metricName": name, "metricValue": "1"}
            ],
        )
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            Namespace=NAMESPACE,
            MetricName=name,
            Statistic="Sum",
            Period=300,
            EvaluationPeriods=1,
            Threshold=2,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
        )

    def logs_and_states(kind: str, *, times: int) -> dict[str, str]:
        line = {
            "timestamp": int(logged.time.timestamp() * 1000),
            "message": json.dumps({"kind": kind}),
        }
        logs.put_log_events(logGroupName=LOG_GROUP, logStreamName="app", logEvents=[line] * times)
        found = cloudwatch.describe_alarms()["MetricAlarms"]
        return {each["AlarmName"]: each["StateValue"] for each in found}

    assert logs_and_states("Failures", times=1)["Failures"] == "OK"
    assert logs_and_states("Failures", times=1) == {
        "Failures": "ALARM", "Others": "INSUFFICIENT_DATA",
    }  # fmt: skip
    logged.set_time(START + timedelta(minutes=10))
    assert logs_and_states("Others", times=2) == {"Failures": "ALARM", "Others": "ALARM"}
    assert logs_and_states("Failures", times=1)["Failures"] == "OK"


def test_an_alarm_on_one_function_takes_no_other_functions_datapoints(logged: EmbeddedAws) -> None:
    """A metric with other dimensions, or with none, is another metric."""
    cloudwatch, logs = logged.client("cloudwatch"), logged.client("logs")
    logs.create_log_stream(logGroupName=LOG_GROUP, logStreamName="functions")
    for function in ("enforcer", "webhook"):
        cloudwatch.put_metric_alarm(
            AlarmName=function,
            Namespace="AWS/Lambda",
            MetricName="Errors",
            Dimensions=[{"Name": "FunctionName", "Value": function}],
            Statistic="Sum",
            Period=300,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
        )
    cloudwatch.put_metric_data(
        Namespace="AWS/Lambda",
        MetricData=[
            {
                "MetricName": "Errors",
                "Dimensions": [{"Name": "FunctionName", "Value": "webhook"}],
                "Value": 1,
                "Timestamp": logged.time,
            }
        ],
    )
    at = int(logged.time.timestamp() * 1000)
    logs.put_log_events(
        logGroupName=LOG_GROUP,
        logStreamName="functions",
        logEvents=[{"timestamp": at, "message": "{}"}],
    )
    found = cloudwatch.describe_alarms(AlarmNames=["enforcer", "webhook"])["MetricAlarms"]
    states = {each["AlarmName"]: each["StateValue"] for each in found}
    assert states == {"enforcer": "INSUFFICIENT_DATA", "webhook": "ALARM"}
