"""An AWS budget that denies when everything else is down: off by default, and only ever a deny."""

import re

import pytest

from quota_enforcer.core.policies.names import deny_policy_name, policy_path
from template_source import PARAMETERS
from template_values import LEAST, Deployed

PARTS = ("BudgetDenyPolicy", "BudgetOfBedrock", "BudgetRole", "BudgetSpent")
WHOM = {"BudgetUsers": "alice,bob", "BudgetGroups": "developers", "BudgetRoles": "ci,agents"}
GIVEN = Deployed(BudgetDollars="20000", **WHOM)
ACCOUNT = "arn:aws:iam::123456789012"
POLICY = (
    f"{ACCOUNT}:policy/bedrock-quota/bedrock-quota/"
    "bedrock-quota-bedrock-budget-is-spent-see-your-notice"
)


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ({}, set()),
        ({"BudgetDollars": "0", **WHOM}, set()),
        ({"BudgetDollars": "5"}, {"BudgetOfBedrock"}),
        *(({"BudgetDollars": "5", name: names}, set(PARTS)) for name, names in WHOM.items()),
    ],
)
def test_it_is_there_only_where_asked_for(given: dict[str, str], made: set[str]) -> None:
    """With an amount alone it tells and denies nobody."""
    assert {part for part in PARTS if Deployed(**given).has(part)} == made


def test_it_counts_what_aws_bills_for_the_services_in_a_month() -> None:
    several = Deployed(BudgetDollars="20000", BudgetServices="Amazon Bedrock,Claude (Bedrock)")
    assert several.properties("BudgetOfBedrock")["Budget"] == {
        "BudgetName": "bedrock-quota-us-east-1-bedrock",
        "BudgetType": "COST",
        "TimeUnit": "MONTHLY",
        "BudgetLimit": {"Amount": "20000", "Unit": "USD"},
        "CostFilters": {"Service": ["Amazon Bedrock", "Claude (Bedrock)"]},
    }


def test_it_denies_just_those_named_once_all_of_it_is_spent() -> None:
    spent = GIVEN.properties("BudgetSpent")
    assert spent["ActionThreshold"] == {"Type": "PERCENTAGE", "Value": 100}
    assert (spent["ActionType"], spent["ApprovalModel"]) == ("APPLY_IAM_POLICY", "AUTOMATIC")
    assert spent["Definition"]["IamActionDefinition"] == {
        "PolicyArn": POLICY,
        "Users": ["alice", "bob"],
        "Groups": ["developers"],
        "Roles": ["ci", "agents"],
    }
    only = Deployed(BudgetDollars="5", BudgetRoles="ci").properties("BudgetSpent")
    assert only["Definition"]["IamActionDefinition"] == {"PolicyArn": POLICY, "Roles": ["ci"]}


@pytest.mark.parametrize("agent_core", ["true", "false"])
def test_its_policy_closes_what_the_deny_of_everything_closes(agent_core: str) -> None:
    given = Deployed(BudgetDollars="5", BudgetRoles="ci", DenyAgentCore=agent_core)
    own, deny = (given.properties(name) for name in ("BudgetDenyPolicy", "DenyAllPolicy"))
    assert own["PolicyDocument"] == deny["PolicyDocument"]


def test_its_policy_is_another_one_which_the_enforcer_never_takes_off() -> None:
    """What the enforcer finds attached of its own and no quota asks for, it detaches."""
    assert POLICY not in str(GIVEN.policy("EnforcerRole"))
    assert POLICY not in GIVEN.environment("EnforcerFunction")["DENY_POLICIES"]
    declared = GIVEN.properties("BudgetDenyPolicy")
    assert declared["Path"] == policy_path("bedrock-quota")
    assert declared["ManagedPolicyName"] != deny_policy_name("bedrock-quota")


def test_its_role_attaches_and_detaches_this_policy_alone() -> None:
    allowed, denied = GIVEN.policy("BudgetRole")["Statement"]
    assert allowed["Condition"] == {"ArnEquals": {"iam:PolicyARN": POLICY}}
    assert {re.sub("(User|Role|Group)", "", action) for action in allowed["Action"]} == {
        "iam:AttachPolicy",
        "iam:DetachPolicy",
    }
    assert denied["Effect"] == "Deny"
    assert denied["Condition"] == {"ArnNotEquals": {"iam:PolicyARN": POLICY}}
    (trust,) = GIVEN.properties("BudgetRole")["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "budgets.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def test_the_budget_may_publish_to_the_topic_only_where_there_is_one() -> None:
    def services(of: Deployed) -> set[str]:
        statements = of.properties("NoticeTopicPolicy")["PolicyDocument"]["Statement"]
        return {each["Principal"]["Service"] for each in statements}

    assert services(GIVEN) - services(LEAST) == {"budgets.amazonaws.com"}


@pytest.mark.parametrize(
    ("parameter", "value", "allowed"),
    [
        ("BudgetRoles", "ci", True),
        ("BudgetRoles", "ci,agents", True),
        ("BudgetRoles", "AWSReservedSSO_Dev_0123456789abcdef", False),
        ("BudgetRoles", "ci,AWSReservedSSO_Dev_0123456789abcdef", False),
        ("BudgetRoles", "ci, agents", False),
        ("BudgetRoles", "platform/ci", False),
        ("BudgetUsers", "alice@example.com", True),
        ("BudgetUsers", "alice,", False),
        ("BudgetGroups", "", True),
        ("BudgetServices", "Amazon Bedrock", True),
        ("BudgetServices", "", False),
        ("BudgetServices", "Amazon Bedrock,", False),
    ],
)
def test_what_a_parameter_may_be(parameter: str, value: str, *, allowed: bool) -> None:
    pattern = PARAMETERS[parameter]["AllowedPattern"]
    assert bool(re.fullmatch(pattern, value)) == allowed
