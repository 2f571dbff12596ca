"""The account's one logging configuration: read first, and only this stack's own is changed."""

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
import pytest
from botocore.exceptions import ClientError, ParamValidationError
from botocore.stub import Stubber

from quota_enforcer.aws.bedrock.logging import PATIENCE, InvocationLogging, WantedLogging
from quota_enforcer.core.errors import ConfigError

if TYPE_CHECKING:
    from mypy_boto3_bedrock import BedrockClient

ROLE = "arn:aws:iam::123456789012:role/bedrock-quota/q/q-InvocationLogRole-1"
OTHER_ROLE = "arn:aws:iam::123456789012:role/platform-team-bedrock-logs"
OURS = WantedLogging(log_group="/bedrock-quota/q/invocations", role=ROLE, bodies=False)
BUCKET = {"bucketName": "audit", "keyPrefix": "bedrock"}
LONGEST_REASON = 256
"""Characters of a failure that reach CloudFormation whole."""


@pytest.fixture(scope="module")
def made_client(session: boto3.Session) -> "BedrockClient":
    return session.client("bedrock")


@pytest.fixture
def bedrock(mocked_aws: None, made_client: "BedrockClient") -> "BedrockClient":  # noqa: ARG001
    return made_client


@pytest.fixture
def told(bedrock: "BedrockClient") -> Iterator[Stubber]:
    """The client answers what it is told to, in that order."""
    with Stubber(bedrock) as stub:
        yield stub
        stub.assert_no_pending_responses()


def no_pause(_seconds: float) -> None:
    raise AssertionError("there is nothing to wait for")


def configured(bedrock: "BedrockClient") -> dict[str, Any]:
    answer = bedrock.get_model_invocation_logging_configuration()
    return dict(answer.get("loggingConfig", {}))


def foreign(group: str = "/platform/bedrock") -> Any:
    return {
        "cloudWatchConfig": {"logGroupName": group, "roleArn": OTHER_ROLE},
        "textDataDeliveryEnabled": True,
    }


def bodies(config: dict[str, Any]) -> set[bool]:
    return {value for name, value in config.items() if name.endswith("DataDeliveryEnabled")}


