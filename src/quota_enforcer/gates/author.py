"""The author: puts the ledger's intents into the gates, one run at a time.

A gate is the permissions boundary of permission sets and shared roles. A run answers what the gates
deny now, not what was asked: who is not denied in full is named with the reason.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from quota_enforcer.core.errors import EnforcerError
from quota_enforcer.gates.ports import Gates, Memory, Write
from quota_enforcer.gates.result import GateResult
from quota_enforcer.gates.run import Run

LEASE = timedelta(seconds=60)
"""How long a run has the gates for itself; the function's own time limit must not be longer."""


class AuthorBusy(EnforcerError):
    """Another run of the author holds the lease."""


@dataclass(frozen=True, slots=True)
class Author:
    """Writes the gates of one deployment, which are named by their ARNs."""

    memory: Memory
    iam: Gates
    gates: Sequence[str]
    write: Write

    def render(self, now: datetime, holder: str, *, everywhere: bool = True) -> GateResult:
        """Put the intents in force, with at most one new version for each gate; makes missing ones.

        Raises AuthorBusy. An intent that changes meanwhile reaches the gates not written yet;
        whoever changed it asks the author afterwards, so the last intents always win. Once the
        ledger is closed it empties the gates, so that no late sweep fills what the end emptied.
        Without `everywhere` a gate of a member account is not looked at that was written last as it
        has to be: so many accounts cost a sweep nothing.
        """
        with self._lease(now, holder):
            if self.memory.closed():
                return self._emptied()
            accounts = self.memory.accounts()
            run = Run(
                self.memory, self.iam, self.gates, self.write, accounts, everywhere=everywhere
            )
            intents = self.memory.intents()
            run.apply(intents)
            if run.written and (changed := self.memory.intents()) != intents:
                run.apply(changed)
                intents = changed
            run.inspect()
            return run.result(intents)

    def empty(self, now: datetime, holder: str) -> GateResult:
        """Deny nobody any more, for the end of the stack; makes no gate. Raises AuthorBusy."""
        with self._lease(now, holder):
            return self._emptied()

    def _emptied(self) -> GateResult:
        run = Run(self.memory, self.iam, self.gates, self.write, self.memory.accounts())
        run.apply([], creates=False)
        return run.result([])

    @contextmanager
    def _lease(self, now: datetime, holder: str) -> Iterator[None]:
        if not self.memory.take_lease(holder, now, now + LEASE):
            raise AuthorBusy(
                "another run of the author is writing the gates, which it has for at most "
                f"{LEASE.seconds} seconds; the next sweep asks again",
            )
        try:
            yield
        finally:
            self.memory.leave_lease(holder)
