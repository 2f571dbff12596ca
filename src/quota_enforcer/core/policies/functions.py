"""What the functions that reach into IAM may do: their roles' policies, as the template has them.

Together they keep one promise: even with all code replaced nobody would gain a permission.
The enforcer attaches documents that it cannot write, all of which only deny; the author writes
documents that it cannot attach, and that serve as boundaries, which never grant.
"""

from dataclasses import dataclass
from typing import Any, Final

from quota_enforcer.core.policies.document import Document, Statement, allow, deny, document
from quota_enforcer.core.policies.names import (
    checked_account,
    checked_partition,
    checked_region,
    checked_stack,
    deny_policy_name,
    gate_name,
    policy_arn,
)

ATTACHING: Final = (
    "iam:AttachRolePolicy",
    "iam:AttachUserPolicy",
    "iam:DetachRolePolicy",
    "iam:DetachUserPolicy",
)
WRITING_GATES: Final = (
    "iam:CreatePolicy",
    "iam:CreatePolicyVersion",
    "iam:DeletePolicyVersion",
    "iam:GetPolicyVersion",
    "iam:ListEntitiesForPolicy",
    "iam:ListPolicyVersions",
)
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
    "sts:AssumeRole*",
)
"""What would make something of a document, denied whatever else the author's role may get."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """What one deployment's roles are about; ARNs, or patterns where only CloudFormation knows."""

    partition: str
    account: str
    quota_table: str
    ledger_table: str
    denies: tuple[str, ...]
    """The static deny policies: of everything, then of each installed model scope."""
    notice_topic: str
    dead_letters: str
    enforcer_log: str
    gates: tuple[str, ...] = ()
    author: str = ""
    """The author function; empty where there are no gates."""
    author_log: str = ""

    @classmethod
    def named(
        cls, stack: str, account: str, partition: str, region: str, *, scopes: int, gates: int
    ) -> "Deployed":
        """A deployment known by name only; `*` stands where CloudFormation adds a suffix."""
        checked_stack(stack)
        checked_region(region)
        account, partition = checked_account(account), checked_partition(partition)

        def arn(service: str, resource: str) -> str:
            return f"arn:{partition}:{service}:{region}:{account}:{resource}"

        def policy(name: str) -> str:
            return policy_arn(partition, account, stack, name)

        numbers = [None, *range(1, scopes + 1)]
        return cls(
            partition=partition,
            account=account,
            quota_table=arn("dynamodb", f"table/{stack}-QuotaTable-*"),
            ledger_table=arn("dynamodb", f"table/{stack}-LedgerTable-*"),
            denies=tuple(policy(deny_policy_name(stack, number)) for number in numbers),
            notice_topic=arn("sns", f"{stack}-NoticeTopic-*"),
            dead_letters=arn("sqs", f"{stack}-EnforcerDeadLetters-*"),
            enforcer_log=arn("logs", f"log-group:/bedrock-quota/{stack}/enforcer:*"),
            gates=tuple(policy(gate_name(stack, number)) for number in range(1, gates + 1)),
            author=arn("lambda", f"function:{stack}-AuthorFunction-*") if gates else "",
            author_log=arn("logs", f"log-group:/bedrock-quota/{stack}/author:*"),
        )


def enforcer(of: Deployed) -> Document:
    """The enforcer's role: it attaches and detaches the static denies, and writes no document."""
    iam = f"arn:{of.partition}:iam::{of.account}"
    ours = {"iam:PolicyARN": list(of.denies)}
    call_author = [allow("Author", ["lambda:InvokeFunction"], of.author)] if of.author else []
    return document(
        allow("Metrics", ["cloudwatch:ListMetrics", "cloudwatch:GetMetricData"], "*"),
        allow("Quotas", ["dynamodb:Scan"], of.quota_table),
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
        allow(
            "Denies",
            ATTACHING,
            [f"{iam}:role/*", f"{iam}:user/*"],
            Condition={"ArnEquals": ours},
        ),
        allow("DeniesInForce", ["iam:ListEntitiesForPolicy"], of.denies),
        deny(
            "NeverAnotherPolicy",
            ["iam:Attach*Policy", "iam:Detach*Policy"],
            Condition={"ArnNotEquals": ours},
        ),
        deny(
            "NeverTheseReservedOrBreakGlass",
            ["iam:Attach*Policy", "iam:Detach*Policy"],
            [
                f"{iam}:role/aws-reserved/*",
                f"{iam}:role/aws-service-role/*",
                f"{iam}:role/bedrock-quota/*",
                f"{iam}:role/break-glass/*",
                f"{iam}:user/bedrock-quota/*",
                f"{iam}:user/break-glass/*",
            ],
        ),
        *call_author,
        allow("Topic", ["sns:Publish"], of.notice_topic),
        allow("DeadLetters", ["sqs:SendMessage"], of.dead_letters),
        *_logs_and_traces(of.enforcer_log),
    )


def author(of: Deployed) -> Document:
    """The author's role: it writes the gates by their exact names, and can attach nothing."""
    return document(
        # Whom the gates shall deny: it reads them and nobody's usage.
        allow("Intents", ["dynamodb:Query"], of.ledger_table, Condition=_partition("gates")),
        # Its lease, and what it wrote last.
        allow(
            "Memory",
            ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem"],
            of.ledger_table,
            Condition=_partition("deployment"),
        ),
        allow("Gates", WRITING_GATES, of.gates),
        allow("Boundaries", ["iam:GetRole"], f"arn:{of.partition}:iam::{of.account}:role/*"),
        {
            "Sid": "NeverAnotherPolicy",
            "Effect": "Deny",
            "Action": ["iam:CreatePolicy*", "iam:DeletePolicy*"],
            "NotResource": list(of.gates),
        },
        deny("NeverAGrantOrAKey", NEVER_FOR_AUTHOR),
        *_logs_and_traces(of.author_log),
    )


def _partition(name: str) -> dict[str, Any]:
    """Only this partition of a table."""
    return {
        "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [name]},
        "Null": {"dynamodb:LeadingKeys": "false"},  # No keys at all would be among them.
    }


def _logs_and_traces(log: str) -> list[Statement]:
    """A function's own log only: who can write the invocation log can forge usage."""
    return [
        allow("Logs", ["logs:CreateLogStream", "logs:PutLogEvents"], log),
        allow("Traces", ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], "*"),
    ]
