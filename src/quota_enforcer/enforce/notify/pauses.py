"""Admins are told of the begin and the end of a pause."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from quota_enforcer.core.ledger import SweepState
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.notices.wording import moment
from quota_enforcer.core.quotas.quota import Pause, Rule, pause_of
from quota_enforcer.enforce.ports.ledger import Outbox
from quota_enforcer.enforce.ports.sweep_memory import SweepMemory
from quota_enforcer.enforce.report import Outcome


class PauseLedger(Outbox, SweepMemory, Protocol):
    """The roles of the ledger that it takes to tell of a pause."""


class PauseNotifier:
    """Admins are told when new blocks are paused, for how long, and when they are made again."""

    def __init__(self, ledger: PauseLedger, zone: ZoneInfo) -> None:
        self._ledger = ledger
        self._zone = zone

    def notify(self, state: SweepState, rules: Iterable[Rule], now: datetime) -> Outcome:
        """The notice that is now in the outbox.

        There is none if another run is telling at this moment; should that be about an older pause,
        the next sweep tells of this one.
        """
        pause = pause_of(rules, now)
        until = pause.until if pause is not None else None
        if until == state.paused_until:
            return Outcome()
        notice = self._ended(state, now) if pause is None else self._begun(pause, now)
        first = self._ledger.note_pause(until, state, [notice])
        return Outcome((notice,)) if first else Outcome()

    def _begun(self, pause: Pause, now: datetime) -> Notice:
        until = moment(pause.until, self._zone)
        why = f"{pause.by or 'somebody'} paused all new blocks until {until}"
        why += f': "{pause.note}"' if pause.note else ""
        return Notice(NoticeKind.PAUSED, now, "", "", why, until=pause.until, by=pause.by)

    def _ended(self, state: SweepState, now: datetime) -> Notice:
        until = state.paused_until
        why = f"the pause until {moment(until, self._zone)} is over"
        if until is not None and now < until:
            why = f"{why}: somebody ended it before"
        return Notice(NoticeKind.RESUMED, now, "", "", why)
