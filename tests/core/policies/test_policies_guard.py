"""The guard's form and size; its decisions are in test_role_decisions.py."""

import json
from dataclasses import replace

import pytest

from quota_enforcer.core.errors import InvalidPolicyInput
from quota_enforcer.core.policies.document import SCP_LIMIT, size
from quota_enforcer.core.policies.scp import LONGEST_STACK, Guarded, guard

GUARDED = Guarded(
    "111122223333", "bedrock-quota", ("Admin",), "/bedrock-quota/bedrock-quota/invocations"
)


def test_it_is_one_policy_that_only_denies_under_a_condition() -> None:
    (written,) = guard(GUARDED)
    assert size(written) <= SCP_LIMIT
    for statement in written["Statement"]:
        assert statement["Effect"] == "Deny"
        assert statement["Condition"]["ArnNotLike"]["aws:PrincipalArn"]


def test_nobody_else_may_have_callers_masked_in_the_log() -> None:
    (written,) = guard(GUARDED)
    denied = {
        action: statement["Resource"]
        for statement in written["Statement"]
        for action in statement["Action"]
        if "Policy" in action and action.startswith("logs:")
    }
    assert (
        f"arn:aws:logs:*:111122223333:log-group:{GUARDED.log_group}"
        in denied["logs:PutDataProtectionPolicy"]
    )
    assert denied["logs:PutAccountPolicy"] == "*"


@pytest.mark.parametrize("roles", [1, 4])
def test_a_long_stack_name_and_several_admin_roles_still_fit(roles: int) -> None:
    named = tuple(f"AWSReservedSSO_Administrator{n}_0123456789abcdef" for n in range(roles))
    documents = guard(replace(GUARDED, admin_roles=named, stack="s" * LONGEST_STACK))
    assert all(size(each) <= SCP_LIMIT for each in documents)


def test_a_stack_name_that_cloudformation_cuts_is_refused() -> None:
    with pytest.raises(InvalidPolicyInput, match="use a shorter stack name"):
        guard(replace(GUARDED, stack="s" * (LONGEST_STACK + 1)))


def test_another_stack_whose_name_begins_alike_is_left_alone() -> None:
    resources = str(guard(GUARDED))
    assert f"function:{GUARDED.stack}-EnforcerFunction-*" in resources
    assert f":{GUARDED.stack}-*" not in resources


def test_many_admin_roles_take_several_policies_and_no_statement_is_lost() -> None:
    (one,) = guard(GUARDED)
    named = tuple(f"AWSReservedSSO_Administrator{n}_0123456789abcdef" for n in range(15))
    documents = guard(replace(GUARDED, admin_roles=named))
    assert len(documents) > 1
    assert all(size(each) <= SCP_LIMIT for each in documents)
    sids = [statement["Sid"] for each in documents for statement in each["Statement"]]
    assert sids == [statement["Sid"] for statement in one["Statement"]]


def test_it_says_the_same_whatever_the_order_of_roles() -> None:
    several = replace(GUARDED, admin_roles=("Admin", "Deploy"))
    assert json.dumps(guard(several)) == json.dumps(
        guard(replace(GUARDED, admin_roles=("Deploy", "Admin", "Deploy")))
    )


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"admin_roles": ()}, "nobody could update or delete the stack"),
        ({"admin_roles": ("*",)}, "'\\*' is no role"),
        ({"admin_roles": ("arn:aws:iam::111122223333:role/Admin",)}, "is no role"),
        ({"admin_roles": tuple(f"{n:060d}" for n in range(80))}, "name fewer"),
        ({"account": "1"}, "12 digits"),
        ({"stack": "a*"}, "cannot be the stack's name"),
        ({"log_group": "arn:aws:logs:us-east-1:111122223333:log-group:x"}, "not its ARN"),
        ({"log_group": "*"}, "is no log group"),
        ({"partition": "gov"}, "is no AWS partition"),
    ],
)
def test_what_cannot_be_written_is_refused(changed: dict[str, str], reason: str) -> None:
    with pytest.raises(InvalidPolicyInput, match=reason):
        guard(replace(GUARDED, **changed))  # type: ignore[arg-type]


class TestTiers:
    def test_none_is_closed_unless_asked_for(self) -> None:
        assert "ServiceTier" not in str(guard(GUARDED))

    def test_all_but_the_named_ones_are_closed_for_all_but_admins(self) -> None:
        (written,) = guard(replace(GUARDED, tiers=("flex", "default")))
        tiers, mantle = written["Statement"][-2:]
        assert tiers["Action"] == ["bedrock:InvokeModel*"]
        assert tiers["Condition"]["StringNotEquals"] == {"bedrock:ServiceTier": ["default", "flex"]}
        assert tiers["Condition"]["Null"] == {"bedrock:ServiceTier": "false"}
        assert tiers["Condition"]["ArnNotLike"]["aws:PrincipalArn"]
        assert mantle["Condition"]["StringNotEquals"] == {
            "bedrock-mantle:ServiceTier": ["default", "flex"]
        }

    def test_a_tier_that_there_is_not_is_refused(self) -> None:
        with pytest.raises(InvalidPolicyInput, match="'standard': no such service tier"):
            guard(replace(GUARDED, tiers=("standard",)))
