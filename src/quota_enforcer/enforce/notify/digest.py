"""Once a week admins are told how the week was."""

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
from quota_enforcer.enforce.ports import SweepMemory, WeekReport
from quota_enforcer.enforce.report import Outcome, failure

FROM: Final = time(7)
"""On Monday, by the deployment's clock: late records of the week are in, and people are not yet."""
AGAIN_AFTER: Final = HOUR
"""It reads everybody's usage: one that failed, or died, is not begun again by each sweep."""


class DigestLookout:
    """Each Monday has one digest, told by its first sweep from seven on, or by the first after it.

    The week in which a deployment begins has none yet: nothing was metered before it.
    """

    def __init__(self, memory: SweepMemory, weeks: WeekReport | None) -> None:
        self._memory = memory
        self._weeks = weeks

    def look(self, state: SweepState, rules: Iterable[Rule], context: Context) -> Outcome:
        """The notice now in the outbox; none if somebody else tells, or is just about to."""
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
