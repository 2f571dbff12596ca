"""The roles of member accounts that functions of home take, as satellite.yaml deploys them.

Each may do there what its function may do at home, and nothing else. Tests hold the template to
this code; nothing asks for it at run time.
"""

from quota_enforcer.core.policies.deployed import Deployed
from quota_enforcer.core.policies.document import Document, Statement, document
from quota_enforcer.core.policies.functions.statements import (
    ATTACHING,
    WRITING_GATES,
    denying,
    writing_gates,
)


def denier(of: Deployed) -> Document:
    """The role of a member account that home's enforcer takes: what it may do at home, there.

    The template of a satellite has no room to list the denies once more, so it may look at all
    policies of this stack's path.
    """
    path = of.denies[0].rpartition("/")[0]
    in_force = [f"{path}/*"]
    return document(*denying(of, in_force), _nothing_but(*ATTACHING, "iam:ListEntitiesForPolicy"))


def gate_author(of: Deployed) -> Document:
    """The role of a member account that home's author takes."""
    actions = sorted({*WRITING_GATES, "iam:GetRole", "iam:TagPolicy"})
    return document(*writing_gates(of, "iam:TagPolicy"), _nothing_but(*actions))


def trusting(home_role: str, external_id: str, organization: str) -> Document:
    """Who may take these two: one role of home, which says the id, in our organisation alone.

    That the account is trusted and not the role keeps the trust when the role is made again.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    head, _, tail = home_role.partition(":iam::")
    return document(
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"{head}:iam::{tail.partition(':')[0]}:root"},
            "Action": "sts:AssumeRole",
            "Condition": {
                "ArnEquals": {"aws:PrincipalArn": home_role},
                "StringEquals": {
                    "sts:ExternalId": external_id,
                    "aws:PrincipalOrgID": organization,
                },
            },
        }
    )


def _nothing_but(*actions: str) -> Statement:
    """No other action, whatever else the role may get."""
    never = {"Sid": "NeverAnythingElse", "Effect": "Deny", "NotAction": list(actions)}
    return {**never, "Resource": "*"}
