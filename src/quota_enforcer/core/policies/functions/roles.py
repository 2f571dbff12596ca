"""What the meter, the enforcer and the author may do.

Together they keep one promise: even with all code replaced nobody would gain a permission.
The enforcer attaches documents that it cannot write, all of which only deny; the author writes
documents that it cannot attach, and that serve as boundaries, which never grant; the meter reaches
neither IAM nor the quotas.
"""

from collections.abc import Sequence
from typing import Final

from quota_enforcer.core.policies.deployed import Deployed
from quota_enforcer.core.policies.document import Document, Statement, allow, deny, document
from quota_enforcer.core.policies.functions.statements import (
    WRITING_ITEMS,
    denying,
    logs_and_traces,
    partition,
    writing_gates,
)
from quota_enforcer.core.policies.names import RESOLVING

NEVER_FOR_AUTHOR: Final = (
    "iam:Add*",
    "iam:Attach*",
    "iam:Create*Profile",
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:CreateRole",
    "iam:CreateServiceSpecificCredential",
    "iam:CreateUser",
    "iam:Delete*PermissionsBoundary",
    "iam:Detach*",
    "iam:PassRole",
    "iam:Put*",
    "iam:SetDefaultPolicyVersion",
    "iam:Update*",
)
"""What would make something of a document, denied whatever else the author's role may get."""

READING_A_STREAM: Final = (
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
)
"""What Lambda does as the function that a stream wakes.

https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html
"""

READING_THE_LOG: Final = (
    "logs:DescribeLogStreams",
    "logs:DescribeMetricFilters",
    "logs:DescribeSubscriptionFilters",
    "logs:FilterLogEvents",
)
"""What the meter does with the invocation log."""

ONLY_FOR_FUNCTIONS: Final = (
    "bedrock:DeleteModelInvocationLoggingConfiguration",
    "bedrock:PutModelInvocationLoggingConfiguration",
    "dynamodb:*Item",
    "dynamodb:Query",
    "dynamodb:Scan",
    "iam:Attach*",
    "iam:CreatePolicy*",
    "iam:DeletePolicy*",
    "iam:Detach*",
    "lambda:InvokeFunction",
    "logs:FilterLogEvents",
    "secretsmanager:GetSecretValue",
    "sns:Publish",
    "sts:AssumeRole",
)
"""What only the functions' code does with their roles.

Lambda itself reads the stream, leaves letters of what failed and writes logs; DynamoDB and SNS use
the key, and Bedrock asks whether a role may be passed: none of these is among it.
https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html
"""


def enforcer(of: Deployed) -> Document:
    """The enforcer's role: it attaches and detaches the static denies, and writes no document."""
    call_author = [allow("Author", ["lambda:InvokeFunction"], of.author)] if of.author else []
    metrics = allow("Metrics", ["cloudwatch:GetMetricData"], "*")
    return document(
        allow("Listing", ["cloudwatch:ListMetrics"], "*"),
        *([metrics, _models(of)] if of.metrics else []),
        allow("Quotas", ["dynamodb:Scan"], of.quota_table),
        allow("Edits", READING_A_STREAM, of.quota_stream),
        allow(
            "Ledger",
            [
                "dynamodb:BatchGetItem",
                "dynamodb:ConditionCheckItem",
                "dynamodb:DeleteItem",
                "dynamodb:GetItem",
                "dynamodb:PutItem",
                "dynamodb:Query",
                "dynamodb:UpdateItem",
            ],
            [of.ledger_table, f"{of.ledger_table}/index/by-due"],
        ),
        *denying(of, of.denies),
        *_in_members(of.deniers),
        *call_author,
        allow("OwnStack", ["cloudformation:DescribeStacks"], of.stack),
        allow("Topic", ["sns:Publish"], of.notice_topic),
        allow("DeadLetters", ["sqs:SendMessage"], of.dead_letters),
        *of.use_of_key("dynamodb", "sns"),
        *logs_and_traces(of.enforcer_log),
    )


