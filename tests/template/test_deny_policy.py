"""The template's deny of everything is the code's, and AWS's own list of actions agrees."""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import pytest

from iam_catalogue import CATALOGUE
from quota_enforcer.core.policies.deny import AGENT_CORE, BEDROCK, deny_all
from template_source import properties
from template_values import Deployed

ACTIONS = [
    f"{service}:{action}"
    for service in CATALOGUE
    if service.startswith("bedrock") or service == "nova-act"
    for action in CATALOGUE[service]["Actions"]
]
ELSEWHERE = [
    f"{service}:{action}"
    for service in ("aws-external-anthropic", "sagemaker")
    for action in CATALOGUE[service]["Actions"]
]
AT_WORK = re.compile(
    r":(agentic|callwith|converse|evaluate|generate|infer|ingest|invoke|optimize|rerank"
    r"|retrieve|start)|:create(.*job$|.*inference$)"
)
"""How actions that make a model work are called so far."""
PAGE = Path(__file__).parents[2] / "docs/reference/permissions.md"


def left_open() -> list[str]:
    """The patterns of the page's table, each with its reason beside it."""
    table = PAGE.read_text("utf-8").split("| left open | why |\n|---|---|\n")[1]
    rows = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("|")]
    assert all(reason.strip() for _, reason in rows)
    return [pattern.lower() for names, _ in rows for pattern in re.findall(r"`([^`]+)`", names)]


OPEN = left_open()
DENIED = [pattern.lower() for pattern in (*BEDROCK, *AGENT_CORE)]


def among(action: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(action, pattern) for pattern in patterns)


@cache
def still_open() -> list[str]:
    return [action for action in (*ACTIONS, *ELSEWHERE) if not among(action, DENIED)]


@pytest.mark.parametrize("agent_core", [True, False], ids=["with AgentCore", "without"])
def test_it_says_exactly_what_the_code_says(agent_core: bool) -> None:  # noqa: FBT001
    deployed = Deployed(DenyAgentCore=str(agent_core).lower())
    assert deployed.properties("DenyAllPolicy")["PolicyDocument"] == deny_all(agent_core=agent_core)


@pytest.mark.parametrize("pattern", [*BEDROCK, *AGENT_CORE])
def test_every_pattern_denies_something_that_exists(pattern: str) -> None:
    assert among_any(ACTIONS, pattern.lower())


@pytest.mark.parametrize("pattern", OPEN)
def test_every_pattern_of_the_page_leaves_something_open_that_exists(pattern: str) -> None:
    assert among_any(still_open(), pattern)


def test_every_action_is_denied_or_named_on_the_page_with_the_reason() -> None:
    """Fails when a newer catalogue brings an action: deny it, or say why not."""
    assert [action for action in ACTIONS if not among(action, [*DENIED, *OPEN])] == []


def test_what_is_called_like_work_is_denied_or_named_by_its_own_name() -> None:
    """So no wildcard of the page lets a new action through that makes a model work."""
    exact = {pattern for pattern in OPEN if "*" not in pattern} | {"nova-act:*"}
    at_work = [action for action in ACTIONS if AT_WORK.search(action)]
    assert [action for action in at_work if not among(action, [*DENIED, *exact])] == []


def among_any(actions: Iterable[str], pattern: str) -> bool:
    return any(fnmatchcase(action, pattern) for action in actions)


def test_its_name_explains_itself_and_names_the_stack() -> None:
    policy = properties("DenyAllPolicy")
    assert policy["Path"] == {"Fn::Sub": "/bedrock-quota/${AWS::StackName}/"}
    name = "${AWS::StackName}-over-bedrock-quota-${AskWhom}"
    assert policy["ManagedPolicyName"] == {"Fn::Sub": name}


def test_nothing_of_it_can_make_cloudformation_replace_it() -> None:
    """A replacement needs the same name while the old policy still has it, and fails."""
    assert set(properties("DenyAllPolicy")) == {"Path", "ManagedPolicyName", "PolicyDocument"}
