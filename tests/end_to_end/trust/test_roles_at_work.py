"""Each function's role as deployed is enough for its work; see `test_roles` for the limits."""

import json
from functools import partial

import pytest

from beginnings import Beginnings
from deployed_stack import is_refused
from role_attempts import Attempts, attaching, query
from role_scene import ANYTHING, Scene

LEASE = {"pk": {"S": "deployment"}, "sk": {"S": "lease#author"}}
STANDING = {"pk": {"S": "user/alice"}, "sk": {"S": "standing"}}


@pytest.fixture(scope="module")
def scene(shared_beginnings: Beginnings) -> Scene:
    """For all tests, since each function's work is another."""
    return shared_beginnings.of(Scene.of)


def refused(attempts: Attempts) -> list[str]:
    return [name for name, attempt in attempts.items() if is_refused(attempt)]


def test_the_meter_may_do_its_work(scene: Scene) -> None:
    taken, outputs = scene.taken("MeterRole"), scene.stack.outputs
    dynamodb, table = taken.client("dynamodb"), outputs["LedgerTable"]
    marker = {"pk": {"S": "call#x"}, "sk": {"S": "call"}}
    bucket = {"pk": {"S": "user/alice"}, "sk": {"S": "usage#2027-03-01#m"}}
    profile = scene.stack.aws.client("bedrock").create_inference_profile(
        inferenceProfileName="ours",
        modelSource={"copyFrom": "arn:aws:bedrock:us-east-1::foundation-model/deepseek.r1-v1:0"},
    )["inferenceProfileArn"]
    needed: Attempts = {
        "a call and its usage": partial(
            dynamodb.transact_write_items,
            TransactItems=[
                {"Put": {"TableName": table, "Item": marker}},
                {
                    "Update": {
                        "TableName": table,
                        "Key": bucket,
                        "UpdateExpression": "ADD #a :one",
                        "ExpressionAttributeNames": {"#a": "13.n"},
                        "ExpressionAttributeValues": {":one": {"N": "1"}},
                    }
                },
            ],
        ),
        "somebody's usage": partial(query, dynamodb, table, "user/alice"),
        "everybody's day, for a recount": partial(dynamodb.scan, TableName=table),
        "whether it is subscribed": partial(
            taken.client("logs").describe_subscription_filters,
            logGroupName=outputs["InvocationLogGroup"],
        ),
        "whether the log is measured": partial(
            taken.client("logs").describe_metric_filters, logGroupName=outputs["InvocationLogGroup"]
        ),
        "what AWS counted": partial(
            taken.client("cloudwatch").list_metrics, Namespace="AWS/Bedrock"
        ),
        "what the enforcer told it": partial(dynamodb.get_item, TableName=table, Key=marker),
        "the log": partial(
            taken.client("logs").filter_log_events, logGroupName=outputs["InvocationLogGroup"]
        ),
        "since when it is kept": partial(
            taken.client("logs").describe_log_groups,
            logGroupNamePrefix=outputs["InvocationLogGroup"],
        ),
        "the model behind a profile": partial(
            taken.client("bedrock").get_inference_profile, inferenceProfileIdentifier=profile
        ),
        "the enforcer": partial(
            taken.client("lambda").invoke,
            FunctionName=outputs["EnforcerFunction"],
            InvocationType="Event",
            Payload=json.dumps({"action": "wake", "principals": ["user/alice"]}),
        ),
        "a letter": partial(
            taken.client("sqs").send_message,
            QueueUrl=scene.physical("MeterDeadLetters"),
            MessageBody="x",
        ),
    }
    assert refused(needed) == []


