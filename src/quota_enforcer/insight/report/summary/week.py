"""A week in short, for the digest: the sums of the report's page, over seven days."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Final

from quota_enforcer.core.deployment import Context
from quota_enforcer.core.notices.amounts import and_more, count, listed, shortened
from quota_enforcer.core.notices.notice import Facts, NoticeKind
from quota_enforcer.core.quotas.quota import Rule
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.window import DAY, day_start, local_date
from quota_enforcer.insight.report import texts
from quota_enforcer.insight.report.blocked import BlockOutcome
from quota_enforcer.insight.report.gather import Gathering, ReportLedger
from quota_enforcer.insight.report.lines import QuotaLine, lines, remarks, stopped
from quota_enforcer.insight.report.model import ReportSource, UsageReport, by_spender
from quota_enforcer.insight.report.summary.money import Money, compared, cost_of

NAMED: Final = 5
"""Of each list."""
READERS: Final = 8
"""Principals read side by side; a client keeps ten connections."""
WEEK: Final = timedelta(days=7)
_WEEKS: Final = 3
"""One more than is compared: so a week without usage is told from one that nobody recorded."""
_LONGEST_NAME: Final = 64


class ReportOfWeek:
    """Reads everybody, as `report` does."""

    def __init__(self, ledger: ReportLedger, source: ReportSource, most: int) -> None:
        """`most` principals are summed up: all of them are in memory at once."""
        self._ledger = ledger
        self._source = source
        self._most = most

    def week(self, rules: Iterable[Rule], context: Context, monday: date) -> tuple[str, Facts]:
        """The week that ended before this Monday: what it cost in a few words, and all else."""
        days = local_date(context.now, context.zone) - (monday - _WEEKS * WEEK) + DAY
        gathering = Gathering(self._ledger, rules, context, days // DAY)
        records = gathering.everybody()
        if len(records) > self._most:
            return _too_many(len(records), self._most, monday)
        with ThreadPoolExecutor(READERS) as pool:
            people = list(pool.map(gathering.person, records))
        covered = day_start(monday, context.zone) - timedelta(microseconds=1)
        return in_words(gathering.report(self._source, people, covered), monday)


def _too_many(known: int, most: int, monday: date) -> tuple[str, Facts]:
    why = (
        f"{known:,} principals are known, and the enforcer's memory is for {most:,} at once; "
        "`quota-enforcer report` sums them up on your machine, and a larger MemorySize in the "
        "template here"
    )
    return f"{_week(monday)} is not summed up", (("Why", why),)


def _week(monday: date) -> str:
    sunday = monday - DAY
    return f"the week to {sunday.day} {sunday:%b}"


def in_words(report: UsageReport, monday: date) -> tuple[str, Facts]:
    """The same of a report that begins early enough; what is not known is said, and is no zero."""
    money, every = Money.of(report), lines(report)
    facts = (
        ("Dollars", " ".join(_dollars(report, money, monday))),
        ("Blocks", "; ".join(_blocks(report, every, monday))),
        ("Top five", _top(report, monday)),
        ("Runs out", _runs_out([line for line in every if line.running_out])),
        ("Not covered", report.coverage.words),
        ("Not metered", _gaps(report, monday)),
        ("Look at", " ".join(each.title for each in remarks(report, money) if each.urgent)),
    )
    said = tuple((label, words.rstrip(".")) for label, words in facts if words)
    return _headline(report, money, monday), said


def _headline(report: UsageReport, money: Money, monday: date) -> str:
    """`$1,234.56 in the week to 22 Nov, 12 % more`."""
    by_day, week = report.by_day(), _week(monday)
    if money.recorded_from is None or money.recorded_from >= monday:
        return f"no usage recorded in {week}"
    cost, before = (cost_of(by_day, end - WEEK, end) for end in (monday, monday - WEEK))
    change = compared(cost, before) if _known(money, monday - 2 * WEEK) else ""
    return f"{texts.money(cost)} in {week}{change and f', {change}'}"


def _dollars(report: UsageReport, money: Money, monday: date) -> Iterator[str]:
    recorded, by_day = money.recorded_from, report.by_day()
    if recorded is None:
        yield "Nothing is recorded, which does not mean that nothing was used."
        return
    used = Counts.total(counts for _, counts in by_spender(report, monday - WEEK, monday))
    assumed = f", {texts.money(used.assumed_usd)} of it at assumed prices"
    yield f"{texts.money(used.cost_usd)} in the week{assumed if used.assumed_usd else ''}."
    if not _known(money, monday - WEEK):
        yield f"Nothing is recorded before {texts.day(recorded)}."
    else:
        before = texts.money(cost_of(by_day, monday - 2 * WEEK, monday - WEEK))
        partly = not _known(money, monday - 2 * WEEK)
        since = f", recorded from {texts.day(recorded)} only" if partly else ""
        yield f"The week before: {before}{since}."
    ahead = money.month.projected
    said = "" if ahead is None else f", at this pace {texts.money(ahead)} by its end"
    yield f"This month so far: {texts.money(money.month.so_far)}{said}."


def _known(money: Money, first: date) -> bool:
    """Whether usage was recorded on that day already."""
    return money.recorded_from is not None and money.recorded_from <= first


def _blocks(report: UsageReport, every: list[QuotaLine], monday: date) -> Iterator[str]:
    begin, end = (day_start(day, report.zone) for day in (monday - WEEK, monday))
    begun = [block for block in report.blocks if begin <= block.start < end]
    for outcome in BlockOutcome:
        who = [block.principal for block in begun if block.outcome is outcome]
        if who:
            names = listed([_short(each) for each in dict.fromkeys(who)], NAMED)
            yield f"{outcome} in the week {count(len(who), 'time')}: {names}"
    if not begun:
        yield "nobody in the week"
    now = stopped(every)
    named = [f"{_short(line.who)}, {_short(line.quota)}, until {line.until}" for line in now]
    yield f"used up now: {_several(named)}" if named else "no quota is used up now"


def _top(report: UsageReport, monday: date) -> str:
    spenders = by_spender(report, monday - WEEK, monday)
    whole = sum(used.cost_usd for _, used in spenders)
    return _several(
        [
            f"{_short(str(who.principal))} {texts.money(used.cost_usd)} "
            f"({texts.percent(used.cost_usd, whole)})"
            for who, used in spenders
        ]
    )


def _runs_out(running: list[QuotaLine]) -> str:
    named = [f"{_short(line.who)}, {_short(line.quota)}, {line.runs_out}" for line in running]
    return _several(named) if named else "no quota before its reset, at this pace"


def _gaps(report: UsageReport, monday: date) -> str:
    begin, end = (day_start(day, report.zone) for day in (monday - WEEK, monday))
    told = [each.kind for each in report.others if begin <= each.at < end]
    gaps, healed = map(told.count, (NoticeKind.METERING_GAP, NoticeKind.METERING_HEALED))
    if not gaps:
        return ""
    return f"{count(gaps, 'notice')} of calls that were not metered, {healed:,} that they count now"


def _several(named: list[str]) -> str:
    """Each of them may have a comma of its own."""
    more = and_more(len(named), NAMED)
    return "; ".join([*named[:NAMED], *([more] if more else [])])


def _short(name: str) -> str:
    return shortened(name, _LONGEST_NAME)
