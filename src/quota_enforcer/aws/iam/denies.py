"""The static deny policies in IAM, at home and in member accounts, each by its own credentials."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from quota_enforcer.aws.iam.account_denies import AccountDenies
from quota_enforcer.aws.iam.assumed_roles import AssumedRoles, in_each
from quota_enforcer.core.errors import AccountUnreachable
from quota_enforcer.core.policies.in_force import InForce
from quota_enforcer.core.policies.names import in_account
from quota_enforcer.core.principal import Principal

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

HOME_ACCOUNT = ""
"""How home's own account is named among accounts."""


class IamDenies:
    """The `Denies` of one stack; `policies` maps each installed model scope to its ARN at home.

    Without `members` no other account can be reached.
    """

    def __init__(
        self,
        client: "IAMClient",
        policies: Mapping[str, str],
        members: AssumedRoles | None = None,
    ) -> None:
        self._home = AccountDenies(client, policies)
        self._policies = dict(policies)
        self._members = members
        self.unmanaged_attachments: list[str] = []
        """What was found at the last look that only an admin can undo, in words."""

    @property
    def scopes(self) -> frozenset[str]:
        return frozenset(self._policies)

    def denied(self) -> dict[Principal, frozenset[str]]:
        """Who really has which scopes' policies attached at home: one read for each policy."""
        denied = self._home.denied()
        self.unmanaged_attachments = list(self._home.unmanaged_attachments)
        return denied

    def in_force(self, accounts: Iterable[str]) -> InForce:
        """Who has which deny at home and in these member accounts, which are asked side by side."""
        denied = self.denied()
        read, unread = in_each(accounts, self._listed)
        for account in sorted(read):
            found, unmanaged = read[account]
            denied |= found
            self.unmanaged_attachments += [f"account {account}: {words}" for words in unmanaged]
        return InForce(denied, frozenset({HOME_ACCOUNT, *read}), unread)

    def reach(self, account: str) -> None:
        """Raises AccountUnreachable."""
        self._in(account)

    def attach(self, principal: Principal, scope: str) -> None:
        """Deny a scope; repeated it changes nothing.

        Raises PrincipalGone, CannotDeny with what would help, or AccountUnreachable.
        """
        denies = self._in(principal.account)
        with self._using(principal.account):
            denies.attach(principal, scope)

    def detach(self, principal: Principal, scope: str) -> None:
        """Lift a deny; no error without one, or without such a principal.

        Raises CannotDeny for a principal out of reach, which somebody else must have denied; and
        AccountUnreachable.
        """
        denies = self._in(principal.account)
        with self._using(principal.account):
            denies.detach(principal, scope)

    def _in(self, account: str) -> AccountDenies:
        if not account:
            return self._home
        if self._members is None:
            raise AccountUnreachable(account, "this deployment has no satellites in other accounts")
        policies = {scope: in_account(arn, account) for scope, arn in self._policies.items()}
        return AccountDenies(self._members.client(account), policies, account)

    def _listed(self, account: str) -> tuple[dict[Principal, frozenset[str]], list[str]]:
        """Whatever IAM says instead of an answer there, no other account waits for it."""
        denies = self._in(account)
        with self._using(account, every_error=True):
            return denies.denied(), denies.unmanaged_attachments

    def _using(self, account: str, *, every_error: bool = False) -> AbstractContextManager[None]:
        if self._members is None or not account:
            return nullcontext()
        return self._members.using(account, every_error=every_error)
