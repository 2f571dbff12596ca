"""Quotas: one rule each, as an admin means it; `item` reads them from table items."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum
from typing import Final, Self

from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.stage import AT_LIMIT, Stage, closed_words, part_of
from quota_enforcer.core.quotas.subject import Subject, covering, id_of
from quota_enforcer.core.usage.counts import NO_MONEY, Counts, Measure, Number
from quota_enforcer.core.usage.model import EVERY_MODEL, ModelScope
from quota_enforcer.core.usage.place import EVERYWHERE, PlaceScope
from quota_enforcer.core.usage.window import Unit, Window

UNLIMITED = Decimal("Infinity")
DEFAULT_WARNING = 80


class Action(StrEnum):
    """What happens when a quota is used up."""

    DENY = "deny"
    NOTIFY = "notify"


class UnknownPrices(StrEnum):
    """What a quota on cost does if only assumed prices reach its limit."""

    WARN = "warn"
    DENY = "deny"


class Overshoot(StrEnum):
    """What happens to calls that the enforcer has not seen yet when a limit is reached."""

    ALLOW = "allow"
    """They pass: it closes once the limit is reached."""
    AVOID = "avoid"
    """They are allowed for: it closes before its limit."""


class Share(StrEnum):
    """How a team's quota is shared: each member gets it, or all draw on one."""

    EACH = "each"
    POOL = "pool"


ENOUGH_DAYS: Final = 5
"""On fewer days with usage nothing is usual yet, and so nothing unusual."""


@dataclass(frozen=True, slots=True)
class UsualHours:
    """What the busiest hour of a day came to, over the days of the last weeks with usage."""

    days: int = 0
    """How many of them had usage."""
    busiest: Decimal = NO_MONEY
    """The median of their busiest hours: half of the days were no busier."""
    most: Decimal = NO_MONEY

    @property
    def known(self) -> bool:
        """Whether there is enough to call an hour unusual."""
        return self.days >= ENOUGH_DAYS


NOTHING_USUAL: Final = UsualHours()


@dataclass(frozen=True, slots=True)
class Rule:
    """What every quota item says: whom it covers, its name, and until when it stands."""

    subject: Subject
    name: str
    until: datetime | None = None
    members: tuple[str, ...] = ()
    """A team's, as principals and as groups of them."""
    share: Share = Share.EACH

    @property
    def id(self) -> str:
        """The two keys of the quota table in one word."""
        return id_of(self.subject, self.name)

    @property
    def named(self) -> frozenset[Principal]:
        """Whom it names one by one: members, and a team itself only if they share one quota."""
        named = {Subject(member) for member in self.members}
        if not self.members or self.share is Share.POOL:
            named.add(self.subject)
        return frozenset(each.principal() for each in named if not each.is_group)

    @property
    def groups(self) -> frozenset[Subject]:
        """The members that name nobody in particular: whoever is known of them is in the team."""
        return frozenset(each for each in map(Subject, self.members) if each.is_group)

    def among(self, known: Iterable[Principal]) -> Self:
        """The rule with everybody known of its groups among its members."""
        groups = self.groups
        if not groups:
            return self
        found = sorted(str(each) for each in known if not groups.isdisjoint(covering(each)))
        return replace(self, members=tuple(dict.fromkeys((*self.members, *found))))

    def stands(self, now: datetime) -> bool:
        return self.until is None or now < self.until

    def turning_points(self) -> tuple[datetime, ...]:
        """The instants at which this rule changes by the clock alone."""
        return () if self.until is None else (self.until,)


@dataclass(frozen=True, slots=True)
class Exemption(Rule):
    """No limit of this name for these principals."""


@dataclass(frozen=True, slots=True)
class Team(Rule):
    """Who is in a team: it limits nobody, and the team's quotas that name no members take these."""


@dataclass(frozen=True, slots=True)
class LeadRaise(Rule):
    """A lead's raise of a quota of their team for one member; the quota itself says how far."""

    team: Subject = Subject()  # noqa: RUF009 - a text, which does not change
    quota: str = ""
    """The name of the team's quota."""
    to: Decimal = Decimal(0)


LONGEST_PAUSE: Final = timedelta(days=1)
"""One can be written again before it ends; none is forgotten for a week."""


