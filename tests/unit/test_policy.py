"""The deny-all document against AWS's own list of actions."""

import json
from fnmatch import fnmatchcase
from typing import Any

import pytest

from quota_enforcer.core.policy import deny_all

LONGEST_POLICY = 6144
"""Characters without white space that IAM allows a managed policy."""

SPENDS_TOKENS = [
    "bedrock:AgenticRetrieveStream",
    "bedrock:CallWithBearerToken",
    "bedrock:CreateAdvancedPromptOptimizationJob",
    "bedrock:CreateEvaluationJob",
    "bedrock:CreateModelCustomizationJob",
    "bedrock:CreateModelEvaluationJob",
    "bedrock:CreateModelInvocationJob",
    "bedrock:GenerateQuery",
    "bedrock:IngestKnowledgeBaseDocuments",
    "bedrock:InvokeAgent",
    "bedrock:InvokeBlueprintOptimizationAsync",
    "bedrock:InvokeBlueprintRecommendationAsync",
    "bedrock:InvokeBuilder",
    "bedrock:InvokeDataAutomation",
    "bedrock:InvokeDataAutomationAsync",
    "bedrock:InvokeDataAutomationLibraryIngestionJob",
    "bedrock:InvokeFlow",
    "bedrock:InvokeInlineAgent",
    "bedrock:InvokeModel",
    "bedrock:InvokeModelWithResponseStream",
    "bedrock:InvokeTool",
    "bedrock:OptimizePrompt",
    "bedrock:Rerank",
    "bedrock:Retrieve",
    "bedrock:RetrieveAndGenerate",
    "bedrock:StartFlowExecution",
    "bedrock:StartIngestionJob",
    "bedrock-mantle:CallWithBearerToken",
    "bedrock-mantle:CreateFineTuningJob",
    "bedrock-mantle:CreateInference",
]
AGENT_CORE_SPENDS_TOKENS = [
    "bedrock-agentcore:Evaluate",
    "bedrock-agentcore:InvokeAgentRuntime",
    "bedrock-agentcore:InvokeAgentRuntimeForUser",
    "bedrock-agentcore:InvokeAgentRuntimeWithWebSocketStream",
    "bedrock-agentcore:InvokeGateway",
    "bedrock-agentcore:InvokeHarness",
    "bedrock-agentcore:StartBatchEvaluation",
    "bedrock-agentcore:StartMemoryExtractionJob",
    "bedrock-agentcore:StartPolicyGeneration",
    "bedrock-agentcore:StartRecommendation",
]
STAYS_POSSIBLE = [
    "bedrock:CountTokens",
    "bedrock:GetFoundationModel",
    "bedrock:GetModelInvocationJob",
    "bedrock:ListFoundationModels",
    "bedrock:ListInferenceProfiles",
    "bedrock:StopFlowExecution",
    "bedrock:StopModelInvocationJob",
    "bedrock-mantle:CancelFineTuningJob",
    "bedrock-mantle:CancelInference",
    "bedrock-mantle:ListModels",
    "bedrock-agentcore:StopRuntimeSession",
    "s3:GetObject",
    "sts:GetCallerIdentity",
]


def patterns(document: dict[str, Any]) -> list[str]:
    return [action for statement in document["Statement"] for action in statement["Action"]]


def denies(document: dict[str, Any], action: str) -> bool:
    return any(fnmatchcase(action.lower(), each.lower()) for each in patterns(document))


@pytest.mark.parametrize("action", SPENDS_TOKENS + AGENT_CORE_SPENDS_TOKENS)
def test_what_spends_tokens_is_denied(action: str) -> None:
    assert denies(deny_all(), action)


@pytest.mark.parametrize("action", STAYS_POSSIBLE)
def test_reading_stopping_and_cancelling_stay_possible(action: str) -> None:
    assert not denies(deny_all(), action)


@pytest.mark.parametrize("action", AGENT_CORE_SPENDS_TOKENS)
def test_agent_core_can_be_left_open(action: str) -> None:
    assert not denies(deny_all(agent_core=False), action)


@pytest.mark.parametrize("action", SPENDS_TOKENS)
def test_leaving_agent_core_open_opens_nothing_else(action: str) -> None:
    assert denies(deny_all(agent_core=False), action)


@pytest.mark.parametrize("agent_core", [True, False])
def test_every_statement_denies_without_resource_or_condition(agent_core: bool) -> None:  # noqa: FBT001
    for statement in deny_all(agent_core=agent_core)["Statement"]:
        assert statement["Effect"] == "Deny"
        assert statement["Resource"] == "*"
        assert set(statement) == {"Sid", "Effect", "Action", "Resource"}


def test_it_fits_a_managed_policy_many_times() -> None:
    assert len(json.dumps(deny_all(), separators=(",", ":"))) < LONGEST_POLICY / 4


def test_it_is_the_same_every_time() -> None:
    assert json.dumps(deny_all()) == json.dumps(deny_all())
