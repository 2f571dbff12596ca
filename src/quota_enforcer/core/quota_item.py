"""Quota items: what admins write into the quota table, validated into rules.

Every problem of an item is found at once and named with the attribute, its value and what is
allowed, so that an admin in the DynamoDB console can mend it from the notice alone.
"""

import calendar
import re
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from quota_enforcer.core.errors import InvalidQuota, UnknownIdentity
from quota_enforcer.core.measure import Measure
from quota_enforcer.core.model import EVERY_MODEL, ModelScope
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quota import (
    DEFAULT_WARNING,
    UNLIMITED,
    Action,
    Exemption,
    Quota,
    Rule,
    Share,
)
from quota_enforcer.core.window import Unit, Window

Item = Mapping[str, Any]
"""A quota item as it stands in the table or in a file."""

ATTRIBUTES = (
    "principal", "quota", "measure", "limit", "window", "resets_on", "models", "warn_at",
    "action", "enabled", "exempt", "raise_to", "raise_until", "until", "members", "share",
    "note", "edited_by",
)  # fmt: skip
KINDS = ("user/*", "sso/*", "role/*", "default")

_T = TypeVar("_T")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ROLLING = re.compile(r"rolling (?P<count>[1-9]\d{0,2}) (?P<unit>hour|day)s?")
_WEEK_DAYS = {name.lower(): number for number, name in enumerate(calendar.day_name, start=1)}
_NUMBERS = "a whole number, 0 or more"
_MOMENT = "a date and time such as 2026-12-01T09:00, or a date"


def read_quota(item: Item, zone: ZoneInfo, scopes: Collection[str]) -> Rule | None:
    """The rule that an item means, or None where `enabled` is false: then it counts as absent.

    `scopes` are the installed model scopes, and `zone` is that of moments without an offset.
    Raises InvalidQuota with everything that is wrong.
    """
    if item.get("enabled") is False:
        return None
    return _Reading(item, zone, scopes).rule()


