"""Pools: what the members of teams used together, read once for everybody who shares a quota."""

from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

from quota_enforcer.core.deployment import Context
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.quotas.quota import Quota
from quota_enforcer.core.usage.buckets import Usage, pooled
from quota_enforcer.core.usage.reads import UsageReads
from quota_enforcer.decide.verdict import first_day

READERS = 8
"""Members read side by side: reading waits for the network, not for the processor."""


class Pools:
    """The pools of one moment; each is read when first asked for, by whichever thread that is."""

    def __init__(self, book: QuotaBook, ledger: UsageReads, context: Context) -> None:
        self._book = book
        self._ledger = ledger
        self._context = context
        self._lock = Lock()
        self._read: dict[str, Future[Mapping[str, Usage]]] = {}

    def usage(self, quotas: Iterable[Quota]) -> dict[str, Usage]:
        """By quota id, what all who share it used; raises what reading one of them raises."""
        return {quota.id: self._of(quota.subject)[quota.id] for quota in quotas if quota.pooled}

    def _of(self, team: str) -> Mapping[str, Usage]:
        with self._lock:
            known = self._read.get(team)
            reading = self._read[team] = known or Future()
        if known is None:
            # Whatever it raises is raised for everybody who waits: nobody tries it all again.
            try:
                reading.set_result(self._gather(Principal.parse(team)))
            except BaseException as error:  # noqa: BLE001 - raised below
                reading.set_exception(error)
        return reading.result()

    def _gather(self, team: Principal) -> Mapping[str, Usage]:
        """The usage behind each quota of a team, as far back as the longest of them needs."""
        quotas = self._book.applicable_to(team, self._context.now).quotas
        first = first_day(quotas, self._context)
        if first is None:
            return {}
        members = {quota.id: self._book.contributors[quota.id] for quota in quotas}
        everybody = sorted(frozenset().union(*members.values()))
        with ThreadPoolExecutor(READERS) as threads:
            read = threads.map(lambda member: self._ledger.usage(member, first), everybody)
            used = dict(zip(everybody, read, strict=True))
        sums = {
            several: pooled(map(used.__getitem__, several)) for several in set(members.values())
        }
        return {id_: sums[several] for id_, several in members.items()}
