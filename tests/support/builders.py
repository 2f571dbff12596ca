"""Builders for tests: say only what matters, the rest is ordinary."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from quota_enforcer.core.deployment import Context, Mode
from quota_enforcer.core.ledger import Standing
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.precedence import Applicable
from quota_enforcer.core.quotas.quota import Quota
from quota_enforcer.core.quotas.subject import Subject
from quota_enforcer.core.usage.buckets import ModelUsage, Usage
from quota_enforcer.core.usage.counts import Counts, Measure
from quota_enforcer.core.usage.window import Unit, Window, hour_start
from quota_enforcer.decide.decision import Decision, decide

UTC_ZONE = ZoneInfo("UTC")
LEDGER_TABLE: Final = "ledger"
QUOTA_TABLE: Final = "quotas"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
"""A Tuesday."""
HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
ALICE = Principal.parse("user/alice")
HOUR = timedelta(hours=1)


def a_quota(**but: Any) -> Quota:
    """1,000 total tokens a day for alice, warned at 80 %."""
    ordinary: dict[str, Any] = {
        "subject": "user/alice",
        "name": "daily",
        "measure": Measure.TOTAL_TOKENS,
        "limit": Decimal(1000),
        "window": Window(Unit.DAY),
    }
    values = {**ordinary, **but}
    return Quota(**{**values, "subject": Subject(values["subject"])})


def an_item(**but: Any) -> dict[str, Any]:
    """The same quota as it stands in the table; an attribute set to None is left out."""
    ordinary: dict[str, Any] = {
        "principal": "user/alice",
        "quota": "daily",
        "measure": "total_tokens",
        "limit": 1000,
        "window": "day",
    }
    return {name: value for name, value in {**ordinary, **but}.items() if value is not None}


def tokens(used: Mapping[datetime, int], model: str = HAIKU, zone: ZoneInfo = UTC_ZONE) -> Usage:
    """Usage of one model: input tokens, one request each, at these instants."""
    hours: dict[datetime, Counts] = {}
    for moment, count in used.items():
        start = hour_start(moment, zone)
        hours[start] = Counts.total([hours.get(start, Counts()), Counts(1, count)])
    return Usage({model: ModelUsage.of_hours(hours, zone)})


class Story:
    """One principal's decisions over time, each from the standing that the last one left."""

    def __init__(
        self, *quotas: Quota, who: Principal = ALICE, mode: Mode = Mode.ENFORCE, zone: str = "UTC"
    ) -> None:
        self.quotas = quotas
        self.who = who
        self.mode = mode
        self.zone = ZoneInfo(zone)
        self.standing = Standing()

    def at(self, now: datetime, used: Mapping[datetime, int] | int = 0) -> Decision:
        """Decide at this instant; a bare number is used in the present hour."""
        if isinstance(used, int):
            used = {now: used}
        turns = (turn for quota in self.quotas for turn in quota.turning_points() if turn > now)
        applicable = Applicable(
            tuple(quota for quota in self.quotas if quota.stands(now)), min(turns, default=None)
        )
        context = Context(now, self.zone, self.mode)
        usage = tokens(used, zone=self.zone)
        decision = decide(self.who, applicable, usage, self.standing, context)
        self.standing = decision.standing
        return decision


def kinds(decision: Decision) -> list[str]:
    """The notices of a decision as `kind` or `warning 80`."""
    return [
        f"{notice.kind} {notice.percent}" if notice.kind == "warning" else str(notice.kind)
        for notice in decision.notices
    ]
