"""What an account says of itself: a stack's parameters and parts, and its time."""

from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from quota_enforcer.doctor.probe import StackPart

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_sts import STSClient


class StackParts:
    """One stack, by its name."""

    def __init__(self, client: "CloudFormationClient", stack: str) -> None:
        self._client = client
        self._stack = stack

    def parameters(self) -> Mapping[str, str]:
        """The values in force."""
        [stack] = self._client.describe_stacks(StackName=self._stack)["Stacks"]
        return {
            each["ParameterKey"]: each.get("ParameterValue", "")
            for each in stack.get("Parameters", [])
        }

    def parts(self) -> Mapping[str, StackPart]:
        """Every resource by its name in the template."""
        pages = self._client.get_paginator("list_stack_resources").paginate(StackName=self._stack)
        return {
            each["LogicalResourceId"]: StackPart(
                each["ResourceType"], each.get("PhysicalResourceId", "")
            )
            for page in pages
            for each in page["StackResourceSummaries"]
        }


def server_time(client: "STSClient") -> datetime:
    """Its time, to the second; the answer was under way for a moment."""
    answer = client.get_caller_identity()
    return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
