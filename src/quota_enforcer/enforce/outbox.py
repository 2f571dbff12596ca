"""Sending what is in the outbox: at least once, and once where nothing crashes."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from quota_enforcer.core.deployment import Settings
from quota_enforcer.core.notices.notice import HISTORY_ONLY, Notice
from quota_enforcer.core.notices.wording import message
from quota_enforcer.enforce.ports import Ledger, Topic

STRANDED = timedelta(minutes=11)
"""A notice this long in the outbox was left there by a sweep that died: none runs for so long."""


class Outbox:
    """Notices that a sweep has written down, on their way to the topic."""

    def __init__(self, ledger: Ledger, topic: Topic, settings: Settings) -> None:
        self._ledger = ledger
        self._topic = topic
        self._settings = settings

    def send(self, notices: Iterable[Notice], now: datetime) -> list[str]:
        """Send these, and those that a sweep which died left behind; returns failures in words."""
        failures = []
        for notice in [*self._ledger.outbox(now - STRANDED), *notices]:
            if notice.kind in HISTORY_ONLY:
                continue
            words = message(notice, self._settings.zone, self._settings.contact)
            try:
                self._topic.publish(notice, words)
            except Exception as error:  # noqa: BLE001 - it stays here for the next sweep
                failures.append(f"notice {notice.id}: {type(error).__name__}: {error}")
            else:
                self._ledger.sent(notice)
        return failures
