"""The teams function: its own role, and the role by which it reads where teams are kept."""

from typing import TYPE_CHECKING, Final

from quota_enforcer.core.policies.deployed import Deployed
from quota_enforcer.core.policies.document import Document, allow, deny, document
from quota_enforcer.core.policies.functions.statements import (
    PUT,
    WRITING_ITEMS,
    WRITING_ITEMS_BUT_PUT,
    logs_and_traces,
)

if TYPE_CHECKING:
    from quota_enforcer.core.policies.document import Statement

ITEMS: Final = "team/*"
"""The first keys of what it may write."""
_KEYS: Final = "dynamodb:LeadingKeys"


def teams(of: Deployed) -> Document:
    """It writes items of teams, and takes the role that reads and no other."""
    return document(
        allow("Quotas", ["dynamodb:Scan"], of.quota_table),
        allow(
            "Teams",
            [PUT],
            of.quota_table,
            Condition={"ForAllValues:StringLike": {_KEYS: [ITEMS]}, "Null": {_KEYS: "false"}},
        ),
        allow("Source", ["sts:AssumeRole"], of.teams_reader),
        deny("NeverAnyAccess", ["iam:*", "lambda:*", "sns:*"]),
        {
            "Sid": "NeverAnotherRole",
            "Effect": "Deny",
            "Action": ["sts:AssumeRole*"],
            "NotResource": [of.teams_reader],
        },
        deny("NeverARecord", WRITING_ITEMS, of.ledger_table),
        deny("NeverAChange", WRITING_ITEMS_BUT_PUT, of.quota_table),
        deny(
            "NeverAnotherItem",
            [PUT],
            of.quota_table,
            Condition={"ForAnyValue:StringNotLike": {_KEYS: [ITEMS]}},
        ),
        *of.use_of_key("dynamodb"),
        *logs_and_traces(of.teams_log),
    )


READS_IAM: Final = ("iam:GetAccountAuthorizationDetails",)
READS_GROUPS: Final = (
    "identitystore:ListGroupMemberships",
    "identitystore:ListGroups",
    "identitystore:ListUsers",
)
READS_INSTANCES: Final = ("sso:ListInstances",)
READS_OBJECT: Final = ("s3:GetObject",)
READS: Final = (*READS_IAM, *READS_GROUPS, *READS_INSTANCES, *READS_OBJECT)
"""All that any source takes."""


def reader(of: Deployed, source: str) -> Document:
    """What reading this source takes, and nothing else: `iam`, `identity-center`, or an object."""
    granted: dict[str, list[Statement]] = {
        "iam": [allow("Tags", READS_IAM, "*")],
        "identity-center": [
            allow("Instance", READS_INSTANCES, "*"),
            allow(
                "Groups",
                READS_GROUPS,
                [
                    f"arn:{of.partition}:identitystore::*:identitystore/*",
                    *(
                        f"arn:{of.partition}:identitystore:::{kind}/*"
                        for kind in ("group", "membership", "user")
                    ),
                ],
            ),
        ],
    }
    kind, _, rest = source.partition(":")
    statements = granted.get(kind) or [
        allow("Object", READS_OBJECT, f"arn:{of.partition}:s3:::{rest.removeprefix('//')}")
    ]
    actions = [each for statement in statements for each in statement["Action"]]
    never = {"Sid": "NeverAnythingElse", "Effect": "Deny", "NotAction": actions, "Resource": "*"}
    return document(*statements, never)
