"""The guard names every part of the template that others could change to switch it off."""

from fnmatch import fnmatchcase

import pytest

from quota_enforcer.core.policies.guard.guard import guard
from quota_enforcer.core.policies.guard.guarded import Guarded
from template_source import RESOURCES, of_type

DOCUMENTS = guard(Guarded("111122223333", "bedrock-quota", ("Admin",)))
STATEMENTS = [statement for each in DOCUMENTS for statement in each["Statement"]]
KINDS = {
    "AWS::CloudWatch::Alarm": ("cloudwatch", "alarm:", "cloudwatch:DeleteAlarms"),
    "AWS::DynamoDB::Table": ("dynamodb", "table/", "dynamodb:Delete*"),
    "AWS::Events::Rule": ("events", "rule/", "events:Disable*"),
    "AWS::SNS::Topic": ("sns", "", "sns:Delete*"),
    "AWS::SQS::Queue": ("sqs", "", "sqs:Purge*"),
    "AWS::Scheduler::Schedule": ("scheduler", "schedule/default/", "scheduler:UpdateSchedule"),
    "AWS::Serverless::Function": ("lambda", "function:", "lambda:Update*"),
}
PARTS = [(kind, name) for kind in KINDS for name in of_type(kind)]


@pytest.mark.parametrize(("kind", "name"), PARTS)
def test_nobody_else_changes(kind: str, name: str) -> None:
    service, prefix, action = KINDS[kind]
    arn = f"arn:aws:{service}:eu-central-1:111122223333:{prefix}bedrock-quota-{name}-A1B2C3D4E5F6"
    patterns = [
        pattern
        for statement in STATEMENTS
        if action in statement["Action"]
        for pattern in statement["Resource"]
    ]
    assert any(fnmatchcase(arn, pattern) for pattern in patterns)


def test_every_mapping_of_events_is_of_the_function_whose_mappings_it_guards() -> None:
    (guarded,) = (each for each in STATEMENTS if each["Sid"] == "BedrockQuotaEventSources")
    patterns = guarded["Condition"]["ArnLike"]["lambda:FunctionArn"]
    for name in of_type("AWS::Lambda::EventSourceMapping"):
        function = RESOURCES[name]["Properties"]["FunctionName"]["Ref"]
        assert any(each.endswith(f":function:bedrock-quota-{function}-*") for each in patterns)
