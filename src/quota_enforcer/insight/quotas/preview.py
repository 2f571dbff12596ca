"""What an edit of the quota table would do now: who would be blocked, and who released.

Everybody whom it concerns is decided about twice, as a sweep would: by the rules in force, and by
those that the edit makes. The difference is the edit's.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from quota_enforcer.core.deployment import Breaker, Context
from quota_enforcer.core.ledger import Record
from quota_enforcer.core.notices.amounts import listed
from quota_enforcer.core.principal import PEOPLE, Kind, Principal
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.usage.model import adds_denies
from quota_enforcer.core.usage.reads import NO_PACES, PaceReads, UsageReads
from quota_enforcer.decide.breaker import NewBlock, judge_wave, new_block
from quota_enforcer.decide.evaluate import Pools, evaluate

_NAMED = 10


@dataclass(frozen=True, slots=True)
class EditEffects:
    """Whom an edit would block or release at once, of those `concerned`; teams are left out."""

    concerned: tuple[Principal, ...] = ()
    blocks: tuple[Principal, ...] = ()
    releases: tuple[Principal, ...] = ()
    waits: tuple[NewBlock, ...] = ()
    """What of the blocks the breaker would hold if it were too much; not what is by hand."""

    def blocking_words(self, would: str = "this would block") -> str:
        """`this would block 10 of 14 people now: user/a, ...`; empty if it blocks nobody."""
        return self._words(would, self.blocks)

    @property
    def releasing_words(self) -> str:
        """The same of whom it would release."""
        return self._words("this would release", self.releases)

    def held(self, breaker: Breaker, known: Iterable[Principal]) -> bool:
        """Whether the breaker would hold some of these blocks; `known` are all principals."""
        return bool(judge_wave(self.waits, (), known, breaker).held(self.waits))

    def to_json(self) -> dict[str, Any]:
        return {"would_block": _texts(self.blocks), "would_release": _texts(self.releases)}

    def _words(self, would: str, several: tuple[Principal, ...]) -> str:
        if not several:
            return ""
        if len(self.concerned) == 1:
            return f"{would} {several[0]} now"
        people = all(each.kind in PEOPLE for each in self.concerned)
        of = f"{len(several):,} of {len(self.concerned):,} {'people' if people else 'principals'}"
        return f"{would} {of} now: {listed(_texts(several), _NAMED)}"


def concerned(
    records: Iterable[Record], before: QuotaBook, after: QuotaBook, context: Context
) -> list[Record]:
    """Those to whom other quotas apply after the edit; teams apart, who are their members."""
    return [
        record
        for record in records
        if record.principal.kind is not Kind.TEAM
        and before.applicable_to(record.principal, context.now)
        != after.applicable_to(record.principal, context.now)
    ]


def effects(
    records: Iterable[Record],
    before: QuotaBook,
    after: QuotaBook,
    usages: UsageReads,
    context: Context,
    paces: PaceReads = NO_PACES,
) -> EditEffects:
    """Decide about each by both books on the usage that there is now, and on the present pace."""
    pools = {id(book): Pools(book, usages, context, paces) for book in (before, after)}
    blocks, releases, several = [], [], []
    waits: list[NewBlock] = []
    for record in sorted(records, key=lambda record: record.principal):
        decisions = [
            evaluate(record, book, usages, context, pools[id(book)]).decision
            for book in (before, after)
        ]
        then, now = (each.standing.denied for each in decisions)
        several.append(record.principal)
        if adds_denies(now, then):
            blocks.append(record.principal)
            waits += [
                new_block(record.principal, each)
                for each in decisions[1].denying
                if adds_denies(each.denied, then) and not each.quota.by_hand
            ]
        elif then and not now:
            releases.append(record.principal)
    return EditEffects(tuple(several), tuple(blocks), tuple(releases), tuple(waits))


def _texts(several: Iterable[Principal]) -> list[str]:
    return list(map(str, several))
