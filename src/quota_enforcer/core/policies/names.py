"""The names that policies speak of: partitions, accounts, stacks, our policies, models, user ids.

Each is checked before it goes into a document: IAM would read a stray `*` as a pattern, and a deny
that means somebody else, or nobody, is worse than a refusal.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from quota_enforcer.core.errors import InvalidPolicyInput
from quota_enforcer.core.usage.model import MODEL_SCOPE, canonical_model

PARTITIONS: Final = (
    "aws", "aws-cn", "aws-us-gov", "aws-eusc", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f",
)  # fmt: skip
"""https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html"""

MODEL_SCOPES: Final = 5
"""How many `ModelScopeN` parameters the template has."""
GATES: Final = 4
"""How many gates a deployment can have."""

RESERVED_PATH: Final = "/aws-reserved/"
"""The path of the roles that Identity Center makes of permission sets."""
SERVICE_LINKED_PATH: Final = "/aws-service-role/"
"""The path of the roles that AWS services make for themselves."""
PATHS_OF_AWS: Final = (RESERVED_PATH, SERVICE_LINKED_PATH)
"""Paths of roles that AWS alone makes and changes."""
PROTECTED_PATHS: Final = (*PATHS_OF_AWS, "/bedrock-quota/", "/break-glass/")
"""Paths of users and roles that the enforcer must not touch; the template says the same."""

RESOLVING: Final = {
    "bedrock:GetCustomModel": "custom-model",
    "bedrock:GetCustomModelDeployment": "custom-model-deployment",
    "bedrock:GetInferenceProfile": "application-inference-profile",
    "bedrock:GetProvisionedModelThroughput": "provisioned-model",
}
"""How the model behind an ARN that does not say is looked up, and of which kind such an ARN is."""

ROLE_PATH: Final = "/"
"""Before which path the roles of a stack live, unless the parameter RolePath says otherwise."""

_ROLE_PATH: Final = re.compile(r"/(?:[A-Za-z0-9_+=,.@-]+/){0,8}")
"""What the template's RolePath may be."""
_ACCOUNT: Final = re.compile(r"\d{12}", re.ASCII)
_STACK: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,59}")
"""CloudFormation allows 128 characters; IAM's 128 for a gate's name leave 60 for the stack's."""
_ASK: Final = re.compile(r"[\w+=,.@-]{1,24}", re.ASCII)
"""https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html"""
_REGION: Final = re.compile(r"[a-z]{2,}(?:-[a-z]+)+-\d+|\*", re.ASCII)
_SCOPE: Final = re.compile(MODEL_SCOPE)
_MODEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*\.[A-Za-z0-9][A-Za-z0-9._:-]{0,199}")
_SESSION: Final = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
"""https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html (RoleSessionName)"""
_USER_ID: Final = re.compile(
    r"(?:(?P<role>\*|AROA[A-Z0-9]+):(?P<name>.*)|AIDA[A-Z0-9]+)", re.DOTALL
)
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html"""


def checked_partition(partition: str) -> str:
    """This partition; raises InvalidPolicyInput for one that AWS does not have."""
    if partition not in PARTITIONS:
        raise InvalidPolicyInput(
            f"{partition!r} is no AWS partition: write one of {', '.join(PARTITIONS)}"
        )
    return partition


def checked_account(account: str) -> str:
    """This account; raises InvalidPolicyInput if it is not 12 digits."""
    if not _ACCOUNT.fullmatch(account):
        raise InvalidPolicyInput(f"{account!r} is no AWS account: write its 12 digits")
    return account


def checked_stack(stack: str) -> str:
    """This stack's name; raises InvalidPolicyInput if its policies could not be named."""
    if not _STACK.fullmatch(stack):
        raise InvalidPolicyInput(
            f"{stack!r} cannot be the stack's name: write at most 60 letters, digits and hyphens, "
            "a letter first"
        )
    return stack


def checked_region(region: str) -> str:
    """This Region, or `*` for any; raises InvalidPolicyInput for what is no Region's name."""
    if not _REGION.fullmatch(region):
        raise InvalidPolicyInput(f"{region!r} is no Region: write one such as eu-central-1, or *")
    return region


def checked_role_path(path: str) -> str:
    """This path of roles; raises InvalidPolicyInput for what the template would refuse."""
    if not _ROLE_PATH.fullmatch(path):
        raise InvalidPolicyInput(
            f"{path!r} is no path of roles: begin and end it with a slash, such as /platform/"
        )
    return path


def policy_path(stack: str) -> str:
    """Where all policies of a stack live, and its roles below the RolePath; no two share it."""
    return f"/bedrock-quota/{checked_stack(stack)}/"


def policy_arn(partition: str, account: str, stack: str, name: str) -> str:
    """The ARN of a policy of ours; `name` may be a pattern."""
    account = checked_account(account)
    return f"arn:{checked_partition(partition)}:iam::{account}:policy{policy_path(stack)}{name}"


ASK_WHOM: Final = "see-your-notice"
"""The template's default of `AskWhom`."""


