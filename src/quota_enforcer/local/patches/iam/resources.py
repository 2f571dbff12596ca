"""What a call of IAM is about, by its ARN with its path: a user, role, group, or a new policy.

The emulator leaves the path out, so a policy for `role/bedrock-quota/*` would match nobody; what is
attached to a group is to it about the policy; and a policy to be made is `*` to it, so nobody could
be allowed to make just one; so is whom the policy simulator is asked about.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns
"""
# ruff: noqa: SLF001 - the emulator has no public hooks; its version is pinned for that reason

from typing import Any

from ministack.core import iam_actions
from ministack.services import iam


def install() -> None:
    """Name users, roles and new policies as IAM does from now on."""
    plain = iam_actions.extract_resource_arn

    def resource(service: str, *request: Any) -> str:
        arn = str(plain(service, *request))
        if service != "iam":
            return arn
        group = iam._groups.get(str(iam_actions._query_param(request[4], "GroupName")))
        if group is not None:
            return str(group["Arn"])
        if arn == "*":
            return _named_in(*request) or arn
        kind, _, name = arn.rpartition(":")[2].partition("/")
        known = {"role": iam._roles, "user": iam._users}.get(kind, {}).get(name)
        return str(known["Arn"]) if known else arn

    iam_actions.extract_resource_arn = resource


def _named_in(*request: Any) -> str | None:
    """The ARN that CreatePolicy will give, or the simulator's; None for any other call."""
    named, account = request[4], request[6]

    def said(name: str) -> str:
        return str(iam_actions._query_param(named, name))

    if said("Action") == "SimulatePrincipalPolicy":
        return said("PolicySourceArn")
    if said("Action") != "CreatePolicy":
        return None
    return f"arn:aws:iam::{account}:policy{said('Path') or '/'}{said('PolicyName')}"
