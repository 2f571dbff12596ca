"""The statements that guard a deployment's parts: what others must not change, or forge."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from quota_enforcer.core.policies.document import Statement, deny
from quota_enforcer.core.policies.guard.guarded import Guarded, GuardKind
from quota_enforcer.core.quotas.form.leads import LEAD

FUNCTIONS: Final = (
    *("MeterFunction", "EnforcerFunction", "AuthorFunction", "SetupFunction", "WebhookFunction"),
    "TeamsFunction",
)
TABLES: Final = ("QuotaTable-", "LedgerTable-")
QUEUES: Final = ("EnforcerDeadLetters-", "MeterDeadLetters-", "Webhook")
RULES: Final = ("PoliciesTouched-", "BatchJobRan-")
SCHEDULES: Final = ("EnforcerSchedule-", "MeterSchedule-", "TeamsSchedule-")
ALARMS: Final = (
    *(
        "Batch",
        "Calls",
        "Enforcer",
        "Mantle",
        "Meter",
        "Recounts",
        "Records",
        "Satellite",
        "Teams",
        "Tokens",
        "Us",
        "Webhook",
    ),
)
"""How the names of the alarms begin, after the stack's."""
PROTECTED: Final = (
    *("role/bedrock-quota/*", "role/break-glass/*"),
    *("user/bedrock-quota/*", "user/break-glass/*"),
)
"""Where the enforcer denies nobody."""


def parts(of: Guarded) -> Iterator[Statement]:
    """All that the deployment is made of, and what it stands on."""
    stack, arn, own = of.stack, of.arn, of.own
    ours = of.nobody_but([*of.admins, own])
    admins = of.nobody_but(of.admins)
    log = arn("logs", f"log-group:{of.log}")
    woken = [
        arn("lambda", f"function:{stack}-{name}Function-*") for name in ("Enforcer", "Webhook")
    ]
    # One statement for all that the deployment's own roles use too: set-up, for instance, hands
    # the log role to Bedrock.
    yield _deny(
        "BedrockQuotaParts",
        [
            *("iam:Add*", "iam:Attach*", "iam:Create*", "iam:Delete*", "iam:Detach*"),
            *("iam:PassRole", "iam:Put*", "iam:Set*", "iam:Update*", "sts:AssumeRole*"),
            *("dynamodb:BatchWriteItem", "dynamodb:Delete*", "dynamodb:PartiQL*"),
            *("dynamodb:Put*", "dynamodb:Update*"),
            *("lambda:Add*", "lambda:Create*", "lambda:Delete*", "lambda:Invoke*"),
            *("lambda:Put*", "lambda:Remove*", "lambda:Update*"),
            *("sns:*Permission", "sns:Delete*", "sns:Publish", "sns:Put*", "sns:Set*"),
            *("sqs:*Permission", "sqs:Change*", "sqs:Delete*", "sqs:Purge*", "sqs:Receive*"),
            *("sqs:Send*", "sqs:Set*"),
        ],
        [
            of.policies,
            own,
            *_named(of, "dynamodb", "table/", TABLES[1:] if of.leads else TABLES),
            *(arn("lambda", f"function:{stack}-{name}-*") for name in FUNCTIONS),
            arn("sns", f"{stack}-NoticeTopic-*"),
            *_named(of, "sqs", "", QUEUES),
        ],
        ours,
    )
    yield from _written_by_leads(of, ours)
    # People ask it by its URL; without that, they could write who they are.
    yield _deny(
        "BedrockQuotaSelfService",
        [
            *("lambda:Add*", "lambda:Create*", "lambda:Delete*", "lambda:InvokeAsync"),
            *("lambda:InvokeFunction", "lambda:Put*", "lambda:Remove*", "lambda:Update*"),
        ],
        [arn("lambda", f"function:{stack}-MeFunction-*")],
        ours | {"BoolIfExists": {"lambda:InvokedViaFunctionUrl": "false"}},
    )
    # What brings the enforcer its edits, and the webhook its notices; or, made by somebody else,
    # forged ones.
    yield _deny(
        "BedrockQuotaEventSources",
        ["lambda:*EventSourceMapping"],
        "*",
        admins | {"ArnLike": {"lambda:FunctionArn": woken}},
    )
    # On whoever it is: detached from a person, or planted on one.
    yield _deny(
        "BedrockQuotaAttachments",
        ["iam:Attach*Policy", "iam:Detach*Policy"],
        "*",
        ours | {"ArnLike": {"iam:PolicyARN": of.policies}},
    )
    yield _deny(
        "BedrockQuotaInvocationLogging",
        [
            "bedrock:DeleteModelInvocationLoggingConfiguration",
            "bedrock:PutModelInvocationLoggingConfiguration",
            "logs:PutAccountPolicy",  # of data protection: it would hide who called
        ],
        "*",
        ours,
    )
    yield _deny(
        "BedrockQuotaGates",
        ["iam:Delete*PermissionsBoundary"],
        "*",
        admins | {"ArnLike": {"iam:PermissionsBoundary": of.policies}},
    )
    yield _deny(
        "BedrockQuotaStack",
        [
            *("cloudformation:*UpdateRollback", "cloudformation:Delete*"),
            *("cloudformation:Execute*", "cloudformation:RollbackStack"),
            "cloudformation:Update*",
            *("cloudwatch:DeleteAlarms", "cloudwatch:DisableAlarmActions"),
            *("cloudwatch:PutMetricAlarm", "cloudwatch:SetAlarmState"),
            *("events:Delete*", "events:Disable*", "events:Put*", "events:Remove*"),
            # A key that Bedrock or the meter may not use stops both.
            *("logs:*KmsKey", "logs:Delete*", "logs:PutDataProtectionPolicy"),
            *("logs:PutMetricFilter", "logs:PutRetentionPolicy"),
            *("logs:PutSubscriptionFilter", "logs:PutTransformer"),
            *("scheduler:DeleteSchedule", "scheduler:UpdateSchedule"),
        ],
        [
            arn("cloudformation", f"stack/{stack}/*"),
            *_named(of, "cloudwatch", "alarm:", ALARMS),
            *_named(of, "events", "rule/", RULES),
            log,
            f"{log}:*",
            *_named(of, "scheduler", "schedule/*/", SCHEDULES),
        ],
        admins,
    )
    # Whoever can write it can forge a colleague's usage. Bedrock writes as its log role.
    yield _deny(
        "BedrockQuotaInvocationLog",
        ["logs:CreateLogStream", "logs:PutLogEvents"],
        [log, f"{log}:*"],
        of.nobody_but(of.writers),
    )
    # Logs writes these metrics as itself.
    yield _deny(
        "BedrockQuotaMetrics",
        ["cloudwatch:PutMetricData"],
        "*",
        admins
        | {
            "StringLike": {
                "cloudwatch:namespace": [f"BedrockQuota/{stack}", f"BedrockQuota/{stack}/*"]
            }
        },
    )


