"""What the functions that serve usage and denies may do: their roles' policies, as deployed.

Together they keep one promise: even with all code replaced nobody would gain a permission.
The enforcer attaches documents that it cannot write, all of which only deny; the author writes
documents that it cannot attach, and that serve as boundaries, which never grant; the meter reaches
neither IAM nor the quotas. What the self-service function may do is in `self_service`.
"""

from dataclasses import dataclass
from typing import Any, Final

from quota_enforcer.core.policies.document import Document, Statement, allow, deny, document
from quota_enforcer.core.policies.names import (
    PATHS_OF_AWS,
    PROTECTED_PATHS,
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
RESOLVING: Final = {
    "bedrock:GetCustomModel": "custom-model",
    "bedrock:GetCustomModelDeployment": "custom-model-deployment",
    "bedrock:GetInferenceProfile": "application-inference-profile",
    "bedrock:GetProvisionedModelThroughput": "provisioned-model",
}
"""How the model behind an ARN that does not say is looked up, and of which kind such an ARN is."""
READING_A_STREAM: Final = (
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
)
"""What Lambda does as the function that a stream wakes.

https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html
"""
NEVER_FOR_METER: Final = (
    "dynamodb:BatchWriteItem",
    "dynamodb:DeleteItem",
    "dynamodb:PartiQL*",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
)
"""What would change a quota, denied whatever else the meter's role may get."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """What one deployment's roles are about; ARNs, or patterns where only CloudFormation knows."""

    partition: str
    account: str
    quota_table: str
    quota_stream: str
    """The stream of the quota table's edits."""
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
    metrics: bool = False
    """Whether usage comes from CloudWatch's metrics: Metering is cloudwatch, and not stream."""
    region: str = "*"
    enforcer: str = ""
    """The enforcer function."""
    invocation_log: str = ""
    """The log group of Bedrock's invocation log, as IAM names what is in it: with `:*`."""
    meter_dead_letters: str = ""
    meter_log: str = ""
    me_log: str = ""

    @classmethod
    def named(  # noqa: PLR0913 - one for each parameter that matters to a role
        cls,
        stack: str,
        account: str,
        partition: str,
        region: str,
        *,
        scopes: int = 0,
        gates: int = 0,
        metrics: bool = False,
        log_group: str = "",
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
            quota_stream=arn("dynamodb", f"table/{stack}-QuotaTable-*/stream/*"),
            ledger_table=arn("dynamodb", f"table/{stack}-LedgerTable-*"),
            denies=tuple(policy(deny_policy_name(stack, number)) for number in numbers),
            notice_topic=arn("sns", f"{stack}-NoticeTopic-*"),
            dead_letters=arn("sqs", f"{stack}-EnforcerDeadLetters-*"),
            enforcer_log=arn("logs", f"log-group:/bedrock-quota/{stack}/enforcer:*"),
            gates=tuple(policy(gate_name(stack, number)) for number in range(1, gates + 1)),
            author=arn("lambda", f"function:{stack}-AuthorFunction-*") if gates else "",
            author_log=arn("logs", f"log-group:/bedrock-quota/{stack}/author:*"),
            metrics=metrics,
            region=region,
            enforcer=arn("lambda", f"function:{stack}-EnforcerFunction-*"),
            invocation_log=arn(
                "logs", f"log-group:{log_group or f'/bedrock-quota/{stack}/invocations'}:*"
            ),
            meter_dead_letters=arn("sqs", f"{stack}-MeterDeadLetters-*"),
            meter_log=arn("logs", f"log-group:/bedrock-quota/{stack}/meter:*"),
            me_log=arn("logs", f"log-group:/bedrock-quota/{stack}/me:*"),
        )


def enforcer(of: Deployed) -> Document:
    """The enforcer's role: it attaches and detaches the static denies, and writes no document."""
    iam = f"arn:{of.partition}:iam::{of.account}"
    ours = {"iam:PolicyARN": list(of.denies)}
    call_author = [allow("Author", ["lambda:InvokeFunction"], of.author)] if of.author else []
    metrics = allow("Metrics", ["cloudwatch:ListMetrics", "cloudwatch:GetMetricData"], "*")
    return document(
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
                *(f"{iam}:role{path}*" for path in PROTECTED_PATHS),
                *(f"{iam}:user{path}*" for path in PROTECTED_PATHS if path not in PATHS_OF_AWS),
            ],
        ),
        *call_author,
        allow("Topic", ["sns:Publish"], of.notice_topic),
        allow("DeadLetters", ["sqs:SendMessage"], of.dead_letters),
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
                "dynamodb:UpdateItem",
            ],
            [of.ledger_table, f"{of.ledger_table}/index/by-due"],
        ),
        allow("InvocationLog", ["logs:FilterLogEvents"], of.invocation_log),
        # IAM asks for it without a name.
        allow(
            "LogGroups",
            ["logs:DescribeLogGroups"],
            f"arn:{of.partition}:logs:{of.region}:{of.account}:log-group:*",
        ),
        _models(of),
        allow("Enforcer", ["lambda:InvokeFunction"], of.enforcer),
        allow("DeadLetters", ["sqs:SendMessage"], of.meter_dead_letters),
        deny("NeverAnyAccess", ["iam:*", "sts:AssumeRole*"]),
        deny("NeverAQuota", NEVER_FOR_METER, of.quota_table),
        *logs_and_traces(of.meter_log),
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
        *logs_and_traces(of.author_log),
    )


def _models(of: Deployed) -> Statement:
    """Look up which model is behind an ARN that does not say."""
    bedrock = f"arn:{of.partition}:bedrock:{of.region}:{of.account}"
    kinds = sorted(RESOLVING.values())
    return allow("Models", sorted(RESOLVING), [f"{bedrock}:{kind}/*" for kind in kinds])


def _partition(name: str) -> dict[str, Any]:
    """Only this partition of a table."""
    return {
        "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [name]},
        "Null": {"dynamodb:LeadingKeys": "false"},  # No keys at all would be among them.
    }


def logs_and_traces(log: str) -> list[Statement]:
    """A function's own log only: who can write the invocation log can forge usage."""
    return [
        allow("Logs", ["logs:CreateLogStream", "logs:PutLogEvents"], log),
        allow("Traces", ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], "*"),
    ]
