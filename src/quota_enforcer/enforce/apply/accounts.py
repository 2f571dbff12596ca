"""Member accounts out of reach: admins are told once of each, and again once it was reached."""

from collections.abc import Mapping

from quota_enforcer.core.ledger import SweepState
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.enforce.gather.sweep_input import HOME, SweepInput
from quota_enforcer.enforce.ports import SweepMemory
from quota_enforcer.enforce.report import Outcome


class AccountLookout:
    """Keeps in the state of which accounts admins know.

    A wake adds to them. To be taken out an account must have answered a sweep, which asks each once
    an hour; or its satellite has gone.
    """

    def __init__(self, memory: SweepMemory) -> None:
        self._memory = memory

    def look(
        self, state: SweepState, given: SweepInput, failed: Mapping[str, str]
    ) -> tuple[Outcome, list[str]]:
        """What admins are told; and every account that is out of reach as far as it is known."""
        reached = given.context.reached
        failed = {each: why for each, why in {**given.unread, **failed}.items() if each in reached}
        told = frozenset(filter(None, state.accounts_notified.split(",")))
        answered = given.listed - HOME - failed.keys()
        unreachable = sorted((told & reached) - answered | failed.keys())
        notified = ",".join(unreachable)
        if notified == state.accounts_notified:
            return Outcome(), unreachable
        now = given.context.now
        notices = [
            Notice(NoticeKind.ACCOUNT_UNREACHABLE, now, "", account, failed[account])
            for account in sorted(failed.keys() - told)
        ]
        first = self._memory.note_accounts(notified, state, notices)
        return Outcome(notices=tuple(notices)) if first else Outcome(), unreachable
