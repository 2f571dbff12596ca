"""Admins are told of member accounts that cannot be reached: once, until one was reached again."""

from collections.abc import Mapping

from quota_enforcer.core.ledger import SweepState
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.policies.in_force import ONLY_HOME
from quota_enforcer.enforce.gather.sweep_input import SweepInput
from quota_enforcer.enforce.ports.sweep_memory import SweepMemory
from quota_enforcer.enforce.report import Outcome


class AccountNotifier:
    """Tells of each account once; the sweep's state has those that admins know to be out of reach.

    A wake only adds accounts. One is taken out when it answers a sweep, which asks each account
    once an hour, or when its satellite is gone.
    """

    def __init__(self, memory: SweepMemory) -> None:
        self._memory = memory

    def notify(
        self, state: SweepState, given: SweepInput, failed: Mapping[str, str]
    ) -> tuple[Outcome, list[str]]:
        """What admins are told, and every account that is known to be out of reach."""
        reached = given.context.reached
        tried = {**given.in_force.unread, **failed}
        failed = {each: why for each, why in tried.items() if each in reached}
        told = frozenset(filter(None, state.accounts_notified.split(",")))
        answered = given.in_force.listed - ONLY_HOME - failed.keys()
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
