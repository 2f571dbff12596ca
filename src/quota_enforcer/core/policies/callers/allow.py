"""Access to some models and to nothing else: what an admin would otherwise write by hand."""

from collections.abc import Iterable, Sequence
from typing import Final

from quota_enforcer.core.errors import InvalidPolicyInput
from quota_enforcer.core.policies.deny import divided
from quota_enforcer.core.policies.document import MANAGED_LIMIT, Document, allow, document
from quota_enforcer.core.policies.names import checked_account, checked_model, checked_partition

CALLS: Final = ("bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream")
"""Single calls and streams; Converse and ConverseStream are authorised by the same two."""

CONSOLE: Final = (
    "bedrock:GetFoundationModel",
    "bedrock:GetFoundationModelAvailability",
    "bedrock:GetInferenceProfile",
    "bedrock:ListCustomModels",
    "bedrock:ListFoundationModels",
    "bedrock:ListGuardrails",
    "bedrock:ListImportedModels",
    "bedrock:ListInferenceProfiles",
    "bedrock:ListMarketplaceModelEndpoints",
    "bedrock:ListPromptRouters",
    "bedrock:ListProvisionedModelThroughputs",
)
"""What the console's playground reads to offer models; all of it only reads.

https://docs.aws.amazon.com/bedrock/latest/userguide/security_iam_id-based-policy-examples.html
"""


def allow_models(
    models: Iterable[str], account: str, *, partition: str = "aws", console: bool = False
) -> list[Document]:
    """Policies that let someone call these models; several if one would be too large.

    A call through an inference profile needs the profile and the model in every Region that may
    answer, and for global profiles the model without a Region.
    https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-prereq.html
    The models are exact ids, without `*` behind them, which would open their siblings. Raises
    InvalidPolicyInput for a pattern, and where there is no model at all.
    """
    checked_account(account)
    checked_partition(partition)
    exact = sorted({checked_model(model) for model in models})
    if not exact:
        raise InvalidPolicyInput("no model was named, so there is nothing to allow")
    reading = [allow("ReadInConsole", CONSOLE, "*")] if console else []

    def written(part: Sequence[str]) -> Document:
        prefix = f"arn:{partition}:bedrock"
        arns = [
            arn
            for model in part
            for arn in (
                f"{prefix}:*::foundation-model/{model}",
                f"{prefix}:*:{account}:inference-profile/*.{model}",
            )
        ]
        return document(allow("CallTheseModels", CALLS, arns), *reading)

    return divided(exact, written, MANAGED_LIMIT)
