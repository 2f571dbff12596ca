"""The stack that a function belongs to, as CloudFormation has it at this moment."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient


class OwnStack:
    """One stack, by its id, which no later stack of the same name has.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
    """

    def __init__(self, client: "CloudFormationClient", stack_id: str) -> None:
        self._client = client
        self._id = stack_id

    def status(self) -> str:
        """Such as `UPDATE_COMPLETE`; of a deleted stack `DELETE_COMPLETE`."""
        [stack] = self._client.describe_stacks(StackName=self._id)["Stacks"]
        return stack["StackStatus"]
