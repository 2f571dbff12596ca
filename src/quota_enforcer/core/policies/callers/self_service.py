"""Self-service: what the function that answers `quota-enforcer me` may do, and who may ask it."""

from typing import Final

from quota_enforcer.core.ledger import REQUESTS
from quota_enforcer.core.policies.deployed import Deployed
from quota_enforcer.core.policies.document import Document, allow, deny, document
from quota_enforcer.core.policies.names import (
    checked_account,
    checked_partition,
    checked_region,
    checked_stack,
)
from quota_enforcer.core.policies.roles import NEVER_FOR_METER, logs_and_traces, partition

PUT: Final = "dynamodb:PutItem"
NEVER_BUT_PUT: Final = tuple(action for action in NEVER_FOR_METER if action != PUT)
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
        deny("NeverAQuota", NEVER_FOR_METER, of.quota_table),
        deny("NeverAChange", NEVER_BUT_PUT, of.ledger_table),
        deny(
            "NeverAnotherPart",
            [PUT],
            of.ledger_table,
            Condition={"ForAnyValue:StringNotEquals": {"dynamodb:LeadingKeys": [REQUESTS]}},
        ),
        *of.use_of_key("dynamodb"),
        *logs_and_traces(of.me_log),
    )


def asking(
    stack: str, *, account: str = "*", partition: str = "aws", region: str = "*"
) -> Document:
    """What somebody needs to ask, and no more: both actions, and only by way of the URL.

    Without the URL a caller could write an event that says to be somebody else, so InvokeFunction
    holds only there; AWS asks for it besides InvokeFunctionUrl since October 2025.
    https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
    An account of `*` is for whoever does not know it; IAM then still looks in its own.
    """
    if account != "*":
        checked_account(account)
    prefix = f"arn:{checked_partition(partition)}:lambda:{checked_region(region)}:{account}"
    function = f"{prefix}:function:{checked_stack(stack)}-MeFunction-*"
    return document(
        allow(
            "SeeOwnBedrockQuotas",
            ["lambda:InvokeFunctionUrl"],
            function,
            Condition={"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}},
        ),
        allow(
            "OnlyByTheUrl",
            ["lambda:InvokeFunction"],
            function,
            Condition={"Bool": {"lambda:InvokedViaFunctionUrl": "true"}},
        ),
    )
