"""Opaque model ARNs: looked up once, remembered, and never in the way of metering."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from logging import LogRecord
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.stub import Stubber

from builders import HAIKU, NOON
from quota_enforcer.aws.bedrock.models import BedrockModels
from quota_enforcer.aws.dynamodb.ledger.usage.model_memory import DynamoModelMemory
from quota_enforcer.core.usage.model import NamedModel, SeenModel

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from quota_enforcer.meter.ports import Models

OWN = "arn:aws:bedrock:us-east-1:123456789012"
PROFILE = f"{OWN}:application-inference-profile/abc123"
PROVISIONED = f"{OWN}:provisioned-model/abc123"
DEPLOYMENT = f"{OWN}:custom-model-deployment/abc123"
CUSTOM = f"{OWN}:custom-model/{HAIKU}/abc123"
TUNED = f"{OWN}:custom-model/{HAIKU}/def456"
IMPORTED = f"{OWN}:imported-model/abc123"
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
Stub = Callable[[str], tuple[Any, Stubber]]


def model_arn(region: str, model: str = HAIKU) -> str:
    return f"arn:aws:bedrock:{region}::foundation-model/{model}"


@dataclass
class Meter:
    """A meter's process at `now`; `asked` gets what Bedrock is to answer next."""

    client: Any
    asked: Stubber
    memory: DynamoModelMemory
    now: datetime = NOON
    models: "Models" = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """A new process, which knows what the ledger knows."""
        self.models = BedrockModels(self.client, self.memory, lambda: self.now)

    def profile(self, *arns: str, asked_for: str = PROFILE) -> None:
        """Bedrock will be asked once for a profile, of these models."""
        self.asked.add_response(
            "get_inference_profile",
            {
                "inferenceProfileName": "ours",
                "inferenceProfileArn": asked_for,
                "inferenceProfileId": "abc123",
                "models": [{"modelArn": arn} for arn in arns],
                "status": "ACTIVE",
                "type": "APPLICATION",
            },
            {"inferenceProfileIdentifier": asked_for},
        )

    def custom(self, arn: str, base: str) -> None:
        """Bedrock will be asked once for a custom model."""
        answer = {"modelArn": arn, "modelName": "ours", "creationTime": NOON}
        if base:
            answer["baseModelArn"] = base
        self.asked.add_response("get_custom_model", answer, {"modelIdentifier": arn})

    def refusal(self, code: str, operation: str = "get_inference_profile") -> None:
        """Bedrock will refuse once."""
        self.asked.add_client_error(operation, code, "so it is")

    def name(self, arn: str = PROFILE) -> str:
        return self.models.named(arn).name


@pytest.fixture
def memory(dynamodb: "DynamoDBClient") -> DynamoModelMemory:
    return DynamoModelMemory(dynamodb, "ledger")


@pytest.fixture
def meter(stub: Stub, memory: DynamoModelMemory) -> Meter:
    return Meter(*stub("bedrock"), memory)


class TestLookedUp:
    def test_what_names_a_model_itself_needs_no_call(self, meter: Meter) -> None:
        assert meter.models.named(f"us.{HAIKU}") == NamedModel(HAIKU, f"us.{HAIKU}")

    def test_an_application_profile_of_one_region(self, meter: Meter) -> None:
        meter.profile(model_arn("us-east-1"))
        assert meter.models.named(PROFILE) == NamedModel(HAIKU, HAIKU)

    def test_one_made_from_a_system_profile_is_priced_as_that(self, meter: Meter) -> None:
        meter.profile(model_arn("us-east-1"), model_arn("us-west-2"))
        assert meter.models.named(PROFILE) == NamedModel(HAIKU, f"us.{HAIKU}")

    def test_provisioned_throughput_is_its_foundation_model(self, meter: Meter) -> None:
        meter.asked.add_response(
            "get_provisioned_model_throughput",
            {
                "modelUnits": 1,
                "desiredModelUnits": 1,
                "provisionedModelName": "ours",
                "provisionedModelArn": PROVISIONED,
                "modelArn": CUSTOM,
                "desiredModelArn": CUSTOM,
                "foundationModelArn": model_arn("us-east-1"),
                "status": "InService",
                "creationTime": NOON,
                "lastModifiedTime": NOON,
            },
            {"provisionedModelId": PROVISIONED},
        )
        assert meter.models.named(PROVISIONED) == NamedModel(HAIKU, HAIKU)

    def test_a_deployment_is_the_base_of_its_custom_model(self, meter: Meter) -> None:
        """Also where that was made from another custom model."""
        meter.asked.add_response(
            "get_custom_model_deployment",
            {
                "customModelDeploymentArn": DEPLOYMENT,
                "modelDeploymentName": "ours",
                "modelArn": TUNED,
                "createdAt": NOON,
                "status": "Active",
            },
            {"customModelDeploymentIdentifier": DEPLOYMENT},
        )
        meter.custom(TUNED, CUSTOM)
        meter.custom(CUSTOM, model_arn("us-east-1"))
        assert meter.models.named(DEPLOYMENT) == NamedModel(HAIKU, HAIKU)


