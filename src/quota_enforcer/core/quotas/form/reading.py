"""One item being read: its problems are collected, so that all of them are told at once."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from quota_enforcer.core.errors import InvalidQuota
from quota_enforcer.core.quotas.form import values, whom
from quota_enforcer.core.quotas.quota import Rule
from quota_enforcer.core.quotas.subject import Subject

_T = TypeVar("_T")
_Valid = TypeVar("_Valid", bound=Rule)


class ItemReading:
    """The item, what its attributes are read by, and what is wrong with it so far.

    `scopes` are the installed model scopes, `zone` is that of moments without an offset, and `home`
    the account whose ARNs are of principals without a number.
    """

    def __init__(
        self, item: Mapping[str, Any], zone: ZoneInfo, scopes: Collection[str], home: str
    ) -> None:
        self.item = item
        self.zone = zone
        self.scopes = scopes
        self.home = home
        self.problems: list[str] = []

    def valid(self, rule: _Valid) -> _Valid:
        """The rule that was read; raises InvalidQuota with everything that is wrong."""
        if self.problems:
            raise InvalidQuota(
                str(self.item.get("principal")), str(self.item.get("quota")), self.problems
            )
        return rule

    def subject(self, value: Any) -> Subject:
        return whom.subject(value, self.home)

    def members(self, value: Any) -> tuple[str, ...]:
        return whom.members(value, self.home)

    def moment(self, value: Any) -> datetime:
        return values.moment(value, self.zone)

    def required(
        self, attribute: str, convert: Callable[[Any], _T], allowed: str, instead: _T
    ) -> _T:
        """An attribute that must be there; `instead` where it is missing or wrong."""
        if attribute in self.item:
            return self.optional(attribute, convert, allowed, instead)
        self.problems.append(f"{attribute} is missing; allowed: {allowed}")
        return instead

    def optional(
        self, attribute: str, convert: Callable[[Any], _T], allowed: str, default: _T
    ) -> _T:
        """An attribute's value; the default where it is absent or wrong."""
        if attribute not in self.item:
            return default
        try:
            return convert(self.item[attribute])
        except values.NotAllowed as error:
            allowed = str(error)
        except values.WRONG:
            from quota_enforcer.core.quotas.form.nearest import nearest  # noqa: PLC0415 - a Lambda starts without it

            allowed += nearest(attribute, self.item)
        self.refuse(attribute, allowed)
        return default

    def refuse(self, attribute: str, allowed: str) -> None:
        """An attribute that is there says what it must not."""
        self.problems.append(
            f"{attribute} is {values.shown(self.item[attribute])[:200]}; allowed: {allowed}"
        )

    def refuse_all(self, attributes: Iterable[str], allowed: str) -> None:
        """Those of the attributes that are there are out of place."""
        for attribute in sorted(self.item.keys() & set(attributes)):
            self.refuse(attribute, allowed)

    def flags(self) -> None:
        """Check the attributes that every item may have and that no rule depends on."""
        self.optional("enabled", values.boolean, "true or false", default=True)
        self.optional("schema", values.schema, values.SCHEMAS, values.SCHEMA)
