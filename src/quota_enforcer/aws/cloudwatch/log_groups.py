"""How log groups are wired: their class, what reads them, and when Bedrock wrote to them last.

Nothing here reads a record, which may hold what somebody typed.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from quota_enforcer.doctor.rules.logging import STANDARD
from quota_enforcer.doctor.rules.metering import MaskingFound, SubscriptionFound
from quota_enforcer.meter.stream import BEDROCK_STREAM

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_logs.type_defs import DescribeAccountPoliciesRequestTypeDef, LogGroupTypeDef

OURS: Final = "/bedrock-quota/"
"""Every deployment makes log groups below it, named `/bedrock-quota/STACK/PART`."""
_ENFORCER: Final = "/enforcer"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class LogWiring:
    """The log groups of the client's Region."""

    def __init__(self, client: "CloudWatchLogsClient") -> None:
        self._client = client

    def class_of(self, group: str) -> str | None:
        """The class of a log group; None if there is no such group."""
        for found in self._groups(group):
            if found["logGroupName"] == group:
                return found.get("logGroupClass", STANDARD)
        return None

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
        names = (found["logGroupName"] for found in self._groups(OURS))
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
            answer = self._client.describe_log_streams(
                logGroupName=group, logStreamNamePrefix=BEDROCK_STREAM
            )
        except self._client.exceptions.ResourceNotFoundException:
            return None
        for stream in answer["logStreams"]:
            if stream["logStreamName"] == BEDROCK_STREAM and "lastIngestionTime" in stream:
                return _EPOCH + timedelta(milliseconds=stream["lastIngestionTime"])
        return None

    def subscriptions(self, group: str) -> list[SubscriptionFound]:
        """The subscription filters of a log group; none if there is no such group."""
        pages = self._client.get_paginator("describe_subscription_filters")
        try:
            return [
                SubscriptionFound(
                    each["filterName"], each.get("filterPattern", ""), each["destinationArn"]
                )
                for page in pages.paginate(logGroupName=group)
                for each in page["subscriptionFilters"]
            ]
        except self._client.exceptions.ResourceNotFoundException:
            return []

    def metrics(self, group: str, namespace: str) -> list[str]:
        """The metrics of a namespace that filters of a log group write."""
        pages = self._client.get_paginator("describe_metric_filters")
        try:
            return [
                written["metricName"]
                for page in pages.paginate(logGroupName=group)
                for each in page["metricFilters"]
                for written in each["metricTransformations"]
                if written["metricNamespace"] == namespace
            ]
        except self._client.exceptions.ResourceNotFoundException:
            return []

    def _groups(self, prefix: str) -> Iterator["LogGroupTypeDef"]:
        pages = self._client.get_paginator("describe_log_groups")
        for page in pages.paginate(logGroupNamePrefix=prefix):
            yield from page["logGroups"]
