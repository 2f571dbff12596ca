"""Why AWS bills what the ledger never got, told from the columns of the bill."""

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Final

from quota_enforcer.core.pricing.catalog.usage_type import (
    in_words,
    said_names,
    tier_in,
    token_use,
    tokens_in,
)
from quota_enforcer.core.pricing.tier import Tier
from quota_enforcer.insight.bill.line import Charged


class Reason(StrEnum):
    """Why something is on the bill and not in the ledger."""

    MANTLE = "mantle"
    BATCH = "batch"
    PROVISIONED = "provisioned"
    ENDPOINT = "endpoint"
    CUSTOM = "custom"
    TIER = "tier"
    REGION = "region"
    ACCOUNT = "account"
    UNSEEN = "unseen"
    UNKNOWN = "unknown"
    BEFORE = "before"
    SERVICE = "service"

    @property
    def why(self) -> str:
        """In words, with what to do."""
        return _WHY[self]

    @property
    def counts(self) -> bool:
        """Whether it speaks against the ledger: no quota is for the rest."""
        return self not in {Reason.BEFORE, Reason.SERVICE}


_WHY: Final = {
    Reason.MANTLE: "the bedrock-mantle endpoint writes no invocation log; what closes it: "
    "quota-enforcer policy lock --mantle",
    Reason.BATCH: "batch jobs are not in the invocation log; what closes them: "
    "quota-enforcer policy lock --batch",
    Reason.PROVISIONED: "throughput that is paid by the hour, whoever calls",
    Reason.ENDPOINT: "hours of a Marketplace model's endpoint, whoever calls",
    Reason.CUSTOM: "training, storage or calls of a model of your own, which the ledger has under "
    "the name of its deployment",
    Reason.TIER: "calls in another service tier that the ledger has not",
    Reason.REGION: "a Region that this deployment does not meter",
    Reason.ACCOUNT: "an account that this deployment does not meter",
    Reason.UNSEEN: "calls that the ledger has not: logging was off, a batch was lost, or the bill "
    "names another caller; quota-enforcer doctor looks for gaps, quota-enforcer recount fills them",
    Reason.UNKNOWN: "of no model and no kind that this version knows",
    Reason.BEFORE: "before the first usage in the ledger",
    Reason.SERVICE: "parts of Bedrock that are no calls of a model, such as guardrails, knowledge "
    "bases and AgentCore",
}
_SIGNS: Final = (
    (Reason.SERVICE, re.compile(
        r"agent_?core|guardrail|knowledge_?base|flows?_|data_?automation|evaluation|prompt_?opt|"
        r"node_transition")),
    (Reason.MANTLE, re.compile(r"mantle")),
    (Reason.BATCH, re.compile(r"batch")),
    (Reason.PROVISIONED, re.compile(r"provision|reserved|tpm|model_?unit|commit")),
    (Reason.CUSTOM, re.compile(r"custom|train|fine_?tun|distill|reinforcement")),
    (Reason.ENDPOINT, re.compile(r"hours?(?:_|$)|hrs|instance|endpoint")),
)  # fmt: skip
"""What usage types, operations and features say, in this order."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a line charges for, as far as it can be told."""

    names: tuple[str, ...]
    """By which the model may be called, the likeliest first."""
    reason: Reason | None
    """Why the ledger cannot have it; None if it can."""
    tier: Tier
    tokens_in_unit: int | None
    """None if the amount is not one of tokens."""

    def tokens(self, amount: Decimal) -> Decimal | None:
        """How many tokens an amount has; None if it is not one of tokens."""
        return None if self.tokens_in_unit is None else amount * self.tokens_in_unit


@lru_cache(maxsize=10_000)
def meaning(charged: Charged) -> Meaning:
    """What a line means; usage types are few, so each is read once."""
    usage = in_words(charged.usage_type)
    said = "_".join((usage, in_words(charged.operation), in_words(charged.feature)))
    text = said.replace(" ", "_")
    code = in_words(charged.product_code)
    names = tuple(said_names(charged.model, charged.product, charged.usage_type))
    found = (reason for reason, sign in _SIGNS if sign.search(f"{text}_{code}"))
    unit = tokens_in(charged.unit) if token_use(usage) is not None else None
    return Meaning(names, next(found, None), tier_in(usage), unit)


_REGIONS: Final = {
    "USE1": "us-east-1", "USE2": "us-east-2", "USW1": "us-west-1", "USW2": "us-west-2",
    "EU": "eu-west-1", "EUW1": "eu-west-1", "EUW2": "eu-west-2", "EUW3": "eu-west-3",
    "EUC1": "eu-central-1", "EUC2": "eu-central-2", "EUN1": "eu-north-1", "EUS1": "eu-south-1",
    "EUS2": "eu-south-2", "APN1": "ap-northeast-1", "APN2": "ap-northeast-2",
    "APN3": "ap-northeast-3", "APS1": "ap-southeast-1", "APS2": "ap-southeast-2",
    "APS3": "ap-south-1", "CAN1": "ca-central-1", "SAE1": "sa-east-1", "UGW1": "us-gov-west-1",
    "UGE1": "us-gov-east-1",
}  # fmt: skip
"""By how usage types begin, for rows that name no Region themselves."""


def region_of(usage_type: str) -> str:
    """The Region that a usage type names; empty if it names none that is known here."""
    return _REGIONS.get(usage_type.partition("-")[0], "")
