"""The log group of Bedrock's invocation logging, read for a recount."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from quota_enforcer import clock
from quota_enforcer.aws.cloudwatch.logs import described
from quota_enforcer.aws.cloudwatch.logs.described import EPOCH, MILLISECOND
from quota_enforcer.core.errors import ConfigError
from quota_enforcer.meter.ports import LogEvent
from quota_enforcer.meter.stream import BEDROCK_STREAM

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_logs.type_defs import LogGroupTypeDef

_MISSING: Final = "ResourceNotFoundException"


class CloudWatchInvocationLog:
    """The `InvocationLog`: Bedrock's stream of one log group.

    `now` is asked only for what the retention has taken.
    """

    def __init__(
        self,
        client: "CloudWatchLogsClient",
        group: str,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        self._client = client
        self._group = group
        self._now = now

    def events(self, start: datetime, end: datetime) -> Iterator[LogEvent]:
        """The events of Bedrock's stream with a time in [start, end), page by page.

        None if Bedrock has written nothing yet. Raises ConfigError if there is no such group.
        https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/API_FilterLogEvents.html
        """
        first, after = _milliseconds(start), _milliseconds(end)
        if first >= after:
            return
        pages = self._client.get_paginator("filter_log_events").paginate(
            logGroupName=self._group,
            logStreamNames=[BEDROCK_STREAM],
            startTime=first,
            endTime=after - 1,  # AWS includes it
        )
        begun = False
        try:
            for page in pages:
                begun = True
                for event in page["events"]:
                    yield LogEvent(event["eventId"], event["timestamp"], event["message"])
        except ClientError as error:
            # A stream that goes while it is read has not been read to its end.
            if begun or not _is_missing(error):
                raise
            self._described()  # AWS says the same of a missing stream and of a missing group

    def kept_since(self) -> datetime:
        """Before this moment the log group may have lost events, or did not exist.

        Raises ConfigError if there is no such group.
        """
        group = self._described()
        created = EPOCH + group["creationTime"] * MILLISECOND
        days = group.get("retentionInDays")
        return created if days is None else max(created, self._now() - timedelta(days=days))

    def is_subscribed(self, function: str) -> bool:
        """Whether the group hands every record on to the function with this ARN.

        https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeSubscriptionFilters.html
        """
        return any(
            each["destinationArn"] == function and not each.get("filterPattern", "").strip()
            for each in described.subscription_filters(self._client, self._group)
        )

    def handed_to(self) -> dict[str, str]:
        """By the name of each subscription of the group, the ARN that it hands records on to."""
        filters = described.subscription_filters(self._client, self._group)
        return {each["filterName"]: each["destinationArn"] for each in filters}

    def measured(self, namespace: str) -> frozenset[str]:
        """The metrics of a namespace that filters of the group write."""
        return frozenset(described.filtered_metrics(self._client, self._group, namespace))

    def stream_since(self) -> datetime | None:
        """When Bedrock's stream was made; None if there is none."""
        stream = described.bedrock_stream(self._client, self._group)
        return None if stream is None else EPOCH + stream["creationTime"] * MILLISECOND

    def _described(self) -> "LogGroupTypeDef":
        group = described.log_group(self._client, self._group)
        if group is not None:
            return group
        raise ConfigError(
            f"there is no log group {self._group} in {self._client.meta.region_name}: deploy the "
            "stack again, which makes its own, or set its parameter ExistingLogGroup to the one "
            "that Bedrock's invocation logging names",
        )


def _milliseconds(when: datetime) -> int:
    """Since 1970 in UTC, rounded up: what comes at or after `when` has at least this."""
    return -((EPOCH - when) // MILLISECOND)


def _is_missing(error: ClientError) -> bool:
    return error.response["Error"]["Code"] == _MISSING
