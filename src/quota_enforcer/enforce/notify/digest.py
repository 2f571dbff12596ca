"""Admins are told once a week how the past week was."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from quota_enforcer.core.deployment import Context
from quota_enforcer.core.ledger import SweepState
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.quotas.quota import Rule
from quota_enforcer.core.usage.window import DAY, HOUR, local_date
from quota_enforcer.enforce.ports.adapters import WeekReport
from quota_enforcer.enforce.ports.sweep_memory import SweepMemory
from quota_enforcer.enforce.report import Outcome, failure

FROM: Final = time(7)
"""On Monday, by the deployment's clock: the week's last records have come, and people have not."""
AGAIN_AFTER: Final = HOUR
"""A digest that failed is begun again only after this: it reads everybody's usage."""


class DigestNotifier:
    """Tells of the past week: by the first sweep from seven o'clock of Monday on.

    The week in which a deployment begins has none yet: nothing was metered before it.
    """

    def __init__(self, memory: SweepMemory, weeks: WeekReport | None) -> None:
        self._memory = memory
        self._weeks = weeks

    def notify(self, state: SweepState, rules: Iterable[Rule], context: Context) -> Outcome:
        """The notice that is now in the outbox; none if another run tells or has just begun to."""
        now = context.now
        monday = due_monday(now, context.zone)
        if self._weeks is None or state.digest_week >= str(monday):
            return Outcome()
        if not state.digest_week:
            this_week = monday_of(local_date(now, context.zone))
            self._memory.note_digest(str(this_week), now, state, [])
            return Outcome()
        tried_at = state.digest_tried_at
        if tried_at is not None and now - tried_at < AGAIN_AFTER:
            return Outcome()
        if not self._memory.note_digest(state.digest_week, now, state, []):
            return Outcome()
        try:
            reason, facts = self._weeks.week(rules, context, monday)
        except Exception as error:  # noqa: BLE001 - the sweep has done all else
            return Outcome(failures=(failure("could not tell of the week", error),))
        notice = Notice(NoticeKind.DIGEST, now, "", "", reason, facts=facts)
        begun = replace(state, digest_tried_at=now)
        told = self._memory.note_digest(str(monday), now, begun, [notice])
        return Outcome((notice,)) if told else Outcome()


def due_monday(now: datetime, zone: ZoneInfo) -> date:
    """The last Monday whose digest is due."""
    monday = monday_of(local_date(now, zone))
    return monday if now >= datetime.combine(monday, FROM, zone) else monday - 7 * DAY


def monday_of(day: date) -> date:
    """The Monday of its week."""
    return day - DAY * day.weekday()
