"""Asynchronous invocations and log subscriptions, and that one can wait for their end."""

import base64
import gzip
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from beginnings import Beginnings
from embedded_account import LOG_GROUP, START, log_invocations
from quota_enforcer.local.embedded import EmbeddedAws

TEMPLATE = Path(__file__).parent / "stack" / "template.yaml"
STREAM = "aws/bedrock/modelinvocations"
MODEL = "anthropic.claude-3-haiku-20240307-v1:0"


@pytest.fixture
def worker(beginnings: Beginnings) -> str:
    return beginnings.of(a_worker)


@pytest.fixture
def logged(worker: str, aws: EmbeddedAws) -> EmbeddedAws:
    """With invocation logging too; the worker is there first, since all begins with it."""
    assert worker
    log_invocations(aws)
    return aws


def a_worker(aws: EmbeddedAws) -> str:
    """The name of a function that answers with its event, or raises when told to."""
    return aws.deploy(TEMPLATE, "tiny")["Worker"]


def invoke(aws: EmbeddedAws, function: str, **event: Any) -> None:
    answer = aws.client("lambda").invoke(
        FunctionName=function, InvocationType="Event", Payload=json.dumps(event)
    )
    assert answer["StatusCode"] == 202


def configure(aws: EmbeddedAws, function: str, **settings: Any) -> None:
    aws.client("lambda").put_function_event_invoke_config(FunctionName=function, **settings)


def metric(aws: EmbeddedAws, name: str, function: str) -> float:
    points = aws.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName=name,
        Dimensions=[{"Name": "FunctionName", "Value": function}],
        StartTime=START - timedelta(minutes=5),
        EndTime=START + timedelta(minutes=5),
        Period=600,
        Statistics=["Sum"],
    )["Datapoints"]
    return float(sum(point["Sum"] for point in points))


def test_who_waits_hears_of_every_invocation_and_its_answer_once(
    aws: EmbeddedAws, worker: str
) -> None:
    for number in range(5):
        invoke(aws, worker, number=number)
    ended = aws.settle()
    assert {each.answer["event"]["number"] for each in ended} == set(range(5))
    assert {(each.function, each.attempts, each.error) for each in ended} == {(worker, 1, None)}
    assert aws.settle() == []


def test_a_failure_is_tried_twice_more_then_dropped_and_counted(
    aws: EmbeddedAws, worker: str
) -> None:
    invoke(aws, worker, **{"raise": True})
    (ended,) = aws.settle()
    assert (ended.attempts, ended.answer) == (3, None)
    assert ended.error["errorType"] == "NotTodayError"
    assert "about to raise" in ended.log
    assert metric(aws, "Invocations", worker) == 3
    assert metric(aws, "Errors", worker) == 3
    assert metric(aws, "AsyncEventsDropped", worker) == 1


def test_a_success_drops_nothing(aws: EmbeddedAws, worker: str) -> None:
    invoke(aws, worker)
    aws.settle()
    assert metric(aws, "Invocations", worker) == 1
    assert metric(aws, "Errors", worker) == 0
    assert metric(aws, "AsyncEventsDropped", worker) == 0


def test_it_is_tried_as_often_as_the_function_says(aws: EmbeddedAws, worker: str) -> None:
    configure(aws, worker, MaximumRetryAttempts=0)
    invoke(aws, worker, **{"raise": True})
    assert aws.settle()[0].attempts == 1


def test_what_failed_at_last_goes_to_the_destination(aws: EmbeddedAws, worker: str) -> None:
    queue = aws.client("sqs").create_queue(QueueName="failed")["QueueUrl"]
    arn = f"arn:aws:sqs:{aws.region}:{aws.account_id}:failed"
    configure(aws, worker, DestinationConfig={"OnFailure": {"Destination": arn}})
    invoke(aws, worker, **{"raise": "now"})
    aws.settle()
    (message,) = aws.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(message["Body"])["requestPayload"] == {"raise": "now"}


# Subscriptions


def subscribe(aws: EmbeddedAws, worker: str, name: str = "all", group: str = LOG_GROUP) -> None:
    arn = aws.client("lambda").get_function_configuration(FunctionName=worker)["FunctionArn"]
    aws.client("logs").put_subscription_filter(
        logGroupName=group, filterName=name, filterPattern="", destinationArn=arn
    )


def permit(aws: EmbeddedAws, worker: str, group: str = LOG_GROUP, account: str = "") -> None:
    aws.client("lambda").add_permission(
        FunctionName=worker,
        StatementId="logs",
        Action="lambda:InvokeFunction",
        Principal="logs.amazonaws.com",
        SourceArn=f"arn:aws:logs:{aws.region}:{aws.account_id}:log-group:{group}:*",
        SourceAccount=account or aws.account_id,
    )


def delivered(event: Any) -> Any:
    return json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))


def test_a_bedrock_call_is_delivered_with_the_id_that_the_log_gives_it(
    logged: EmbeddedAws, worker: str
) -> None:
    permit(logged, worker)
    subscribe(logged, worker)
    logged.client("bedrock-runtime").invoke_model(modelId=MODEL, body="{}")
    (ended,) = logged.settle()
    envelope = delivered(ended.event)
    (event,) = envelope.pop("logEvents")
    assert envelope == {
        "messageType": "DATA_MESSAGE",
        "owner": logged.account_id,
        "logGroup": LOG_GROUP,
        "logStream": STREAM,
        "subscriptionFilters": ["all"],
    }
    stored = logged.client("logs").filter_log_events(logGroupName=LOG_GROUP)["events"][-1]
    assert event == {
        "id": stored["eventId"],
        "timestamp": stored["timestamp"],
        "message": stored["message"],
    }
    assert json.loads(event["message"])["modelId"] == MODEL