class _Reading:
    """One item being read; collects the problems instead of stopping at the first."""

    def __init__(self, item: Item, zone: ZoneInfo, scopes: Collection[str]) -> None:
        self._item = item
        self._zone = zone
        self._scopes = scopes
        self._problems: list[str] = []

    def rule(self) -> Rule:
        for unknown in sorted(set(self._item) - set(ATTRIBUTES)):
            near = get_close_matches(unknown, ATTRIBUTES, n=1)
            meant = f"did you mean {near[0]}?" if near else f"allowed: {', '.join(ATTRIBUTES)}"
            self._problems.append(f"attribute {unknown!r} is unknown; {meant}")
        whom = self._required("principal", _whom, "user/NAME, role/NAME, sso/NAME, "
                              "session/ROLE/NAME, team/NAME, "
                              f"session/ROLE/*, {', '.join(KINDS)}", "")  # fmt: skip
        name = self._required("quota", _name, "letters, digits, '.', '_' and '-', at most 64", "")
        self._optional("enabled", _boolean, "true or false", default=True)
        exempt = self._optional("exempt", _boolean, "true or false", default=False)
        until = self._optional("until", self._moment, _MOMENT, None)
        members, share = self._team(whom)
        rule: Rule
        if exempt:
            rule = Exemption(whom, name, until, members, share)
        else:
            rule = self._quota(whom, name, until, members, share)
        if self._problems:
            raise InvalidQuota(
                str(self._item.get("principal")),
                str(self._item.get("quota")),
                self._problems,
            )
        return rule

    def _quota(
        self, whom: str, name: str, until: datetime | None, members: tuple[str, ...], share: Share
    ) -> Quota:
        raise_to = self._optional("raise_to", _limit_or_none, f"{_NUMBERS}, or 'unlimited'", None)
        raise_until = self._optional("raise_until", self._moment, _MOMENT, None)
        if (raise_to is None) != (raise_until is None):
            self._problems.append("raise_to and raise_until go together: set both or neither")
        return Quota(
            whom,
            name,
            until,
            members,
            share,
            measure=self._required("measure", Measure, ", ".join(Measure), Measure.REQUESTS),
            limit=self._required("limit", _limit, _NUMBERS, Decimal(0)),
            window=self._window(),
            models=self._optional(
                "models", self._models, f"installed model scopes: {', '.join(self._scopes)}",
                (EVERY_MODEL,),
            ),
            warn_at=self._optional(
                "warn_at", _thresholds, "percentages from 1 to 99, one or a list",
                (DEFAULT_WARNING,),
            ),
            action=self._optional("action", Action, ", ".join(Action), Action.DENY),
            raise_to=raise_to,
            raise_until=raise_until,
        )  # fmt: skip

    def _window(self) -> Window:
        window = self._required(
            "window", _window, "hour, day, week, month, rolling N hours or rolling N days",
            Window(Unit.DAY),
        )  # fmt: skip
        if window.unit is Unit.WEEK:
            day = self._optional("resets_on", _week_day, "a day of the week, such as monday", 1)
        elif window.unit is Unit.MONTH:
            day = self._optional("resets_on", _month_day, "a day of the month from 1 to 31", 1)
        else:
            day = 1
            if "resets_on" in self._item:
                self._refuse("resets_on", "only with window week or month")
        return Window(window.unit, window.rolling, day)

    def _team(self, whom: str) -> tuple[tuple[str, ...], Share]:
        if whom.startswith("team/"):
            members: tuple[str, ...] = ()
            members = self._required(
                "members", _members, "a list of principals that are no teams", members
            )
            return members, self._optional("share", Share, ", ".join(Share), Share.EACH)
        for attribute in ("members", "share"):
            if attribute in self._item:
                self._refuse(attribute, "only where principal is team/NAME")
        return (), Share.EACH

    def _models(self, value: Any) -> tuple[ModelScope, ...]:
        patterns = _texts(value)
        if not patterns or not set(patterns) <= set(self._scopes):
            raise ValueError
        return tuple(ModelScope(pattern) for pattern in patterns)

    def _moment(self, value: Any) -> datetime:
        moment = datetime.fromisoformat(_text(value))
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=self._zone)
        return moment.astimezone(UTC)

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
        except (ValueError, KeyError, TypeError, OverflowError, InvalidOperation, UnknownIdentity):
            self._refuse(attribute, allowed)
            return default

    def _refuse(self, attribute: str, allowed: str) -> None:
        shown = self._item[attribute]
        shown = str(shown) if isinstance(shown, Decimal) else repr(shown)
        self._problems.append(f"{attribute} is {shown[:200]}; allowed: {allowed}")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _texts(value: Any) -> list[str]:
    """A text, or a list or set of texts; each once, in a stable order."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return list(dict.fromkeys(_text(entry) for entry in value))
    if isinstance(value, (set, frozenset)):
        return sorted(_text(entry) for entry in value)
    raise TypeError


def _whom(value: Any) -> str:
    text = _text(value)
    if text in KINDS:
        return text
    role, slash, star = text.removeprefix("session/").rpartition("/")
    if text.startswith("session/") and (slash, star) == ("/", "*") and role and "*" not in role:
        return text
    principal = Principal.parse(text)
    if str(principal).startswith("other/"):
        raise ValueError
    return str(principal)


def _name(value: Any) -> str:
    text = _text(value)
    if not _NAME.fullmatch(text):
        raise ValueError
    return text


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _limit(value: Any) -> Decimal:
    if isinstance(value, (bool, float)):
        raise TypeError
    number = Decimal(value)
    if not number.is_finite() or number < 0 or number != number.to_integral_value():
        raise ValueError
    return number


def _limit_or_none(value: Any) -> Decimal | None:
    return UNLIMITED if value == "unlimited" else _limit(value)


def _window(value: Any) -> Window:
    text = _text(value)
    rolling = _ROLLING.fullmatch(text)
    if rolling is None:
        return Window(Unit(text))
    return Window(Unit(rolling["unit"]), int(rolling["count"]))


def _week_day(value: Any) -> int:
    return _WEEK_DAYS[_text(value).lower()]


def _month_day(value: Any) -> int:
    day = int(_limit(value))
    if not 1 <= day <= 31:  # noqa: PLR2004 - the days of a month
        raise ValueError
    return day


def _thresholds(value: Any) -> tuple[int, ...]:
    several = value if isinstance(value, (list, set, frozenset)) else [value]
    percentages = sorted({int(_limit(entry)) for entry in several})
    if not all(1 <= percentage <= 99 for percentage in percentages):  # noqa: PLR2004 - per cent
        raise ValueError
    return tuple(percentages)


def _members(value: Any) -> tuple[str, ...]:
    members = tuple(str(Principal.parse(entry)) for entry in _texts(value))
    if not members or any(member.startswith(("team/", "other/")) for member in members):
        raise ValueError
    return members
