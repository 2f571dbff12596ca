"""The breaker's rule: which new blocks wait for an admin's word, since an edit may be wrong.

Usage alone never trips it, so nobody can raise it as a shield: it counts and holds only what a
recent edit newly blocks, whoever shares a cause counts once, and whoever is far beyond the limit is
blocked all the same.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from quota_enforcer.core.deployment import Breaker
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.decide.verdict import Verdict

RECENT = timedelta(days=1)
"""How long an edit is recent: whoever is at work only tomorrow finds its mistake then."""
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
