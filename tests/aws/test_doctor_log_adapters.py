"""What the doctor reads of the invocation log, on moto; on a stub what moto cannot say."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, cast

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from quota_enforcer.aws.bedrock.batch_jobs import batch_jobs
from quota_enforcer.aws.bedrock.logging_found import logging_found
from quota_enforcer.aws.cloudwatch.elsewhere import Elsewhere, calls_elsewhere
from quota_enforcer.aws.cloudwatch.logs.log_groups import LogWiring
from quota_enforcer.aws.cloudwatch.traffic import (
    CALLS,
    INFERENCES,
    MANTLE,
    NAMESPACE,
    UNDELIVERED,
    BedrockTraffic,
)
from quota_enforcer.doctor.rules.logging import LoggingFound
from quota_enforcer.doctor.rules.metering import MaskingFound, SubscriptionFound
from quota_enforcer.doctor.rules.unlogged import BatchJob
from quota_enforcer.meter.stream import BEDROCK_STREAM
from stubbed import stubbed

if TYPE_CHECKING:
    from mypy_boto3_bedrock import BedrockClient

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
GROUP = "/bedrock-quota/one/invocations"


@pytest.fixture
def session(mocked_aws: None, session: boto3.Session) -> boto3.Session:  # noqa: ARG001
    """An empty account of moto's."""
    return session


class TestMasking:
    POLICY: ClassVar = '{"Statement": []}'

    def read(self, own: dict[str, Any], *pages: dict[str, Any]) -> MaskingFound:
        client: Any = boto3.Session("testing", "testing", region_name="us-east-1").client("logs")
        with Stubber(client) as stub:
            if "error" in own:
                stub.add_client_error("get_data_protection_policy", own["error"])
            else:
                request = {"logGroupIdentifier": GROUP}
                stub.add_response("get_data_protection_policy", own, request)
            token: dict[str, str] = {}
            for page in pages:
                asked = {"policyType": "DATA_PROTECTION_POLICY", **token}
                stub.add_response("describe_account_policies", page, asked)
                token = {"nextToken": page.get("nextToken", "")}
            found = LogWiring(client).masking(GROUP)
            stub.assert_no_pending_responses()
            return found

    def test_none_of_the_group_and_none_of_the_account(self) -> None:
        own = {"logGroupIdentifier": GROUP}
        assert self.read(own, {"accountPolicies": []}) == MaskingFound([], [])

    def test_both_are_read_and_all_pages_of_the_accounts(self) -> None:
        own = {"logGroupIdentifier": GROUP, "policyDocument": self.POLICY}
        pages = (
            {"accountPolicies": [{"policyDocument": "1"}], "nextToken": "t"},
            {"accountPolicies": [{"policyDocument": "2"}]},
        )
        assert self.read(own, *pages) == MaskingFound([self.POLICY], ["1", "2"])

    def test_a_log_group_that_is_gone_masks_nothing(self) -> None:
        assert self.read({"error": "ResourceNotFoundException"}) == MaskingFound()


class TestLogWiring:
    def test_classes_and_the_stacks_of_a_region(self, session: boto3.Session) -> None:
        client = session.client("logs")
        for stack in ("one", "two"):
            for part in ("enforcer", "meter"):
                client.create_log_group(logGroupName=f"/bedrock-quota/{stack}/{part}")
        client.create_log_group(logGroupName="/other/enforcer")
        wiring = LogWiring(client)
        assert wiring.stacks() == ("one", "two")
        assert wiring.class_of("/bedrock-quota/one/meter") == "STANDARD"
        assert wiring.class_of("/bedrock-quota/one/mete") is None

    def test_the_newest_record_is_of_bedrocks_stream_alone(self, session: boto3.Session) -> None:
        client, wiring = session.client("logs"), LogWiring(session.client("logs"))
        assert wiring.newest_record(GROUP) is None
        client.create_log_group(logGroupName=GROUP)
        client.create_log_stream(logGroupName=GROUP, logStreamName=f"{BEDROCK_STREAM}-forged")
        assert wiring.newest_record(GROUP) is None
        client.create_log_stream(logGroupName=GROUP, logStreamName=BEDROCK_STREAM)
        before = datetime.now(UTC) - timedelta(seconds=1)
        events = [{"timestamp": int(before.timestamp() * 1000), "message": "{}"}]
        client.put_log_events(
            logGroupName=GROUP, logStreamName=BEDROCK_STREAM, logEvents=cast("Any", events)
        )
        newest = wiring.newest_record(GROUP)
        assert newest is not None
        assert newest >= before

    def test_who_reads_a_group(self) -> None:
        answer = {
            "subscriptionFilters": [
                {"filterName": "siem", "filterPattern": "x", "destinationArn": "arn:aws:x:::y"}
            ]
        }
        client = stubbed("logs", "describe_subscription_filters", answer, logGroupName=GROUP)
        expected = [SubscriptionFound("siem", "x", "arn:aws:x:::y")]
        assert LogWiring(client).subscriptions(GROUP) == expected

    def test_metrics_of_our_namespace(self, session: boto3.Session) -> None:
        client = session.client("logs")
        client.create_log_group(logGroupName=GROUP)
        for namespace in ("ours", "theirs"):
            client.put_metric_filter(
                logGroupName=GROUP,
                filterName=namespace,
                filterPattern="",
                metricTransformations=[
                    {"metricName": f"{namespace}Calls", "metricNamespace": namespace,
                     "metricValue": "1"}
                ],
            )  # fmt: skip
        assert LogWiring(client).metrics(GROUP, "ours") == ["oursCalls"]

    @pytest.mark.parametrize("operation", ["subscription", "metric"])
    def test_a_group_that_is_gone_is_read_by_nobody(self, operation: str) -> None:
        missing = {"error": "ResourceNotFoundException"}
        client = stubbed("logs", f"describe_{operation}_filters", missing)
        wiring = LogWiring(client)
        found = wiring.subscriptions(GROUP) if operation == "subscription" else wiring.metrics(
            GROUP, "ours")  # fmt: skip
        assert found == []

    def test_a_refusal_is_no_missing_group(self) -> None:
        client = stubbed("logs", "describe_log_streams", {"error": "AccessDeniedException"})
        with pytest.raises(ClientError, match="AccessDenied"):
            LogWiring(client).newest_record(GROUP)


