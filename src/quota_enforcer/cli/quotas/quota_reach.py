"""Whom a rule covers of those who are known, and for whom it really is the one that counts."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.precedence import QuotaBook, covers
from quota_enforcer.core.quotas.quota import Quota, Rule

_NAMED = 3


@dataclass(frozen=True, slots=True)
class Reach:
    """`applies` to these; to `nearer` a rule of the same name that is nearer applies instead.

    `unseen` are members who have not used Bedrock yet.
    """

    applies: tuple[str, ...]
    nearer: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """`2 known principals (user/a, user/b); 1 more has a nearer one (user/c)`."""
        if not (self.applies or self.nearer):
            told = "nobody who has used Bedrock yet"
        else:
            told = _principals(self.applies)
        if self.nearer:
            told += f"; a nearer one of that name counts for {_principals(self.nearer)}"
        if self.unseen and self.applies:
            told += f"; not seen yet: {_several(self.unseen)}"
        return told

    def to_json(self) -> dict[str, Any]:
        """For machines, all of them."""
        return {"applies": self.applies, "nearer": self.nearer, "unseen": self.unseen}


def reach(rule: Rule, book: QuotaBook, known: Iterable[Principal], now: datetime) -> Reach:
    """Whom a rule covers; an exemption applies wherever no limit of its name is left."""
    everybody = set(known)
    covered = sorted(each for each in everybody if covers(rule.subject, rule.members, each))
    applies = [each for each in covered if _applies(rule, book, each, now)]
    unseen = set(rule.members) - set(map(str, everybody))
    return Reach(_texts(applies), _texts(set(covered) - set(applies)), tuple(sorted(unseen)))


def _applies(rule: Rule, book: QuotaBook, principal: Principal, now: datetime) -> bool:
    limits = [each for each in book.of(principal, now).quotas if each.name == rule.name]
    return rule in limits if isinstance(rule, Quota) else not limits


def _texts(principals: Iterable[Principal]) -> tuple[str, ...]:
    return tuple(map(str, sorted(principals)))


def _principals(names: Collection[str]) -> str:
    if not names:
        return "nobody"
    if len(names) == 1:
        return next(iter(names))
    return f"{len(names):,} known principals ({_several(names)})"


def _several(names: Collection[str]) -> str:
    shown = list(names)[:_NAMED]
    more = len(names) - len(shown)
    return f"{', '.join(shown)}{f' and {more:,} more' if more else ''}"
