"""What a guard is about: the deployment, who may still change it, and the ARNs of its parts."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from quota_enforcer.core.errors import InvalidPolicyInput
from quota_enforcer.core.policies.names import (
    ROLE_PATH,
    checked_account,
    checked_partition,
    checked_role_path,
    checked_stack,
    policy_arn,
)
from quota_enforcer.core.principal import SSO_ROLE

_ROLE: Final = re.compile(r"(?:[\w+=,.@-]+/)*[\w+=,.@-]{1,64}", re.ASCII)
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
_ROLE_ARN: Final = re.compile(r"arn:[\w-]+:iam::(?P<account>\d{12}):role/(?P<role>.+)", re.ASCII)
_LOG_GROUP: Final = re.compile(r"[A-Za-z0-9_/.#-]{1,512}")
"""https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html"""
LONGEST_STACK: Final = 33
"""A function's or role's name has 64 characters: the stack's, ours of up to 17, and 14 of AWS's."""


class GuardKind(StrEnum):
    """What a guard is for.

    `scp` restrains everybody in the account, its root user too, but neither the organisation's
    management account nor AWS services that act as themselves. `identity` and `boundary` restrain
    whom they are attached to, where there is no organisation.
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
    """

    SCP = "scp"
    IDENTITY = "identity"
    BOUNDARY = "boundary"


@dataclass(frozen=True, slots=True)
class Guarded:
    """What the guard is about."""

    account: str
    stack: str
    admin_roles: tuple[str, ...]
    """Names, with their paths; they alone may still change what is guarded."""
    log_group: str = ""
    """The invocation log's name; empty for the one that the stack makes."""
    partition: str = "aws"
    tiers: tuple[str, ...] = ()
    """The only service tiers that may be asked for, in AWS's words; none closes none."""
    log_roles: tuple[str, ...] = ()
    """Other roles than the stack's own by which Bedrock writes the log."""
    regions: tuple[str, ...] = ()
    """Where Bedrock may be used, since a deployment meters it; all else that no invocation log
    records is closed too. None closes none of it."""
    kind: GuardKind = GuardKind.SCP
    lead_roles: tuple[str, ...] = ()
    """Of leads of teams, who may still write under the keys that are theirs."""
    role_path: str = ROLE_PATH
    """The parameter RolePath: before which path the stack's own roles live."""

    def check(self) -> None:
        """Raises InvalidPolicyInput for what cannot be guarded, or not safely."""
        checked_account(self.account)
        checked_partition(self.partition)
        checked_role_path(self.role_path)
        stack = checked_stack(self.stack)
        if len(stack) > LONGEST_STACK:
            raise InvalidPolicyInput(
                f"the stack name {stack!r} has {len(stack)} characters; beyond {LONGEST_STACK} "
                "CloudFormation cuts it in the names of functions and roles, so the guard would "
                "miss them: use a shorter stack name"
            )
        if not self.admin_roles and self.kind is GuardKind.SCP:
            raise InvalidPolicyInput(
                "no admin role was named, so nobody could update or delete the stack any more: "
                "name those that may, with --admin-role"
            )
        if self.lead_roles and self.kind is not GuardKind.SCP:
            raise InvalidPolicyInput(
                "--lead-role goes with --kind scp, which holds leads too; any other guard holds "
                "whom you give it to: give leads none"
            )
        if not _LOG_GROUP.fullmatch(self.log):
            raise InvalidPolicyInput(
                f"{self.log_group!r} is no log group: write its name, not its ARN"
            )
        if self.log_group and not self.log_roles:
            raise InvalidPolicyInput(
                f"Bedrock writes {self.log_group} by a role that the guard must spare, or nothing "
                "would be metered any more: name it with --log-role; it is "
                "cloudWatchConfig.roleArn in what "
                "`aws bedrock get-model-invocation-logging-configuration` prints"
            )

    @property
    def log(self) -> str:
        """The invocation log's name."""
        return self.log_group or f"/bedrock-quota/{self.stack}/invocations"

    @property
    def admins(self) -> list[str]:
        """The admin roles' ARNs."""
        return [self._role_arn(role) for role in sorted(set(self.admin_roles))]

    @property
    def leads(self) -> list[str]:
        """The ARNs of the roles of leads."""
        return [self._role_arn(role) for role in sorted(set(self.lead_roles))]

    @property
    def own(self) -> str:
        """The ARNs of the deployment's own roles."""
        return self.iam(f"role{self.role_path}bedrock-quota/{self.stack}/*")

    @property
    def writers(self) -> list[str]:
        """The ARNs of the roles by which Bedrock writes the log."""
        ours = f"{self.own.removesuffix('*')}{self.stack}-InvocationLogRole-*"
        return [ours, *(self._role_arn(role) for role in sorted(set(self.log_roles)))]

    @property
    def policies(self) -> str:
        """The ARNs of the deployment's policies; the guard itself is put there too."""
        return policy_arn(self.partition, self.account, self.stack, "*")

    def arn(self, service: str, resource: str) -> str:
        """A part of the deployment, in whichever Region."""
        return f"arn:{self.partition}:{service}:*:{self.account}:{resource}"

    def iam(self, resource: str) -> str:
        return f"arn:{self.partition}:iam::{self.account}:{resource}"

    def nobody_but(self, roles: Iterable[str]) -> dict[str, Any]:
        """The condition that spares these roles: needed only where everybody is restrained."""
        if self.kind is not GuardKind.SCP:
            return {}
        return {"ArnNotLike": {"aws:PrincipalArn": list(roles)}}

    def _role_arn(self, role: str) -> str:
        """A role's ARN; Identity Center keeps its roles under a path of its own."""
        given = _ROLE_ARN.fullmatch(role)
        if given and given["account"] == self.account:
            role = given["role"]
        if not _ROLE.fullmatch(role):
            raise InvalidPolicyInput(
                f"{role!r} is no role: write its name, with its path where it has one, "
                "such as Admin or platform/Deploy or AWSReservedSSO_Admin_0123456789abcdef"
            )
        if role.startswith(SSO_ROLE):
            return self.iam(f"role/aws-reserved/sso.amazonaws.com/*{role}")
        return self.iam(f"role/{role}")
