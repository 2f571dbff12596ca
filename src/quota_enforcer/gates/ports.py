"""What the author needs from outside: the adapters in `aws` and the tests' fakes fit."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from quota_enforcer.core.ledger import GateIntent
from quota_enforcer.core.policies.boundary import Entry, Gate
from quota_enforcer.core.policies.document import Document
from quota_enforcer.gates.roles import Role

Write = Callable[[Iterable[Entry]], Gate]
"""The gate for as many of these entries as fit: `core.policies.boundary.fitting_gate`."""


class MemoryReads(Protocol):
    """What is read of the author's part of the ledger, consistently."""

    def intents(self) -> list[GateIntent]:
        """Whom the gates shall deny, always in the same order."""

    def digests(self, gate: str) -> frozenset[str]:
        """The digests of the documents that the author wrote last, or was about to, and marks."""

    def all_digests(self) -> Mapping[str, frozenset[str]]:
        """The digests of every gate, as `digests` gives those of one."""

    def accounts(self) -> Sequence[str]:
        """The member accounts in which there are gates; in one order."""


class Memory(MemoryReads, Protocol):
    """The author's part of the ledger, consistently read."""

    def take_lease(self, holder: str, now: datetime, until: datetime) -> bool:
        """Take the lease; False while somebody else has it."""

    def leave_lease(self, holder: str) -> None:
        """Give it back, unless somebody else has it by now."""

    def closed(self) -> bool:
        """Whether the stack is going, so that nobody may be denied any more."""

    def remember(self, gate: str, digests: Iterable[str], found: str = "") -> None:
        """Keep these digests instead, and with them what others did to the gate, in words.

        Both or neither. What was found stays until admins are told of it.
        """


class Gates(Protocol):
    """The gates in IAM, by ARN, and the roles that may name them, in all accounts.

    Whatever is of a member account may raise AccountUnreachable.
    """

    def document(self, gate: str) -> Document | None:
        """The document in force; None if there is no such policy."""

    def create(self, gate: str, document: Document) -> None: ...

    def replace(self, gate: str, document: Document) -> None:
        """Put another document in force, however many versions there are."""

    def attached_to(self, gate: str) -> list[str]:
        """Who has it as an ordinary permissions policy, where it would grant: nobody should."""

    def role(self, name: str) -> Role | None:
        """A role; None if there is none. One of a member account has its number before it."""
