"""The static deny policies in IAM of one account: who has them, attach, detach."""

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from quota_enforcer.core.errors import CannotDeny, PrincipalGone
from quota_enforcer.core.principal import Kind, Principal, why_not_deniable

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

_GONE = "NoSuchEntity"


class AccountDenies:
    """The denies in one account, which is empty for home.

    `policies` maps each installed model scope to the ARN of its policy in that account.
    """

    def __init__(self, client: "IAMClient", policies: Mapping[str, str], account: str = "") -> None:
        self._client = client
        self._policies = dict(policies)
        self._account = account
        self.unmanaged_attachments: list[str] = []
        """What the last `denied` found that only an admin can undo, in words."""

    def denied(self) -> dict[Principal, frozenset[str]]:
        """Who really has which scopes' policies attached: one paged read for each policy."""
        found: defaultdict[Principal, set[str]] = defaultdict(set)
        self.unmanaged_attachments = []
        pages = self._client.get_paginator("list_entities_for_policy")
        for scope, policy in self._policies.items():
            # Serving as somebody's permissions boundary is no attachment, hence the filter.
            for page in pages.paginate(PolicyArn=policy, PolicyUsageFilter="PermissionsPolicy"):
                for user in page["PolicyUsers"]:
                    found[Principal(Kind.USER, user["UserName"], self._account)].add(scope)
                for role in page["PolicyRoles"]:
                    found[Principal(Kind.ROLE, role["RoleName"], self._account)].add(scope)
                for group in page["PolicyGroups"]:
                    self.unmanaged_attachments.append(
                        f"the deny of {scope} is attached to the group {group['GroupName']}, which "
                        "the enforcer never does and cannot undo: aws iam detach-group-policy "
                        f"--group-name {group['GroupName']} --policy-arn {policy}"
                    )
        return {principal: frozenset(scopes) for principal, scopes in found.items()}

    def attach(self, principal: Principal, scope: str) -> None:
        """Deny a scope; repeated it changes nothing.

        Raises PrincipalGone, and CannotDeny with what would help.
        """
        policy = self._policies.get(scope)
        if policy is None:
            raise CannotDeny(
                f"no deny policy for {scope!r} is installed; installed model scopes: "
                f"{', '.join(sorted(self._policies))}",
            )
        if principal.account != self._account:  # never whoever has that name here
            raise CannotDeny(f"{principal}: {why_not_deniable(principal, gated=False)}")
        try:
            match principal.kind:
                case Kind.USER:
                    self._client.attach_user_policy(UserName=principal.name, PolicyArn=policy)
                case Kind.ROLE:
                    self._client.attach_role_policy(RoleName=principal.name, PolicyArn=policy)
                case _:
                    why = why_not_deniable(principal, gated=False, reached={self._account})
                    raise CannotDeny(f"{principal}: {why}")
        except ClientError as error:
            raise _refusal(error, principal, policy) from error

    def detach(self, principal: Principal, scope: str) -> None:
        """Lift a deny; no error without one, or without such a principal.

        Raises CannotDeny for a principal out of reach, which somebody else must have denied.
        """
        policy = self._policies.get(scope)
        if policy is None or principal.account != self._account:
            return
        try:
            match principal.kind:
                case Kind.USER:
                    self._client.detach_user_policy(UserName=principal.name, PolicyArn=policy)
                case Kind.ROLE:
                    self._client.detach_role_policy(RoleName=principal.name, PolicyArn=policy)
                case _:
                    pass
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in {"UnmodifiableEntity", "AccessDenied"}:
                raise CannotDeny(
                    f"the deny of {scope} was attached to {principal} by somebody else, and the "
                    f"enforcer may not touch that {principal.kind}: detach {policy} by hand",
                ) from error
            if code != _GONE:
                raise


def _refusal(error: ClientError, principal: Principal, policy: str) -> Exception:
    """What IAM's answer to an attach means; an answer that means nothing to us stays itself.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html#API_AttachRolePolicy_Errors
    """
    words = error.response["Error"].get("Message", "")
    match error.response["Error"]["Code"]:
        case "NoSuchEntity" if policy in words:
            return CannotDeny(
                f"the deny policy {policy} does not exist: deploy the stack again to restore it",
            )
        case "NoSuchEntity":
            return PrincipalGone(f"{principal} no longer exists in IAM: {words}")
        case "LimitExceeded":
            # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
            return CannotDeny(
                f"{principal} has no slot left for a managed policy (IAM says: {words}): detach "
                "one that it does not need, or ask AWS for a higher quota of managed policies "
                f"attached to an IAM {principal.kind}",
            )
        case "UnmodifiableEntity":
            return CannotDeny(
                f"{principal} is managed by AWS, so no policy can be attached to it "
                f"(IAM says: {words}): cap its callers, or give it a quota that only notifies",
            )
        case "AccessDenied":
            return CannotDeny(
                f"the enforcer may not touch {principal}, which is protected or out of its reach "
                f"(IAM says: {words}): give it a quota that only notifies",
            )
        case _:
            return error
