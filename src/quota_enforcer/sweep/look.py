"""Look: one principal's quotas and usage, gathered and decided; the status table looks likewise."""

from dataclasses import replace

from quota_enforcer.core.decision import Decision, decide
from quota_enforcer.core.precedence import QuotaBook
from quota_enforcer.core.principal import Kind
from quota_enforcer.core.usage import Usage
from quota_enforcer.core.verdict import Terms, first_day
from quota_enforcer.ports import Ledger, Record
from quota_enforcer.sweep.pools import Pools


def look(
    record: Record, book: QuotaBook, ledger: Ledger, terms: Terms, pools: Pools | None = None
) -> Decision:
    """Decide for one principal on what the ledger holds now.

    With `pools` what teams share is read once for all who are looked at.
    """
    return look_closely(record, book, ledger, terms, pools or Pools(book, ledger, terms))[0]


def look_closely(
    record: Record, book: QuotaBook, ledger: Ledger, terms: Terms, pools: Pools
) -> tuple[Decision, list[Usage]]:
    """The decision, and the usage that it rests on: one's own, or of a team its pools'.

    Somebody decided about at a later moment than this one is decided about as of that one: a wake
    may have been there while a sweep of an earlier tick is still under way.
    """
    since = record.standing.since
    if since is not None and since > terms.now:
        terms = replace(terms, now=since)
    applicable = book.of(record.principal, terms.now)
    shared = pools.usage(applicable.quotas)
    first = first_day((quota for quota in applicable.quotas if not quota.pooled), terms)
    usage = Usage() if first is None else ledger.usage(record.principal, first)
    decision = decide(record.principal, applicable, usage, record.standing, terms, shared)
    return decision, [*shared.values()] if record.principal.kind is Kind.TEAM else [usage]
