"""What IAM decides on the documents that deny and allow, near misses included."""

import pytest

from iam_decisions import ACCOUNT, Caller, denied, foundation, profile, with_boundary
from quota_enforcer.core.policies.boundary import gate
from quota_enforcer.core.policies.callers.allow import CONSOLE, allow_models
from quota_enforcer.core.policies.deny import deny_all, deny_models

OPUS = "anthropic.claude-3-opus-20240229-v1:0"
HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
CALLS = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]
OPUS_BY_ANY_ARN = [
    foundation(OPUS),
    foundation(OPUS, "eu-central-1"),
    foundation(OPUS, ""),
    foundation(f"{OPUS}:200k"),
    profile(f"us.{OPUS}"),
    profile(f"eu.{OPUS}", "eu-central-1"),
    profile(f"us-gov.{OPUS}"),
    profile(f"global.{OPUS}", "ap-southeast-2"),
]
OTHER_MODELS = [
    foundation(HAIKU),
    foundation(HAIKU, ""),
    foundation("anthropic.claude-3-opus-20240229-v1"),
    foundation("anthropic.claude-3-opus-20240229-v1:01"),
    foundation("anthropic.claude-3-opus-20240229-v2:0"),
    foundation(f"new{OPUS}"),
    profile(f"us.{HAIKU}"),
    profile(f"global.{HAIKU}"),
    profile(f"us.new{OPUS}"),
    f"arn:aws:bedrock:us-east-1:{ACCOUNT}:imported-model/abc",
]
API_KEY = ("bedrock:CallWithBearerToken", "*")
UNMETERED = [
    ("bedrock-mantle:CallWithBearerToken", "*"),
    ("bedrock-mantle:CreateInference", f"arn:aws:bedrock-mantle:us-east-1:{ACCOUNT}:project/p"),
    ("bedrock-mantle:CreateFineTuningJob", f"arn:aws:bedrock-mantle:us-east-1:{ACCOUNT}:project/p"),
    ("bedrock-mantle:CreateReservation", "*"),
]
JOB = f"arn:aws:bedrock:us-east-1:{ACCOUNT}:model-invocation-job/j"
STAYS_POSSIBLE = [
    ("bedrock:GetFoundationModel", foundation(OPUS)),
    ("bedrock:ListFoundationModels", "*"),
    ("bedrock:CountTokens", foundation(OPUS)),
    ("bedrock:GetModelInvocationJob", JOB),
    ("bedrock:StopModelInvocationJob", JOB),
    ("bedrock:StopModelCustomizationJob", "*"),
    ("bedrock-mantle:CancelInference", "*"),
    ("bedrock-mantle:ListModels", "*"),
    ("s3:GetObject", "arn:aws:s3:::bucket/key"),
]
MODEL_JOBS = [
    "bedrock:CreateEvaluationJob",
    "bedrock:CreateModelCustomizationJob",
    "bedrock:CreateModelInvocationJob",
    "bedrock:CreateProvisionedModelThroughput",
]


class TestDenyOfOneModel:
    caller = denied(deny_models([OPUS]))

    @pytest.mark.parametrize("action", CALLS)
    @pytest.mark.parametrize("arn", OPUS_BY_ANY_ARN)
    def test_it_is_closed_by_every_arn(self, action: str, arn: str) -> None:
        assert not self.caller.may(action, arn)

    @pytest.mark.parametrize("action", CALLS)
    @pytest.mark.parametrize("arn", OTHER_MODELS)
    def test_its_siblings_stay_open(self, action: str, arn: str) -> None:
        assert self.caller.may(action, arn)

    @pytest.mark.parametrize("action", MODEL_JOBS)
    def test_its_batch_and_customisation_are_closed_and_its_siblings_not(self, action: str) -> None:
        assert not self.caller.may(action, foundation(OPUS))
        assert self.caller.may(action, foundation(HAIKU))

    @pytest.mark.parametrize(("action", "arn"), UNMETERED)
    def test_what_is_not_metered_is_closed_as_a_whole(self, action: str, arn: str) -> None:
        assert not self.caller.may(action, arn)

    @pytest.mark.parametrize(("action", "arn"), STAYS_POSSIBLE)
    def test_reading_stopping_and_cancelling_stay_possible(self, action: str, arn: str) -> None:
        assert self.caller.may(action, arn)

    def test_an_api_key_goes_on_with_other_models(self) -> None:
        """A call with a key needs both: the key's own action, and InvokeModel on the model."""
        assert self.caller.may(*API_KEY)
        assert not self.caller.may("bedrock:InvokeModel", foundation(OPUS))
        assert self.caller.may("bedrock:InvokeModel", foundation(HAIKU))


