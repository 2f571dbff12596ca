"""The locks: what they close, and that everything metered stays open."""

from dataclasses import replace
from typing import Any

import pytest

from iam_decisions import ACCOUNT, Caller, denied, foundation, profile
from quota_enforcer.core.errors import InvalidPolicyInput
from quota_enforcer.core.policies.document import SCP_LIMIT, size
from quota_enforcer.core.policies.guard.unmetered import Locks, lock

HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
CALL = "bedrock:InvokeModel"
BATCH = "bedrock:CreateModelInvocationJob"
HOME, AWAY = "eu-central-1", "us-west-2"


def called(caller: Caller, region: str, by: str = "", action: str = CALL) -> bool:
    keys: dict[str, Any] = {"bedrock__InferenceProfileArn": by} if by else {}
    model = foundation(HAIKU, "" if region == "unspecified" else region)
    return replace(caller, region=region).may(action, model, **keys)


def test_mantle_is_closed_and_bedrock_is_not() -> None:
    caller = denied(lock(Locks(mantle=True)))
    assert not caller.may("bedrock-mantle:CreateInference")
    assert not caller.may("bedrock-mantle:CallWithBearerToken")
    assert caller.may("bedrock-mantle:ListModels")
    assert caller.may(CALL, foundation(HAIKU))
    assert caller.may(BATCH, foundation(HAIKU))


def test_batch_is_closed_and_its_jobs_can_be_stopped() -> None:
    caller = denied(lock(Locks(batch=True)))
    assert not caller.may(BATCH, foundation(HAIKU))
    assert caller.may("bedrock:StopModelInvocationJob")
    assert caller.may("bedrock:CreateModelCustomizationJob", foundation(HAIKU))
    assert caller.may(CALL, foundation(HAIKU))


class TestRegions:
    caller = denied(lock(Locks(regions=[HOME])))

    @pytest.mark.parametrize("action", [CALL, "bedrock:InvokeModelWithResponseStream", BATCH])
    def test_only_those_named_are_open(self, action: str) -> None:
        assert called(self.caller, HOME, action=action)
        assert not called(self.caller, AWAY, action=action)

    @pytest.mark.parametrize("region", [HOME, "eu-north-1", "unspecified"])
    @pytest.mark.parametrize("kind", ["eu", "global"])
    def test_a_profile_of_theirs_may_answer_anywhere(self, region: str, kind: str) -> None:
        """IAM is asked where the call is made and where it is answered."""
        assert called(self.caller, region, profile(f"{kind}.{HAIKU}", HOME))

    def test_an_application_profile_of_theirs_too(self) -> None:
        mine = f"arn:aws:bedrock:{HOME}:{ACCOUNT}:application-inference-profile/abc"
        assert called(self.caller, "eu-north-1", mine)

    def test_a_profile_of_another_region_is_closed(self) -> None:
        assert not called(self.caller, AWAY, profile(f"us.{HAIKU}", AWAY))

    def test_several_may_be_named(self) -> None:
        caller = denied(lock(Locks(regions=[AWAY, HOME])))
        assert called(caller, HOME)
        assert called(caller, AWAY)
        assert not called(caller, "us-east-1")


def test_all_together_fit_a_service_control_policy() -> None:
    regions = [f"eu-central-{number}" for number in range(1, 9)]
    assert size(lock(Locks(mantle=True, batch=True, regions=regions))) < SCP_LIMIT


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (Locks(), "nothing was named to close"),
        (Locks(regions=["*"]), "is every Region"),
        (Locks(regions=["Frankfurt"]), "'Frankfurt' is no Region"),
    ],
)
def test_what_closes_nothing_is_refused(wanted: Locks, words: str) -> None:
    with pytest.raises(InvalidPolicyInput, match=words):
        lock(wanted)


def test_nova_act_is_closed_and_bedrock_is_not() -> None:
    caller = denied(lock(Locks(nova_act=True)))
    assert not caller.may("nova-act:InvokeActStep")
    assert caller.may(CALL, foundation(HAIKU))


def test_endpoints_of_bedrocks_marketplace_are_closed_and_other_endpoints_are_not() -> None:
    caller = denied(lock(Locks(marketplace=True)))
    endpoint = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint/x"
    tagged = {"aws__ResourceTag/sagemaker-sdk:bedrock": "compatible"}
    assert not caller.may("bedrock:CreateMarketplaceModelEndpoint")
    assert not caller.may("bedrock:RegisterMarketplaceModelEndpoint")
    assert not caller.may("sagemaker:InvokeEndpoint", endpoint, **tagged)
    assert caller.may("sagemaker:InvokeEndpoint", endpoint)
    assert caller.may("bedrock:DeleteMarketplaceModelEndpoint")
