"""The static denies: what they name, in which order, and how large they are."""

import json
from fnmatch import fnmatchcase
from typing import Any

import pytest

from quota_enforcer.core.errors import InvalidPolicyInput
from quota_enforcer.core.policies.deny import deny_all, deny_documents, deny_models
from quota_enforcer.core.policies.document import MANAGED_LIMIT, size

SPENDS_TOKENS = [
    "bedrock:AgenticRetrieveStream",
    "bedrock:CallWithBearerToken",
    "bedrock:CreateAdvancedPromptOptimizationJob",
    "bedrock:CreateEvaluationJob",
    "bedrock:CreateMarketplaceModelEndpoint",
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
    "bedrock-mantle:CreateReservation",
    "bedrock-websearch:InvokeFetch",
    "bedrock-websearch:InvokeSearch",
]
AGENT_CORE_SPENDS_TOKENS = [
    "bedrock-agentcore:BatchCreateMemoryRecords",
    "bedrock-agentcore:CreateABTest",
    "bedrock-agentcore:CreateEvent",
    "bedrock-agentcore:CreateOnlineEvaluationConfig",
    "bedrock-agentcore:Evaluate",
    "bedrock-agentcore:IngestData",
    "bedrock-agentcore:InvokeAgentRuntime",
    "bedrock-agentcore:InvokeAgentRuntimeForUser",
    "bedrock-agentcore:InvokeAgentRuntimeWithWebSocketStream",
    "bedrock-agentcore:InvokeGateway",
    "bedrock-agentcore:InvokeHarness",
    "bedrock-agentcore:StartBatchEvaluation",
    "bedrock-agentcore:StartDatasetGeneration",
    "bedrock-agentcore:StartMemoryExtractionJob",
    "bedrock-agentcore:StartPolicyGeneration",
    "bedrock-agentcore:StartRecommendation",
]
STAYS_POSSIBLE = [
    "bedrock:ApplyGuardrail",
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
    assert size(deny_all()) < MANAGED_LIMIT / 4


def test_it_is_the_same_every_time() -> None:
    assert json.dumps(deny_all()) == json.dumps(deny_all())


OPUS = "anthropic.claude-3-opus-20240229-v1:0"
HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"


def test_a_model_deny_names_the_model_in_every_form() -> None:
    models, unmetered = deny_models([OPUS])["Statement"]
    assert models["Resource"] == [
        f"arn:aws:bedrock:*::foundation-model/{OPUS}",
        f"arn:aws:bedrock:*::foundation-model/{OPUS}:*",
        f"arn:aws:bedrock:*:*:inference-profile/*.{OPUS}",
    ]
    assert unmetered["Resource"] == "*"


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov", "aws-eusc"])
def test_a_model_deny_is_written_for_its_partition(partition: str) -> None:
    (models, _) = deny_models([OPUS], partition=partition)["Statement"]
    assert {arn.split(":")[1] for arn in models["Resource"]} == {partition}


def test_an_unknown_partition_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidPolicyInput, match=r"'aws-gov' is no AWS partition.*aws-us-gov"):
        deny_models([OPUS], partition="aws-gov")


def test_the_order_of_scopes_and_repetitions_make_no_difference() -> None:
    assert deny_models([OPUS, HAIKU, OPUS]) == deny_models([HAIKU, OPUS])


def test_a_deny_of_every_model_among_others_is_the_deny_of_everything() -> None:
    assert deny_documents([OPUS, "*"]) == [deny_all()]


def test_scopes_that_are_too_many_for_one_policy_take_several_and_none_is_lost() -> None:
    scopes = [f"anthropic.claude-{number}-20240229-v1:0" for number in range(100)]
    documents = deny_documents(scopes)
    assert len(documents) > 1
    assert all(size(document) <= MANAGED_LIMIT for document in documents)
    arns = [arn for each in documents for arn in each["Statement"][0]["Resource"]]
    assert len(arns) == 3 * len(scopes) == len(set(arns))
    assert all(each["Statement"][1] == documents[0]["Statement"][1] for each in documents)


def test_twenty_models_fit_one_policy() -> None:
    assert len(deny_documents([f"anthropic.claude-{n}-20240229-v1:0" for n in range(20)])) == 1
