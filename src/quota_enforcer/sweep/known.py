"""The quotas as a process loaded them last, for wakes: to read the table each time is slow."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from quota_enforcer.ports import Outside, SweepState
from quota_enforcer.sweep.quotas import LoadedQuotas, QuotaLoader, Rules
from quota_enforcer.sweep.unpriced import PriceWatch

KEPT = timedelta(minutes=5)
"""How long they are good where no sweep has seen an edit since."""


@dataclass(frozen=True, slots=True)
class Known:
    """Loaded quotas, when that was, and what the ledger's state said of them then.

    `prices` knows what admins were told of models without one.
    """

    loaded: LoadedQuotas
    at: datetime
    seen: tuple[str, str]
    prices: PriceWatch

    @property
    def rules(self) -> Rules:
        """As a wake decides by them."""
        return Rules(self.loaded.book, self.seen[0])


class KnownQuotas:
    """Loads quotas and keeps them for a while; an edit counts as acted on only by a sweep."""

    def __init__(self, outside: Outside, loader: QuotaLoader) -> None:
        self._outside = outside
        self._loader = loader
        self.last: Known | None = None

    def load(self, now: datetime) -> LoadedQuotas:
        """The quotas as they stand in the table now."""
        return self._loader.load(
            self._outside.quotas.items(), self._outside.ledger.quota_memories(), now
        )

    def current(self, state: SweepState, now: datetime) -> Known:
        """What was loaded last while it is good, else what the table says now.

        `state` must have been read before, so that what is loaded is no older than what it says.
        """
        seen = (state.quotas_seen, state.terms)
        last = self.last
        if last is None or last.seen != seen or not last.at <= now < last.at + KEPT:
            last = self.last = Known(self.load(now), now, seen, PriceWatch(self._outside.ledger))
        return last

    def remember(self, loaded: LoadedQuotas) -> list[str]:
        """Only once it has been acted on does an edit count as seen; returns failures in words."""
        ledger = self._outside.ledger
        failures = []
        for memory in loaded.remember:
            try:
                ledger.remember_quota(memory)
            except Exception as error:  # noqa: BLE001 - one item that is too large stops no other
                words = f"{type(error).__name__}: {error}"
                failures.append(f"quota {memory.name} of {memory.whom}: {words}")
        for memory in loaded.forget:
            ledger.forget_quota(memory)
        return failures
