"""The log group as a recount reads it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from builders import NOON
from quota_enforcer import clock
from quota_enforcer.aws.cloudwatch.logs.invocation_log import CloudWatchInvocationLog
from quota_enforcer.core.errors import ConfigError

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

    from quota_enforcer.meter.ports import InvocationLog

GROUP = "/aws/bedrock/calls"
STREAM = "aws/bedrock/modelinvocations"
HOUR = timedelta(hours=1)
MILLISECOND = timedelta(milliseconds=1)


@pytest.fixture(scope="module")
def made_client(session: boto3.Session) -> "CloudWatchLogsClient":
    return session.client("logs")


@pytest.fixture
def logs(mocked_aws: None, made_client: "CloudWatchLogsClient") -> "CloudWatchLogsClient":  # noqa: ARG001
    return made_client


@pytest.fixture
def group(logs: "CloudWatchLogsClient") -> str:
    """A group with Bedrock's stream, empty, beside one whose name begins alike."""
    logs.create_log_group(logGroupName=f"{GROUP}-old")
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName=STREAM)
    return GROUP


def written(client: "CloudWatchLogsClient", *moments: datetime, stream: str = STREAM) -> None:
    """One event at each moment; its message is the milliseconds since 1970."""
    stamps = [round(moment.timestamp() * 1000) for moment in sorted(moments)]
    client.put_log_events(
        logGroupName=GROUP,
        logStreamName=stream,
        logEvents=[{"timestamp": stamp, "message": str(stamp)} for stamp in stamps],
    )


def milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


class TestEvents:
    """moto keeps only what is recent, so these hours are near its clock's."""

    @pytest.fixture
    def start(self) -> datetime:
        return datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - 3 * HOUR

    def test_an_hour_begins_at_its_start_and_ends_before_the_next(
        self, logs: "CloudWatchLogsClient", group: str, start: datetime
    ) -> None:
        within = [start, start + HOUR / 2, start + HOUR - MILLISECOND]
        written(logs, start - MILLISECOND, *within, start + HOUR)
        log: InvocationLog = CloudWatchInvocationLog(logs, group)
        found = list(log.events(start, start + HOUR))
        assert [event.timestamp for event in found] == [milliseconds(each) for each in within]
        assert [event.message for event in found] == [str(milliseconds(each)) for each in within]
        assert len({event.id for event in found}) == 3

    def test_another_stream_is_nobodys_usage(
        self, logs: "CloudWatchLogsClient", group: str, start: datetime
    ) -> None:
        logs.create_log_stream(logGroupName=group, logStreamName="forged")
        written(logs, start, stream="forged")
        assert list(CloudWatchInvocationLog(logs, group).events(start, start + HOUR)) == []

    def test_a_group_that_bedrock_has_not_written_to_yet_holds_nothing(
        self, logs: "CloudWatchLogsClient", start: datetime
    ) -> None:
        logs.create_log_group(logGroupName=GROUP)
        assert list(CloudWatchInvocationLog(logs, GROUP).events(start, start + HOUR)) == []

    def test_a_group_that_is_not_there_is_an_error(
        self, logs: "CloudWatchLogsClient", start: datetime
    ) -> None:
        with pytest.raises(ConfigError, match="no log group /aws/bedrock/calls in us-east-1"):
            list(CloudWatchInvocationLog(logs, GROUP).events(start, start + HOUR))


def test_an_empty_page_is_not_the_last(stub: Callable[[str], tuple[Any, Stubber]]) -> None:
    client, answers = stub("logs")
    asked = {
        "logGroupName": GROUP,
        "logStreamNames": [STREAM],
        "startTime": milliseconds(NOON),
        "endTime": milliseconds(NOON + HOUR) - 1,
    }
    event = {"eventId": "1", "timestamp": milliseconds(NOON), "message": "{}"}
    answers.add_response("filter_log_events", {"events": [], "nextToken": "a"}, asked)
    answers.add_response("filter_log_events", {"events": [event]}, asked | {"nextToken": "a"})
    assert list(CloudWatchInvocationLog(client, GROUP).events(NOON, NOON + HOUR)) == [
        ("1", milliseconds(NOON), "{}")
    ]


def test_no_time_at_all_is_no_call(stub: Callable[[str], tuple[Any, Stubber]]) -> None:
    client, _ = stub("logs")
    assert list(CloudWatchInvocationLog(client, GROUP).events(NOON, NOON)) == []


def test_a_stream_that_goes_while_it_is_read_is_not_taken_for_read(
    stub: Callable[[str], tuple[Any, Stubber]],
) -> None:
    client, answers = stub("logs")
    answers.add_response("filter_log_events", {"events": [], "nextToken": "a"})
    answers.add_client_error("filter_log_events", "ResourceNotFoundException", "no such stream")
    with pytest.raises(ClientError, match="no such stream"):
        list(CloudWatchInvocationLog(client, GROUP).events(NOON, NOON + HOUR))