class TestBedrockTraffic:
    def put(self, session: boto3.Session, metric: str, value: float, *models: str) -> None:
        for model in models:
            dimensions: Any = [{"Name": "ModelId", "Value": model}] if model else []
            session.client("cloudwatch").put_metric_data(
                Namespace=NAMESPACE,
                MetricData=[{"MetricName": metric, "Dimensions": dimensions, "Value": value,
                             "Timestamp": NOW}],
            )  # fmt: skip

    def calls(self, session: boto3.Session) -> Any:
        day = timedelta(days=1)
        traffic = BedrockTraffic(session.client("cloudwatch"))
        return traffic.calls(NOW - day, NOW + day, 300)

    def test_the_calls_of_all_models_together(self, session: boto3.Session) -> None:
        assert self.calls(session) == {}
        self.put(session, CALLS, 2, "opus", "haiku")
        assert self.calls(session) == {NOW: 4}

    def test_a_sum_over_all_models_is_not_counted_beside_them(self, session: boto3.Session) -> None:
        self.put(session, CALLS, 2, "opus", "")
        assert self.calls(session) == {NOW: 2}

    def test_where_there_is_nothing_but_the_sum_it_counts(self, session: boto3.Session) -> None:
        self.put(session, CALLS, 2, "")
        assert self.calls(session) == {NOW: 2}

    def test_records_that_bedrock_could_not_deliver(self, session: boto3.Session) -> None:
        self.put(session, UNDELIVERED, 3, "")
        traffic = BedrockTraffic(session.client("cloudwatch"))
        assert traffic.undelivered(NOW - timedelta(days=1), NOW + timedelta(days=1), 3600) == 3


class TestMantle:
    PROJECT: ClassVar[Any] = [{"Name": "Project", "Value": "p"}]
    MODEL: ClassVar[Any] = [{"Name": "Model", "Value": "m"}]

    def count(self, session: boto3.Session, *levels: Any) -> int:
        client = session.client("cloudwatch")
        for dimensions in levels:
            client.put_metric_data(
                Namespace=MANTLE,
                MetricData=[{"MetricName": INFERENCES, "Dimensions": dimensions, "Value": 3,
                             "Timestamp": NOW}],
            )  # fmt: skip
        day = timedelta(days=1)
        return BedrockTraffic(client).mantle(NOW - day, NOW + day, 3600)

    def test_without_any_it_is_none(self, session: boto3.Session) -> None:
        assert self.count(session) == 0

    def test_the_levels_hold_the_same_calls_so_one_is_counted(self, session: boto3.Session) -> None:
        """Moto takes no dimensions for any dimensions, so the account's level is left out here."""
        assert self.count(session, self.PROJECT, self.MODEL, [*self.PROJECT, *self.MODEL]) == 3

    def test_it_needs_no_level_of_the_account(self, session: boto3.Session) -> None:
        others = [{"Name": "Project", "Value": "q"}]
        assert self.count(session, self.PROJECT, others, [*self.PROJECT, *self.MODEL]) == 6


