"""The guard: policies that keep everyone but named admins off a deployment."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from quota_enforcer.core.errors import InvalidPolicyInput
from quota_enforcer.core.policies.document import (
    MANAGED_LIMIT,
    SCP_LIMIT,
    Document,
    Statement,
    allow,
    deny,
    document,
    size,
)
from quota_enforcer.core.policies.guard.guarded import Guarded, GuardKind
from quota_enforcer.core.policies.guard.parts import identities, parts
from quota_enforcer.core.policies.guard.unmetered import EVERYTHING_UNMETERED, locks

TIERS: Final = ("default", "flex", "priority", "ultrafast", "reserved")
"""The values of `bedrock:ServiceTier`; `default` is the standard one."""
LIMITS: Final = {
    GuardKind.SCP: SCP_LIMIT,
    GuardKind.IDENTITY: MANAGED_LIMIT,
    GuardKind.BOUNDARY: MANAGED_LIMIT,
}


def boundary_name(stack: str) -> str:
    """What the guard must be called as a managed policy, below the stack's path."""
    return f"{stack}-quota-guard"


def guard(of: Guarded) -> list[Document]:
    """The guard's policies; a boundary is always one.

    As a service control policy it spares the deployment's own roles, AWS services and the admin
    roles. Raises InvalidPolicyInput without an admin role there: nobody could update or delete the
    stack any more.
    """
    of.check()
    statements = [*parts(of), *identities(of), *_nobody_unguarded(of), *_tiers(of)]
    if of.regions:
        of_admins = of.nobody_but(of.admins)
        statements += locks(EVERYTHING_UNMETERED, of.regions, of.partition, of_admins)
    limit = LIMITS[of.kind]
    if of.kind is not GuardKind.BOUNDARY:
        return _packed(statements, document, limit)
    one = document(allow("", ["*"], "*"), *statements)
    for each in one["Statement"]:
        del each["Sid"]  # for want of room
    if size(one) > limit:
        raise InvalidPolicyInput(
            f"the guard takes {size(one):,} characters and a boundary, of which there is only one, "
            f"holds {limit:,}: name fewer admin roles, print what is not metered by `policy lock` "
            "instead, or use --kind identity"
        )
    return [one]


def _nobody_unguarded(of: Guarded) -> Iterator[Statement]:
    """Whom an identity's own policy holds must not become, or make, somebody without it."""
    if of.kind is GuardKind.SCP:
        return
    yield deny(
        "BedrockQuotaNobodyUnguarded",
        ["iam:CreateRole", "iam:CreateUser", "iam:Put*PermissionsBoundary"],
        Condition={
            "ArnNotEquals": {
                "iam:PermissionsBoundary": of.policies.removesuffix("*") + boundary_name(of.stack)
            }
        },
    )
    yield {
        "Sid": "BedrockQuotaNobodyElse",
        "Effect": "Deny",
        "Action": ["iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:UpdateLoginProfile"],
        "NotResource": [of.iam("user/${aws:username}"), of.iam("user/*/${aws:username}")],
    }


def _tiers(of: Guarded) -> Iterator[Statement]:
    """Closes all service tiers but these: also those that AWS may add.

    A request that names none is served in the standard tier, and has no such key.
    https://docs.aws.amazon.com/bedrock/latest/userguide/security_iam_id-based-policy-examples-agent.html
    """
    unknown = sorted(set(of.tiers) - set(TIERS))
    if unknown:
        raise InvalidPolicyInput(
            f"{', '.join(map(repr, unknown))}: no such service tier; allowed: {', '.join(TIERS)}"
        )
    for service, action, suffix in (
        ("bedrock", "bedrock:InvokeModel*", ""),
        ("bedrock-mantle", "bedrock-mantle:CreateInference", "Mantle"),
    ):
        if of.tiers:
            yield deny(
                f"BedrockQuotaTiers{suffix}",
                [action],
                Condition=of.nobody_but(of.admins)
                | {
                    "StringNotEquals": {f"{service}:ServiceTier": sorted(set(of.tiers))},
                    "Null": {f"{service}:ServiceTier": "false"},
                },
            )


def _packed(
    statements: Sequence[Statement], write: Callable[..., Document], limit: int
) -> list[Document]:
    """As few documents as their order allows, each within the limit."""
    documents: list[Document] = []
    part: list[Statement] = []
    for statement in statements:
        if part and size(write(*part, statement)) > limit:
            documents.append(write(*part))
            part = []
        part.append(statement)
        if size(write(*part)) > limit:
            raise InvalidPolicyInput(
                f"so many admin roles do not fit a policy of {limit} characters: name fewer"
            )
    return [*documents, write(*part)]
