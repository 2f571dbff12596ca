"""Usage as the report reads it: everybody once, however many of their pools ask for it."""

from collections.abc import Iterable
from concurrent.futures import Future
from datetime import date, datetime
from threading import Lock

from quota_enforcer.core.deployment import Context
from quota_enforcer.core.ledger import UsageReads
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.quota import Quota, Rule
from quota_enforcer.core.usage.buckets import ModelUsage, Usage
from quota_enforcer.core.usage.window import local_date


class UsageRead:
    """Everybody's day buckets from a date on, and the hour buckets that quotas still count.

    Safe to share between threads: who asks second waits for the first.
    """

    def __init__(
        self, ledger: UsageReads, rules: Iterable[Rule], context: Context, first: date
    ) -> None:
        windows = {rule.window for rule in rules if isinstance(rule, Quota)}
        spans = [window.span(context.now, context.zone) for window in windows]
        self._ledger = ledger
        self._first = min([first, *(local_date(span.start, context.zone) for span in spans)])
        self._hours_from = min((span.start for span in spans if span.hours), default=context.now)
        self._read: dict[Principal, Future[Usage]] = {}
        self._lock = Lock()

    def usage(self, principal: Principal, first: date) -> Usage:
        """One principal's usage, as a ledger has it; what is before `first` is there as well."""
        del first
        with self._lock:
            future = self._read.get(principal)
            to_read = future is None
            if future is None:
                future = self._read[principal] = Future()
        if to_read:
            try:
                whole = self._ledger.usage(principal, self._first)
            except BaseException as error:
                future.set_exception(error)
                raise
            future.set_result(_thinned(whole, self._hours_from))
        return future.result()


def _thinned(usage: Usage, hours_from: datetime) -> Usage:
    """Without the hours that nobody counts any more: they are most of what a ledger holds."""
    return Usage(
        {
            model: ModelUsage(
                {hour: counts for hour, counts in each.hours.items() if hour >= hours_from},
                each.days,
            )
            for model, each in usage.models.items()
        }
    )