@dataclass(frozen=True, slots=True)
class Pause(Rule):
    """Nobody new is blocked while it stands, whatever the quotas say; it always has an end."""

    note: str = ""
    by: str = ""
    """Who wrote it, as far as the item says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota(Rule):
    """A limit on one measure over one window; used up when used >= limit."""

    measure: Measure
    limit: Decimal
    window: Window
    models: tuple[ModelScope, ...] = (EVERY_MODEL,)
    """What it counts."""
    closes: tuple[ModelScope, ...] = ()
    """What its deny closes; without any, the models that it counts."""
    stages: tuple[Stage, ...] = ()
    """What it closes before its limit is reached, by ascending parts of it."""
    percent: int = AT_LIMIT
    """Of which part of the item's limit this is: less than all of it in an early stage."""
    places: PlaceScope = EVERYWHERE
    """Where usage counts; its deny closes everywhere."""
    warn_at: tuple[int, ...] = (DEFAULT_WARNING,)
    """Percentages of the limit, ascending."""
    action: Action = Action.DENY
    weights: tuple[Decimal, ...] = ()
    """One for each of OBSERVED if the measure is weighted tokens, else none."""
    unknown_prices: UnknownPrices = UnknownPrices.WARN
    overshoot: Overshoot = Overshoot.ALLOW
    raise_to: Decimal | None = None
    """Replaces the limit until `raise_until`."""
    raise_until: datetime | None = None
    leads_raise_to: Decimal | None = None
    """Of a team: up to which limit its leads may raise it for a member; None: not at all."""
    raised_by_lead: bool = field(default=False, compare=False)
    """Whether `raise_to` is a lead's, for the one whom it is held against; no item says it."""
    unusual: Decimal | None = None
    """So many times what is usual is the limit of an hour, and never less than `limit`."""
    usual: UsualHours = field(default=NOTHING_USUAL, repr=False, compare=False)
    """What is usual of the one whom it is held against; no item says it."""
    counted_from: datetime | None = field(default=None, repr=False, compare=False)
    """Of a window of minutes: since when, at the latest, usage is counted by the minute for it."""

    @property
    def by_the_minute(self) -> bool:
        return self.window.unit is Unit.MINUTE

    @property
    def avoids_overshoot(self) -> bool:
        """Whether it may close before its limit, so that the limit is not passed."""
        return self.overshoot is Overshoot.AVOID and self.action is Action.DENY

    @property
    def id(self) -> str:
        """Each stage has its own: it is what denies."""
        return id_of(self.subject, self.name, self.percent)

    @property
    def item_id(self) -> str:
        """The same for all stages of one item."""
        return id_of(self.subject, self.name)

    @property
    def is_early(self) -> bool:
        """Whether it is a stage before the limit."""
        return self.percent < AT_LIMIT

    @property
    def denies(self) -> tuple[ModelScope, ...]:
        """What is closed once it is used up."""
        return self.closes or self.models

    @property
    def closed_words(self) -> str:
        """What is closed once it is used up: `everything`, or the scopes."""
        return closed_words(self.denies)

    @property
    def all_stages(self) -> tuple[Stage, ...]:
        """The last is that of the limit."""
        return (*self.stages, Stage(AT_LIMIT, self.denies))

    @property
    def plain(self) -> "Quota":
        """This quota without `closes`: as if it closed what it counts, and only at its limit."""
        return replace(self, closes=(), stages=()) if self.closes or self.stages else self

    def in_stages(self) -> "tuple[Quota, ...]":
        """A quota for each early stage, with its part of the limit, and this one.

        So whatever holds of a quota holds of each stage: raises, resets, pools, warnings, notices.
        """
        early = (
            replace(
                self,
                limit=part_of(self.limit, stage.percent),
                raise_to=None if self.raise_to is None else part_of(self.raise_to, stage.percent),
                closes=stage.closes,
                stages=(),
                percent=stage.percent,
                warn_at=(),
            )
            for stage in self.stages
        )
        return (*early, self)

    @property
    def pooled(self) -> bool:
        """Whether the team's members share it, so that what counts is the sum of their usage."""
        return self.share is Share.POOL

    @property
    def by_hand(self) -> bool:
        """Whether it blocks whom it names outright, so that nobody need ask if that is meant."""
        return not self.limit and not self.subject.is_group

    def number(self, counts: Counts) -> Number:
        """What the counters come to in what this quota limits."""
        return self.measure.of(counts, self.weights)

    def assumed(self, counts: Counts) -> Decimal:
        """How much of `number` is money at assumed prices."""
        return counts.assumed_usd if self.measure is Measure.COST_USD else NO_MONEY

    def sure(self, counts: Counts) -> Number:
        """How much of `number` may deny: not the assumed money, unless the quota says so."""
        if self.unknown_prices is UnknownPrices.DENY:
            return self.number(counts)
        return self.number(counts) - self.assumed(counts)

    def limit_at(self, now: datetime) -> Decimal:
        """The limit in force, with a temporary raise while it lasts."""
        if self.raise_to is not None and self.raise_until is not None and now < self.raise_until:
            return self.raise_to
        if self.unusual is None:
            return self.limit
        if not self.usual.known:
            return UNLIMITED
        many = self.unusual * self.usual.busiest
        if not self.measure.fractional:
            many = many.to_integral_value(ROUND_CEILING)
        return max(self.limit, many)

    def raised_by(self, lead_raise: LeadRaise, now: datetime) -> "Quota":
        """This quota as a lead raised it for one member, as far as `leads_raise_to` allows.

        A raise never lowers a limit, and opens nothing that is closed to the whole team.
        """
        bound = self.leads_raise_to
        if bound is None or not self.limit or self.pooled or not lead_raise.stands(now):
            return self
        to = min(lead_raise.to, bound)
        if to <= self.limit_at(now):
            return self
        return replace(self, raise_to=to, raise_until=lead_raise.until, raised_by_lead=True)

    def turning_points(self) -> tuple[datetime, ...]:
        """Also the end of a raise."""
        ends = () if self.raise_until is None else (self.raise_until,)
        return (*Rule.turning_points(self), *ends)


def named_by(rules: Iterable[Rule]) -> set[Principal]:
    """The principals that rules name one by one; a team itself only if it shares one quota."""
    return {each for rule in rules for each in rule.named}


def pause_of(rules: Iterable[Rule], now: datetime) -> Pause | None:
    """The pause that stands now, if one does."""
    return next((each for each in rules if isinstance(each, Pause) and each.stands(now)), None)


def members_of(rule: Rule) -> frozenset[Principal]:
    """A team's members one by one; of its groups those that it was told of by `among`."""
    return frozenset(each.principal() for each in map(Subject, rule.members) if not each.is_group)


def teams_of(rules: Iterable[Rule]) -> dict[str, frozenset[Principal]]:
    """Every team with its members, however they share."""
    teams: dict[str, frozenset[Principal]] = {}
    for rule in rules:
        if rule.members and not isinstance(rule, LeadRaise):
            teams[rule.subject] = teams.get(rule.subject, frozenset()) | members_of(rule)
    return teams