def meter(of: Deployed) -> Document:
    """The meter's role: it reads the invocation log, writes the ledger, and wakes the enforcer."""
    return document(
        allow(
            "Ledger",
            [
                "dynamodb:BatchGetItem",
                "dynamodb:ConditionCheckItem",
                "dynamodb:GetItem",
                "dynamodb:PutItem",
                "dynamodb:Query",
                "dynamodb:Scan",
                "dynamodb:UpdateItem",
            ],
            of.ledger_table,
        ),
        allow("InvocationLog", READING_THE_LOG, of.invocation_log),
        # IAM asks for it without a name.
        allow(
            "LogGroups",
            ["logs:DescribeLogGroups"],
            f"arn:{of.partition}:logs:{of.region}:{of.account}:log-group:*",
        ),
        _models(of),
        # AWS's own totals, here and in other Regions, which it does not meter; only reads.
        allow(
            "Totals",
            ["account:ListRegions", "cloudwatch:ListMetrics", "cloudwatch:GetMetricData"],
            "*",
        ),
        allow("Enforcer", ["lambda:InvokeFunction"], of.enforcer),
        allow("DeadLetters", ["sqs:SendMessage"], of.meter_dead_letters),
        *_reading_satellites(of.readers),
        deny("NeverAQuota", WRITING_ITEMS, of.quota_table),
        *of.use_of_key("dynamodb"),
        *logs_and_traces(of.meter_log),
    )


def _reading_satellites(readers: str) -> list[Statement]:
    """Take the readers of satellites and no other role; none at all without satellites."""
    if not readers:
        return [deny("NeverAnyAccess", ["iam:*", "sts:AssumeRole*"])]
    return [
        allow("Satellites", ["sts:AssumeRole"], readers),
        deny("NeverAnyAccess", ["iam:*"]),
        {
            "Sid": "NeverAnotherRole",
            "Effect": "Deny",
            "Action": ["sts:AssumeRole*"],
            "NotResource": [readers],
        },
    ]


def author(of: Deployed) -> Document:
    """The author's role: it writes the gates by their exact names, and can attach nothing."""
    return document(
        # Whom the gates shall deny: it reads them and nobody's usage.
        allow("Intents", ["dynamodb:Query"], of.ledger_table, Condition=partition("gates")),
        # Its lease, and what it wrote last.
        allow(
            "Memory",
            ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem"],
            of.ledger_table,
            Condition=partition("deployment"),
        ),
        # In which member accounts there are gates, and which of them it wrote last.
        *(
            [
                allow(
                    "Accounts",
                    ["dynamodb:Query"],
                    of.ledger_table,
                    Condition=partition("deployment", "satellites"),
                )
            ]
            if of.gate_authors
            else []
        ),
        *writing_gates(of),
        deny("NeverAGrantOrAKey", NEVER_FOR_AUTHOR),
        *_in_members(of.gate_authors),
        *of.use_of_key("dynamodb"),
        *logs_and_traces(of.author_log),
    )


def _in_members(role: str) -> list[Statement]:
    """Take this role in member accounts, and no other whatever else the function's may get."""
    if not role:
        return [deny("NeverAnotherRole", ["sts:Assume*"])]
    never = {"Sid": "NeverAnotherRole", "Effect": "Deny", "Action": ["sts:Assume*"]}
    return [allow("Members", ["sts:AssumeRole"], role), {**never, "NotResource": [role]}]


def own_functions_only(functions: Sequence[str]) -> Document:
    """On each of our functions' roles: for nobody but these functions, by their ARNs.

    So the role serves neither another function that somebody gave it to, nor whoever takes it by a
    trust policy that was rewritten. No policy on a function can say so: the key exists for
    identity policies alone.
    """
    ours = {"ArnNotEquals": {"lambda:SourceFunctionArn": list(functions)}}
    return document(deny("NeverAnybodyButOurFunctions", ONLY_FOR_FUNCTIONS, Condition=ours))


def _models(of: Deployed) -> Statement:
    """Look up which model is behind an ARN that does not say."""
    bedrock = f"arn:{of.partition}:bedrock:{of.region}:{of.account}"
    kinds = sorted(RESOLVING.values())
    return allow("Models", sorted(RESOLVING), [f"{bedrock}:{kind}/*" for kind in kinds])
