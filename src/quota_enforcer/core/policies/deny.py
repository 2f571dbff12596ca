"""What a principal that is over its quota may not do any more: everything, or some models.

The template's static policies say exactly what this code says; a test holds that.
Everything: `Resource` is `*` because many of these actions have no resource type and
`bedrock:InvokeModel` has twelve, in every Region and without one.
It is not `bedrock:*`: who is over must still read, stop and cancel what runs.
Converse has no action of its own, it is authorised as `bedrock:InvokeModel`:
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from quota_enforcer.core.errors import InvalidPolicyInput
from quota_enforcer.core.policies.document import MANAGED_LIMIT, Document, deny, document, size
from quota_enforcer.core.policies.names import checked_scopes, model_arns

BEDROCK: Final = (
    # Calls of models, agents, flows and data automation.
    "bedrock:Invoke*",
    "bedrock:Start*",
    # Batch, evaluation, customisation and prompt optimisation, and capacity that answers calls.
    "bedrock:Create*Job",
    "bedrock:CreateCustomModelDeployment",
    "bedrock:CreateMarketplaceModelEndpoint",
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
    "bedrock-mantle:CreateReservation",
    "bedrock-mantle:CallWithBearerToken",
    # Web tools that models use, paid by the search and by the page.
    "bedrock-websearch:Invoke*",
)
"""Every action of Bedrock itself that runs a model, or reserves one.

docs/reference/permissions.md names what it leaves open, with the reason; a test holds both against
IAM's own list of actions.
"""

AGENT_CORE: Final = (
    "bedrock-agentcore:Invoke*",
    "bedrock-agentcore:Evaluate",
    "bedrock-agentcore:Start*Evaluation",
    "bedrock-agentcore:Start*Generation",
    "bedrock-agentcore:StartRecommendation",
    # Memory: what is put in is read, condensed and embedded by models.
    "bedrock-agentcore:StartMemoryExtractionJob",
    "bedrock-agentcore:CreateEvent",
    "bedrock-agentcore:IngestData",
    "bedrock-agentcore:BatchCreateMemoryRecords",
    # What evaluates calls by models from then on.
    "bedrock-agentcore:CreateOnlineEvaluationConfig",
    "bedrock-agentcore:CreateABTest",
)
"""AgentCore runs models under its own service roles, so denying it too is a choice."""

MODEL: Final = (
    "bedrock:InvokeModel*",
    # Batch, evaluation and customisation, and capacity of the model.
    "bedrock:Create*Job",
    "bedrock:CreateProvisionedModelThroughput",
)
"""What can be denied for one model and not for its siblings."""

UNMETERED: Final = (
    "bedrock-mantle:CreateInference",
    "bedrock-mantle:CreateFineTuningJob",
    "bedrock-mantle:CreateReservation",
    "bedrock-mantle:CallWithBearerToken",
)
"""What is closed as a whole with any model: it is not metered, and knows models by other names.

Not `bedrock:CallWithBearerToken`: a call with a Bedrock API key needs InvokeModel on its model
besides, so the deny of one model reaches it, and other models stay open to the key.
https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys-modify.html
"""


def deny_all(*, agent_core: bool = True) -> Document:
    """The policy document that closes every way into Bedrock."""
    statements = [deny("OverBedrockQuota", BEDROCK)]
    if agent_core:
        statements.append(deny("OverBedrockQuotaAgentCore", AGENT_CORE))
    return document(*statements)


def deny_models(scopes: Iterable[str], *, partition: str = "aws") -> Document:
    """The policy document that closes the models of these scopes, and what is not metered.

    Agents, flows and knowledge bases run under service roles of their own, which have quotas of
    their own. Raises InvalidPolicyInput for what is no scope.
    """
    return document(
        deny("OverBedrockQuotaModels", MODEL, arns_of(scopes, partition)),
        deny("OverBedrockQuotaUnmetered", UNMETERED),
    )


def deny_documents(
    scopes: Iterable[str] = ("*",), *, partition: str = "aws", agent_core: bool = True
) -> list[Document]:
    """The deny of these scopes, in as many managed policies as it takes."""
    checked = checked_scopes(scopes)
    if checked == ("*",):
        return [deny_all(agent_core=agent_core)]
    return divided(checked, lambda part: deny_models(part, partition=partition), MANAGED_LIMIT)


def arns_of(scopes: Iterable[str], partition: str) -> list[str]:
    """The ARNs of all models of these scopes."""
    return [arn for scope in checked_scopes(scopes) for arn in model_arns(scope, partition)]


def divided(
    entries: Sequence[str], write: Callable[[Sequence[str]], Document], limit: int
) -> list[Document]:
    """One document for all entries, or several if one would be too large, in their order.

    Raises InvalidPolicyInput if a single entry is too large for a document.
    """
    documents: list[Document] = []
    part: list[str] = []
    for entry in entries:
        if part and size(write([*part, entry])) > limit:
            documents.append(write(part))
            part = []
        part.append(entry)
        if size(write(part)) > limit:
            raise InvalidPolicyInput(f"{entry!r} does not fit a policy of {limit} characters")
    return [*documents, write(part)]