class TestRemembered:
    def test_bedrock_is_asked_once_for_all_processes(self, meter: Meter) -> None:
        meter.profile(model_arn("us-east-1"), model_arn("us-west-2"))
        first = meter.models.named(PROFILE)
        meter.now += timedelta(days=400)
        assert meter.models.named(PROFILE) == first
        meter.restart()
        assert meter.models.named(PROFILE) == first

    def test_the_ledger_is_read_once_for_many(
        self, meter: Meter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reads = 0
        read = meter.memory.models

        def counted() -> list[SeenModel]:
            nonlocal reads
            reads += 1
            return read()

        monkeypatch.setattr(meter.memory, "models", counted)
        for number in range(3):
            arn = f"{OWN}:application-inference-profile/{number}"
            meter.profile(model_arn("us-east-1"), asked_for=arn)
            meter.name(arn)
        assert reads == 1

    def test_an_admin_sees_what_was_seen(self, meter: Meter) -> None:
        meter.profile(model_arn("us-east-1"))
        meter.name(PROFILE)
        meter.name(IMPORTED)
        assert meter.memory.models() == [
            SeenModel(PROFILE, HAIKU, HAIKU, NOON),
            SeenModel(
                IMPORTED,
                "imported-model/abc123",
                "imported-model/abc123",
                NOON,
                "AWS names no foundation model behind type imported-model",
                NOON + HOUR,
            ),
        ]

    def test_what_is_resolved_is_kept_for_good_and_the_rest_for_a_month(
        self, meter: Meter, dynamodb: "DynamoDBClient"
    ) -> None:
        meter.profile(model_arn("us-east-1"))
        meter.name(PROFILE)
        meter.name(IMPORTED)
        items = dynamodb.scan(TableName="ledger")["Items"]
        expires = {item["sk"]["S"]: item.get("expires") for item in items}
        month = str(int((NOON + timedelta(days=30)).timestamp()))
        assert expires == {PROFILE: None, IMPORTED: {"N": month}}

    def test_what_one_process_resolved_another_does_not_unlearn(self, meter: Meter) -> None:
        """The profile was deleted in between."""
        other = BedrockModels(meter.client, meter.memory, lambda: NOON)
        other.named(IMPORTED)  # its memory is of before
        meter.profile(model_arn("us-east-1"))
        meter.name()
        meter.refusal("ResourceNotFoundException")
        assert other.named(PROFILE).name == HAIKU
        assert HAIKU in {seen.name for seen in meter.memory.models()}


class TestLedgerOutOfReach:
    def test_one_that_cannot_be_read_is_the_callers_error_and_not_tried_for_each_call(
        self, meter: Meter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Usage would be counted under another name; and the batch must not wait each time."""
        tried = 0

        def unread() -> list[SeenModel]:
            nonlocal tried
            tried += 1
            raise ReadTimeoutError(endpoint_url="https://dynamodb")

        with monkeypatch.context() as patch:
            patch.setattr(meter.memory, "models", unread)
            for _ in range(3):
                with pytest.raises(ReadTimeoutError):
                    meter.name()
        assert tried == 1
        meter.now += timedelta(seconds=10)
        meter.profile(model_arn("us-east-1"))
        assert meter.name() == HAIKU

    def test_one_that_cannot_be_written_costs_only_the_memory(
        self, meter: Meter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def unwritten(_: SeenModel) -> SeenModel:
            raise ReadTimeoutError(endpoint_url="https://dynamodb")

        monkeypatch.setattr(meter.memory, "remember", unwritten)
        meter.profile(model_arn("us-east-1"))
        assert (meter.name(), meter.name()) == (HAIKU, HAIKU)


UNRESOLVED = "application-inference-profile/abc123"


class TestInTheWayOfNothing:
    @pytest.mark.parametrize(
        ("code", "again_after"),
        [
            ("AccessDeniedException", HOUR),
            ("ResourceNotFoundException", HOUR),
            ("ValidationException", HOUR),
            ("ThrottlingException", MINUTE),
            ("InternalServerException", MINUTE),
        ],
    )
    def test_a_refusal_leaves_its_own_name_until_bedrock_is_asked_again(
        self, meter: Meter, code: str, again_after: timedelta
    ) -> None:
        meter.refusal(code)
        assert meter.models.named(PROFILE) == NamedModel(UNRESOLVED, UNRESOLVED)
        for moment in (NOON, NOON + again_after - timedelta(seconds=1)):
            meter.now = moment
            assert meter.name() == UNRESOLVED
            meter.restart()
        meter.now = NOON + again_after
        meter.profile(model_arn("us-east-1"))
        assert meter.name() == HAIKU
        assert meter.memory.models() == [SeenModel(PROFILE, HAIKU, HAIKU, meter.now)]

    def test_the_next_refusal_counts_from_its_own_moment(self, meter: Meter) -> None:
        for meter.now in (NOON, NOON + HOUR):
            meter.refusal("AccessDeniedException")
            meter.name()
        (seen,) = meter.memory.models()
        assert (seen.at, seen.retry_at) == (NOON + HOUR, NOON + 2 * HOUR)

    def test_no_answer_is_waited_for_once_and_not_for_every_profile(
        self, meter: Meter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[str] = []

        def silent(inferenceProfileIdentifier: str) -> None:  # noqa: N803 - boto3's name
            asked.append(inferenceProfileIdentifier)
            raise ReadTimeoutError(endpoint_url="https://bedrock")

        monkeypatch.setattr(meter.client, "get_inference_profile", silent)
        for number in range(5):
            arn = f"{OWN}:application-inference-profile/{number}"
            assert meter.name(arn) == f"application-inference-profile/{number}"
        assert len(asked) == 1
        meter.now += MINUTE
        meter.name(f"{OWN}:application-inference-profile/4")
        assert len(asked) == 2

    def test_it_is_logged_once(self, meter: Meter, kept_log: list[LogRecord]) -> None:
        for moment in (NOON, NOON, NOON + HOUR):
            if moment != meter.now or not kept_log:
                meter.refusal("AccessDeniedException")
            meter.now = moment
            meter.name()
        (record,) = kept_log
        assert record.getMessage() == (
            f"model {PROFILE} keeps its own name: Bedrock says AccessDeniedException: so it is"
        )

    @pytest.mark.parametrize(
        ("arn", "why"),
        [
            (IMPORTED, "no foundation model behind type imported-model"),
            (f"{OWN}:prompt-router/abc", "no foundation model behind type prompt-router"),
            (
                f"{OWN}:default-prompt-router/abc",
                "no foundation model behind type default-prompt-router",
            ),
            (
                f"{OWN}:marketplace/model-endpoint/abc",
                "no foundation model behind type marketplace",
            ),
            (PROFILE.replace("us-east-1", "eu-west-1"), "it is of Region eu-west-1"),
        ],
    )
    def test_what_bedrock_cannot_tell_is_not_asked(self, meter: Meter, arn: str, why: str) -> None:
        assert meter.name(arn) == arn.split(":", 5)[5]
        (seen,) = meter.memory.models()
        assert why in seen.unresolved

    def test_a_profile_of_several_models_is_none_of_them(self, meter: Meter) -> None:
        meter.profile(model_arn("us-east-1"), model_arn("us-east-1", "amazon.nova-lite-v1:0"))
        assert meter.name() == UNRESOLVED

    def test_a_custom_model_without_a_base_keeps_its_name(self, meter: Meter) -> None:
        meter.custom(CUSTOM, "")
        assert meter.name(CUSTOM) == f"custom-model/{HAIKU}/abc123"

    def test_custom_models_made_from_one_another_in_a_ring_end(self, meter: Meter) -> None:
        for arn, base in [(CUSTOM, TUNED), (TUNED, CUSTOM)] * 2 + [(CUSTOM, TUNED)]:
            meter.custom(arn, base)
        assert meter.name(CUSTOM) == f"custom-model/{HAIKU}/abc123"
        (seen,) = meter.memory.models()
        assert seen.unresolved == "more than 5 models are made from one another here"
