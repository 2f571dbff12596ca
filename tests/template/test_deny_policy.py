"""The template's deny of everything is the code's, and AWS's own list of actions agrees."""

import json
import re
from fnmatch import fnmatchcase
from pathlib import Path

import cfnlint
import pytest

from quota_enforcer.core.policies.deny import AGENT_CORE, BEDROCK, deny_all
from template_source import properties
from template_values import Deployed

CATALOGUE = json.loads(
    (Path(cfnlint.__file__).parent / "data/AdditionalSpecs/Policies.json").read_text("utf-8")
)
ACTIONS = [
    f"{service}:{action}"
    for service in ("bedrock", "bedrock-mantle", "bedrock-agentcore")
    for action in CATALOGUE[service]["Actions"]
]
AT_WORK = re.compile(
    r":(agentic|callwith|converse|evaluate|generate|infer|ingest|invoke|optimize|rerank"
    r"|retrieve|start)|:create(.*job$|inference$)"
)
"""How actions that make a model work are called so far."""
SPENDS_NO_TOKENS = {
    "bedrock-agentcore:ingestdata",
    "bedrock-agentcore:retrievememoryrecords",
    "bedrock-agentcore:startbrowsersession",
    "bedrock-agentcore:startcodeinterpretersession",
}
"""Looked at and left open: storage and sandboxes of AgentCore."""


@pytest.mark.parametrize("agent_core", [True, False], ids=["with AgentCore", "without"])
def test_it_says_exactly_what_the_code_says(agent_core: bool) -> None:  # noqa: FBT001
    deployed = Deployed(DenyAgentCore=str(agent_core).lower())
    assert deployed.properties("DenyAllPolicy")["PolicyDocument"] == deny_all(agent_core=agent_core)


@pytest.mark.parametrize("pattern", [*BEDROCK, *AGENT_CORE])
def test_every_pattern_denies_something_that_exists(pattern: str) -> None:
    assert any(fnmatchcase(action, pattern.lower()) for action in ACTIONS)


def test_no_action_of_the_catalogue_that_looks_like_work_is_left_open() -> None:
    """Fails when a newer catalogue brings an action: deny it, or say why not."""
    patterns = [pattern.lower() for pattern in (*BEDROCK, *AGENT_CORE)]
    left_open = {
        action
        for action in ACTIONS
        if AT_WORK.search(action) and not any(fnmatchcase(action, pattern) for pattern in patterns)
    }
    assert left_open == SPENDS_NO_TOKENS


def test_its_name_explains_itself_and_names_the_stack() -> None:
    policy = properties("DenyAllPolicy")
    assert policy["Path"] == {"Fn::Sub": "/bedrock-quota/${AWS::StackName}/"}
    name = "${AWS::StackName}-over-bedrock-quota-see-your-notice"
    assert policy["ManagedPolicyName"] == {"Fn::Sub": name}


def test_nothing_of_it_can_make_cloudformation_replace_it() -> None:
    """A replacement needs the same name while the old policy still has it, and fails."""
    assert set(properties("DenyAllPolicy")) == {"Path", "ManagedPolicyName", "PolicyDocument"}
