"""Overview: many looked at, their usage read together; each is decided about as in a sweep."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from quota_enforcer.core.deployment import Context
from quota_enforcer.core.ledger import Record, UsageReads
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.usage.buckets import Usage
from quota_enforcer.core.usage.window import local_date
from quota_enforcer.decide.decision import Decision
from quota_enforcer.decide.evaluate import Evaluation, evaluate
from quota_enforcer.decide.pools import Pools
from quota_enforcer.decide.verdict import Verdict


class StatusInput(NamedTuple):
    """One principal's record, what is decided about it now, and the usage that this rests on."""

    record: Record
    looked: Evaluation

    @property
    def decision(self) -> Decision:
        """What is decided."""
        return self.looked.decision

    @property
    def usage(self) -> Usage:
        """What it used itself."""
        return self.looked.own

    def behind(self, verdict: Verdict) -> Usage:
        """The usage that one of its verdicts sums up."""
        return self.looked.behind(verdict.quota)


@dataclass(frozen=True, slots=True)
class ReadBefore:
    """Usage that was read already, for `look` to find; what was not is read now."""

    ledger: UsageReads
    firsts: Mapping[Principal, date]
    usages: Mapping[Principal, Usage]

    def usage(self, principal: Principal, first: date) -> Usage:
        """One principal's usage from a local date on."""
        known = self.firsts.get(principal)
        if known is None or first < known:
            return self.ledger.usage(principal, first)
        return self.usages[principal]


def overview(
    records: Iterable[Record], book: QuotaBook, read: ReadBefore, context: Context
) -> Iterator[StatusInput]:
    """Decide about each on the usage that was read for all of them."""
    pools = Pools(book, read, context)
    for record in records:
        looked = evaluate(record, book, read, context, pools)
        if not looked.decision.verdicts:  # then nobody asked for any usage
            looked = looked._replace(own=read.usages[record.principal])
        yield StatusInput(record, looked)


def far_back(
    principals: Iterable[Principal], book: QuotaBook, context: Context, since: date | None = None
) -> tuple[dict[Principal, date], date | None]:
    """From when on the quotas of all of these need usage, with that of their pools' members.

    That is `since` at the latest, or today. The second is from when on they need the hours.
    """
    firsts: dict[Principal, date] = {}
    by_the_hour: set[date] = set()
    today = local_date(context.now, context.zone)
    for principal in principals:
        spans = [
            quota.window.span(context.now, context.zone)
            for quota in book.of(principal, context.now).quotas
        ]
        starts = [local_date(span.start, context.zone) for span in spans]
        by_the_hour |= {local_date(span.start, context.zone) for span in spans if span.hours}
        first = min([since or today, *starts])
        for each in {principal, *book.pools.get(principal, ())}:
            firsts[each] = min(first, firsts.get(each, first))
    return firsts, min(by_the_hour, default=None)
