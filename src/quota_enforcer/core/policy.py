"""The deny-all policy: what a principal that is over its quota may not do any more.

The template's static policy says exactly what this code says; a test holds that.
`Resource` is `*` because many of these actions have no resource type and `bedrock:InvokeModel` has
twelve, in every Region and without one.
It is not `bedrock:*`: who is over must still read, stop and cancel what runs.
Converse has no action of its own, it is authorised as `bedrock:InvokeModel`:
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from typing import Any, Final

VERSION: Final = "2012-10-17"

BEDROCK: Final = (
    # Calls of models, agents, flows and data automation.
    "bedrock:Invoke*",
    "bedrock:Start*",
    # Batch, evaluation, customisation and prompt optimisation, and capacity that answers calls.
    "bedrock:Create*Job",
    "bedrock:CreateCustomModelDeployment",
    "bedrock:CreateProvisionedModelThroughput",
    "bedrock:OptimizePrompt",
    # Knowledge bases: questions, and embeddings of documents.
    "bedrock:Retrieve*",
    "bedrock:AgenticRetrieveStream",
    "bedrock:Rerank",
    "bedrock:GenerateQuery",
    "bedrock:IngestKnowledgeBaseDocuments",
    # API keys.
    "bedrock:CallWithBearerToken",
    # The endpoint that the invocation log does not cover: unmetered, so closed as a whole.
    "bedrock-mantle:CreateInference",
    "bedrock-mantle:CreateFineTuningJob",
    "bedrock-mantle:CallWithBearerToken",
)
"""Every action of Bedrock itself that spends tokens."""

AGENT_CORE: Final = (
    "bedrock-agentcore:Invoke*",
    "bedrock-agentcore:Evaluate",
    "bedrock-agentcore:Start*Evaluation",
    "bedrock-agentcore:StartRecommendation",
    "bedrock-agentcore:StartPolicyGeneration",
    "bedrock-agentcore:StartMemoryExtractionJob",
)
"""AgentCore runs models under its own service roles, so denying it too is a choice."""


def deny_all(*, agent_core: bool = True) -> dict[str, Any]:
    """The policy document that closes every way into Bedrock, as IAM takes it in JSON."""
    statements = [_deny("OverBedrockQuota", BEDROCK)]
    if agent_core:
        statements.append(_deny("OverBedrockQuotaAgentCore", AGENT_CORE))
    return {"Version": VERSION, "Statement": statements}


def _deny(sid: str, actions: tuple[str, ...]) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Deny", "Action": list(actions), "Resource": "*"}