class TestEnsure:
    def test_where_nobody_logs_it_logs_to_the_group_without_prompts_and_answers(
        self, bedrock: "BedrockClient"
    ) -> None:
        InvocationLogging(bedrock).ensure(OURS)

        config = configured(bedrock)
        assert config["cloudWatchConfig"] == {"logGroupName": OURS.log_group, "roleArn": ROLE}
        assert bodies(config) == {False}

    def test_prompts_and_answers_are_logged_where_wanted(self, bedrock: "BedrockClient") -> None:
        InvocationLogging(bedrock).ensure(WantedLogging(OURS.log_group, ROLE, bodies=True))

        assert bodies(configured(bedrock)) == {True}

    def test_a_second_time_changes_nothing(self, bedrock: "BedrockClient") -> None:
        logging = InvocationLogging(bedrock)
        logging.ensure(OURS)

        assert logging.ensure(OURS).startswith("unchanged")

    def test_its_own_configuration_follows_the_parameters(self, bedrock: "BedrockClient") -> None:
        logging = InvocationLogging(bedrock)
        logging.ensure(OURS)
        logging.ensure(WantedLogging("/another", ROLE, bodies=True))

        assert configured(bedrock)["cloudWatchConfig"]["logGroupName"] == "/another"
        assert bodies(configured(bedrock)) == {True}

    def test_its_own_configuration_is_known_by_the_role_before_an_update(
        self, bedrock: "BedrockClient"
    ) -> None:
        logging = InvocationLogging(bedrock)
        logging.ensure(OURS)
        renamed = ROLE.replace("-1", "-2")
        logging.ensure(WantedLogging(OURS.log_group, renamed, bodies=False, former_role=ROLE))

        assert configured(bedrock)["cloudWatchConfig"]["roleArn"] == renamed

    def test_a_bucket_that_somebody_added_to_its_own_stays(self, bedrock: "BedrockClient") -> None:
        logging = InvocationLogging(bedrock)
        logging.ensure(OURS)
        large: Any = {"largeDataDeliveryS3Config": BUCKET}
        config: Any = configured(bedrock)
        config["s3Config"] = BUCKET
        config["cloudWatchConfig"] |= large
        bedrock.put_model_invocation_logging_configuration(loggingConfig=config)

        logging.ensure(WantedLogging(OURS.log_group, ROLE, bodies=True))

        assert configured(bedrock)["s3Config"] == BUCKET
        assert configured(bedrock)["cloudWatchConfig"]["largeDataDeliveryS3Config"] == BUCKET

    def test_a_foreign_configuration_that_reaches_the_group_is_left_alone(
        self, bedrock: "BedrockClient"
    ) -> None:
        bedrock.put_model_invocation_logging_configuration(loggingConfig=foreign())

        InvocationLogging(bedrock).ensure(WantedLogging("/platform/bedrock", ROLE, bodies=False))

        assert configured(bedrock) == foreign()

    def test_any_other_foreign_log_group_fails_with_the_parameter_and_its_value(
        self, bedrock: "BedrockClient"
    ) -> None:
        bedrock.put_model_invocation_logging_configuration(loggingConfig=foreign())

        with pytest.raises(ConfigError, match=r"parameter ExistingLogGroup to /platform/bedrock$"):
            InvocationLogging(bedrock).ensure(OURS)
        assert configured(bedrock) == foreign()

    def test_a_foreign_bucket_without_a_log_group_fails_with_what_to_add(
        self, bedrock: "BedrockClient"
    ) -> None:
        config: Any = {"s3Config": BUCKET, "textDataDeliveryEnabled": True}
        bedrock.put_model_invocation_logging_configuration(loggingConfig=config)

        with pytest.raises(ConfigError, match=r"without a log group.* ExistingLogGroup") as failed:
            InvocationLogging(bedrock).ensure(OURS)
        assert configured(bedrock) == config
        assert len(str(failed.value)) <= LONGEST_REASON


class TestWithoutManageLogging:
    """It only looks."""

    LOOKS = replace(OURS, may_change=False)

    def test_it_is_content_with_what_is_right(self, bedrock: "BedrockClient") -> None:
        InvocationLogging(bedrock).ensure(OURS)
        before = configured(bedrock)

        assert InvocationLogging(bedrock).ensure(self.LOOKS).startswith("unchanged")
        assert configured(bedrock) == before

    def test_it_fails_where_something_would_have_to_change(self, bedrock: "BedrockClient") -> None:
        with pytest.raises(ConfigError, match=r"is off and ManageLogging is false") as failed:
            InvocationLogging(bedrock).ensure(self.LOOKS)
        assert configured(bedrock) == {}
        assert len(str(failed.value)) <= LONGEST_REASON
        InvocationLogging(bedrock).ensure(OURS)
        with pytest.raises(ConfigError, match=r"is not as the parameters say"):
            InvocationLogging(bedrock).ensure(replace(self.LOOKS, bodies=True))
        assert bodies(configured(bedrock)) == {False}

    def test_at_the_end_it_says_what_stays(self, bedrock: "BedrockClient") -> None:
        InvocationLogging(bedrock).ensure(OURS)

        assert "switch it off yourself" in InvocationLogging(bedrock).withdraw(self.LOOKS)
        assert configured(bedrock)


