"""How log groups are wired: their class, what reads them, and when Bedrock wrote to them last.

Nothing here reads a record, which may hold what somebody typed.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Final

from quota_enforcer.aws.cloudwatch.logs import described
from quota_enforcer.aws.cloudwatch.logs.described import EPOCH, MILLISECOND
from quota_enforcer.doctor.rules.logging import STANDARD
from quota_enforcer.doctor.rules.metering import MaskingFound, SubscriptionFound

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_logs.type_defs import DescribeAccountPoliciesRequestTypeDef

OURS: Final = "/bedrock-quota/"
"""Every deployment makes log groups below it, named `/bedrock-quota/STACK/PART`."""
_ENFORCER: Final = "/enforcer"


class LogWiring:
    """The log groups of the client's Region."""

    def __init__(self, client: "CloudWatchLogsClient") -> None:
        self._client = client

    def class_of(self, group: str) -> str | None:
        """The class of a log group; None if there is no such group."""
        found = described.log_group(self._client, group)
        return None if found is None else found.get("logGroupClass", STANDARD)

    def masking(self, group: str) -> MaskingFound:
        """The data protection policies of a log group and of the account, which add up.

        https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetDataProtectionPolicy.html
        """
        try:
            own = self._client.get_data_protection_policy(logGroupIdentifier=group)
        except self._client.exceptions.ResourceNotFoundException:
            return MaskingFound()  # that there is no such group is another check's finding
        policy = own.get("policyDocument", "")
        account: list[str] = []
        request: DescribeAccountPoliciesRequestTypeDef = {"policyType": "DATA_PROTECTION_POLICY"}
        while True:
            answer = self._client.describe_account_policies(**request)
            account += [each["policyDocument"] for each in answer["accountPolicies"]]
            if "nextToken" not in answer:
                return MaskingFound([policy] if policy else [], account)
            request["nextToken"] = answer["nextToken"]

    def stacks(self) -> tuple[str, ...]:
        """The deployments of ours in this Region, by the log groups that each makes."""
        names = (each["logGroupName"] for each in described.log_groups(self._client, OURS))
        found = {
            name.removeprefix(OURS).removesuffix(_ENFORCER)
            for name in names
            if name.endswith(_ENFORCER)
        }
        return tuple(sorted(found))

    def newest_record(self, group: str) -> datetime | None:
        """When Bedrock's stream got its newest event, said up to an hour late.

        None if it has none, or if there is no such group.
        """
        try:
            stream = described.bedrock_stream(self._client, group)
        except self._client.exceptions.ResourceNotFoundException:
            return None
        if stream is None or "lastIngestionTime" not in stream:
            return None
        return EPOCH + stream["lastIngestionTime"] * MILLISECOND

    def subscriptions(self, group: str) -> list[SubscriptionFound]:
        """The subscription filters of a log group; none if there is no such group."""
        try:
            return [
                SubscriptionFound(
                    each["filterName"], each.get("filterPattern", ""), each["destinationArn"]
                )
                for each in described.subscription_filters(self._client, group)
            ]
        except self._client.exceptions.ResourceNotFoundException:
            return []

    def metrics(self, group: str, namespace: str) -> list[str]:
        """The metrics of a namespace that filters of a log group write."""
        try:
            return list(described.filtered_metrics(self._client, group, namespace))
        except self._client.exceptions.ResourceNotFoundException:
            return []
