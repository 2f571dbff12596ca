"""Quota items: what admins write into the quota table, validated into rules.

Every problem of an item is found at once and named with the attribute, its value and what is
allowed, so that an admin in the DynamoDB console can correct it from the notice alone.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol, TypeVar
from zoneinfo import ZoneInfo

from quota_enforcer.core.errors import InvalidQuota, did_you_mean
from quota_enforcer.core.principal import canonical
from quota_enforcer.core.quotas.form import stages, values
from quota_enforcer.core.quotas.form.leads import (
    KEYS,
    LONGEST_RAISE,
    OF_LEAD,
    LeadKey,
    is_lead_item,
    lead_key,
)
from quota_enforcer.core.quotas.quota import (
    DEFAULT_WARNING,
    LONGEST_PAUSE,
    UNLIMITED,
    Action,
    Exemption,
    LeadRaise,
    Overshoot,
    Pause,
    Quota,
    Rule,
    Share,
    Team,
    UnknownPrices,
)
from quota_enforcer.core.quotas.subject import (
    DEFAULT,
    GROUPS,
    PAUSE,
    PAUSED_BLOCKS,
    TEAM_ITEM,
    Subject,
    is_team_item,
)
from quota_enforcer.core.usage.counts import Measure
from quota_enforcer.core.usage.model import EVERY_MODEL, ModelScope
from quota_enforcer.core.usage.place import PlaceScope
from quota_enforcer.core.usage.window import Unit, Window

Item = Mapping[str, Any]
"""A quota item as it stands in the table or in a file."""

KEPT_IN = "kept_in"
"""From where the members of a team are read, if somebody does not write them here by hand."""

ATTRIBUTES = (
    "principal", "quota", "measure", "weights", "limit", "window", "resets_on", "models",
    "closes", "regions", "accounts", "warn_at", "action", "overshoot", "unusual", "unknown_prices",
    "enabled", "exempt", "raise_to", "raise_until", "leads_raise_to", "until", "members",
    "share", "kept_in", "note", "edited_by", "edited_at", "schema",
)  # fmt: skip

_CLOCKS_DIFFER = timedelta(minutes=10)
"""So much later a pause may end by our clock."""
_OF_PAUSE = ("principal", "quota", "until", "enabled", "note", "edited_by", "edited_at", "schema")
"""What the item of a pause may say."""
_OF_TEAM = (
    "principal", "quota", "members", KEPT_IN, "enabled", "note", "edited_by", "edited_at", "schema",
)  # fmt: skip
"""What the item of a team may say."""

_LONGEST: Mapping[type[Rule | None], timedelta] = {
    Pause: LONGEST_PAUSE,
    LeadRaise: LONGEST_RAISE,
}
_AGAIN: Mapping[type[Rule | None], str] = {Pause: "pause", LeadRaise: "raise"}

# What may stand there, in words that are put together once and not for each item.
_SUBJECTS = (
    f"user/NAME, role/NAME, sso/NAME, session/ROLE/NAME, team/NAME, session/ROLE/*, "
    f"{', '.join(GROUPS)}; of a member account 444455556666/user/NAME, 444455556666/role/*, "
    "444455556666/*"
)
_MEASURES, _ACTIONS, _SHARES = (", ".join(each) for each in (Measure, Action, Share))

_T = TypeVar("_T")
_Valid = TypeVar("_Valid", bound=Rule)


def read_quota(item: Item, zone: ZoneInfo, scopes: Collection[str], home: str = "") -> Rule | None:
    """The rule of an item, or None if `enabled` is false: a disabled item counts as absent.

    `scopes` are the installed model scopes, `zone` is that of moments without an offset, and `home`
    the account whose ARNs are of principals without a number.
    Raises InvalidQuota with everything that is wrong.
    """
    return None if item.get("enabled") is False else read_rule(item, zone, scopes, home)


def read_rule(item: Item, zone: ZoneInfo, scopes: Collection[str], home: str = "") -> Rule:
    """The same also for a disabled item, which must be valid too."""
    return _Reading(item, zone, scopes, home).rule()


def bounded(rule: Rule | None, item: Item, now: datetime, reported: str = "") -> Rule | None:
    """The rule of an item; raises InvalidQuota for one whose end is too far from now.

    That is a pause, or a lead's raise. `reported` are the problems that admins were told of. What
    was refused stays so until it says another end: nobody expects that it begins days later, when
    its end has come near enough.
    """
    longest = _LONGEST.get(type(rule))
    if rule is None or rule.until is None or longest is None:
        return rule
    most = "24 hours" if longest.days == 1 else f"{longest.days} days"
    problem = (
        f"until is {values.shown(item['until'])[:200]}; allowed: at most {most} after it is "
        f"written. Write an earlier end, and another {_AGAIN[type(rule)]} before that if you must"
    )
    if rule.until - now > longest + _CLOCKS_DIFFER or problem == reported:
        raise InvalidQuota(str(item["principal"]), str(item["quota"]), [problem])
    return rule


class _Reading:
    """One item being read; collects the problems instead of stopping at the first."""

    def __init__(self, item: Item, zone: ZoneInfo, scopes: Collection[str], home: str) -> None:
        self._item = item
        self._zone = zone
        self._scopes = scopes
        self._home = home
        self._problems: list[str] = []

    def rule(self) -> Rule:
        for unknown in sorted(map(str, set(self._item) - set(ATTRIBUTES))):
            meant = did_you_mean(unknown, ATTRIBUTES) or f"allowed: {', '.join(ATTRIBUTES)}"
            self._problems.append(f"attribute {unknown!r} is unknown; {meant}")
        if self._item.get("principal") == PAUSE:
            return self._valid(self._pause())
        if is_lead_item(self._item):
            return self._valid(self._lead_raise())
        subject = self._required("principal", self._subject, _SUBJECTS, Subject())
        name = self._required(
            "quota",
            values.name,
            "letters a to z or A to Z, digits, '.', '_' and '-', at most 64",
            "",
        )
        self._optional("enabled", values.boolean, "true or false", default=True)
        self._optional("schema", values.schema, values.SCHEMAS, values.SCHEMA)
        if is_team_item(self._item):
            return self._valid(self._team_item(subject, name))
        if KEPT_IN in self._item:
            self._refuse(KEPT_IN, f"only in the item {TEAM_ITEM!r} of a team")
        exempt = self._optional("exempt", values.boolean, "true or false", default=False)
        until = self._optional("until", self._moment, values.MOMENT, None)
        members, share = self._team(subject)
        rule: Rule
        if exempt:
            rule = Exemption(subject, name, until, members, share)
        else:
            rule = self._quota(subject, name, until, members, share)
        return self._valid(rule)

    def _valid(self, rule: _Valid) -> _Valid:
        if self._problems:
            raise InvalidQuota(
                str(self._item.get("principal")),
                str(self._item.get("quota")),
                self._problems,
            )
        return rule

    def _pause(self) -> Pause:
        if self._item.get("quota") != PAUSED_BLOCKS:
            self._refuse("quota", PAUSED_BLOCKS)
        for attribute in sorted(self._item.keys() & set(ATTRIBUTES) - set(_OF_PAUSE)):
            self._refuse(attribute, "only in a quota: this item pauses all new blocks")
        self._optional("enabled", values.boolean, "true or false", default=True)
        self._optional("schema", values.schema, values.SCHEMAS, values.SCHEMA)
        until = self._required("until", self._moment, values.MOMENT, None)
        note, by = (str(self._item.get(each, ""))[:200] for each in ("note", "edited_by"))
        return Pause(PAUSE, PAUSED_BLOCKS, until, note=note, by=by)

    def _lead_raise(self) -> LeadRaise:
        for attribute in sorted(self._item.keys() & set(ATTRIBUTES) - set(OF_LEAD)):
            self._refuse(attribute, "not in a raise by a lead: the team's quota says it")
        self._optional("enabled", values.boolean, "true or false", default=True)
        self._optional("schema", values.schema, values.SCHEMAS, values.SCHEMA)
        key = lead_key(str(self._item["principal"]), str(self._item.get("quota")))
        team = self._optional("principal", lambda _: self._subject(key.team), "lead/TEAM", key.team)
        name = self._required("quota", lambda _: self._lead_name(key), KEYS, key)
        to = self._required("raise_to", values.fraction, values.FRACTIONS, Decimal(0))
        until = self._required("until", self._moment, values.MOMENT, None)
        return LeadRaise(
            key.subject, name.name, until, (name.member,), team=team, quota=name.quota, to=to
        )

    def _lead_name(self, key: LeadKey) -> LeadKey:
        """One principal, since a lead raises for members one by one."""
        values.name(key.quota)
        [member] = self._members(canonical(key.member, self._home))
        if Subject(member).is_group:
            raise ValueError
        return key._replace(member=member)

    def _team_item(self, subject: Subject, name: str) -> Team:
        for attribute in sorted(self._item.keys() & set(ATTRIBUTES) - set(_OF_TEAM)):
            self._refuse(attribute, "only in a quota: this item says who is in the team")
        none: tuple[str, ...] = ()
        self._optional(KEPT_IN, values.text, "a text, as `quota-enforcer teams pull` writes it", "")
        members = self._required("members", self._members, values.MEMBERS, none)
        return Team(subject, name, None, members)

    def _quota(
        self,
        subject: Subject,
        name: str,
        until: datetime | None,
        members: tuple[str, ...],
        share: Share,
    ) -> Quota:
        measure = self._required("measure", Measure, _MEASURES, None)
        number, numbers = values.limit, values.NUMBERS
        if measure is None or measure.fractional:
            number, numbers = values.fraction, values.FRACTIONS
        raise_to = self._optional(
            "raise_to", lambda value: UNLIMITED if value == "unlimited" else number(value),
            f"{numbers}, or 'unlimited'", None,
        )  # fmt: skip
        raise_until = self._optional("raise_until", self._moment, values.MOMENT, None)
        unusual = self._unusual(share)
        only_warns = unusual is not None
        if ("raise_to" in self._item) != ("raise_until" in self._item):
            self._problems.append("raise_to and raise_until go together: set both or neither")
        closing = self._closing(only_warns=only_warns)
        return self._in_order(Quota(
            subject,
            name,
            until,
            members,
            share,
            measure=measure or Measure.REQUESTS,
            limit=self._limit(number, numbers, unusual),
            window=self._window(),
            models=self._models(closing),
            stages=closing.stages,
            closes=closing.at_limit,
            places=self._places(),
            warn_at=self._optional(
                "warn_at", values.thresholds, "percentages from 1 to 99, one or a list",
                () if only_warns else (DEFAULT_WARNING,),
            ),
            action=self._optional(
                "action", Action, _ACTIONS, Action.NOTIFY if only_warns else Action.DENY
            ),
            overshoot=self._overshoot(only_warns=only_warns),
            unusual=unusual,
            weights=self._weights(measure),
            unknown_prices=self._unknown_prices(measure),
            raise_to=raise_to,
            raise_until=raise_until,
            leads_raise_to=self._leads_raise_to(number, numbers, subject, share),
        ))  # fmt: skip

    def _leads_raise_to(
        self, number: Callable[[Any], Decimal], numbers: str, subject: Subject, share: Share
    ) -> Decimal | None:
        found = self._optional("leads_raise_to", number, numbers, None)
        if found is None:
            return None
        if not subject.is_team or share is Share.POOL or "unusual" in self._item:
            self._refuse(
                "leads_raise_to",
                "only of a team whose members each have the quota, without unusual",
            )
        return found

    def _closing(self, *, only_warns: bool) -> stages.Closing:
        """`only_warns` says that it does so where the item says no action."""
        scopes = self._scopes
        found = self._optional(
            "closes",
            lambda value: stages.closing(value, scopes),
            stages.closes_words(scopes),
            stages.NOT_SAID,
        )
        action = self._item.get("action", Action.NOTIFY if only_warns else Action.DENY)
        if found != stages.NOT_SAID and action == Action.NOTIFY:
            self._refuse("closes", "only with action deny, since action notify closes nothing")
        elif found.stages and only_warns:
            self._refuse("closes", "model scopes, with unusual: it closes in no stages")
        return found

    def _models(self, closing: stages.Closing) -> tuple[ModelScope, ...]:
        """What is counted; where it is what is closed too, it must be installed."""
        every = (EVERY_MODEL,)
        if closing.at_limit:
            return self._optional("models", stages.counted, stages.COUNTED, every)
        scopes = self._scopes
        return self._optional(
            "models",
            lambda value: stages.installed(value, scopes),
            stages.installed_words(scopes),
            every,
        )

    def _in_order(self, quota: Quota) -> Quota:
        problem = stages.out_of_order(quota)
        if problem and not self._problems:
            self._refuse("closes", problem)
        return quota

    def _places(self) -> PlaceScope:
        none: tuple[str, ...] = ()
        return PlaceScope(
            self._optional("accounts", values.accounts, values.ACCOUNTS, none),
            self._optional("regions", values.regions, values.REGIONS, none),
        )

    def _window(self) -> Window:
        window = self._required(
            "window",
            values.window,
            "hour, day, week, month, rolling N minutes, rolling N hours or rolling N days",
            None,
        )
        if window is None:
            return Window(Unit.DAY)  # never used, and what resets_on should be is not known
        if window.unit is Unit.WEEK:
            day = self._optional(
                "resets_on", values.week_day, "a day of the week, such as monday", 1
            )
        elif window.unit is Unit.MONTH:
            day = self._optional(
                "resets_on", values.month_day, "a day of the month from 1 to 31", 1
            )
        else:
            day = 1
            if "resets_on" in self._item:
                self._refuse("resets_on", "only with window week or month")
        return Window(window.unit, window.rolling, day)

    def _weights(self, measure: Measure | None) -> tuple[Decimal, ...]:
        none: tuple[Decimal, ...] = ()
        if measure is Measure.WEIGHTED_TOKENS:
            return self._required("weights", values.weights, values.WEIGHTS, none)
        if measure is not None:
            self._only_with(Measure.WEIGHTED_TOKENS, "weights")
        return none

    def _overshoot(self, *, only_warns: bool) -> Overshoot:
        """`only_warns` says that it does so where the item says no action."""
        found = self._optional("overshoot", Overshoot, ", ".join(Overshoot), Overshoot.ALLOW)
        action = self._item.get("action", Action.NOTIFY if only_warns else Action.DENY)
        if found is Overshoot.AVOID and action == Action.NOTIFY:
            self._refuse("overshoot", "allow, since action notify closes nothing")
        return found

    def _unusual(self, share: Share) -> Decimal | None:
        found = self._optional("unusual", values.times, values.TIMES, None)
        if found is None:
            return None
        if self._item.get("window", Unit.HOUR) != Unit.HOUR:
            self._refuse("window", "hour, with unusual")
        if share is Share.POOL:
            self._refuse("share", "each, with unusual: what is usual is each member's own")
        return found

    def _limit(self, number: Callable[[Any], Decimal], numbers: str, unusual: object) -> Decimal:
        told = len(self._problems)
        limit = self._required("limit", number, numbers, Decimal(0))
        if unusual is not None and not limit and len(self._problems) == told:
            self._refuse("limit", "above 0 with unusual: no hour below it is unusual")
        return limit

    def _unknown_prices(self, measure: Measure | None) -> UnknownPrices:
        if measure is Measure.COST_USD:
            allowed = ", ".join(UnknownPrices)
            return self._optional("unknown_prices", UnknownPrices, allowed, UnknownPrices.WARN)
        if measure is not None:
            self._only_with(Measure.COST_USD, "unknown_prices")
        return UnknownPrices.WARN

    def _only_with(self, measure: Measure, attribute: str) -> None:
        if attribute in self._item:
            self._refuse(attribute, f"only with measure {measure}")

    def _team(self, subject: Subject) -> tuple[tuple[str, ...], Share]:
        if subject.is_team:
            members: tuple[str, ...] = ()
            allowed = values.MEMBERS
            if "members" not in self._item:
                allowed += f", here or in the item {TEAM_ITEM!r} of the team"
            members = self._required("members", self._members, allowed, members)
            return members, self._optional("share", Share, _SHARES, Share.EACH)
        allowed = "only where principal is team/NAME"
        if subject.is_group:
            named = " and ".join(subject.parts if subject == DEFAULT else (subject,))
            allowed += f"; for one limit of {subject} together write a team with member {named}"
        for attribute in ("members", "share"):
            if attribute in self._item:
                self._refuse(attribute, allowed)
        return (), Share.EACH

    def _subject(self, value: Any) -> Subject:
        return values.subject(value, self._home)

    def _members(self, value: Any) -> tuple[str, ...]:
        return values.members(value, self._home)

    def _moment(self, value: Any) -> datetime:
        return values.moment(value, self._zone)

    def _required(
        self, attribute: str, convert: Callable[[Any], _T], allowed: str, instead: _T
    ) -> _T:
        if attribute in self._item:
            return self._optional(attribute, convert, allowed, instead)
        self._problems.append(f"{attribute} is missing; allowed: {allowed}")
        return instead

    def _optional(
        self, attribute: str, convert: Callable[[Any], _T], allowed: str, default: _T
    ) -> _T:
        if attribute not in self._item:
            return default
        try:
            return convert(self._item[attribute])
        except values.NotAllowed as error:
            allowed = str(error)
        except values.WRONG:
            from quota_enforcer.core.quotas.form.written import nearest  # noqa: PLC0415 - a Lambda starts without it

            allowed += nearest(attribute, self._item)
        self._refuse(attribute, allowed)
        return default

    def _refuse(self, attribute: str, allowed: str) -> None:
        self._problems.append(
            f"{attribute} is {values.shown(self._item[attribute])[:200]}; allowed: {allowed}"
        )


class Quotas(Protocol):
    """The quota table, as far as the enforcer reads it."""

    def items(self) -> list[Item]:
        """Every item, consistently read."""
