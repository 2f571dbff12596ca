"""The guard's form and size; its decisions are in test_role_decisions.py."""

import json
from dataclasses import replace
from typing import Any

import pytest

from quota_enforcer.core.errors import InvalidPolicyInput
from quota_enforcer.core.policies.document import MANAGED_LIMIT, SCP_LIMIT, size
from quota_enforcer.core.policies.guard.guard import guard
from quota_enforcer.core.policies.guard.guarded import LONGEST_STACK, Guarded, GuardKind

ACCOUNT = "111122223333"
GUARDED = Guarded(ACCOUNT, "bedrock-quota", ("Admin",))


def statements(of: Guarded) -> list[dict[str, Any]]:
    return [statement for each in guard(of) for statement in each["Statement"]]


def test_it_only_denies_under_a_condition_that_spares_admins() -> None:
    assert [size(each) for each in guard(GUARDED) if size(each) > SCP_LIMIT] == []
    assert len(guard(GUARDED)) == 2
    for statement in statements(GUARDED):
        assert statement["Effect"] == "Deny"
        assert statement["Condition"]["ArnNotLike"]["aws:PrincipalArn"]


def test_nobody_else_may_have_callers_masked_in_the_log() -> None:
    denied = {
        action: statement["Resource"]
        for statement in statements(GUARDED)
        for action in statement["Action"]
        if "Policy" in action and action.startswith("logs:")
    }
    assert (
        f"arn:aws:logs:*:111122223333:log-group:{GUARDED.log}"
        in denied["logs:PutDataProtectionPolicy"]
    )
    assert denied["logs:PutAccountPolicy"] == "*"


def test_the_stacks_own_roles_are_known_where_the_organisation_puts_them() -> None:
    text = json.dumps(guard(replace(GUARDED, role_path="/platform/")))
    own = f"arn:aws:iam::{ACCOUNT}:role/platform/bedrock-quota/bedrock-quota/"
    assert f"{own}*" in text
    assert f"{own}bedrock-quota-InvocationLogRole-*" in text
    assert ":role/bedrock-quota/bedrock-quota/" not in text


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
    named = tuple(f"AWSReservedSSO_Administrator{n}_0123456789abcdef" for n in range(15))
    documents = guard(replace(GUARDED, admin_roles=named))
    assert len(documents) > len(guard(GUARDED))
    assert all(size(each) <= SCP_LIMIT for each in documents)
    sids = [statement["Sid"] for each in documents for statement in each["Statement"]]
    assert sids == [statement["Sid"] for statement in statements(GUARDED)]


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
        ({"admin_roles": ("arn:aws:iam::999999999999:role/Admin",)}, "is no role"),
        ({"admin_roles": tuple(f"{n:060d}" for n in range(80))}, "name fewer"),
        ({"account": "1"}, "12 digits"),
        ({"stack": "a*"}, "cannot be the stack's name"),
        ({"log_group": "bedrock"}, "by a role that the guard must spare.*--log-role"),
        ({"log_group": "bedrock", "log_roles": ("*",)}, "'\\*' is no role"),
        (
            {"log_group": "bedrock", "log_roles": ("arn:aws:iam::999999999999:role/Log",)},
            "is no role",
        ),
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
        tiers, mantle = statements(replace(GUARDED, tiers=("flex", "default")))[-2:]
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


class TestWithoutAnOrganisation:
    """As a policy or boundary of those who are limited it spares nobody, so nobody is named."""

    @pytest.mark.parametrize("kind", [GuardKind.IDENTITY, GuardKind.BOUNDARY])
    def test_it_needs_no_admin_role_and_fits_one_policy(self, kind: GuardKind) -> None:
        (written,) = guard(replace(GUARDED, kind=kind, admin_roles=()))
        assert size(written) <= MANAGED_LIMIT
        assert "aws:PrincipalArn" not in str(written)

    def test_the_boundary_allows_what_it_does_not_deny(self) -> None:
        (written,) = guard(replace(GUARDED, kind=GuardKind.BOUNDARY))
        assert written["Statement"][0] == {"Effect": "Allow", "Action": ["*"], "Resource": "*"}
        assert {each["Effect"] for each in written["Statement"][1:]} == {"Deny"}

    def test_the_longest_stack_name_still_fits_one_boundary(self) -> None:
        admins = ("AWSReservedSSO_AdministratorAccess_0123456789abcdef",) * 2
        longest = replace(GUARDED, stack="s" * LONGEST_STACK, admin_roles=admins)
        (written,) = guard(replace(longest, kind=GuardKind.BOUNDARY))
        assert size(written) <= MANAGED_LIMIT

    def test_what_does_not_fit_the_one_boundary_is_refused_with_a_way_out(self) -> None:
        named = tuple(f"AWSReservedSSO_Administrator{n}_0123456789abcdef" for n in range(30))
        with pytest.raises(InvalidPolicyInput, match=r"of which there is only one.*policy lock"):
            guard(replace(GUARDED, kind=GuardKind.BOUNDARY, admin_roles=named))


class TestUnmetered:
    def test_nothing_of_it_is_closed_unless_asked_for(self) -> None:
        assert "NotMetered" not in str(guard(GUARDED))

    def test_all_of_it_is_closed_to_all_but_admins(self) -> None:
        closed = [
            each
            for each in statements(replace(GUARDED, regions=("eu-central-1",)))
            if each["Sid"].endswith(("NotMetered", "BySageMaker"))
        ]
        actions = {action for each in closed for action in each["Action"]}
        assert {
            "bedrock-mantle:CreateInference",
            "bedrock:CreateModelInvocationJob",
            "nova-act:*",
            "bedrock:CreateMarketplaceModelEndpoint",
            "sagemaker:InvokeEndpoint*",
        } <= actions
        for each in closed:
            assert each["Condition"]["ArnNotLike"]["aws:PrincipalArn"]
        elsewhere = closed[-1]["Condition"]["StringNotEquals"]["aws:RequestedRegion"]
        assert elsewhere == ["eu-central-1", "unspecified"]


def test_another_role_that_writes_the_log_is_spared_by_name_or_arn() -> None:
    for role in ("logs/Bedrock", f"arn:aws:iam::{ACCOUNT}:role/logs/Bedrock"):
        of = replace(GUARDED, log_group="bedrock", log_roles=(role,))
        (forging,) = (each for each in statements(of) if each["Sid"] == "BedrockQuotaInvocationLog")
        assert forging["Condition"]["ArnNotLike"]["aws:PrincipalArn"] == [
            f"{of.own.removesuffix('*')}bedrock-quota-InvocationLogRole-*",
            f"arn:aws:iam::{ACCOUNT}:role/logs/Bedrock",
        ]
