"""Statements that the roles of several functions have, and the actions in them."""

from collections.abc import Sequence
from typing import Any, Final

from quota_enforcer.core.policies.deployed import Deployed
from quota_enforcer.core.policies.document import Statement, allow, deny
from quota_enforcer.core.policies.names import PATHS_OF_AWS, PROTECTED_PATHS, ROLE_PATH

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

WRITING_ITEMS: Final = (
    "dynamodb:BatchWriteItem",
    "dynamodb:DeleteItem",
    "dynamodb:PartiQL*",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
)
"""What changes items of a table: denied to a function that may not, whatever else its role gets."""


def denying(of: Deployed, in_force: Sequence[str]) -> list[Statement]:
    """Attach and detach exactly the static denies of an account, to whom that may be done."""
    iam = f"arn:{of.partition}:iam::{of.account}"
    ours = {"iam:PolicyARN": list(of.denies)}
    return [
        allow(
            "Denies",
            ATTACHING,
            [f"{iam}:role/*", f"{iam}:user/*"],
            Condition={"ArnEquals": ours},
        ),
        allow("DeniesInForce", ["iam:ListEntitiesForPolicy"], in_force),
        deny(
            "NeverAnotherPolicy",
            ["iam:Attach*Policy", "iam:Detach*Policy"],
            Condition={"ArnNotEquals": ours},
        ),
        deny(
            "NeverTheseReservedOrBreakGlass",
            ["iam:Attach*Policy", "iam:Detach*Policy"],
            [
                *(f"{iam}:role{path}*" for path in _protected(of.role_path)),
                *(f"{iam}:user{path}*" for path in PROTECTED_PATHS if path not in PATHS_OF_AWS),
            ],
        ),
    ]


def writing_gates(of: Deployed, *tagging: str) -> list[Statement]:
    """Write the gates of an account by their exact names, and see which roles name them."""
    return [
        allow("Gates", [*WRITING_GATES, *tagging], of.gates),
        *([allow("Tags", ["iam:TagPolicy"], of.gates)] if of.tagged and not tagging else []),
        allow("Boundaries", ["iam:GetRole"], f"arn:{of.partition}:iam::{of.account}:role/*"),
        {
            "Sid": "NeverAnotherPolicy",
            "Effect": "Deny",
            "Action": ["iam:CreatePolicy*", "iam:DeletePolicy*", "iam:Tag*", "iam:Untag*"],
            "NotResource": list(of.gates),
        },
    ]


def _protected(role_path: str) -> list[str]:
    """The paths of roles that the enforcer never touches: with ours, wherever they live."""
    paths = list(PROTECTED_PATHS)
    if role_path != ROLE_PATH:
        ours = "/bedrock-quota/"
        paths.insert(paths.index(ours) + 1, f"{role_path.removesuffix('/')}{ours}")
    return paths


def partition(*names: str) -> dict[str, Any]:
    """Only these partitions of a table."""
    return {
        "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": list(names)},
        "Null": {"dynamodb:LeadingKeys": "false"},  # No keys at all would be among them.
    }


def logs_and_traces(log: str) -> list[Statement]:
    """A function's own log only: who can write the invocation log can forge usage."""
    return [
        allow("Logs", ["logs:CreateLogStream", "logs:PutLogEvents"], log),
        allow("Traces", ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], "*"),
    ]


PUT: Final = "dynamodb:PutItem"

WRITING_ITEMS_BUT_PUT: Final = tuple(action for action in WRITING_ITEMS if action != PUT)