def test_the_enforcer_may_do_its_work(scene: Scene) -> None:
    taken = scene.taken("EnforcerRole")
    iam, table = taken.client("iam"), scene.stack.outputs["LedgerTable"]
    dynamodb, record = taken.client("dynamodb"), {**STANDING, "version": {"N": "1"}}
    needed: Attempts = {
        "metrics": taken.client("cloudwatch").list_metrics,
        "quotas": partial(dynamodb.scan, TableName=scene.stack.outputs["QuotaTable"]),
        "a record": partial(dynamodb.get_item, TableName=table, Key=STANDING),
        "a record and its gate intent": partial(
            dynamodb.transact_write_items,
            TransactItems=[
                {"Put": {"TableName": table, "Item": record}},
                {
                    "Put": {
                        "TableName": table,
                        "Item": {"pk": {"S": "gates"}, "sk": {"S": "sso/alice"}},
                    }
                },
            ],
        ),
        "a notice": partial(
            taken.client("sns").publish, TopicArn=scene.stack.outputs["NoticeTopic"], Message="x"
        ),
        "the author": partial(
            taken.client("lambda").invoke,
            FunctionName=scene.stack.outputs["AuthorFunction"],
            Payload=json.dumps({"action": "render"}),
        ),
    }
    for arn in scene.denies:
        needed |= attaching(iam, f"{arn} on", arn, users=["alice"], roles=["ci"])
        needed[f"who has {arn}"] = partial(iam.list_entities_for_policy, PolicyArn=arn)
        needed[f"{arn} off alice"] = partial(
            iam.detach_user_policy, UserName="alice", PolicyArn=arn
        )
        needed[f"{arn} off ci"] = partial(iam.detach_role_policy, RoleName="ci", PolicyArn=arn)
    assert refused(needed) == []


def test_the_author_may_do_its_work(scene: Scene) -> None:
    taken = scene.taken("AuthorRole")
    iam, dynamodb = taken.client("iam"), taken.client("dynamodb")
    table, gate = scene.stack.outputs["LedgerTable"], {"PolicyArn": scene.gate}
    scene.stack.aws.client("iam").delete_policy(PolicyArn=scene.gate)
    needed: Attempts = {
        "the gate": partial(iam.create_policy, **scene.new_gate),
        "a version": partial(iam.create_policy_version, PolicyDocument=ANYTHING, **gate),
        "the versions": partial(iam.list_policy_versions, **gate),
        "what it says": partial(iam.get_policy_version, VersionId="v1", **gate),
        "a version less": partial(iam.delete_policy_version, VersionId="v2", **gate),
        "who has it": partial(iam.list_entities_for_policy, **gate),
        "a role": partial(iam.get_role, RoleName="AWSReservedSSO_x"),
        "the intents": partial(query, dynamodb, table, "gates"),
        "the lease": partial(
            dynamodb.put_item, TableName=table, Item={**LEASE, "holder": {"S": "x"}}
        ),
        "the lease back": partial(dynamodb.delete_item, TableName=table, Key=LEASE),
        "what it wrote": partial(dynamodb.get_item, TableName=table, Key=LEASE),
    }
    assert refused(needed) == []


def test_the_self_service_function_may_do_its_work(scene: Scene) -> None:
    dynamodb, outputs = scene.taken("MeRole").client("dynamodb"), scene.stack.outputs
    table = outputs["LedgerTable"]
    needed: Attempts = {
        "quotas": partial(dynamodb.scan, TableName=outputs["QuotaTable"]),
        "the state": partial(dynamodb.get_item, TableName=table, Key=LEASE),
        "a record": partial(dynamodb.batch_get_item, RequestItems={table: {"Keys": [STANDING]}}),
        "somebody's usage": partial(query, dynamodb, table, "user/alice"),
        "a request": partial(
            dynamodb.put_item,
            TableName=table,
            Item={"pk": {"S": "requests"}, "sk": {"S": "user/nobody"}},
        ),
    }
    assert refused(needed) == []


def test_set_up_may_do_its_work(scene: Scene) -> None:
    taken = scene.taken("SetupRole")
    bedrock = taken.client("bedrock")
    current = bedrock.get_model_invocation_logging_configuration()["loggingConfig"]
    needed: Attempts = {
        "logging on": partial(
            bedrock.put_model_invocation_logging_configuration, loggingConfig=current
        ),
        "logging off": bedrock.delete_model_invocation_logging_configuration,
        "the enforcer": partial(
            taken.client("lambda").invoke,
            FunctionName=scene.stack.outputs["EnforcerFunction"],
            Payload=json.dumps({"action": "sweep", "dry_run": True}),
        ),
    }
    assert refused(needed) == []