class TestDenyOfAPattern:
    caller = denied(deny_models(["anthropic.claude-3-opus*"]))

    @pytest.mark.parametrize("arn", OPUS_BY_ANY_ARN)
    def test_what_it_covers_is_closed(self, arn: str) -> None:
        assert not self.caller.may("bedrock:InvokeModel", arn)

    @pytest.mark.parametrize("model", [HAIKU, "anthropic.claude-opus-4-20250514-v1:0"])
    def test_what_it_does_not_cover_stays_open(self, model: str) -> None:
        assert self.caller.may("bedrock:InvokeModel", foundation(model))
        assert self.caller.may("bedrock:InvokeModel", profile(f"us.{model}"))


def test_several_scopes_close_several_models_and_leave_the_rest() -> None:
    caller = denied(deny_models([OPUS, "amazon.nova-*"]))
    closed = [OPUS, "amazon.nova-lite-v1:0", "amazon.nova-pro-v1:0"]
    assert not any(caller.may("bedrock:InvokeModel", foundation(each)) for each in closed)
    assert caller.may("bedrock:InvokeModel", foundation("amazon.titan-text-lite-v1"))


@pytest.mark.parametrize("partition", ["aws-us-gov", "aws-cn"])
def test_a_deny_holds_in_its_own_partition(partition: str) -> None:
    caller = denied(deny_models([OPUS], partition=partition))
    for arn in (foundation(OPUS, "r", partition), profile(f"us-gov.{OPUS}", "r", partition)):
        assert not caller.may("bedrock:InvokeModel", arn)
    assert caller.may("bedrock:InvokeModel", foundation(HAIKU, "r", partition))


class TestDenyOfEverything:
    caller = denied(deny_all())

    def test_api_keys_are_closed(self) -> None:
        assert not self.caller.may(*API_KEY)

    @pytest.mark.parametrize("arn", [*OPUS_BY_ANY_ARN, *OTHER_MODELS])
    def test_every_model_is_closed(self, arn: str) -> None:
        assert not any(self.caller.may(action, arn) for action in CALLS)

    @pytest.mark.parametrize(("action", "arn"), UNMETERED)
    def test_every_other_way_in_is_closed(self, action: str, arn: str) -> None:
        assert not self.caller.may(action, arn)

    @pytest.mark.parametrize(("action", "arn"), STAYS_POSSIBLE)
    def test_reading_stopping_and_cancelling_stay_possible(self, action: str, arn: str) -> None:
        assert self.caller.may(action, arn)


