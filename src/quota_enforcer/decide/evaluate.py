"""One principal's quotas and usage, read and decided; sweeps and the status table share it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from quota_enforcer.core.deployment import Context
from quota_enforcer.core.ledger import Record
from quota_enforcer.core.principal import Kind
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.quotas.quota import Quota
from quota_enforcer.core.usage.buckets import Usage
from quota_enforcer.core.usage.reads import UsageReads
from quota_enforcer.decide.decision import Decision, decide
from quota_enforcer.decide.pools import Pools
from quota_enforcer.decide.verdict import first_day


class Evaluation(NamedTuple):
    """What is decided about somebody, and the usage that it rests on.

    `own` is what it used itself, as far as its quotas need it; `shared` by the id of a quota that a
    pool shares what all used who draw on it.
    """

    decision: Decision
    own: Usage
    shared: Mapping[str, Usage]

    def behind(self, quota: Quota) -> Usage:
        """The usage that a quota is held against."""
        return self.shared.get(quota.id, self.own)

    @property
    def counted(self) -> list[Usage]:
        """One's own, or of a team its pools'."""
        team = self.decision.principal.kind is Kind.TEAM
        return [*self.shared.values()] if team else [self.own]


def decide_for_one(
    record: Record,
    book: QuotaBook,
    ledger: UsageReads,
    context: Context,
    pools: Pools | None = None,
) -> Decision:
    """Decide for one principal on what the ledger holds now.

    With `pools` what teams share is read once for all who are looked at.
    """
    pools = pools or Pools(book, ledger, context)
    return evaluate(record, book, ledger, context, pools).decision


def evaluate(
    record: Record, book: QuotaBook, ledger: UsageReads, context: Context, pools: Pools
) -> Evaluation:
    """The decision with what it rests on.

    Somebody decided about at a later moment than this one is decided about as of that one: a wake
    may have been there while a sweep of an earlier tick is still under way.
    """
    since = record.standing.since
    if since is not None and since > context.now:
        context = replace(context, now=since)
    applicable = book.applicable_to(record.principal, context.now)
    shared = pools.usage(applicable.quotas)
    first = first_day((quota for quota in applicable.quotas if not quota.pooled), context)
    own = Usage() if first is None else ledger.usage(record.principal, first)
    decision = decide(record.principal, applicable, own, record.standing, context, shared)
    return Evaluation(decision, own, shared)
