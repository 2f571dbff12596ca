"""The sender: notices leave the outbox, those of this run and those that a dead one left."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from quota_enforcer.core.notices.message import message
from quota_enforcer.core.notices.notice import HISTORY_ONLY, Notice
from quota_enforcer.enforce.ports.adapters import Topic
from quota_enforcer.enforce.ports.ledger import Outbox
from quota_enforcer.enforce.report import Outcome, failure

STRANDED = timedelta(minutes=11)
"""A notice this long in the outbox was left there by a run that died: none takes so long."""

TRIES: Final = 3
"""How often it is tried at the end of the stack, after which nobody would try again."""


class NoticeSender:
    """Sends notices that are in the outbox: at least once each, exactly once if nothing crashes."""

    def __init__(
        self, outbox: Outbox, topic: Topic, zone: ZoneInfo, contact: str, me_url: str
    ) -> None:
        self._outbox = outbox
        self._topic = topic
        self._zone = zone
        self._contact = contact
        self._me_url = me_url

    def send(self, notices: Iterable[Notice], now: datetime) -> Outcome:
        """Send these notices, and those that a dead run left in the outbox."""
        return self._send([*self._outbox.outbox(now - STRANDED), *notices])

    def send_all(self, now: datetime) -> Outcome:
        """Send everything in the outbox, at the end of the stack."""
        sent = Outcome()
        for _ in range(TRIES):
            sent = self._send(self._outbox.outbox(now + STRANDED))
            if not sent.failures:
                break
        return sent

    def _send(self, notices: Iterable[Notice]) -> Outcome:
        failures = []
        for notice in notices:
            if notice.kind in HISTORY_ONLY:
                continue
            try:
                self._topic.publish(
                    notice, message(notice, self._zone, self._contact, self._me_url)
                )
                self._outbox.sent(notice)
            except Exception as error:  # noqa: BLE001 - it stays there for the next sweep
                failures.append(failure(f"notice {notice.id}", error))
        return Outcome(failures=tuple(failures))