def _written_by_leads(of: Guarded, ours: dict[str, Any]) -> Iterator[Statement]:
    """The quota table where leads may write under `lead/...`: nobody else, and nothing else."""
    if not of.leads:
        return
    writes = [
        *("dynamodb:BatchWriteItem", "dynamodb:Delete*", "dynamodb:PartiQL*"),
        *("dynamodb:Put*", "dynamodb:Update*"),
    ]
    [table] = _named(of, "dynamodb", "table/", TABLES[:1])
    key = "dynamodb:LeadingKeys"
    spared = of.nobody_but([*of.admins, of.own, *of.leads])
    yield _deny("BedrockQuotaTable", writes, [table], spared)
    other = ours | {"ForAnyValue:StringNotLike": {key: [f"{LEAD}*"]}}
    yield _deny("BedrockQuotaLeads", writes, [table], other)
    yield _deny("BedrockQuotaNoItem", writes, [table], ours | {"Null": {key: "true"}})


def identities(of: Guarded) -> Iterator[Statement]:
    """Ways to become somebody whom no limit reaches, or who may change all of it."""
    admins = of.nobody_but(of.admins)
    # Moving and renaming needs a permission on the new name as well as on the old one, and a user
    # of another name begins at zero.
    # https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateUser.html
    yield _deny("BedrockQuotaNewNames", ["iam:UpdateUser"], of.iam("user/*"), admins)
    yield _deny(
        "BedrockQuotaProtectedPaths",
        ["iam:CreateRole", "iam:CreateUser"],
        [of.iam(each) for each in PROTECTED],
        admins,
    )
    if of.admins:
        yield _deny(
            "BedrockQuotaAdmins",
            ["iam:CreateRole", "iam:PassRole", "iam:UpdateAssumeRolePolicy"],
            [*of.admins, *of.leads],
            admins,
        )
    # AWS makes a user for each, with a quota of its own.
    yield _deny(
        "BedrockQuotaLongTermKeys",
        ["iam:CreateServiceSpecificCredential"],
        "*",
        admins
        | {"StringEquals": {"iam:ServiceSpecificCredentialServiceName": "bedrock.amazonaws.com"}},
    )


def _named(of: Guarded, service: str, prefix: str, names: Sequence[str]) -> Iterator[str]:
    """The ARNs of what CloudFormation gave such names.

    In an organisation's policy each by itself, since another stack's name may begin with this
    one's; whoever is limited has no business with either, and a boundary has little room.
    """
    for name in names if of.kind is GuardKind.SCP else ("",):
        yield of.arn(service, f"{prefix}{of.stack}-{name}*")


def _deny(
    sid: str, actions: list[str], resources: str | list[str], condition: dict[str, Any]
) -> Statement:
    more = {"Condition": condition} if condition else {}
    return deny(sid, actions, resources, **more)
