"""The quotas as a process loaded them last: kept for wakes, since to read the table is slow."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import uuid4

from quota_enforcer.core.ledger import SweepState
from quota_enforcer.core.notices.notice import HISTORY_ONLY, Notice
from quota_enforcer.decide.rules import Edit, QuotaLoader, Rules, RuleSet
from quota_enforcer.enforce.ports import Adapters
from quota_enforcer.enforce.unpriced import PriceWatch

KEPT = timedelta(minutes=5)
"""How long they are good where nobody has seen an edit since."""
TRIES = 5
"""How often they are loaded again where somebody else has just seen an edit too."""
WRITERS = 8
"""Edits remembered side by side: an import makes thousands of them."""


@dataclass(frozen=True, slots=True)
class CachedRules:
    """Loaded quotas, when that was, and what the ledger's state said of them then.

    `seen` is that an edit was seen and the settings. `prices` knows what admins were told of models
    without one. For who acts on edits `unsettled` says whether somebody before may not have come to
    the end of that, and `mark` stands in the state for theirs or our own.
    """

    loaded: RuleSet
    at: datetime
    seen: tuple[str, str]
    prices: PriceWatch
    unsettled: bool = False
    mark: str = ""

    @property
    def rules(self) -> Rules:
        """As one decides by them."""
        return Rules(self.loaded.book, self.seen[0])


class RulesCache:
    """Loads quotas and keeps them for a while."""

    def __init__(self, outside: Adapters, loader: QuotaLoader) -> None:
        self._outside = outside
        self._ledger = outside.ledger
        self._loader = loader
        self.last: CachedRules | None = None

    def current(self, state: SweepState, now: datetime) -> CachedRules:
        """What was loaded last while it is good, else what the table says now.

        `state` must have been read before, so that what is loaded is no older than what it says.
        """
        last = self.last
        if last is None or last.seen != _seen(state) or not last.at <= now < last.at + KEPT:
            last = self.last = self._load(state, now)
        return last

    def to_act_on(self, now: datetime) -> CachedRules:
        """What the table says now, for who is going to act on the edits in it.

        That these are seen is noted first: from then on nobody else blocks or releases by what
        they loaded before.
        """
        for _ in range(TRIES):
            state = self._ledger.state()
            known, mark = self._load(state, now), state.unsettled
            if not known.loaded.news:
                break
            token = uuid4().hex
            if self._ledger.claim_edits(token, state):
                known, mark = replace(known, seen=(token, state.terms)), token
                break
        self.last = known
        return replace(known, unsettled=bool(state.unsettled), mark=mark)

    def rules(self, now: datetime) -> Rules:
        """What to decide by when somebody else was first."""
        return self.current(self._ledger.state(), now).rules

    def to_look_at(self, now: datetime) -> CachedRules:
        """What the table says now, for who changes nothing."""
        return self._load(self._ledger.state(), now)

    def settle(self, known: CachedRules, *, all_seen: bool) -> SweepState:
        """Note the end of a round that decided by these quotas; returns the state as it was.

        `all_seen` says that whatever others before have left unsettled was looked at too.
        """
        state = self._ledger.state()
        if state.quotas_seen != known.seen[0]:
            self._ledger.reopen_edits(uuid4().hex)
        elif known.mark and not known.loaded.news and (all_seen or not known.unsettled):
            self._ledger.complete_edits(known.mark)
        return state

    def remember(self, known: CachedRules, edits: Iterable[Edit]) -> tuple[list[Notice], list[str]]:
        """What was acted on is no news any more: its notices are in the ledger.

        Returns those to send, and failures in words. What somebody else was first with is theirs.
        """
        several = list(edits)

        def attempt(edit: Edit) -> list[Notice] | str:
            try:
                return self._remember(edit)
            except Exception as error:  # noqa: BLE001 - one that is too large stops no other
                before = edit.before
                return f"quota {before.name} of {before.subject}: {type(error).__name__}: {error}"

        with ThreadPoolExecutor(WRITERS) as threads:
            outcomes = list(threads.map(attempt, several))
        gone = {
            id(edit)
            for edit, how in zip(several, outcomes, strict=True)
            if not isinstance(how, str)
        }
        known.loaded.edits[:] = [edit for edit in known.loaded.edits if id(edit) not in gone]
        told = [notice for how in outcomes if not isinstance(how, str) for notice in how]
        return told, [how for how in outcomes if isinstance(how, str)]

    def _remember(self, edit: Edit) -> list[Notice]:
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
        loaded = self._loader.load(self._outside.quotas.items(), memories, now)
        return CachedRules(loaded, now, _seen(state), PriceWatch(self._ledger))


def _seen(state: SweepState) -> tuple[str, str]:
    return state.quotas_seen, state.terms