def test_a_refusal_is_no_empty_log(stub: Callable[[str], tuple[Any, Stubber]]) -> None:
    client, answers = stub("logs")
    answers.add_client_error("filter_log_events", "AccessDeniedException", "not you")
    with pytest.raises(ClientError, match="not you"):
        list(CloudWatchInvocationLog(client, GROUP).events(NOON, NOON + HOUR))


class TestKeptSince:
    def test_without_retention_it_is_when_the_group_was_made(
        self, logs: "CloudWatchLogsClient", group: str
    ) -> None:
        (made,) = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][:1]
        assert made["logGroupName"] == group
        later = datetime.now(UTC) + timedelta(days=900)
        kept = CloudWatchInvocationLog(logs, group, lambda: later).kept_since()
        assert kept == datetime.fromtimestamp(0, UTC) + made["creationTime"] * MILLISECOND

    @pytest.mark.parametrize(
        ("age", "kept"),
        [
            pytest.param(timedelta(days=3), NOON - timedelta(days=3), id="younger than retention"),
            pytest.param(timedelta(days=40), NOON - timedelta(days=14), id="older"),
        ],
    )
    def test_retention_takes_what_is_older(
        self, stub: Callable[[str], tuple[Any, Stubber]], age: timedelta, kept: datetime
    ) -> None:
        client, answers = stub("logs")
        made = {
            "logGroupName": GROUP,
            "creationTime": milliseconds(NOON - age),
            "retentionInDays": 14,
        }
        answers.add_response(
            "describe_log_groups",
            {"logGroups": [made | {"logGroupName": f"{GROUP}-old"}], "nextToken": "a"},
            {"logGroupNamePrefix": GROUP},
        )
        answers.add_response("describe_log_groups", {"logGroups": [made]})
        assert CloudWatchInvocationLog(client, GROUP, lambda: NOON).kept_since() == kept

    def test_a_group_that_is_not_there_is_an_error(self, logs: "CloudWatchLogsClient") -> None:
        with pytest.raises(ConfigError, match="ExistingLogGroup"):
            CloudWatchInvocationLog(logs, GROUP, clock.now).kept_since()


METER = "arn:aws:lambda:us-east-1:123456789012:function:meter"
OTHER = "arn:aws:lambda:us-east-1:123456789012:function:meter-2"


@pytest.mark.parametrize(
    ("filters", "subscribed"),
    [
        ([], False),
        ([("a", METER, "")], True),
        ([("a", METER, " ")], True),
        ([("a", METER, '{ $.modelId = "x" }')], False),
        ([("a", OTHER, "")], False),
        ([("a", OTHER, ""), ("b", METER, "")], True),
        ([("a", METER, "ERROR"), ("b", OTHER, "")], False),
    ],
)
def test_it_is_subscribed_if_every_record_goes_to_just_this_function(
    logs: "CloudWatchLogsClient", filters: list[tuple[str, str, str]], *, subscribed: bool
) -> None:
    answer: Any = {
        "subscriptionFilters": [
            {"filterName": name, "destinationArn": arn, "filterPattern": pattern}
            for name, arn, pattern in filters
        ]
    }
    with Stubber(logs) as stub:
        stub.add_response("describe_subscription_filters", answer, {"logGroupName": GROUP})
        assert CloudWatchInvocationLog(logs, GROUP).is_subscribed(METER) is subscribed


def test_filters_of_the_second_page_count_too(logs: "CloudWatchLogsClient") -> None:
    with Stubber(logs) as stub:
        for page in (
            {"subscriptionFilters": [{"destinationArn": OTHER}], "nextToken": "more"},
            {"subscriptionFilters": [{"destinationArn": METER}]},
        ):
            stub.add_response("describe_subscription_filters", page)
        assert CloudWatchInvocationLog(logs, GROUP).is_subscribed(METER)


def test_the_metrics_of_a_namespace_that_filters_of_this_group_write(
    logs: "CloudWatchLogsClient", group: str
) -> None:
    def measure(where: str, name: str, *, of: str = group) -> None:
        logs.put_metric_filter(
            logGroupName=of,
            filterName=f"{where}-{name}",
            filterPattern="",
            metricTransformations=[
                {"metricName": name, "metricNamespace": where, "metricValue": "1"}
            ],
        )

    found = CloudWatchInvocationLog(logs, group)
    assert found.measured("ours") == frozenset()
    measure("ours", "Requests")
    measure("ours", "InputTokens")
    measure("theirs", "OutputTokens")
    measure("ours", "CacheReadTokens", of=f"{GROUP}-old")
    assert found.measured("ours") == {"Requests", "InputTokens"}
    logs.delete_metric_filter(logGroupName=group, filterName="ours-Requests")
    assert found.measured("ours") == {"InputTokens"}


def test_a_group_that_is_gone_is_an_error_and_not_nothing(logs: "CloudWatchLogsClient") -> None:
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        CloudWatchInvocationLog(logs, "/no/such/group").is_subscribed(METER)
