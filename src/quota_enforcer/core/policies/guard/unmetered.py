"""Locks: what closes the ways to models that no invocation log records, to whoever is metered.

Each is a service control policy, or as well a policy of a user, role or permission set.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from quota_enforcer.core.errors import InvalidPolicyInput
from quota_enforcer.core.policies.deny import MODEL, UNMETERED
from quota_enforcer.core.policies.document import Document, Statement, deny, document
from quota_enforcer.core.policies.names import checked_partition, checked_region

_BATCH: Final = ("bedrock:CreateModelInvocationJob",)
_NOVA_ACT: Final = ("nova-act:*",)
_NEW_ENDPOINTS: Final = (
    "bedrock:CreateMarketplaceModelEndpoint",
    "bedrock:RegisterMarketplaceModelEndpoint",
)
_ENDPOINTS: Final = ("sagemaker:InvokeEndpoint*",)
_OF_BEDROCK: Final = {"aws:ResourceTag/sagemaker-sdk:bedrock": "compatible"}
"""The tag of the SageMaker endpoints that Bedrock makes or takes: other endpoints stay open.

https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonBedrockMarketplaceAccess.html
"""
NO_REGION: Final = "unspecified"
"""What `aws:RequestedRegion` says of a global inference profile's calls.

https://docs.aws.amazon.com/bedrock/latest/userguide/global-cross-region-inference.html
"""
_MODELS: Final = (MODEL[0], "bedrock:CreateModelInvocationJob", "bedrock-mantle:CreateInference")


@dataclass(frozen=True, slots=True)
class Locks:
    """What to close; `regions` are those that may be used, none for all."""

    mantle: bool = False
    batch: bool = False
    regions: Collection[str] = ()
    nova_act: bool = False
    marketplace: bool = False


EVERYTHING_UNMETERED: Final = Locks(mantle=True, batch=True, nova_act=True, marketplace=True)


def lock(wanted: Locks, *, partition: str = "aws") -> Document:
    """One policy for all that is wanted; raises InvalidPolicyInput if that is nothing."""
    statements = locks(wanted, wanted.regions, partition, {})
    if not statements:
        raise InvalidPolicyInput(
            "nothing was named to close: --mantle, --batch, --nova-act, --marketplace or --region"
        )
    return document(*statements)


def locks(
    wanted: Locks, regions: Collection[str], partition: str, spared: Mapping[str, Any]
) -> list[Statement]:
    """A statement for each; `spared` is a condition that keeps it off some."""
    return [
        each | ({"Condition": {**spared, **each.get("Condition", {})}} if spared else {})
        for each in _statements(replace(wanted, regions=regions), checked_partition(partition))
    ]


def _statements(wanted: Locks, partition: str) -> Iterable[Statement]:
    if wanted.mantle:
        yield deny("BedrockMantleIsNotMetered", UNMETERED)
    if wanted.batch:
        yield deny("BedrockBatchIsNotMetered", _BATCH)
    if wanted.nova_act:
        yield deny("NovaActIsNotMetered", _NOVA_ACT)
    if wanted.marketplace:
        yield deny("BedrockEndpointsAreNotMetered", _NEW_ENDPOINTS)
        yield deny(
            "BedrockEndpointsBySageMaker", _ENDPOINTS, Condition={"StringEquals": _OF_BEDROCK}
        )
    if "*" in wanted.regions:
        raise InvalidPolicyInput("'*' is every Region, so there is nothing to close: name Regions")
    if wanted.regions:
        yield _elsewhere(sorted({checked_region(each) for each in wanted.regions}), partition)


def _elsewhere(regions: list[str], partition: str) -> Statement:
    """Every other Region, but not what a profile of these Regions sends there by itself.

    IAM is asked in the Region that answers too; the call is logged where it was made.
    https://docs.aws.amazon.com/bedrock/latest/userguide/cross-region-inference-support.html
    """
    profiles = [
        f"arn:{partition}:bedrock:{region}:*:{kind}/*"
        for region in regions
        for kind in ("inference-profile", "application-inference-profile")
    ]
    return deny(
        "BedrockElsewhereIsNotMetered",
        _MODELS,
        Condition={
            "StringNotEquals": {"aws:RequestedRegion": [*regions, NO_REGION]},
            "ArnNotLikeIfExists": {"bedrock:InferenceProfileArn": profiles},
        },
    )
