"""Each model scope that is asked for has one static deny, which says what the code says."""

import json
import re

import pytest

from quota_enforcer.core.errors import InvalidPolicyInput
from quota_enforcer.core.policies.deny import deny_models
from quota_enforcer.core.policies.document import MANAGED_LIMIT, size
from quota_enforcer.core.policies.names import (
    MODEL_SCOPES,
    checked_scopes,
    deny_policy_name,
    policy_path,
)
from template_source import PARAMETERS, RESOURCES, of_type, properties
from template_values import LEAST, MOST, SCOPES, Deployed

NUMBERS = range(1, MODEL_SCOPES + 1)
ALLOWED = [
    "anthropic.claude-3-opus-20240229-v1:0",
    "anthropic.claude-3-opus*",
    "*opus*",
    "*.claude-3-opus*",
    "amazon.nova-lite-v1:0:24k",
    "a" * 200,
]
REFUSED = [
    "*",
    "**",
    "us.anthropic.claude-3-opus-20240229-v1:0",
    "global.amazon.nova-lite-v1:0",
    "kr.anthropic.claude-sonnet-5",
    "latam.amazon.nova-lite*",
    "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0",
    "provisioned-model/abc",
    "amazon.nova lite",
    'amazon.nova"lite',
    "${AWS::StackName}",
    "amazon.nova?",
    "amazon.növa",
    "a" * 201,
]


def policy(number: int) -> str:
    return f"DenyModelScope{number}Policy"


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("scope", ALLOWED)
@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_it_says_exactly_what_the_code_says(number: int, scope: str, partition: str) -> None:
    deployed = Deployed({"AWS::Partition": partition}, **{f"ModelScope{number}": scope})
    written = deployed.properties(policy(number))["PolicyDocument"]
    assert written == deny_models([scope], partition=partition)
    assert size(written) < MANAGED_LIMIT


@pytest.mark.parametrize("number", NUMBERS)
def test_it_is_made_only_for_a_scope(number: int) -> None:
    assert not LEAST.has(policy(number))
    assert MOST.has(policy(number))
    asked_for = Deployed(**{f"ModelScope{number}": ALLOWED[0]})
    made = [name for name in of_type("AWS::IAM::ManagedPolicy") if asked_for.has(name)]
    assert made == ["DenyAllPolicy", policy(number)]


@pytest.mark.parametrize("number", NUMBERS)
def test_it_is_named_as_the_code_names_it_and_cannot_be_replaced(number: int) -> None:
    declared = MOST.properties(policy(number))
    assert declared["Path"] == policy_path("bedrock-quota")
    assert declared["ManagedPolicyName"] == deny_policy_name("bedrock-quota", number)
    assert set(properties(policy(number))) == {"Path", "ManagedPolicyName", "PolicyDocument"}


def test_there_are_as_many_as_the_code_knows() -> None:
    assert [name for name in PARAMETERS if name.startswith("ModelScope")] == [
        f"ModelScope{number}" for number in NUMBERS
    ]
    assert of_type("AWS::IAM::ManagedPolicy") == [
        "DenyAllPolicy",
        *map(policy, NUMBERS),
        "BudgetDenyPolicy",
    ]


@pytest.mark.parametrize("number", NUMBERS)
class TestParameter:
    def allows(self, number: int, scope: str) -> bool:
        pattern = PARAMETERS[f"ModelScope{number}"]["AllowedPattern"]
        return re.fullmatch(pattern, scope, re.ASCII) is not None

    def test_it_may_be_empty(self, number: int) -> None:
        assert self.allows(number, "")

    @pytest.mark.parametrize("scope", ALLOWED)
    def test_it_takes_what_the_code_takes(self, number: int, scope: str) -> None:
        assert checked_scopes([scope]) == (scope,)
        assert self.allows(number, scope)

    @pytest.mark.parametrize("scope", REFUSED)
    def test_it_refuses_what_the_code_refuses_and_every_model(
        self, number: int, scope: str
    ) -> None:
        """Every model is the deny of everything, which is always there."""
        assert not self.allows(number, scope)
        if scope != "*":
            with pytest.raises(InvalidPolicyInput):
                checked_scopes([scope])


class TestEnforcersEnvironment:
    def denies(self, **parameters: str) -> dict[str, str]:
        text = Deployed(**parameters).environment("EnforcerFunction")["DENY_POLICIES"]
        found: dict[str, str] = json.loads(text)
        return found

    def test_without_scopes_it_names_the_deny_of_everything_alone(self) -> None:
        assert list(self.denies()) == ["*"]

    @pytest.mark.parametrize("number", NUMBERS)
    def test_any_scope_can_be_alone(self, number: int) -> None:
        assert list(self.denies(**{f"ModelScope{number}": ALLOWED[0]})) == ["*", ALLOWED[0]]

    def test_each_scope_leads_to_its_own_policy(self) -> None:
        found = self.denies(**SCOPES)
        assert list(found) == ["*", *SCOPES.values()]
        for number, scope in enumerate(SCOPES.values(), start=1):
            assert found[scope].endswith(f"/{deny_policy_name('bedrock-quota', number)}")

    def test_it_fits_what_lambda_takes(self) -> None:
        """See https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html ."""
        longest = {f"ModelScope{number}": f"{number}" * 200 for number in NUMBERS}
        deployed = Deployed({"AWS::StackName": "s" * 80}, **longest)
        assert len(json.dumps(deployed.environment("EnforcerFunction"))) < 4096


def test_every_condition_of_a_scope_is_about_its_own_parameter() -> None:
    for number in NUMBERS:
        assert RESOURCES[policy(number)]["Condition"] == f"HasModelScope{number}"
        only = Deployed(**{f"ModelScope{number}": ALLOWED[0]})
        assert [each for each in NUMBERS if only.holds(f"HasModelScope{each}")] == [number]
