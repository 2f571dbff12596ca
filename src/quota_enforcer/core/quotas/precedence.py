"""Which quotas apply to whom: principal, then team, then kind, then default, name by name."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from quota_enforcer.core.principal import Identity, Kind, Principal
from quota_enforcer.core.quotas.quota import (
    LeadRaise,
    Pause,
    Quota,
    Rule,
    Share,
    Team,
    members_of,
)
from quota_enforcer.core.quotas.subject import DEFAULT, Subject, covering


@dataclass(frozen=True, slots=True)
class Applicable:
    """One principal's quotas at one moment, and when they next change by the clock alone."""

    quotas: tuple[Quota, ...] = ()
    """Each stage of one is a quota by itself; the last is that of the whole limit."""
    turns_at: datetime | None = None

    @property
    def whole(self) -> tuple[Quota, ...]:
        """Those of whole limits, without early stages: one for each item."""
        return tuple(each for each in self.quotas if not each.is_early)

    @property
    def asks_what_is_usual(self) -> bool:
        """Whether one of them is held against what is usual of the principal."""
        return any(each.unusual is not None for each in self.quotas)


class Precedence(StrEnum):
    """How near a rule is to a principal that it covers, nearest first."""

    ITSELF = "principal"
    TEAM = "team"
    KIND = "kind"
    ACCOUNT = "account"
    """Of a member account: all its users and roles."""
    DEFAULT = "default"


class Selection(StrEnum):
    """What becomes of a rule for a principal that it covers."""

    APPLIES = "applies"
    REPLACED = "replaced"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A rule that covers a principal, how near it is, and what becomes of it.

    A replaced rule gave way to nearer rules of its name, which may be exemptions.
    """

    rule: Rule
    nearness: Precedence
    fate: Selection


_REMEMBERED: Final = 2_000
"""Answers that a book remembers at most."""


class QuotaBook:
    """All rules of a deployment, ready to be asked who has which quotas.

    For each quota name the nearest rule wins: one for the principal itself, then those of its teams
    (all of them, so the strictest decides, pools among them), then its kind's, then the default's.
    An exemption that wins leaves no limit of that name. The default covers people only, never
    roles. A pool's quota is its members', and the team's own, which tells of it. What a lead raises
    is the team's quota alone, for one member: nothing nearer, and no other team's.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._by_whom: defaultdict[str, list[Rule]] = defaultdict(list)
        self._by_member: defaultdict[str, list[Rule]] = defaultdict(list)
        self.pools: dict[Principal, frozenset[Principal]] = {}
        """Teams with a quota that they share, and whom it can concern."""
        self.contributors: dict[str, frozenset[Principal]] = {}
        """By the id of a quota that is shared: whose usage its pool is the sum of."""
        self.open_pools: set[Principal] = set()
        """Those with groups as members: whom a pool can concern is whoever is known of them."""
        self._pools_of: defaultdict[str, set[Principal]] = defaultdict(set)
        self._watched: set[str] = set()
        self._applicable: dict[tuple[tuple[Subject, ...], datetime], Applicable] = {}
        self._stages: dict[int, tuple[Quota, ...]] = {}
        """By the identity of a quota that has some: it and its stages."""
        several = list(rules)
        self._lead_raises: defaultdict[str, list[LeadRaise]] = defaultdict(list)
        """By the member that they are for."""
        for rule in several:
            if isinstance(rule, LeadRaise):
                self._lead_raises[rule.members[0]].append(rule)
        quotas = [rule for rule in several if not isinstance(rule, (LeadRaise, Pause, Team))]
        self.minutes = _by_the_minute(quotas)
        """Whose usage quotas count by the minute: subjects, and members of teams."""
        for rule in quotas:
            if isinstance(rule, Quota) and rule.stages:
                self._stages[id(rule)] = rule.in_stages()
            self._watched.update((rule.subject, *rule.members))
            for member in rule.members:
                self._by_member[member].append(rule)
            if not rule.members:
                self._by_whom[rule.subject].append(rule)
            elif rule.share is Share.POOL:
                self._by_whom[rule.subject].append(rule)
                team, members = Principal.parse(rule.subject), members_of(rule)
                self.pools[team] = self.pools.get(team, frozenset()) | members
                for each in self._stages.get(id(rule), (rule,)):
                    self.contributors[each.id] = _counting_once(members)
                self.open_pools |= {team} if rule.groups else set()
                for member in rule.members:
                    self._pools_of[member].add(team)
        self._concern = frozenset({*self._by_whom, *self._by_member, *self._lead_raises})
        """Whom rules name: principals and groups."""

    def applicable_to(self, principal: Principal, now: datetime) -> Applicable:
        """The quotas in force for a principal, by name; several of one name only from teams."""
        key = self.named_as(principal), now
        known = self._applicable.get(key)
        if known is None:
            if len(self._applicable) >= _REMEMBERED:
                self._applicable = {}
            known = self._applicable[key] = self._applying(principal, now)
        return known

    def named_as(self, principal: Principal) -> tuple[Subject, ...]:
        """As what rules name a principal: whom none names by itself, as all of its kind.

        Who is named alike is concerned by the same rules.
        """
        return (*filter(self._concern.__contains__, covering(principal)),)

    def _applying(self, principal: Principal, now: datetime) -> Applicable:
        candidates = self.candidates(principal, now)
        applying = (each.rule for each in candidates if each.fate is Selection.APPLIES)
        turns = (turn for each in candidates for turn in each.rule.turning_points() if turn > now)
        return Applicable(
            tuple(
                stage
                for rule in sorted(applying, key=lambda rule: rule.name)
                if isinstance(rule, Quota)
                for stage in self._staged(rule)
            ),
            min(turns, default=None),
        )

    def _staged(self, quota: Quota) -> tuple[Quota, ...]:
        """It and its stages; those of a quota that a lead has raised are raised too."""
        return quota.in_stages() if quota.raised_by_lead else self._stages.get(id(quota), (quota,))

    def _with_lead_raise(self, rule: Rule, principal: Principal, now: datetime) -> Rule:
        """The rule as it holds for this member, if a lead of the team raised it for them."""
        if not self._lead_raises:
            return rule
        for each in self._lead_raises.get(str(principal), ()):
            if isinstance(rule, Quota) and (rule.subject, rule.name) == (each.team, each.quota):
                rule = rule.raised_by(each, now)
        return rule

    def candidates(self, principal: Principal, now: datetime) -> list[Candidate]:
        """Every rule that covers a principal, nearest first, and what becomes of it."""
        found: list[Candidate] = []
        nearer: set[str] = set()
        for nearness, level in self._levels(principal):
            here: set[str] = set()
            for written in level:
                rule = self._with_lead_raise(written, principal, now)
                fate = Selection.ENDED
                if rule.stands(now):
                    fate = Selection.REPLACED if rule.name in nearer else Selection.APPLIES
                    here.add(rule.name)
                found.append(Candidate(rule, nearness, fate))
            nearer |= here
        return found

    def charged(self, identity: Identity) -> tuple[Principal, ...]:
        """To whom a call counts: its principal, and its session if a quota watches it."""
        return charged(identity, self._watched)

    @property
    def sessions(self) -> frozenset[str]:
        """The sessions that quotas watch: `session/ROLE/NAME`, `session/ROLE/*`."""
        return frozenset(each for each in self._watched if Subject(each).of_sessions)

    def pools_of(self, principal: Principal) -> Collection[Principal]:
        """The teams with a shared quota that this principal draws on, exempt from it or not."""
        return {team for each in covering(principal) for team in self._pools_of.get(each, ())}

    def _levels(self, principal: Principal) -> Iterator[tuple[Precedence, list[Rule]]]:
        itself, *groups = covering(principal)
        yield Precedence.ITSELF, self._by_whom.get(itself, [])
        of_teams = (rule for each in (itself, *groups) for rule in self._by_member.get(each, ()))
        yield Precedence.TEAM, [*{id(rule): rule for rule in of_teams}.values()]
        for group in groups:
            yield _nearness(group), self._by_whom.get(group, [])


