"""What people need who run the command line: a viewer looks at everything, an admin also acts.

Neither may write what a function decides by but the quotas: no record, no deny, no code.
Neither may invoke the self-service function, whose event says who asks.
"""

from typing import Final

from quota_enforcer.core.ledger import QUOTA_MEMORIES, REQUESTS
from quota_enforcer.core.policies.callers.doctor import FINDING
from quota_enforcer.core.policies.deployed import READING, WRITING, Deployed
from quota_enforcer.core.policies.document import Document, Statement, allow, document
from quota_enforcer.core.policies.names import policy_arn
from quota_enforcer.core.policies.roles import partition

_READS: Final = ("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan")
_GATES: Final = (
    "iam:GetPolicy",
    "iam:GetPolicyVersion",
    "iam:ListEntitiesForPolicy",
    "iam:ListPolicyVersions",
)
_SUBSCRIPTIONS: Final = (
    "sns:GetSubscriptionAttributes",
    "sns:SetSubscriptionAttributes",
    "sns:Unsubscribe",
)
"""AWS knows no resource for these.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html
"""


def viewer(of: Deployed, stack: str) -> Document:
    """Whoever has it sees everybody's usage, quotas and history, and changes nothing."""
    return document(*_looking(of, stack), *of.use_of_key("dynamodb", actions=READING))


def admin(of: Deployed, stack: str) -> Document:
    """Besides it edits quotas, refuses requests, has the enforcer sweep, and subscribes people."""
    iam = f"arn:{of.partition}:iam::{of.account}"
    functions = f"arn:{of.partition}:lambda:{of.region}:{of.account}:function:{stack}"
    return document(
        *_looking(of, stack),
        allow("EditQuotas", ["dynamodb:DeleteItem", "dynamodb:PutItem"], of.quota_table),
        # Who is about to remove a quota, and what people asked for that is refused.
        allow(
            "NoteInLedger",
            ["dynamodb:UpdateItem"],
            of.ledger_table,
            Condition=partition(QUOTA_MEMORIES, REQUESTS),
        ),
        allow(
            "SweepAndRecount",
            ["lambda:InvokeFunction"],
            [of.enforcer, f"{functions}-MeterFunction-*"],
        ),
        allow("Names", ["iam:GetUser"], f"{iam}:user/*"),
        allow("RoleNames", ["iam:GetRole"], f"{iam}:role/*"),
        allow("AllNames", ["iam:ListRoles", "iam:ListUsers"], "*"),
        allow("Subscribe", ["sns:ListSubscriptionsByTopic", "sns:Subscribe"], of.notice_topic),
        allow("Subscriptions", _SUBSCRIPTIONS, "*"),
        *of.use_of_key("dynamodb", "sns", actions=WRITING),
    )


def _looking(of: Deployed, stack: str) -> list[Statement]:
    functions = f"arn:{of.partition}:lambda:{of.region}:{of.account}:function:{stack}"
    return [
        allow("Stack", [FINDING[0]], of.stack),
        allow("Functions", [FINDING[1]], f"{functions}-*Function-*"),
        allow("Quotas", ["dynamodb:GetItem", "dynamodb:Scan"], of.quota_table),
        allow("Ledger", _READS, [of.ledger_table, f"{of.ledger_table}/index/by-due"]),
        allow("Gates", _GATES, policy_arn(of.partition, of.account, stack, "*")),
    ]
