"""The guard: an optional service control policy that keeps everyone but named admins off this.

It restrains everybody in the account, its root user too, but neither the organisation's management
account nor AWS services such as Bedrock that act as themselves.
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from quota_enforcer.core.errors import InvalidPolicyInput
from quota_enforcer.core.policies.document import (
    SCP_LIMIT,
    Document,
    Statement,
    deny,
    document,
    size,
)
from quota_enforcer.core.policies.names import (
    checked_account,
    checked_partition,
    checked_stack,
    policy_arn,
)

_ROLE: Final = re.compile(r"(?:[\w+=,.@-]+/)*[\w+=,.@-]{1,64}", re.ASCII)
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
_LOG_GROUP: Final = re.compile(r"[A-Za-z0-9_/.#-]{1,512}")
"""https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html"""
FUNCTIONS: Final = ("MeterFunction", "EnforcerFunction", "AuthorFunction", "SetupFunction")
LONGEST_STACK: Final = 33
"""A function's or role's name has 64 characters: the stack's, ours of up to 17, and 14 of AWS's."""
_SSO: Final = "AWSReservedSSO_"
TIERS: Final = ("default", "flex", "priority", "ultrafast", "reserved")
"""The values of `bedrock:ServiceTier`; `default` is the standard one."""


@dataclass(frozen=True, slots=True)
class Guarded:
    """What the guard is about."""

    account: str
    stack: str
    admin_roles: tuple[str, ...]
    """Names, with their paths; they alone may still change what is guarded."""
    log_group: str
    """The invocation log's name."""
    partition: str = "aws"
    tiers: tuple[str, ...] = ()
    """The only service tiers that may be asked for, in AWS's words; none closes none."""


def guard(of: Guarded) -> list[Document]:
    """The service control policies; several only if many admin roles are named.

    The deployment's own roles do their work, AWS services are not concerned, and the admin roles
    may do everything. Raises InvalidPolicyInput without an admin role: nobody could update or
    delete the stack any more.
    """
    return _packed(_statements(of))


def _statements(of: Guarded) -> list[Statement]:
    checked_account(of.account)
    checked_partition(of.partition)
    stack = checked_stack(of.stack)
    if len(stack) > LONGEST_STACK:
        raise InvalidPolicyInput(
            f"the stack name {stack!r} has {len(stack)} characters; beyond {LONGEST_STACK} "
            "CloudFormation cuts it in the names of functions and roles, so the guard would miss "
            "them: use a shorter stack name"
        )
    if not of.admin_roles:
        raise InvalidPolicyInput(
            "no admin role was named, so nobody could update or delete the stack any more: "
            "name those that may, with --admin-role"
        )
    if not _LOG_GROUP.fullmatch(of.log_group):
        raise InvalidPolicyInput(f"{of.log_group!r} is no log group: write its name, not its ARN")
    admins = [_role_arn(role, of) for role in sorted(set(of.admin_roles))]
    own = f"arn:{of.partition}:iam::{of.account}:role/bedrock-quota/{stack}/*"

    def arn(service: str, resource: str, region: str = "*") -> str:
        return f"arn:{of.partition}:{service}:{region}:{of.account}:{resource}"

    policies = policy_arn(of.partition, of.account, stack, "*")
    log = arn("logs", f"log-group:{of.log_group}")
    return [
        # One statement for all that the deployment's own roles use too: set-up, for instance, hands
        # the log role to Bedrock.
        deny(
            "BedrockQuotaParts",
            [
                *("iam:Add*", "iam:Attach*", "iam:Create*", "iam:Delete*", "iam:Detach*"),
                *("iam:PassRole", "iam:Put*", "iam:Set*", "iam:Update*", "sts:AssumeRole*"),
                *("dynamodb:BatchWriteItem", "dynamodb:Delete*", "dynamodb:PartiQL*"),
                *("dynamodb:Put*", "dynamodb:Update*"),
                *("lambda:Add*", "lambda:Create*", "lambda:Delete*", "lambda:Invoke*"),
                *("lambda:Put*", "lambda:Remove*", "lambda:Update*"),
            ],
            [
                policies,
                own,
                arn("dynamodb", f"table/{stack}-QuotaTable-*"),
                arn("dynamodb", f"table/{stack}-LedgerTable-*"),
                *(arn("lambda", f"function:{stack}-{name}-*") for name in FUNCTIONS),
            ],
            Condition=_nobody_but([*admins, own]),
        ),
        # People ask it by its URL; without that, they could write who they are.
        deny(
            "BedrockQuotaSelfService",
            [
                *("lambda:Add*", "lambda:Create*", "lambda:Delete*", "lambda:InvokeAsync"),
                *("lambda:InvokeFunction", "lambda:Put*", "lambda:Remove*", "lambda:Update*"),
            ],
            [arn("lambda", f"function:{stack}-MeFunction-*")],
            Condition=_nobody_but([*admins, own])
            | {"BoolIfExists": {"lambda:InvokedViaFunctionUrl": "false"}},
        ),
        # On whomever: detached from a person, or planted on one.
        deny(
            "BedrockQuotaAttachments",
            ["iam:Attach*Policy", "iam:Detach*Policy"],
            Condition=_nobody_but([*admins, own]) | {"ArnLike": {"iam:PolicyARN": policies}},
        ),
        deny(
            "BedrockQuotaInvocationLogging",
            [
                "bedrock:DeleteModelInvocationLoggingConfiguration",
                "bedrock:PutModelInvocationLoggingConfiguration",
                "logs:PutAccountPolicy",  # of data protection: it would hide who called
            ],
            Condition=_nobody_but([*admins, own]),
        ),
        deny(
            "BedrockQuotaGates",
            ["iam:Delete*PermissionsBoundary"],
            Condition=_nobody_but(admins) | {"ArnLike": {"iam:PermissionsBoundary": policies}},
        ),
        deny(
            "BedrockQuotaStack",
            [
                *("cloudformation:*UpdateRollback", "cloudformation:Delete*"),
                *("cloudformation:Execute*", "cloudformation:RollbackStack"),
                "cloudformation:Update*",
                *("events:Delete*", "events:Disable*", "events:Put*", "events:Remove*"),
                *("logs:Delete*", "logs:PutDataProtectionPolicy", "logs:PutMetricFilter"),
                "logs:PutRetentionPolicy",
                *("logs:PutSubscriptionFilter", "logs:PutTransformer"),
                *("scheduler:DeleteSchedule", "scheduler:UpdateSchedule"),
            ],
            [
                arn("cloudformation", f"stack/{stack}/*"),
                arn("events", f"rule/{stack}-PoliciesTouched-*"),
                log,
                f"{log}:*",
                arn("scheduler", f"schedule/*/{stack}-EnforcerSchedule-*"),
                arn("scheduler", f"schedule/*/{stack}-MeterSchedule-*"),
            ],
            Condition=_nobody_but(admins),
        ),
        # Whoever can write it can forge a colleague's usage. Bedrock writes as the log role.
        deny(
            "BedrockQuotaInvocationLog",
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            [log, f"{log}:*"],
            Condition=_nobody_but([f"{own.removesuffix('*')}{stack}-InvocationLogRole-*"]),
        ),
        *_tiers(of.tiers, admins),
    ]


