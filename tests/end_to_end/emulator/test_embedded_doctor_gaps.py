"""What the embedded AWS answers to a doctor as AWS does: its clock, and who may read what."""

from datetime import timedelta
from email.utils import parsedate_to_datetime

import pytest
from botocore.exceptions import ClientError

from deployed_stack import DeployedStack
from embedded_account import START, Caller
from quota_enforcer.local.embedded import EmbeddedAws


def test_answers_are_dated_with_the_simulated_clock(aws: EmbeddedAws) -> None:
    for moment in (START, START + timedelta(days=40)):
        aws.set_time(moment)
        answer = aws.client("sts").get_caller_identity()
        date = answer["ResponseMetadata"]["HTTPHeaders"]["date"]
        assert parsedate_to_datetime(date) == moment


def test_reading_a_functions_concurrency_is_an_action_of_its_own(
    stack: DeployedStack, user: Caller
) -> None:
    function = stack.outputs["MeterFunction"]
    reading = {"Effect": "Allow", "Action": "lambda:GetFunctionConcurrency", "Resource": "*"}
    client = user("auditor", reading).client("lambda")
    assert "ReservedConcurrentExecutions" not in client.get_function_concurrency(
        FunctionName=function
    )
    with pytest.raises(ClientError, match="lambda:PutFunctionConcurrency"):
        client.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError, match="lambda:DeleteFunctionConcurrency"):
        client.delete_function_concurrency(FunctionName=function)
