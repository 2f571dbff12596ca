import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from embedded_account import START, Caller
from quota_enforcer.local.deploy import StackError
from quota_enforcer.local.embedded import EmbeddedAws
from quota_enforcer.local.schedules import FunctionError
from quota_enforcer.local.template import archived, transformed

TEMPLATE = Path(__file__).parent / "stack" / "template.yaml"


def test_a_sam_template_becomes_plain_cloudformation() -> None:
    types = {name: r["Type"] for name, r in transformed(TEMPLATE)["Resources"].items()}
    assert types["Worker"] == "AWS::Lambda::Function"
    assert types["WorkerTick"] == "AWS::Scheduler::Schedule"
    assert not [kind for kind in types.values() if "Serverless" in kind]


def test_the_same_code_gives_the_same_archive(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "__pycache__").mkdir(parents=True)
        (tmp_path / name / "__pycache__" / "app.pyc").write_text(name)
        (tmp_path / name / "app.py").write_text("same")
    assert archived(tmp_path / "one") == archived(tmp_path / "two")


def test_a_missing_code_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError, match=r"CodeUri .*nowhere"):
        archived(tmp_path / "nowhere")


def test_a_stack_is_created_fired_updated_and_deleted(aws: EmbeddedAws) -> None:
    outputs = aws.deploy(TEMPLATE, "tiny", {"Greeting": "hi"})
    assert outputs["Answer"] == "hi from set-up"

    aws.set_time(START + timedelta(minutes=5))
    answer = aws.fire_schedule("tiny")
    assert answer["event"] == {"action": "sweep", "scheduled_time": "2027-03-01T12:05:00Z"}
    assert answer["greeting"] == "hi"
    assert answer["log_level"] is None
    assert answer["clock"] == "2027-03-01T12:05:00+00:00"

    assert aws.deploy(TEMPLATE, "tiny", {"Greeting": "good day"})["Answer"] == (
        "good day from set-up"
    )
    assert aws.fire_schedule("tiny")["greeting"] == "good day"
    aws.deploy(TEMPLATE, "tiny", {"Greeting": "good day"})

    aws.delete("tiny")
    with pytest.raises(ClientError, match="does not exist"):
        aws.client("cloudformation").describe_stacks(StackName="tiny")
    assert aws.client("lambda").list_functions()["Functions"] == []


def test_a_plain_template_knows_in_its_conditions_where_it_is(
    aws: EmbeddedAws, tmp_path: Path
) -> None:
    template = tmp_path / "plain.yaml"
    template.write_text(
        """
Conditions:
  There: !And
    - !Equals [!Ref "AWS::Region", eu-west-1]
    - !Not [!Equals [!Ref "AWS::AccountId", "123456789012"]]
Resources:
  Queue: {Type: AWS::SQS::Queue}
Outputs:
  There: {Condition: There, Value: "yes"}
"""
    )
    assert aws.deploy(template, "plain") == {}
    assert aws.deploy(template, "plain", session=aws.session("444455556666")) == {}
    there = aws.session("444455556666", "eu-west-1")
    assert aws.deploy(template, "plain", session=there) == {"There": "yes"}


def test_a_failed_deployment_names_the_resource_and_its_reason(aws: EmbeddedAws) -> None:
    with pytest.raises(StackError, match=r"Setup .*the greeting must not be 'fail'"):
        aws.deploy(TEMPLATE, "tiny", {"Greeting": "fail"})


def test_a_raising_function_is_reported_with_its_class_and_log(aws: EmbeddedAws) -> None:
    aws.deploy(TEMPLATE, "tiny", {"Greeting": "raise"})
    with pytest.raises(FunctionError, match="about to raise") as raised:
        aws.fire_schedule("tiny")
    assert raised.value.payload["errorType"] == "NotTodayError"
    assert raised.value.payload["errorMessage"] == "not today:\nsorry"


def test_a_policy_that_someone_still_has_keeps_the_stack_from_going(
    aws: EmbeddedAws, user: Caller
) -> None:
    arn = aws.deploy(TEMPLATE, "tiny")["DenyPolicy"]
    user("alice")
    aws.client("iam").attach_user_policy(UserName="alice", PolicyArn=arn)
    with pytest.raises(StackError, match=r"DenyPolicy .*DeleteConflict.* alice"):
        aws.delete("tiny")
    aws.client("iam").detach_user_policy(UserName="alice", PolicyArn=arn)
    aws.delete("tiny")


def test_a_stack_without_a_schedule_cannot_be_fired(aws: EmbeddedAws, tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    template.write_text("Resources: {Topic: {Type: 'AWS::SNS::Topic'}}")
    aws.deploy(template, "plain")
    with pytest.raises(LookupError, match="0 schedules"):
        aws.fire_schedule("plain")


def test_a_subprocess_finds_the_embedded_aws_by_its_environment(aws: EmbeddedAws) -> None:
    code = "import boto3, json; print(json.dumps(boto3.client('sts').get_caller_identity()))"
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", code], env=aws.environment(), capture_output=True, check=True
    )
    assert json.loads(done.stdout)["Account"] == aws.account_id
