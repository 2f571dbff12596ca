"""The breaker's rule: which new blocks wait for an admin's word, since an edit may be wrong.

Usage alone never trips it, so nobody can raise it as a shield: it counts and holds only what a
recent edit newly blocks, whoever shares a cause counts once, and whoever is far beyond the limit is
blocked all the same.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from quota_enforcer.core.deployment import Breaker
from quota_enforcer.core.ledger import Record, SweepState
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.quotas.precedence import covers
from quota_enforcer.core.quotas.quota import Quota
from quota_enforcer.core.quotas.subject import QuotaId
from quota_enforcer.core.usage.counts import Measure
from quota_enforcer.decide.decision import Decision
from quota_enforcer.decide.rules.rule_set import RuleSet
from quota_enforcer.decide.verdict import Verdict

RECENT = timedelta(days=1)
"""How long an edit is recent: whoever is at work only tomorrow finds its mistake then."""
MEMORY = timedelta(minutes=15)
"""How long a block counts as new even if what it rests on was edited once more since."""
FAR = 200
"""Percent of a limit from which on nobody is held."""
_FARTHER = 10
"""How many times FAR is multiplied by while too many are beyond it."""


class NewBlock(NamedTuple):
    """One quota that a recent edit makes block somebody whom it did not block before."""

    principal: Principal
    quota: str
    """Its id."""
    percent: int
    """How much of the limit is used; 0 of a limit of 0."""
    pool: str = ""
    """The team, if its members share the quota."""


@dataclass(frozen=True)
class RecentEdits:
    """The edits that are so recent that they may be mistakes, and what blocks by them."""

    rules: RuleSet
    state: SweepState
    """As the breaker and the admins who overruled it have left it."""
    now: datetime
    settings_changed: bool = False
    """Whether no sweep has acted on the present settings yet."""

    def new_blocks(self, decisions: Iterable[Decision]) -> list[NewBlock]:
        """What they newly block; what the breaker holds already goes on to be such."""
        return [
            new_block(decision.principal, each)
            for decision in decisions
            if decision.blocks
            for each in decision.new_blocks
            if each.quota.id in decision.before.held
            or (self.settings_changed and not each.quota.by_hand)
            or self.may_be_why(each.quota, decision.principal)
        ]

    def may_be_why(self, quota: Quota, principal: Principal) -> bool:
        """Whether one of them may be why a quota blocks somebody.

        A limit of 0 that names them is meant. An edit that is not remembered yet also counts if it
        took something nearer away, such as an exemption.
        """
        if quota.by_hand:
            return False
        edited = self._edited_at(quota.item_id)
        return (edited is not None and edited > self._since) or any(
            rule.id != quota.item_id
            and rule.name == quota.name
            and covers(rule.subject, rule.members, principal)
            for rule in self.rules.edited
        )

    def blocked_lately(
        self, records: Iterable[Record], new: Iterable[NewBlock], decisions: Iterable[Decision]
    ) -> list[NewBlock]:
        """Who else was blocked since the edit that may be why, and how far beyond the limit.

        What an admin has confirmed is forgiven. Of whoever is blocked now or not any more it does
        not matter by what they were blocked.
        """
        freed = {each.principal for each in decisions if not each.standing.denied}
        but = freed | {each.principal for each in new}
        return [
            self._block(record.principal, id_, used_up.percent)
            for record in records
            if (record.standing.denied or record.intended) and record.principal not in but
            for id_, used_up in record.standing.used_up.items()
            if self._was_why(id_, record)
        ]

    def held_before(self, records: Iterable[Record]) -> list[NewBlock]:
        """What the breaker holds of these as the ledger says."""
        return [
            self._block(record.principal, id_, percent)
            for record in records
            for id_, percent in record.standing.held.items()
        ]

    @property
    def _since(self) -> datetime:
        """From when on an edit is recent; one that an admin has confirmed is meant."""
        earliest = self.now - RECENT
        return max(earliest, self.state.confirmed_at or earliest)

    @cached_property
    def _of_money(self) -> frozenset[str]:
        """The items whose limits prices decide about as well."""
        rules = self.rules.rules
        return frozenset(
            each.item_id
            for each in rules
            if isinstance(each, Quota) and each.measure is Measure.COST_USD
        )

    def _edited_at(self, quota: str) -> datetime | None:
        """When what a quota says was changed last, of money its prices too."""
        item, rules = QuotaId.parse(quota).item, self.rules
        moments = (
            rules.changed_at.get(item),
            rules.prices_changed_at if item in self._of_money else None,
        )
        return max((each for each in moments if each is not None), default=None)

    def _was_why(self, quota: str, record: Record) -> bool:
        edited, state = self._edited_at(quota), self.state
        if edited is None or edited <= self._since:
            return False
        lately = min(self.now, state.breaker_since or self.now) - MEMORY
        since = record.standing.since if record.standing.denied else None
        begin = max(min(edited, lately), state.confirmed_at or self._since)
        return since is None or since >= edited or since > begin

    def _block(self, principal: Principal, quota: str, percent: int) -> NewBlock:
        pooled = quota in self.rules.book.contributors
        return NewBlock(principal, quota, percent, QuotaId.parse(quota).subject if pooled else "")


@dataclass(frozen=True, slots=True)
class Wave:
    """New blocks, counted against everybody."""

    count: int
    """A pool is one, and so are all sessions of a role."""
    everybody: int
    trips: bool
    far: int = FAR
    """Percent of the limit from which on a block is made all the same.

    Twice the limit, unless so many are there that they would trip the breaker by themselves: then
    the limit itself must be wrong, and it is ten times what the heaviest but for so many used.
    """

    @property
    def percent(self) -> int:
        """The share of all, rounded down."""
        return self.count * 100 // self.everybody if self.everybody else 0

    def held(self, blocks: Iterable[NewBlock]) -> dict[Principal, dict[str, int]]:
        """Which quotas may not block whom yet, with the percent used of each."""
        held: dict[Principal, dict[str, int]] = {}
        for each in blocks if self.trips else ():
            if each.percent < self.far:
                held.setdefault(each.principal, {})[each.quota] = each.percent
        return held


def new_block(principal: Principal, verdict: Verdict) -> NewBlock:
    """What a verdict newly blocks."""
    quota = verdict.quota
    pool = quota.subject if quota.pooled else ""
    return NewBlock(principal, quota.id, verdict.sure_percent, pool)


def judge_wave(
    blocks: Iterable[NewBlock],
    lately: Iterable[NewBlock],
    everybody: Iterable[Principal],
    breaker: Breaker,
) -> Wave:
    """Whether these are too many together with those whom recent edits blocked `lately`.

    They count in either way: with streamed usage a wrong price brings one after the other far
    beyond the limit. `everybody` are all who are known or looked at now: a first delivery is
    measured against all whom it brings. They are not counted while so few are blocked that it does
    not matter.
    """
    several = [*blocks, *lately]
    count = how_many(several)
    if count <= breaker.number:
        return Wave(count, 0, trips=False)
    known = {counted_as(each) for each in everybody if each.kind is not Kind.TEAM}
    trips = breaker.trips(count, len(known))
    far = FAR
    while trips and breaker.trips(
        how_many(each for each in several if each.percent >= far), len(known)
    ):
        far *= _FARTHER
    if far > FAR:
        far *= _FARTHER
    return Wave(count, len(known), trips, far)


def how_many(blocks: Iterable[NewBlock]) -> int:
    """How many these count for."""
    return len(_causes(blocks))


def counted_as(principal: Principal, pool: str = "") -> Principal:
    """Who counts for somebody: a pool for its members, and a role for its sessions."""
    if pool:
        return Principal.parse(pool)
    if principal.kind is Kind.SESSION:
        return principal.of_role
    return principal


def _causes(blocks: Iterable[NewBlock]) -> set[Principal]:
    """Whoever is blocked for something of their own counts for that, whatever pools they are in."""
    own: set[Principal] = set()
    pools: dict[Principal, set[Principal]] = {}
    for each in blocks:
        if each.pool:
            pools.setdefault(each.principal, set()).add(counted_as(each.principal, each.pool))
        else:
            own.add(each.principal)
    shared = (teams for principal, teams in pools.items() if principal not in own)
    return {counted_as(each) for each in own}.union(*shared)


def by_quota(held: Mapping[Principal, Iterable[str]]) -> dict[str, list[Principal]]:
    """Whom each quota may not block yet; teams are told of apart."""
    found: dict[str, list[Principal]] = {}
    for principal in sorted(held):
        for quota in sorted(held[principal]):
            if principal.kind is not Kind.TEAM:
                found.setdefault(quota, []).append(principal)
    return found
