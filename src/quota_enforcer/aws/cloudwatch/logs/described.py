"""What CloudWatch Logs says of log groups: their filters, and Bedrock's stream."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from quota_enforcer.meter.stream import BEDROCK_STREAM

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_logs.type_defs import (
        LogGroupTypeDef,
        LogStreamTypeDef,
        SubscriptionFilterTypeDef,
    )

MILLISECOND: Final = timedelta(milliseconds=1)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""AWS counts milliseconds from it."""


def log_groups(client: "CloudWatchLogsClient", prefix: str) -> Iterator["LogGroupTypeDef"]:
    pages = client.get_paginator("describe_log_groups")
    for page in pages.paginate(logGroupNamePrefix=prefix):
        yield from page["logGroups"]


def log_group(client: "CloudWatchLogsClient", name: str) -> "LogGroupTypeDef | None":
    """The group of exactly this name; None if there is none."""
    return next((each for each in log_groups(client, name) if each["logGroupName"] == name), None)


def bedrock_stream(client: "CloudWatchLogsClient", group: str) -> "LogStreamTypeDef | None":
    """The stream that Bedrock writes; None if it has written nothing yet.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogStreams.html
    """
    answer = client.describe_log_streams(logGroupName=group, logStreamNamePrefix=BEDROCK_STREAM)
    named = (each for each in answer["logStreams"] if each["logStreamName"] == BEDROCK_STREAM)
    return next(named, None)


def subscription_filters(
    client: "CloudWatchLogsClient", group: str
) -> Iterator["SubscriptionFilterTypeDef"]:
    pages = client.get_paginator("describe_subscription_filters")
    for page in pages.paginate(logGroupName=group):
        yield from page["subscriptionFilters"]


def filtered_metrics(client: "CloudWatchLogsClient", group: str, namespace: str) -> Iterator[str]:
    """The metrics of a namespace that metric filters of the group write."""
    pages = client.get_paginator("describe_metric_filters")
    for page in pages.paginate(logGroupName=group):
        for each in page["metricFilters"]:
            for written in each["metricTransformations"]:
                if written["metricNamespace"] == namespace:
                    yield written["metricName"]
