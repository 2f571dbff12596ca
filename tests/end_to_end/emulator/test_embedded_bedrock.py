import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded_account import (
    LOG_GROUP,
    START,
    Caller,
    logging_to_group,
    make_log_role,
    records,
    series,
)
from quota_enforcer.local.embedded import EmbeddedAws

MODEL = "anthropic.claude-3-opus-20240229-v1:0"
ALLOW = {"Effect": "Allow", "Action": "bedrock:Invoke*", "Resource": "*"}
COUNTS = {"input_tokens": 1, "output_tokens": 7, "cache_read_tokens": 300, "cache_write_tokens": 9}
HELLO: list[Any] = [{"role": "user", "content": [{"text": "hello"}]}]


def body(**more: Any) -> str:
    return json.dumps({"max_tokens": 8, "messages": [{"role": "user", "content": "hi"}], **more})


def invoke(client: Any) -> dict[str, Any]:
    answer = client.invoke_model(modelId=MODEL, body=body(simulate=COUNTS))
    found: dict[str, Any] = json.loads(answer["body"].read())["usage"]
    return found


def invoke_stream(client: Any) -> dict[str, Any]:
    answer = client.invoke_model_with_response_stream(modelId=MODEL, body=body(simulate=COUNTS))
    chunks = [json.loads(event["chunk"]["bytes"]) for event in answer["body"]]
    found: dict[str, Any] = chunks[-1]["amazon-bedrock-invocationMetrics"]
    return found


def converse(client: Any) -> dict[str, Any]:
    answer = client.converse(
        modelId=MODEL, messages=HELLO, additionalModelRequestFields={"simulate": COUNTS}
    )
    found: dict[str, Any] = answer["usage"]
    return found


def converse_stream(client: Any) -> dict[str, Any]:
    answer = client.converse_stream(
        modelId=MODEL, messages=HELLO, additionalModelRequestFields={"simulate": COUNTS}
    )
    found: dict[str, Any] = list(answer["stream"])[-1]["metadata"]["usage"]
    return found


CALLS = {
    "InvokeModel": invoke,
    "InvokeModelWithResponseStream": invoke_stream,
    "Converse": converse,
    "ConverseStream": converse_stream,
}


@pytest.mark.parametrize("operation", CALLS)
def test_each_way_to_call_a_model_leaves_one_record_with_the_simulated_counts(
    logged: EmbeddedAws, user: Caller, operation: str
) -> None:
    client = user("alice", ALLOW).client("bedrock-runtime")
    usage = CALLS[operation](client)
    assert {1, 7, 300, 9} <= set(usage.values())
    (record,) = records(logged)
    assert record["operation"] == operation
    assert record["modelId"] == MODEL
    assert record["identity"]["arn"] == f"arn:aws:iam::{logged.account_id}:user/alice"
    assert record["timestamp"] == "2027-03-01T12:00:00Z"
    assert record["requestId"]
    assert record["input"]["inputTokenCount"] == 1
    assert record["input"]["cacheReadInputTokenCount"] == 300
    assert record["input"]["cacheWriteInputTokenCount"] == 9
    assert record["output"]["outputTokenCount"] == 7
    assert record["output"]["outputBodyJson"]


def test_a_record_has_the_request_id_of_the_answer(logged: EmbeddedAws) -> None:
    answer = logged.client("bedrock-runtime").invoke_model(modelId=MODEL, body=body())
    assert records(logged)[0]["requestId"] == answer["ResponseMetadata"]["RequestId"]


def test_counts_that_are_not_simulated_are_estimated_and_cache_counts_absent(
    logged: EmbeddedAws,
) -> None:
    logged.client("bedrock-runtime").invoke_model(modelId=MODEL, body=body())
    (record,) = records(logged)
    assert record["output"]["outputTokenCount"] > 0
    assert "cacheReadInputTokenCount" not in record["input"]