def test_the_events_of_one_request_come_in_one_batch(logged: EmbeddedAws, worker: str) -> None:
    permit(logged, worker)
    subscribe(logged, worker)
    put(logged, *(f"line {number}" for number in range(100)))
    (ended,) = logged.settle()
    messages = [event["message"] for event in delivered(ended.event)["logEvents"]]
    assert messages == [f"line {number}" for number in range(100)]


@pytest.mark.parametrize("wrong", [None, {"group": "/other"}, {"account": "999999999999"}])
def test_a_filter_needs_the_functions_permission_for_this_log_group_and_account(
    logged: EmbeddedAws, worker: str, wrong: dict[str, str] | None
) -> None:
    if wrong is not None:
        permit(logged, worker, **wrong)
    with pytest.raises(ClientError, match="given CloudWatch Logs permission"):
        subscribe(logged, worker)


def test_a_log_group_takes_two_filters(logged: EmbeddedAws, worker: str) -> None:
    permit(logged, worker)
    for name in ("one", "two", "two"):
        subscribe(logged, worker, name)
    with pytest.raises(ClientError, match="LimitExceeded"):
        subscribe(logged, worker, "three")


def test_without_the_permission_any_more_nothing_is_delivered(
    logged: EmbeddedAws, worker: str
) -> None:
    permit(logged, worker)
    subscribe(logged, worker)
    logged.client("lambda").remove_permission(FunctionName=worker, StatementId="logs")
    put(logged, "unheard")
    assert logged.settle() == []


def put(aws: EmbeddedAws, *lines: str, at: int | None = None) -> None:
    moment = int(aws.time.timestamp() * 1000) if at is None else at
    aws.client("logs").put_log_events(
        logGroupName=LOG_GROUP,
        logStreamName=STREAM,
        logEvents=[{"timestamp": moment, "message": line} for line in lines],
    )


# What a recount reads


def messages(aws: EmbeddedAws, **asked: Any) -> list[str]:
    pages = aws.client("logs").get_paginator("filter_log_events").paginate(
        logGroupName=LOG_GROUP, logStreamNames=[STREAM], **asked
    )  # fmt: skip
    return [event["message"] for page in pages for event in page["events"]]


def test_the_log_is_read_page_by_page_to_its_end(logged: EmbeddedAws) -> None:
    lines = [f"{number}" for number in range(10_500)]
    put(logged, *lines)
    assert messages(logged)[1:] == lines  # the first is Bedrock's welcome


def test_both_ends_of_a_time_range_belong_to_it(logged: EmbeddedAws) -> None:
    start = int(START.timestamp() * 1000) + 60_000
    for offset in (-1, 0, 1, 2):
        put(logged, f"{offset}", at=start + offset)
    assert messages(logged, startTime=start, endTime=start + 1) == ["0", "1"]


def test_another_stream_is_not_read_and_one_that_is_not_there_is_an_error(
    logged: EmbeddedAws,
) -> None:
    logs = logged.client("logs")
    logs.create_log_stream(logGroupName=LOG_GROUP, logStreamName="other")
    logs.put_log_events(
        logGroupName=LOG_GROUP,
        logStreamName="other",
        logEvents=[{"timestamp": int(START.timestamp() * 1000), "message": "forged"}],
    )
    assert "forged" not in messages(logged)
    with pytest.raises(ClientError, match="log stream does not exist"):
        logs.filter_log_events(logGroupName=LOG_GROUP, logStreamNames=["none"])


def test_what_is_older_than_the_retention_is_gone(logged: EmbeddedAws) -> None:
    put(logged, "old")
    logged.client("logs").put_retention_policy(logGroupName=LOG_GROUP, retentionInDays=14)
    logged.set_time(START + timedelta(days=13))
    assert "old" in messages(logged)
    logged.set_time(START + timedelta(days=15))
    assert messages(logged) == []


def test_a_log_group_is_as_old_as_the_simulated_clock_says(
    aws: EmbeddedAws, tmp_path: Path
) -> None:
    template = tmp_path / "template.yaml"
    template.write_text("Resources: {Group: {Type: 'AWS::Logs::LogGroup'}}")
    aws.deploy(template, "plain")
    (group,) = aws.client("logs").describe_log_groups()["logGroups"]
    assert group["creationTime"] == START.timestamp() * 1000


# Which model is behind a profile


@pytest.mark.parametrize(
    "source",
    [
        "arn:aws:bedrock:us-east-1::foundation-model/" + MODEL,
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us." + MODEL,
    ],
)
def test_an_applications_profile_leads_to_foundation_models(aws: EmbeddedAws, source: str) -> None:
    bedrock = aws.client("bedrock")
    arn = bedrock.create_inference_profile(
        inferenceProfileName="ours", modelSource={"copyFrom": source}
    )["inferenceProfileArn"]
    for identifier in (arn, arn.rpartition("/")[2]):
        profile = bedrock.get_inference_profile(inferenceProfileIdentifier=identifier)
        assert profile["inferenceProfileArn"] == arn
        assert profile["type"] == "APPLICATION"
        assert [each["modelArn"] for each in profile["models"]] == [
            "arn:aws:bedrock:us-east-1::foundation-model/" + MODEL
        ]


def test_a_profile_that_is_not_there_is_not_found(aws: EmbeddedAws) -> None:
    bedrock = aws.client("bedrock")
    with pytest.raises(bedrock.exceptions.ResourceNotFoundException):
        bedrock.get_inference_profile(inferenceProfileIdentifier="abcdefghijkl")