def _nearness(group: Subject) -> Precedence:
    if group == DEFAULT:
        return Precedence.DEFAULT
    return Precedence.KIND if group.kind else Precedence.ACCOUNT


def charged(identity: Identity, watched: Collection[str]) -> tuple[Principal, ...]:
    """To whom a call counts; `watched` are the sessions that quotas name."""
    session = identity.session
    if session is None or not set(covering(session)).intersection(watched):
        return (identity.principal,)
    return (identity.principal, session)


def by_the_minute(principal: Principal, minutes: Collection[str]) -> bool:
    """Whether its usage is counted by the minute too."""
    return bool(minutes) and not set(covering(principal)).isdisjoint(minutes)


def covers(subject: str, members: Iterable[str], principal: Principal) -> bool:
    """Whether a rule for `subject` can concern this principal, whatever nearer rules say."""
    covering_ = covering(principal)
    return subject in covering_ or any(member in covering_ for member in members)


def _by_the_minute(rules: Iterable[Rule]) -> frozenset[str]:
    asking = (rule for rule in rules if isinstance(rule, Quota) and rule.by_the_minute)
    return frozenset(each for rule in asking for each in rule.members or (rule.subject,))


def _counting_once(members: frozenset[Principal]) -> frozenset[Principal]:
    """Without the sessions of a role that is a member itself: their usage is in the role's."""
    return frozenset(
        each for each in members if each.kind is not Kind.SESSION or each.of_role not in members
    )
