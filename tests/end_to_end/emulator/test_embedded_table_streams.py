"""Streams of tables in the embedded AWS: what a mapping hands over, in which order, how often."""

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from beginnings import Beginnings
from embedded_account import document
from quota_enforcer.local.embedded import EmbeddedAws, Ended

TEMPLATE = Path(__file__).parent / "stack" / "template.yaml"
READING = [
    f"dynamodb:{each}"
    for each in ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
]


@pytest.fixture
def worker(beginnings: Beginnings) -> str:
    return beginnings.of(a_worker)


def a_worker(aws: EmbeddedAws) -> str:
    """A function whose role may read streams, and a table that has one."""
    name = aws.deploy(TEMPLATE, "tiny")["Worker"]
    permit(aws, name, *READING)
    aws.client("dynamodb").create_table(
        TableName="table",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
    )
    return name


def permit(aws: EmbeddedAws, worker: str, *actions: str) -> None:
    role = aws.client("lambda").get_function_configuration(FunctionName=worker)["Role"]
    aws.client("iam").put_role_policy(
        RoleName=role.rpartition("/")[2],
        PolicyName="streams",
        PolicyDocument=document({"Effect": "Allow", "Action": list(actions), "Resource": "*"}),
    )


def stream(aws: EmbeddedAws) -> str:
    arn: str = aws.client("dynamodb").describe_table(TableName="table")["Table"]["LatestStreamArn"]
    return arn


def map_to(aws: EmbeddedAws, worker: str, **settings: Any) -> None:
    aws.client("lambda").create_event_source_mapping(
        FunctionName=worker,
        EventSourceArn=stream(aws),
        **{"StartingPosition": "TRIM_HORIZON", **settings},
    )


def put(aws: EmbeddedAws, *keys: str, **attributes: str) -> None:
    for key in keys:
        item = {"pk": key, **attributes}
        wire = {name: {"S": value} for name, value in item.items()}
        aws.client("dynamodb").put_item(TableName="table", Item=wire)


def keys(ended: Ended) -> list[str]:
    return [record["dynamodb"]["Keys"]["pk"]["S"] for record in ended.event["Records"]]


def test_who_writes_and_waits_hears_what_the_function_made_of_it(
    aws: EmbeddedAws, worker: str
) -> None:
    map_to(aws, worker)
    put(aws, "a", note="not in the stream")
    (ended,) = aws.settle()
    (record,) = ended.event["Records"]
    assert (record["eventSource"], record["eventName"]) == ("aws:dynamodb", "INSERT")
    assert record["dynamodb"]["StreamViewType"] == "KEYS_ONLY"
    assert "NewImage" not in record["dynamodb"]
    assert (keys(ended), ended.error, ended.attempts) == (["a"], None, 1)
    assert ended.answer["event"] == ended.event


def test_every_change_comes_once_and_in_order_however_it_is_grouped(
    aws: EmbeddedAws, worker: str
) -> None:
    map_to(aws, worker, BatchSize=7)
    written = [f"{number}" for number in range(40)]
    put(aws, *written)
    aws.client("dynamodb").delete_item(TableName="table", Key={"pk": {"S": "0"}})
    put(aws, "1")  # which changes nothing
    batches = [keys(ended) for ended in aws.settle()]
    assert [key for batch in batches for key in batch] == [*written, "0"]
    assert max(map(len, batches)) <= 7


@pytest.mark.parametrize(("position", "heard"), [("TRIM_HORIZON", ["early"]), ("LATEST", [])])
def test_a_new_mapping_begins_where_it_says(
    aws: EmbeddedAws, worker: str, position: str, heard: list[str]
) -> None:
    put(aws, "early")
    map_to(aws, worker, StartingPosition=position)
    assert [key for ended in aws.settle() for key in keys(ended)] == heard
    put(aws, "late")
    assert [keys(ended) for ended in aws.settle()] == [["late"]]


def test_a_failure_is_tried_again_in_bounds_then_told_and_the_next_one_follows(
    aws: EmbeddedAws, worker: str
) -> None:
    queue = aws.client("sqs").create_queue(QueueName="failed")["QueueUrl"]
    arn = f"arn:aws:sqs:{aws.region}:{aws.account_id}:failed"
    destination = {"OnFailure": {"Destination": arn}}
    map_to(aws, worker, BatchSize=1, MaximumRetryAttempts=2, DestinationConfig=destination)
    put(aws, "poison", "b")
    first, second = aws.settle()
    assert (keys(first), first.attempts) == (["poison"], 3)
    assert first.error["errorType"] == "NotTodayError"
    assert (keys(second), second.error) == (["b"], None)
    (message,) = aws.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    told = json.loads(message["Body"])
    assert told["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert told["DDBStreamBatchInfo"]["batchSize"] == 1


def test_a_batch_that_fails_is_split_until_only_what_is_wrong_fails(
    aws: EmbeddedAws, worker: str
) -> None:
    put(aws, "a", "b", "poison", "d")
    map_to(aws, worker, BisectBatchOnFunctionError=True, MaximumRetryAttempts=1)
    tried = [(keys(ended), ended.attempts, bool(ended.error)) for ended in aws.settle()]
    assert tried == [
        (["a", "b", "poison", "d"], 1, True),
        (["a", "b"], 1, False),
        (["poison", "d"], 1, True),
        (["poison"], 2, True),
        (["d"], 1, False),
    ]


@pytest.mark.parametrize("missing", READING)
def test_a_mapping_needs_a_role_that_may_read_the_stream(
    aws: EmbeddedAws, worker: str, missing: str
) -> None:
    permit(aws, worker, *(each for each in READING if each != missing))
    with pytest.raises(ClientError, match="Cannot access stream"):
        map_to(aws, worker)


def test_without_the_permission_any_more_nothing_is_handed_over(
    aws: EmbeddedAws, worker: str
) -> None:
    map_to(aws, worker)
    permit(aws, worker, "sqs:SendMessage")
    put(aws, "a")
    assert aws.settle() == []
    permit(aws, worker, *READING)
    put(aws, "b")
    assert [key for ended in aws.settle() for key in keys(ended)] == ["a", "b"]


def test_a_mapping_that_is_deleted_hands_over_nothing(aws: EmbeddedAws, worker: str) -> None:
    map_to(aws, worker)
    client = aws.client("lambda")
    (mapping,) = client.list_event_source_mappings(FunctionName=worker)["EventSourceMappings"]
    client.delete_event_source_mapping(UUID=mapping["UUID"])
    put(aws, "a")
    assert aws.settle() == []