class TestElsewhere:
    def look(self, session: boto3.Session, *regions: str) -> Elsewhere:
        return calls_elsewhere(
            regions,
            lambda region: session.client("cloudwatch", region_name=region),
            NOW + timedelta(minutes=5),
            timedelta(hours=7),
        )

    def put(self, session: boto3.Session, region: str, namespace: str, **metric: Any) -> None:
        data: Any = {"Value": 3, "Timestamp": NOW, **metric}
        client = session.client("cloudwatch", region_name=region)
        client.put_metric_data(Namespace=namespace, MetricData=[data])

    def called(self, session: boto3.Session, region: str) -> None:
        dimensions = [{"Name": "ModelId", "Value": "opus"}]
        self.put(session, region, NAMESPACE, MetricName=CALLS, Dimensions=dimensions)

    def test_calls_and_those_of_mantle_count_by_region(self, session: boto3.Session) -> None:
        self.called(session, "eu-west-1")
        self.put(session, "sa-east-1", MANTLE, MetricName=INFERENCES)
        found = self.look(session, "eu-west-1", "sa-east-1", "us-west-2")
        assert found == Elsewhere({"eu-west-1": 3, "sa-east-1": 3})

    def test_a_region_with_a_deployment_meters_its_own(self, session: boto3.Session) -> None:
        self.called(session, "eu-west-1")
        dimensions = [{"Name": "service", "Value": "enforcer"}]
        self.put(session, "eu-west-1", "BedrockQuota/west/Enforcer", MetricName="Duration",
                 Dimensions=dimensions)  # fmt: skip
        assert self.look(session, "eu-west-1") == Elsewhere({})

    def test_where_a_satellite_stands_only_mantle_is_not_metered(
        self, session: boto3.Session
    ) -> None:
        for region in ("eu-west-1", "sa-east-1"):
            self.called(session, region)
            self.put(session, region, MANTLE, MetricName=INFERENCES)
        found = calls_elsewhere(
            ["eu-west-1", "sa-east-1"],
            lambda region: session.client("cloudwatch", region_name=region),
            NOW + timedelta(minutes=5),
            timedelta(hours=7),
            {"eu-west-1"},
        )
        assert found == Elsewhere({"eu-west-1": 3, "sa-east-1": 6})

    def test_a_region_that_refuses_stops_no_other(self, session: boto3.Session) -> None:
        self.called(session, "eu-west-1")

        def client(region: str) -> Any:
            if region == "us-west-2":
                return stubbed("cloudwatch", "list_metrics", {"error": "AccessDenied"})
            return session.client("cloudwatch", region_name=region)

        found = calls_elsewhere(
            ["us-west-2", "eu-west-1"], client, NOW + timedelta(minutes=5), timedelta(hours=7)
        )
        assert found == Elsewhere({"eu-west-1": 3}, ("us-west-2",))


def test_the_batch_jobs_since_a_moment() -> None:
    job = {
        "jobArn": "arn:aws:bedrock:us-east-1:111122223333:model-invocation-job/abcdefghijkl",
        "jobName": "night",
        "modelId": "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0",
        "roleArn": "arn:aws:iam::111122223333:role/batch",
        "status": "Completed",
        "submitTime": NOW,
        "inputDataConfig": {"s3InputDataConfig": {"s3Uri": "s3://b/i"}},
        "outputDataConfig": {"s3OutputDataConfig": {"s3Uri": "s3://b/o"}},
    }
    answer = {"invocationJobSummaries": [job]}
    client: Any = stubbed("bedrock", "list_model_invocation_jobs", answer, submitTimeAfter=NOW)
    assert batch_jobs(client, NOW) == [BatchJob("night", "amazon.nova-lite-v1:0", "Completed", NOW)]


class TestLoggingFound:
    def found(self, config: Any) -> LoggingFound | None:
        answer = {} if config is None else {"loggingConfig": config}
        operation = "get_model_invocation_logging_configuration"
        return logging_found(cast("BedrockClient", stubbed("bedrock", operation, answer)))

    def test_none_and_an_empty_one_are_none(self) -> None:
        assert self.found(None) is None
        assert self.found({}) is None

    def test_a_log_group_a_bucket_or_both(self) -> None:
        group = {"logGroupName": GROUP, "roleArn": "arn:aws:iam::123456789012:role/log"}
        bucket = {"bucketName": "calls", "keyPrefix": "bedrock"}
        both = {"cloudWatchConfig": group, "s3Config": bucket, "textDataDeliveryEnabled": False}
        assert self.found(both) == LoggingFound(GROUP, group["roleArn"], "calls", "bedrock")
        only = self.found({"s3Config": {"bucketName": "calls"}, "textDataDeliveryEnabled": True})
        assert only == LoggingFound(bucket="calls", bodies=True)