def test_a_failed_call_is_recorded_without_input_and_output(logged: EmbeddedAws) -> None:
    with pytest.raises(ClientError, match="ThrottlingException"):
        logged.client("bedrock-runtime").invoke_model(
            modelId=MODEL, body=body(simulate={"error": "ThrottlingException"})
        )
    (record,) = records(logged)
    assert record["errorCode"] == "ThrottlingException"
    assert not record.keys() & {"input", "output"}


def test_a_call_that_iam_refuses_leaves_no_record(logged: EmbeddedAws, user: Caller) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        invoke(user("alice").client("bedrock-runtime"))
    assert records(logged) == []


@pytest.mark.parametrize(
    "simulate", [{"tokens": 1}, {"input_tokens": -1}, {"output_tokens": 1.5}, {"error": "Oops"}, 3]
)
def test_a_wrong_simulation_is_refused_by_name(aws: EmbeddedAws, simulate: Any) -> None:
    with pytest.raises(ClientError, match=r"ValidationException.*simulate.*allowed are"):
        aws.client("bedrock-runtime").invoke_model(modelId=MODEL, body=body(simulate=simulate))


def test_without_a_logging_configuration_there_is_no_record(aws: EmbeddedAws) -> None:
    aws.client("logs").create_log_group(logGroupName=LOG_GROUP)
    invoke(aws.client("bedrock-runtime"))
    assert records(aws) == []
    assert series(aws, "AWS/Bedrock", "Invocations", ModelId=MODEL) == {START: 1}


def test_bodies_stay_out_of_the_log_unless_text_is_delivered(logged: EmbeddedAws) -> None:
    logged.client("bedrock").put_model_invocation_logging_configuration(
        loggingConfig=logging_to_group(logged) | {"textDataDeliveryEnabled": False}
    )
    invoke(logged.client("bedrock-runtime"))
    (record,) = records(logged)
    assert "inputBodyJson" not in record["input"]
    assert "outputBodyJson" not in record["output"]


def test_switching_logging_on_writes_the_line_that_is_no_record(logged: EmbeddedAws) -> None:
    events = logged.client("logs").filter_log_events(logGroupName=LOG_GROUP)["events"]
    assert [event["message"] for event in events] == [
        "Permissions are correctly set for Amazon Bedrock logs."
    ]
    assert events[0]["logStreamName"] == "aws/bedrock/modelinvocations"


@pytest.mark.parametrize("missing", ["group", "role", "permission"])
def test_a_logging_configuration_that_cannot_work_is_refused(
    aws: EmbeddedAws, missing: str
) -> None:
    if missing != "group":
        aws.client("logs").create_log_group(logGroupName=LOG_GROUP)
    if missing != "role":
        actions = ["logs:CreateLogStream", "logs:PutLogEvents"]
        make_log_role(aws, actions[:1] if missing == "permission" else actions)
    bedrock = aws.client("bedrock")
    with pytest.raises(ClientError, match="Failed to validate permissions for log group"):
        bedrock.put_model_invocation_logging_configuration(loggingConfig=logging_to_group(aws))
    assert "loggingConfig" not in bedrock.get_model_invocation_logging_configuration()


def test_handing_bedrock_a_role_needs_pass_role(logged: EmbeddedAws, user: Caller) -> None:
    put = {
        "Effect": "Allow",
        "Action": "bedrock:PutModelInvocationLoggingConfiguration",
        "Resource": "*",
    }
    passing = {
        "Effect": "Allow",
        "Action": "iam:PassRole",
        "Resource": "*",
        "Condition": {"StringEquals": {"iam:PassedToService": "bedrock.amazonaws.com"}},
    }
    config: Any = logging_to_group(logged)
    user("dan", put, passing).client("bedrock").put_model_invocation_logging_configuration(
        loggingConfig=config
    )
    with pytest.raises(ClientError, match="iam:PassRole"):
        user("eve", put).client("bedrock").put_model_invocation_logging_configuration(
            loggingConfig=config
        )
