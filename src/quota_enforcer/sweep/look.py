"""Look: one principal's quotas and usage, gathered and decided; the status table looks likewise."""

from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from quota_enforcer.core.decision import Decision, decide
from quota_enforcer.core.precedence import Applicable, QuotaBook
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage import Usage, pooled
from quota_enforcer.core.verdict import Terms
from quota_enforcer.core.window import local_date
from quota_enforcer.ports import Record, Usages


def look(record: Record, book: QuotaBook, ledger: Usages, terms: Terms) -> Decision:
    """Decide for one principal on what the ledger holds now."""
    return look_closely(record, book, ledger, terms)[0]


def look_closely(
    record: Record, book: QuotaBook, ledger: Usages, terms: Terms
) -> tuple[Decision, Usage]:
    """The decision, and the usage that it rests on.

    Somebody decided about at a later moment than this one is decided about as of that one: a wake
    may have been there while a sweep of an earlier tick is still under way.
    """
    since = record.standing.since
    if since is not None and since > terms.now:
        terms = replace(terms, now=since)
    applicable = book.of(record.principal, terms.now)
    usage = usage_for(record.principal, applicable, book, ledger, terms)
    return decide(record.principal, applicable, usage, record.standing, terms), usage


def usage_for(
    principal: Principal, applicable: Applicable, book: QuotaBook, ledger: Usages, terms: Terms
) -> Usage:
    """As much usage as the longest window needs; of all members where a team shares one quota."""
    first = _first_day(applicable, terms.now, terms.zone)
    if first is None:
        return Usage()
    members = book.pools.get(principal)
    if members is None:
        return ledger.usage(principal, first)
    return pooled(ledger.usage(member, first) for member in members)


def _first_day(applicable: Applicable, now: datetime, zone: ZoneInfo) -> date | None:
    spans = (quota.window.span(now, zone) for quota in applicable.quotas)
    return min((local_date(span.start, zone) for span in spans), default=None)
