"""Gathering: what the report shows, out of the ledger and the quotas."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Protocol

from quota_enforcer.core.deployment import Context
from quota_enforcer.core.ledger import LedgerReads, Record
from quota_enforcer.core.notices.notice import HistoryReads, NoticeKind
from quota_enforcer.core.principal import Kind, Principal, why_not_deniable
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.quotas.quota import Rule, teams_of
from quota_enforcer.core.usage.place import NOWHERE_KNOWN, Place
from quota_enforcer.core.usage.window import DAY, day_start, local_date
from quota_enforcer.decide import reasons
from quota_enforcer.decide.decision import Decision
from quota_enforcer.decide.evaluate import Evaluation, Pools, evaluate
from quota_enforcer.decide.judgement import by_item
from quota_enforcer.decide.pace.window import runs_out
from quota_enforcer.insight.forecast import PACE_DAYS, percent_at_reset
from quota_enforcer.insight.quotas.coverage import coverage_of_usage
from quota_enforcer.insight.report.blocked import TOLD_TO_ADMINS, BlockedPeriod, Now, blocks_of
from quota_enforcer.insight.report.model import Bar, ByDay, Person, ReportSource, UsageReport
from quota_enforcer.insight.status import acting, everybody, rows
from quota_enforcer.insight.usage import UsageRead

_MONTH = 28
"""A report of so many days or more shows the month before too."""


class ReportLedger(LedgerReads, HistoryReads, Protocol):
    """The ledger as a report reads it."""


class Gathering:
    """A report in the making: the parts of all principals are read side by side, then joined."""

    def __init__(
        self, ledger: ReportLedger, rules: Iterable[Rule], context: Context, days: int
    ) -> None:
        self._ledger = ledger
        self._rules = tuple(rules)
        self._book = QuotaBook(self._rules)
        self._context = context
        today = local_date(context.now, context.zone)
        self._days = tuple(today - DAY * n for n in reversed(range(days)))
        self._first = day_start(self._days[0], context.zone)
        self._read_from = _read_from(self._days)
        self._usage = UsageRead(ledger, self._rules, context, self._read_from)
        self._pools = Pools(self._book, self._usage, context)
        self._state = ledger.state()

    def everybody(self) -> list[Record]:
        """The records of all principals that the ledger knows or a quota names."""
        return everybody(self._ledger.everybody(), self._rules)

    def person(self, record: Record) -> Person:
        """One principal's part of the report, decided as the enforcer would now."""
        principal = record.principal
        looked = evaluate(record, self._book, self._usage, self._context, self._pools)
        decision = looked.decision
        return Person(
            principal,
            self._models(principal),
            self._bars(record, looked),
            self._blocks(record, decision),
            self._places(principal),
        )

    def report(
        self, source: ReportSource, people: Iterable[Person], covered: datetime | None = None
    ) -> UsageReport:
        """All of it; what no quota counts is looked for in the days up to `covered`, or to now."""
        told = (each for each in self._ledger.history() if each.kind in TOLD_TO_ADMINS)
        several = tuple(people)
        usages = {
            each.principal: self._usage.usage(each.principal, self._read_from)
            for each in several
            if each.principal.kind is not Kind.TEAM
        }
        return UsageReport(
            source=source,
            mode=self._context.mode,
            zone=self._context.zone,
            now=self._context.now,
            state=self._state,
            days=self._days,
            first=self._first,
            read_from=self._read_from,
            people=several,
            teams=teams_of(self._rules),
            others=tuple(each for each in told if self._first <= each.at <= self._context.now),
            coverage=coverage_of_usage(
                usages, self._book, replace(self._context, now=covered or self._context.now)
            ),
        )

    def _models(self, principal: Principal) -> Mapping[str, ByDay]:
        """Its own usage by model and day; a team has none but its members'."""
        if principal.kind is Kind.TEAM:
            return {}
        usage = self._usage.usage(principal, self._read_from)
        found = {
            model: {
                day: counts
                for day, counts in sorted(used.days.items())
                if self._read_from <= day <= self._days[-1] and any(counts)
            }
            for model, used in sorted(usage.models.items())
        }
        return {model: days for model, days in found.items() if days}

    def _places(self, principal: Principal) -> Mapping[Place, ByDay]:
        """The same by where it was."""
        if principal.kind is Kind.TEAM:
            return {}
        home = self._context.home or NOWHERE_KNOWN
        usage = self._usage.usage(principal, self._read_from)
        return {
            Place.of(stored, home): {
                day: counts
                for day, counts in of_place.by_day().items()
                if self._read_from <= day <= self._days[-1] and any(counts)
            }
            for stored, of_place in sorted(usage.by_place.items())
        }

    def _blocks(self, record: Record, decision: Decision) -> tuple[BlockedPeriod, ...]:
        """The blocks; what has ended since the last sweep has its end too."""
        noted = record.standing.would_deny
        still = decision.standing.would_deny
        ended = (each for each in decision.notices if each.kind is NoticeKind.WOULD_HAVE_BLOCKED)
        return blocks_of(
            record.principal,
            [*self._ledger.history(record.principal), *ended],
            Now(
                self._first,
                self._context.now,
                denied=bool(record.standing.denied),
                over=frozenset(v.quota.name for v in decision.verdicts if v.used_up),
                deniable=_deniable(record.principal, self._context),
                would_deny={id_: still[id_] for id_ in noted if id_ in still},
            ),
        )

    def _bars(self, record: Record, looked: Evaluation) -> tuple[Bar, ...]:
        """As `status` has them, with the forecast of those that apply."""
        decision = looked.decision
        table = list(rows(record, decision, self._state))
        judged = [
            Bar(
                row,
                ", ".join(map(str, verdict.quota.models)),
                reasons.used(acting(record, stages).verdict),
                runs_out(verdict, looked.behind(verdict.quota), decision.context),
                percent_at_reset(verdict, decision.context),
            )
            for stages, row in zip(by_item(decision.judgements), table, strict=False)
            for verdict in [stages[-1].verdict]
        ]
        return (*judged, *map(Bar, table[len(judged) :]))


def _read_from(days: tuple[date, ...]) -> date:
    """The first day shown, or earlier for this month's cost, its pace, and the month before."""
    month = days[-1].replace(day=1)
    if len(days) >= _MONTH:
        month = (month - timedelta(days=1)).replace(day=1)
    return min(days[0], month, days[-1] - DAY * PACE_DAYS)


def _deniable(principal: Principal, context: Context) -> bool:
    why = why_not_deniable(principal, gated=context.gated, reached=context.reached)
    return why is None
