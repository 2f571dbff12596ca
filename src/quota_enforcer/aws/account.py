"""What CloudFormation says of a stack: its parameters, and what its parts are called."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from quota_enforcer.doctor.probe import Part

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient


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

    def parts(self) -> Mapping[str, Part]:
        """Every resource by its name in the template."""
        pages = self._client.get_paginator("list_stack_resources").paginate(StackName=self._stack)
        return {
            each["LogicalResourceId"]: Part(
                each["ResourceType"], each.get("PhysicalResourceId", "")
            )
            for page in pages
            for each in page["StackResourceSummaries"]
        }
