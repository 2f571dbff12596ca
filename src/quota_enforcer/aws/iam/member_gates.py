"""The gates of all accounts: home's by the function's own role, others by the roles taken there."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from quota_enforcer.aws.iam.gates import IamGates
from quota_enforcer.core.policies.names import account_in
from quota_enforcer.core.principal import split_account

if TYPE_CHECKING:
    from quota_enforcer.aws.iam.assumed_roles import AssumedRoles
    from quota_enforcer.core.policies.document import Document
    from quota_enforcer.gates.roles import Role


class RoutedGates:
    """The `Gates` of a deployment with member accounts; `tags` are those of the gates there."""

    def __init__(
        self,
        home: IamGates,
        account: str,
        members: "AssumedRoles",
        tags: Iterable[tuple[str, str]] = (),
    ) -> None:
        self._home = home
        self._account = account
        self._members = members
        self._tags = tuple(tags)

    def document(self, gate: str) -> "Document | None":
        with self._in(account_in(gate)) as gates:
            return gates.document(gate)

    def create(self, gate: str, document: "Document") -> None:
        with self._in(account_in(gate)) as gates:
            gates.create(gate, document)

    def replace(self, gate: str, document: "Document") -> None:
        with self._in(account_in(gate)) as gates:
            gates.replace(gate, document)

    def attached_to(self, gate: str) -> list[str]:
        with self._in(account_in(gate)) as gates:
            return gates.attached_to(gate)

    def role(self, name: str) -> "Role | None":
        account, own = split_account(name)
        with self._in(account or self._account) as gates:
            return gates.role(own)

    @contextmanager
    def _in(self, account: str) -> Iterator[IamGates]:
        """The gates of an account. Raises AccountUnreachable."""
        if account == self._account:
            yield self._home
            return
        with self._members.using(account):
            yield IamGates(self._members.client(account), self._tags)
