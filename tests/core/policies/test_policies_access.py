"""Access policies: form, order and size; what IAM decides is in test_policy_decisions.py."""

import pytest

from quota_enforcer.core.errors import InvalidPolicyInput
from quota_enforcer.core.policies.callers.allow import CONSOLE, allow_models
from quota_enforcer.core.policies.document import MANAGED_LIMIT, size

ACCOUNT = "111122223333"
OPUS = "anthropic.claude-3-opus-20240229-v1:0"


def test_it_names_the_model_in_every_region_and_the_accounts_profiles() -> None:
    ((statement,),) = [each["Statement"] for each in allow_models([OPUS], ACCOUNT)]
    assert statement == {
        "Sid": "CallTheseModels",
        "Effect": "Allow",
        "Action": ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"],
        "Resource": [
            f"arn:aws:bedrock:*::foundation-model/{OPUS}",
            f"arn:aws:bedrock:*:{ACCOUNT}:inference-profile/*.{OPUS}",
        ],
    }


def test_the_console_only_reads() -> None:
    assert all(action.startswith(("bedrock:Get", "bedrock:List")) for action in CONSOLE)
    assert not any("*" in action for action in CONSOLE)


def test_many_models_take_several_policies_and_each_has_the_console() -> None:
    models = [f"anthropic.claude-{number}-20240229-v1:0" for number in range(80)]
    documents = allow_models(models, ACCOUNT, console=True)
    assert len(documents) > 1
    assert all(size(each) <= MANAGED_LIMIT for each in documents)
    assert all(each["Statement"][1]["Sid"] == "ReadInConsole" for each in documents)
    arns = [arn for each in documents for arn in each["Statement"][0]["Resource"]]
    assert len(set(arns)) == len(arns) == 2 * len(models)


def test_the_order_of_models_and_repetitions_make_no_difference() -> None:
    other = "amazon.nova-lite-v1:0"
    assert allow_models([OPUS, other, OPUS], ACCOUNT) == allow_models([other, OPUS], ACCOUNT)


def test_it_is_written_for_its_partition() -> None:
    (written,) = allow_models([OPUS], ACCOUNT, partition="aws-us-gov")
    assert all(arn.startswith("arn:aws-us-gov:") for arn in written["Statement"][0]["Resource"])


@pytest.mark.parametrize(
    ("models", "account", "reason"),
    [
        ([], ACCOUNT, "nothing to allow"),
        ([OPUS], "1", "12 digits"),
        (["anthropic.*"], ACCOUNT, "nobody has looked at"),
        ([f"us.{OPUS}"], ACCOUNT, f"write '{OPUS}'"),
    ],
)
def test_what_cannot_be_written_is_refused(models: list[str], account: str, reason: str) -> None:
    with pytest.raises(InvalidPolicyInput, match=reason):
        allow_models(models, account)
