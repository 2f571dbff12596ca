"""What IAM asks about in the embedded AWS: a table's partitions, and a policy to be made."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import boto3
import pytest

from deployed_stack import is_refused
from embedded_account import Caller
from quota_enforcer.aws.dynamodb.ledger.schema import BY_DUE, LEDGER_SCHEMA
from quota_enforcer.local.embedded import EmbeddedAws

ONLY_MINE: dict[str, Any] = {
    "Effect": "Allow",
    "Action": "dynamodb:*",
    "Resource": "*",
    "Condition": {
        "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["mine"]},
        "Null": {"dynamodb:LeadingKeys": "false"},
    },
}


@pytest.fixture
def alice(aws: EmbeddedAws, user: Caller) -> boto3.Session:
    """Somebody with one partition of one table."""
    aws.client("dynamodb").create_table(
        TableName="table", BillingMode="PAY_PER_REQUEST", **LEDGER_SCHEMA
    )
    return user("alice", ONLY_MINE)


def calls(dynamodb: Any, *keys: str) -> dict[str, Callable[[], object]]:
    """Each way to name these partitions of the table."""
    items = [{"pk": {"S": key}, "sk": {"S": "x"}} for key in keys]
    first = {"TableName": "table", "Key": items[0]}
    listed = {"ExpressionAttributeValues": {":key": {"S": keys[0]}}, "TableName": "table"}
    return {
        "get": partial(dynamodb.get_item, **first),
        "put": partial(dynamodb.put_item, TableName="table", Item=items[0]),
        "update": partial(dynamodb.update_item, **first),
        "delete": partial(dynamodb.delete_item, **first),
        "query": partial(dynamodb.query, KeyConditionExpression="pk = :key", **listed),
        "query by placeholder": partial(
            dynamodb.query,
            KeyConditionExpression="#k = :key AND begins_with(sk, :key)",
            ExpressionAttributeNames={"#k": "pk"},
            **listed,
        ),
        "query of an index": partial(
            dynamodb.query, IndexName=BY_DUE, KeyConditionExpression="listing = :key", **listed
        ),
        "batch read": partial(dynamodb.batch_get_item, RequestItems={"table": {"Keys": items}}),
        "batch write": partial(
            dynamodb.batch_write_item,
            RequestItems={"table": [{"PutRequest": {"Item": item}} for item in items]},
        ),
        "transaction": partial(
            dynamodb.transact_write_items,
            TransactItems=[{"Put": {"TableName": "table", "Item": item}} for item in items],
        ),
    }


def test_who_has_one_partition_can_use_it_in_every_way(alice: boto3.Session) -> None:
    for name, call in calls(alice.client("dynamodb"), "mine").items():
        assert not is_refused(call), name


def test_and_no_other_nor_all_at_once(alice: boto3.Session) -> None:
    dynamodb = alice.client("dynamodb")
    for name, call in calls(dynamodb, "theirs").items():
        assert is_refused(call), name
    assert is_refused(partial(dynamodb.scan, TableName="table"))


@pytest.mark.parametrize("several", ["batch read", "batch write", "transaction"])
def test_one_foreign_partition_among_several_is_too_many(
    alice: boto3.Session, several: str
) -> None:
    call = calls(alice.client("dynamodb"), "mine", "theirs")[several]
    assert is_refused(call)


def test_who_may_make_one_policy_makes_no_other(aws: EmbeddedAws, user: Caller) -> None:
    mine = f"arn:aws:iam::{aws.account_id}:policy/p/mine"
    iam = user("alice", {"Effect": "Allow", "Action": "iam:*", "Resource": mine}).client("iam")
    text = json.dumps({"Version": "2012-10-17", "Statement": [ONLY_MINE]})
    make = partial(iam.create_policy, PolicyDocument=text)
    assert is_refused(partial(make, PolicyName="mine"))
    assert is_refused(partial(make, PolicyName="mine", Path="/q/"))
    assert is_refused(partial(make, PolicyName="other", Path="/p/"))
    assert not is_refused(partial(make, PolicyName="mine", Path="/p/"))


# CloudWatch Logs


def log_calls(logs: Any) -> dict[str, Callable[[], object]]:
    group = {"logGroupName": "/mine"}
    stream = {**group, "logStreamName": "stream"}
    event = {"timestamp": 0, "message": "x"}
    return {
        "the groups": logs.describe_log_groups,
        "the events": partial(logs.filter_log_events, **group),
        "no retention": partial(logs.delete_retention_policy, **group),
        "an event": partial(logs.put_log_events, **stream, logEvents=[event]),
    }


@pytest.mark.parametrize(
    ("resource", "allowed"),
    [
        ("*", ["the groups"]),
        ("/mine:*", ["the events", "no retention", "an event"]),
        ("/mine:log-stream:", ["the events", "no retention"]),
        ("/mine:log-stream:stream", ["an event"]),
        ("/mine", []),
        ("/mine2:*", []),
    ],
)
def test_a_log_group_is_named_with_its_streams_and_the_list_of_them_by_no_name(
    aws: EmbeddedAws, user: Caller, resource: str, allowed: list[str]
) -> None:
    logs = aws.client("logs")
    logs.create_log_group(logGroupName="/mine")
    logs.create_log_stream(logGroupName="/mine", logStreamName="stream")
    actions = ["logs:DescribeLogGroups"] if resource == "*" else ["logs:*"]
    arn = f"arn:aws:logs:{aws.region}:{aws.account_id}:log-group:{resource}"
    alice = user("alice", {"Effect": "Allow", "Action": actions, "Resource": arn})
    calls = log_calls(alice.client("logs"))
    assert [name for name, each in calls.items() if not is_refused(each)] == allowed
