"""A state that is kept, and gone back to: everything is as it was, and nothing came with it."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from embedded_account import LOG_GROUP, START, Caller, log_invocations
from quota_enforcer.local.embedded import EmbeddedAws

TEMPLATE = Path(__file__).parent / "stack" / "template.yaml"
MODEL = "anthropic.claude-3-opus-20240229-v1:0"
ALLOW = {"Effect": "Allow", "Action": "bedrock:Invoke*", "Resource": "*"}


def answered(aws: EmbeddedAws, worker: str) -> Any:
    answer = aws.client("lambda").invoke(FunctionName=worker, Payload=b'{"n": 1}')
    return json.loads(answer["Payload"].read())


def is_known(aws: EmbeddedAws, key: str) -> bool:
    try:
        aws.session_for(key, "wrong").client("sts").get_caller_identity()
    except ClientError as error:
        return error.response["Error"]["Code"] == "SignatureDoesNotMatch"
    return True


def test_everything_is_as_it_was(aws: EmbeddedAws, user: Caller) -> None:
    """Of each service that the stacks need; twice, since the first time must not use it up."""
    log_invocations(aws)
    worker = aws.deploy(TEMPLATE, "tiny")["Worker"]
    sqs, iam, logs = aws.client("sqs"), aws.client("iam"), aws.client("logs")
    queue = sqs.create_queue(QueueName="kept")["QueueUrl"]
    dynamodb = aws.client("dynamodb")
    dynamodb.create_table(
        TableName="kept",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    dynamodb.put_item(TableName="kept", Item={"pk": {"S": "a"}, "n": {"N": "1"}})
    aws.set_time(START + timedelta(hours=1))
    kept = aws.keep()
    for _ in range(2):
        user("alice", ALLOW).client("bedrock-runtime").invoke_model(modelId=MODEL, body="{}")
        [alices] = iam.list_access_keys(UserName="alice")["AccessKeyMetadata"]
        sqs.send_message(QueueUrl=queue, MessageBody="since")
        dynamodb.update_item(
            TableName="kept",
            Key={"pk": {"S": "a"}},
            UpdateExpression="ADD n :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
        )
        aws.delete("tiny")
        aws.set_time(START + timedelta(days=1))

        aws.go_back(kept)
        assert aws.time == START + timedelta(hours=1)
        assert answered(aws, worker)["event"] == {"n": 1}
        [stack] = aws.client("cloudformation").describe_stacks()["Stacks"]
        assert (stack["StackName"], stack["StackStatus"]) == ("tiny", "CREATE_COMPLETE")
        assert dynamodb.scan(TableName="kept")["Items"] == [{"pk": {"S": "a"}, "n": {"N": "1"}}]
        assert sqs.receive_message(QueueUrl=queue).get("Messages", []) == []
        assert iam.list_users()["Users"] == []
        assert not is_known(aws, alices["AccessKeyId"])
        streams = logs.describe_log_streams(logGroupName=LOG_GROUP)["logStreams"]
        found = logs.filter_log_events(logGroupName=LOG_GROUP)["events"]
        assert (len(streams), len(found)) == (1, 1)  # that logging was switched on


def test_there_may_be_several_and_an_empty_account_still_is_empty(aws: EmbeddedAws) -> None:
    iam = aws.client("iam")
    iam.create_user(UserName="one")
    one = aws.keep()
    aws.reset(START)
    iam.create_user(UserName="two")
    two = aws.keep()
    for kept, names in ((one, ["one"]), (two, ["two"]), (one, ["one"])):
        aws.go_back(kept)
        assert [each["UserName"] for each in iam.list_users()["Users"]] == names
    aws.reset(START)
    assert iam.list_users()["Users"] == []


def test_functions_begin_cold(aws: EmbeddedAws) -> None:
    """What a worker remembers may be of what is no more."""
    worker = aws.deploy(TEMPLATE, "tiny")["Worker"]
    assert aws.folder
    kept = aws.keep()
    answered(aws, worker)
    before = set((aws.folder / "tmp").glob(f"ministack-lambda-{worker}-*"))
    assert before
    aws.go_back(kept)
    answered(aws, worker)
    assert not before & set((aws.folder / "tmp").glob(f"ministack-lambda-{worker}-*"))