class TestAnOlderRuntime:
    def test_a_flag_that_its_boto3_does_not_know_is_left_out(
        self,
        mocked_aws: None,  # noqa: ARG002 - what the client asks
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Lambda's boto3 may be older than the flag for audio, and refuses it then."""
        core = botocore.session.get_session()
        loader = core.get_component("data_loader")
        model = copy.deepcopy(loader.load_service_model("bedrock", "service-2"))
        del model["shapes"]["LoggingConfig"]["members"]["audioDataDeliveryEnabled"]
        load = loader.load_service_model

        def load_older(service_name: str, type_name: str, api_version: str | None = None) -> Any:
            if (service_name, type_name) == ("bedrock", "service-2"):
                return model
            return load(service_name, type_name, api_version)

        monkeypatch.setattr(loader, "load_service_model", load_older)
        session = boto3.Session(
            "testing", "testing", region_name="us-east-1", botocore_session=core
        )
        older = session.client("bedrock")
        with pytest.raises(ParamValidationError, match="audioDataDeliveryEnabled"):
            older.put_model_invocation_logging_configuration(
                loggingConfig={"audioDataDeliveryEnabled": False}
            )
        logging = InvocationLogging(older, no_pause)

        assert logging.ensure(OURS).startswith("switched on")
        assert logging.ensure(OURS).startswith("unchanged")
        assert configured(older)["videoDataDeliveryEnabled"] is False
        assert "audioDataDeliveryEnabled" not in configured(older)
        logging.withdraw(OURS)
        assert configured(older) == {}


class TestWithdraw:
    def test_what_it_made_it_removes(self, bedrock: "BedrockClient") -> None:
        logging = InvocationLogging(bedrock)
        logging.ensure(OURS)
        logging.withdraw(OURS)

        assert configured(bedrock) == {}

    def test_a_bucket_that_somebody_added_stays(self, bedrock: "BedrockClient") -> None:
        logging = InvocationLogging(bedrock)
        logging.ensure(OURS)
        config: Any = {**configured(bedrock), "s3Config": BUCKET}
        bedrock.put_model_invocation_logging_configuration(loggingConfig=config)

        logging.withdraw(OURS)

        assert configured(bedrock)["s3Config"] == BUCKET
        assert "cloudWatchConfig" not in configured(bedrock)

    def test_a_foreign_configuration_stays(self, bedrock: "BedrockClient") -> None:
        bedrock.put_model_invocation_logging_configuration(loggingConfig=foreign())

        InvocationLogging(bedrock).withdraw(OURS)

        assert configured(bedrock) == foreign()

    def test_nothing_to_remove_is_no_error(self, bedrock: "BedrockClient") -> None:
        InvocationLogging(bedrock).withdraw(OURS)

        assert configured(bedrock) == {}


class TestWhileIamSettles:
    GET = "get_model_invocation_logging_configuration"
    PUT = "put_model_invocation_logging_configuration"

    def test_it_tries_again(self, bedrock: "BedrockClient", told: Stubber) -> None:
        pauses: list[float] = []
        told.add_client_error(self.GET, "AccessDeniedException", http_status_code=403)
        told.add_response(self.GET, {})
        told.add_client_error(self.PUT, "ValidationException", "Failed to validate permissions")
        told.add_response(self.PUT, {})

        done = InvocationLogging(bedrock, pauses.append).ensure(OURS)

        assert done.startswith("switched on")
        assert len(pauses) == 2

    def test_it_gives_up_within_its_patience_and_says_what_to_look_at(
        self, bedrock: "BedrockClient", told: Stubber
    ) -> None:
        pauses: list[float] = []
        told.add_response(self.GET, {})
        tries = 36
        for _ in range(tries):
            told.add_client_error(self.PUT, "ValidationException", "Failed to validate permissions")

        with pytest.raises(ConfigError, match="Failed to validate permissions") as failed:
            InvocationLogging(bedrock, pauses.append).ensure(OURS)
        assert sum(pauses) <= PATIENCE
        assert str(failed.value).endswith("See parameter ExistingLogGroup")
        assert len(str(failed.value)) <= LONGEST_REASON

    def test_any_other_error_is_not_tried_again(
        self, bedrock: "BedrockClient", told: Stubber
    ) -> None:
        told.add_response(self.GET, {})
        told.add_client_error(self.PUT, "InternalServerException", http_status_code=500)

        with pytest.raises(ClientError, match="InternalServerException"):
            InvocationLogging(bedrock, no_pause).ensure(OURS)
