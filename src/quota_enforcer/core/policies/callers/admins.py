"""What people need who run the command line: a viewer looks at everything, an admin also acts.

Neither may write what a function decides by but the quotas: no record, no deny, no code.
Neither may invoke the self-service function, whose event says who asks.
"""

import re
from typing import Final

from quota_enforcer.core.errors import InvalidPolicyInput
from quota_enforcer.core.ledger import QUOTA_MEMORIES, REQUESTS
from quota_enforcer.core.policies.callers.doctor import FINDING
from quota_enforcer.core.policies.deployed import READING, WRITING, Deployed
from quota_enforcer.core.policies.document import Document, Statement, allow, document
from quota_enforcer.core.policies.functions.statements import partition
from quota_enforcer.core.policies.names import policy_arn
from quota_enforcer.core.quotas.form.leads import lead_of

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


def team_lead(of: Deployed, stack: str, team: str) -> Document:
    """A viewer who besides raises quotas of the team's members, as far as these say themselves.

    IAM tells items apart by their first key alone, so what leads write stands under a key of its
    own; anything else that they write there gives nobody more.
    """
    own = checked_lead(team)
    return document(
        *_looking(of, stack),
        allow(
            "RaiseForMembers",
            ["dynamodb:DeleteItem", "dynamodb:PutItem"],
            of.quota_table,
            Condition=partition(own),
        ),
        allow("Names", ["iam:GetUser"], f"arn:{of.partition}:iam::{of.account}:user/*"),
        allow("RoleNames", ["iam:GetRole"], f"arn:{of.partition}:iam::{of.account}:role/*"),
        *of.use_of_key("dynamodb", actions=WRITING),
    )


_TEAM: Final = re.compile(r"team/[\w+=,.@ -]{1,64}", re.ASCII)


def checked_lead(team: str) -> str:
    """Under which first key the leads of a team write; raises InvalidPolicyInput for no team."""
    if not _TEAM.fullmatch(team) or team != team.strip():
        raise InvalidPolicyInput(
            f"{team!r} is no team that a policy can name: write team/NAME, with at most 64 "
            "letters, digits, spaces and any of +=,.@_-"
        )
    return lead_of(team)


def _looking(of: Deployed, stack: str) -> list[Statement]:
    functions = f"arn:{of.partition}:lambda:{of.region}:{of.account}:function:{stack}"
    return [
        allow("Stack", [FINDING[0]], of.stack),
        allow("Functions", [FINDING[1]], f"{functions}-*Function-*"),
        allow("Quotas", ["dynamodb:GetItem", "dynamodb:Scan"], of.quota_table),
        allow("Ledger", _READS, [of.ledger_table, f"{of.ledger_table}/index/by-due"]),
        allow("Gates", _GATES, policy_arn(of.partition, of.account, stack, "*")),
    ]
