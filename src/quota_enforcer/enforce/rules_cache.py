"""The rules as a process loaded them last: kept for wakes, since to read the table is slow."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol
from uuid import uuid4

from quota_enforcer.core.ledger import SweepState
from quota_enforcer.core.notices.notice import HISTORY_ONLY, Notice
from quota_enforcer.core.quotas.item import Quotas
from quota_enforcer.decide.rules.loader import QuotaLoader
from quota_enforcer.decide.rules.rule_set import QuotaEdit, RuleSet
from quota_enforcer.enforce.notify.prices import UnpricedModels
from quota_enforcer.enforce.ports.ledger import PriceMemories, QuotaMemories
from quota_enforcer.enforce.ports.sweep_memory import SweepMemory
from quota_enforcer.enforce.report import Outcome, failure

KEPT = timedelta(minutes=5)
"""How long they are good if nobody has seen an edit since."""
TRIES = 5
"""How often they are loaded again if somebody else has just seen an edit too."""
WRITERS = 8
"""Edits remembered side by side: an import makes thousands of them."""


@dataclass(frozen=True, slots=True)
class CachedRules:
    """Rules, with the time of their loading and the claim of who acts on their edits."""

    rules: RuleSet
    at: datetime
    settings: str
    """What the ledger's state said of the settings when these were loaded."""
    unpriced: UnpricedModels
    unsettled: bool = False
    """Whether somebody before may not have come to the end of acting on edits."""
    mark: str = ""
    """What stands in the state for their claim, or for our own."""
    reached: frozenset[str] = frozenset()
    """The member accounts with a satellite."""


class RulesLedger(SweepMemory, QuotaMemories, PriceMemories, Protocol):
    """The roles of the ledger that say which edits were acted on."""


class RulesCache:
    """Loads rules and keeps them for a while."""

    def __init__(
        self,
        ledger: RulesLedger,
        quotas: Quotas,
        loader: QuotaLoader,
        reached: Callable[[], frozenset[str]] = frozenset,
    ) -> None:
        self._ledger = ledger
        self._quotas = quotas
        self._loader = loader
        self._reached = reached
        self._last: CachedRules | None = None

    def current(self, state: SweepState, now: datetime) -> CachedRules:
        """What was loaded last while it is good, else what the table says now.

        `state` must have been read before, so that what is loaded is no older than what it says.
        """
        last = self._last
        if last is None or not _good(last, state, now):
            last = self._last = self._load(state, now)
        return last

    def to_act_on(self, now: datetime) -> CachedRules:
        """What the table says now, for who is going to act on the edits in it.

        That these are seen is noted first: from then on nobody else blocks or releases by what
        they loaded before.
        """
        for _ in range(TRIES):
            state = self._ledger.state()
            cached, mark = self._load(state, now), state.unsettled
            if not cached.rules.news:
                break
            token = uuid4().hex
            if self._ledger.claim_edits(token, state):
                cached, mark = replace(cached, rules=replace(cached.rules, version=token)), token
                break
        self._last = cached
        return replace(cached, unsettled=bool(state.unsettled), mark=mark)

    def latest(self, now: datetime) -> RuleSet:
        """What to decide by if somebody else was first."""
        return self.current(self._ledger.state(), now).rules

    def to_look_at(self, now: datetime) -> CachedRules:
        """What the table says now, for who changes nothing."""
        return self._load(self._ledger.state(), now)

    def settle(self, cached: CachedRules, *, all_seen: bool) -> SweepState:
        """Note the end of what was decided by these rules; returns the state as it was.

        `all_seen` says that whatever others before have left unsettled was looked at too.
        """
        state = self._ledger.state()
        if state.quotas_seen != cached.rules.version:
            self._ledger.reopen_edits(uuid4().hex)
        elif cached.mark and not cached.rules.news and (all_seen or not cached.unsettled):
            self._ledger.complete_edits(cached.mark)
        return state

    def remember(
        self, cached: CachedRules, edits: Iterable[QuotaEdit]
    ) -> tuple[CachedRules, Outcome]:
        """What was acted on is no news any more: its notices are in the ledger.

        Returns the rules without it, and the notices to send. What somebody else was first with is
        theirs.
        """
        several = list(edits)

        def attempt(edit: QuotaEdit) -> list[Notice] | str:
            try:
                return self._remember(edit)
            except Exception as error:  # noqa: BLE001 - one that is too large stops no other
                return failure(f"quota {edit.before.name} of {edit.before.subject}", error)

        with ThreadPoolExecutor(WRITERS) as threads:
            answers = list(zip(several, threads.map(attempt, several), strict=True))
        done = [(edit, notices) for edit, notices in answers if not isinstance(notices, str)]
        rules = cached.rules.without(edit for edit, _ in done)
        if self._last is not None and self._last.rules is cached.rules:
            self._last = replace(self._last, rules=rules)
        return replace(cached, rules=rules), Outcome(
            notices=tuple(notice for _, notices in done for notice in notices),
            failures=tuple(words for _, words in answers if isinstance(words, str)),
        )

    def _remember(self, edit: QuotaEdit) -> list[Notice]:
        stamp = uuid4().hex
        notices = [replace(notice, edit=stamp) for notice in edit.notices]
        if edit.after is None:
            first = self._ledger.forget_quota(edit.before, notices)
        else:
            after = replace(edit.after, stamp=stamp)
            first = self._ledger.remember_quota(after, edit.before, notices)
        return [notice for notice in notices if notice.kind not in HISTORY_ONLY] if first else []

    def _load(self, state: SweepState, now: datetime) -> CachedRules:
        # What is remembered first: an item may be newer than that, but never older.
        memories = self._ledger.quota_memories()
        rules = self._loader.load(self._quotas.items(), memories, now, state.quotas_seen)
        unpriced = UnpricedModels(self._ledger)
        return CachedRules(rules, now, state.terms, unpriced, reached=self._reached())


def _good(cached: CachedRules, state: SweepState, now: datetime) -> bool:
    seen = (cached.rules.version, cached.settings)
    return seen == (state.quotas_seen, state.terms) and cached.at <= now < cached.at + KEPT
