"""What the self-service function may do, which answers `quota-enforcer me`."""

from typing import Final

from quota_enforcer.core.ledger import REQUESTS
from quota_enforcer.core.policies.deployed import Deployed
from quota_enforcer.core.policies.document import Document, allow, deny, document
from quota_enforcer.core.policies.functions.statements import (
    PUT,
    WRITING_ITEMS,
    WRITING_ITEMS_BUT_PUT,
    logs_and_traces,
    partition,
)

NEVER: Final = ("iam:*", "lambda:*", "sns:*", "sts:AssumeRole*")
"""What is denied to the function whatever else its role may get."""


def me(of: Deployed) -> Document:
    """The self-service function's role: it reads both tables, and puts requests into one part."""
    return document(
        allow("Quotas", ["dynamodb:Scan"], of.quota_table),
        allow(
            "Ledger",
            ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"],
            [of.ledger_table, f"{of.ledger_table}/index/by-due"],
        ),
        allow("Requests", [PUT], of.ledger_table, Condition=partition(REQUESTS)),
        deny("NeverAnyAccess", NEVER),
        deny("NeverAQuota", WRITING_ITEMS, of.quota_table),
        deny("NeverAChange", WRITING_ITEMS_BUT_PUT, of.ledger_table),
        deny(
            "NeverAnotherPart",
            [PUT],
            of.ledger_table,
            Condition={"ForAnyValue:StringNotEquals": {"dynamodb:LeadingKeys": [REQUESTS]}},
        ),
        *of.use_of_key("dynamodb"),
        *logs_and_traces(of.me_log),
    )