def deny_policy_name(stack: str, number: int | None = None, ask: str = ASK_WHOM) -> str:
    """The name of the static deny of `ModelScope<number>`, or of everything.

    AWS quotes it to the caller that it stops, so it says what happened and whom to ask.
    """
    scope = "" if number is None else f"-{number}"
    return f"{checked_stack(stack)}-over-bedrock-quota{scope}-{checked_ask(ask)}"


def account_in(policy: str) -> str:
    """The account in a policy's ARN."""
    return policy.split(":")[4]


def in_account(policy: str, account: str) -> str:
    """The ARN of the policy of the same path and name in another account."""
    head, _, tail = policy.partition(":iam::")
    return f"{head}:iam::{checked_account(account)}{tail[len('123456789012') :]}"


def gate_name(stack: str, number: int, ask: str = ASK_WHOM) -> str:
    """The name of a gate, the first being 1; AWS quotes it too."""
    name = f"{checked_stack(stack)}-over-bedrock-quota-gate-{number}-{checked_ask(ask)}"
    return f"{name}-BOUNDARY-ONLY"


def checked_ask(ask: str) -> str:
    """This part of a policy's name; raises InvalidPolicyInput if IAM or the template refuses it."""
    if not _ASK.fullmatch(ask):
        raise InvalidPolicyInput(
            f"{ask!r} cannot be in a policy's name: write the parameter AskWhom, 1 to 24 letters, "
            "digits and any of +=,.@_-"
        )
    return ask


def checked_scopes(scopes: Iterable[str]) -> tuple[str, ...]:
    """Model scopes in their one order, `*` alone if it is among them.

    Raises InvalidPolicyInput for what is no scope, or one by another name.
    """
    checked = sorted({_checked_scope(scope) for scope in scopes})
    return ("*",) if "*" in checked else tuple(checked)


def checked_model(model: str) -> str:
    """An exact model id; raises InvalidPolicyInput for a pattern or anything else."""
    if "*" in model:
        raise InvalidPolicyInput(
            f"{model!r} is a pattern, and would open models that nobody has looked at: "
            "name each model"
        )
    scope = _checked_scope(model)
    if not _MODEL.fullmatch(scope):
        raise InvalidPolicyInput(
            f"{model!r} is no model id: write it as Bedrock does, vendor first, "
            "such as amazon.nova-lite-v1:0"
        )
    return scope


def model_arns(scope: str, partition: str) -> list[str]:
    """The ARNs by which IAM knows the models of a scope, whoever calls and however.

    `foundation-model` in every Region and, for global profiles, in none (`*` matches nothing too);
    its context variants (`ID:200k`), never `ID*`, which would be its siblings; and the system
    inference profiles, geographic and global. What leads to a model by another ARN, such as an
    application inference profile, is checked against the model as well.
    https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-prereq.html
    """
    prefix = f"arn:{checked_partition(partition)}:bedrock"
    return [
        f"{prefix}:*::foundation-model/{scope}",
        f"{prefix}:*::foundation-model/{scope}:*",
        f"{prefix}:*:*:inference-profile/*.{scope}",
    ]


@lru_cache(maxsize=1_000)  # a gate is written again for each person tried in it
def checked_user_id(user_id: str, *, whole_role: bool = False) -> str:
    """An `aws:userid` to deny: `*:NAME`, `AROA...:NAME`, or an IAM user's `AIDA...`.

    The `*` stands for any role. Raises InvalidPolicyInput for anything else: `NAME` is what STS
    allows in a session's name, so that it can never be a pattern itself; but with `whole_role`
    there may be `AROA...:*`, for all sessions of one role.
    """
    found = _USER_ID.fullmatch(user_id)
    if found is None:
        raise InvalidPolicyInput(
            f"{user_id!r} is no user id to deny: write *:NAME for an Identity Center person, "
            "ROLE-ID:NAME (the role's id begins with AROA) for one session name of a role, "
            "or an IAM user's id (AIDA...)"
        )
    name = found["name"]
    if whole_role and name == "*" and found["role"] != "*":
        return user_id
    if name is not None and not _SESSION.fullmatch(name):
        raise InvalidPolicyInput(
            f"{user_id!r} names the session {name!r}, which AWS does not allow: "
            "2 to 64 letters, digits and any of +=,.@_-"
        )
    return user_id


@lru_cache(maxsize=1_000)
def _checked_scope(scope: str) -> str:
    canonical = canonical_model(scope)
    if canonical != scope:
        raise InvalidPolicyInput(
            f"{scope!r} is not the model's own id: write {canonical!r}, which covers "
            "every Region and inference profile"
        )
    if scope != "*" and (not _SCOPE.fullmatch(scope) or not scope.strip("*._:-")):
        raise InvalidPolicyInput(
            f"{scope!r} is no model scope: write a model id such as amazon.nova-lite-v1:0, "
            "a pattern such as anthropic.claude-3-opus*, or * for every model"
        )
    return scope