class TestGate:
    @pytest.mark.parametrize("role_id", ["AROADEVELOPERS", "AROAADMINS"])
    def test_a_person_is_denied_behind_every_role(self, role_id: str) -> None:
        boundary = gate({"*:alice@example.com": ["*"]})
        caller = with_boundary(boundary, f"{role_id}:alice@example.com")
        assert not caller.may("bedrock:InvokeModel", foundation(OPUS))
        assert not caller.may("bedrock-agentcore:InvokeHarness")
        assert caller.may("bedrock:ListFoundationModels")
        assert caller.may("s3:GetObject")

    @pytest.mark.parametrize(
        "user_id",
        [
            "AROADEVELOPERS:malice@example.com",
            "AROADEVELOPERS:alice@example.com.evil",
            "AROADEVELOPERS:alice@exampleXcom",
            "AROADEVELOPERS:Alice@example.com",  # each spelling is listed where it was seen
            "AROADEVELOPERS:bob@example.com",
            "AIDAALICE",
        ],
    )
    def test_nobody_else_is(self, user_id: str) -> None:
        caller = with_boundary(gate({"*:alice@example.com": ["*"]}), user_id)
        assert caller.may("bedrock:InvokeModel", foundation(OPUS))

    def test_one_session_of_one_role_is_denied_and_its_namesakes_are_not(self) -> None:
        boundary = gate({"AROASHARED:ci": ["*"]})
        calls = {
            user_id: with_boundary(boundary, user_id).may("bedrock:InvokeModel", foundation(OPUS))
            for user_id in ("AROASHARED:ci", "AROAOTHER:ci", "AROASHARED:ci-2", "AROASHARED2:ci")
        }
        assert [user_id for user_id, allowed in calls.items() if not allowed] == ["AROASHARED:ci"]

    def test_each_is_denied_its_own_models(self) -> None:
        boundary = gate({"*:alice": [OPUS], "*:bob": [OPUS, HAIKU], "*:carol": ["*"]})
        open_to = {
            name: [
                model
                for model in (OPUS, HAIKU, "amazon.nova-lite-v1:0")
                if with_boundary(boundary, f"AROAX:{name}").may(
                    "bedrock:InvokeModel", profile(f"us.{model}")
                )
            ]
            for name in ("alice", "bob", "carol", "dan")
        }
        assert open_to == {
            "alice": [HAIKU, "amazon.nova-lite-v1:0"],
            "bob": ["amazon.nova-lite-v1:0"],
            "carol": [],
            "dan": [OPUS, HAIKU, "amazon.nova-lite-v1:0"],
        }

    @pytest.mark.parametrize(("action", "arn"), UNMETERED)
    def test_whoever_is_denied_a_model_has_no_unmetered_way_to_it(
        self, action: str, arn: str
    ) -> None:
        boundary = gate({"*:alice": [OPUS], "*:bob": [HAIKU]})
        for name in ("alice", "bob"):
            assert not with_boundary(boundary, f"AROAX:{name}").may(action, arn)
        assert with_boundary(boundary, "AROAX:carol").may(action, arn)

    def test_it_grants_nothing(self) -> None:
        boundary = gate({"*:bob": ["*"]})
        caller = Caller(policies=(), limits=[[boundary]])
        assert not caller.may("iam:CreateUser")
        assert not caller.may("bedrock:InvokeModel", foundation(OPUS))

    def test_while_nobody_is_denied_it_takes_nothing_away(self) -> None:
        caller = with_boundary(gate({}))
        assert caller.may("bedrock:InvokeModel", foundation(OPUS))
        assert caller.may("iam:CreateUser")


class TestAllow:
    (document,) = allow_models([OPUS], ACCOUNT)
    caller = Caller(policies=[document])
    (with_console,) = allow_models([OPUS], ACCOUNT, console=True)

    @pytest.mark.parametrize("action", CALLS)
    @pytest.mark.parametrize("arn", [arn for arn in OPUS_BY_ANY_ARN if ":200k" not in arn])
    def test_the_model_may_be_called_by_every_arn(self, action: str, arn: str) -> None:
        assert self.caller.may(action, arn)

    @pytest.mark.parametrize("action", CALLS)
    @pytest.mark.parametrize(
        "arn",
        [
            *OTHER_MODELS,
            foundation(f"{OPUS}-v2"),
            f"arn:aws:bedrock:us-east-1:999999999999:inference-profile/us.{OPUS}",
            f"arn:aws:bedrock:us-east-1:{ACCOUNT}:application-inference-profile/abc",
            f"arn:aws:bedrock:us-east-1:{ACCOUNT}:provisioned-model/abc",
            f"arn:aws:bedrock:us-east-1:{ACCOUNT}:marketplace/model-endpoint/all-access",
        ],
    )
    def test_no_other_model_may(self, action: str, arn: str) -> None:
        assert not self.caller.may(action, arn)

    @pytest.mark.parametrize(
        ("action", "arn"),
        [
            API_KEY,
            *UNMETERED,
            *((job, foundation(OPUS)) for job in MODEL_JOBS),
            ("bedrock:InvokeAgent", "*"),
            ("bedrock:ListFoundationModels", "*"),
            ("bedrock:PutModelInvocationLoggingConfiguration", "*"),
            ("aws-marketplace:Subscribe", "*"),
            ("s3:GetObject", "*"),
        ],
    )
    def test_nothing_else_is_allowed(self, action: str, arn: str) -> None:
        assert not self.caller.may(action, arn)

    def test_the_console_reads_and_changes_nothing(self) -> None:
        caller = Caller(policies=[self.with_console])
        assert all(caller.may(action) for action in CONSOLE)
        assert not caller.may("bedrock:InvokeModel", foundation(HAIKU))
        assert not caller.may("bedrock:CreateInferenceProfile", foundation(OPUS))

    def test_a_deny_wins_over_it(self) -> None:
        caller = Caller(policies=[self.document, deny_models([OPUS])])
        assert not caller.may("bedrock:InvokeModel", profile(f"global.{OPUS}"))