def _tiers(allowed: Sequence[str], admins: Sequence[str]) -> list[Statement]:
    """Closes all service tiers but these: also those that AWS may add.

    A request that names none is served in the standard tier, and has no such key.
    https://docs.aws.amazon.com/bedrock/latest/userguide/security_iam_id-based-policy-examples-agent.html
    """
    unknown = sorted(set(allowed) - set(TIERS))
    if unknown:
        raise InvalidPolicyInput(
            f"{', '.join(map(repr, unknown))}: no such service tier; allowed: {', '.join(TIERS)}"
        )
    return [
        deny(
            f"BedrockQuotaTiers{suffix}",
            [action],
            Condition=_nobody_but(admins)
            | {
                "StringNotEquals": {f"{service}:ServiceTier": sorted(set(allowed))},
                "Null": {f"{service}:ServiceTier": "false"},
            },
        )
        for service, action, suffix in (
            ("bedrock", "bedrock:InvokeModel*", ""),
            ("bedrock-mantle", "bedrock-mantle:CreateInference", "Mantle"),
        )
        if allowed
    ]


def _role_arn(role: str, of: Guarded) -> str:
    """A role's ARN; Identity Center keeps its roles under a path of its own, with the Region."""
    if not _ROLE.fullmatch(role):
        raise InvalidPolicyInput(
            f"{role!r} is no role: write its name, with its path where it has one, "
            "such as Admin or platform/Deploy or AWSReservedSSO_Admin_0123456789abcdef"
        )
    prefix = f"arn:{of.partition}:iam::{of.account}:role"
    if role.startswith(_SSO):
        return f"{prefix}/aws-reserved/sso.amazonaws.com/*{role}"
    return f"{prefix}/{role}"


def _nobody_but(roles: Iterable[str]) -> dict[str, Any]:
    return {"ArnNotLike": {"aws:PrincipalArn": list(roles)}}


def _packed(statements: Sequence[Statement]) -> list[Document]:
    """As few documents as their order allows, each within what Organizations takes."""
    documents: list[Document] = []
    part: list[Statement] = []
    for statement in statements:
        if part and size(document(*part, statement)) > SCP_LIMIT:
            documents.append(document(*part))
            part = []
        part.append(statement)
        if size(document(*part)) > SCP_LIMIT:
            raise InvalidPolicyInput(
                f"so many admin roles do not fit a service control policy of {SCP_LIMIT} "
                "characters: name fewer"
            )
    return [*documents, document(*part)]
