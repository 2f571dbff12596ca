"""A request: somebody's wish for a higher limit until a moment, which admins grant or refuse.

It gives nobody anything. What is asked comes from a limited person, so it is bounded and plain
before it is kept, and again when it is read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from quota_enforcer.core.errors import EnforcerError
from quota_enforcer.core.notices.amounts import limit_of
from quota_enforcer.core.notices.wording import raise_command
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.form import ends, values
from quota_enforcer.core.usage.counts import Measure

LONGEST: Final = timedelta(days=31)
"""How far the end may be from now."""
AGAIN: Final = timedelta(hours=1)
"""So long after a request its principal may make the next one, which takes its place."""
MOST_WORDS: Final = 200
"""Characters of the reason."""
MOST_PLACES: Final = 15
"""Digits of a limit: more is no limit that anybody means."""
_NOT_PLAIN: Final = frozenset('<>`"|{}\\')
"""What could be markup, or look like a command, in the mail or chat of an admin."""
_TEXTS: Final = {"quota": 255, "limit": 40, "until": 40, "why": MOST_WORDS}
"""What a request says, and how long each may be."""


class InvalidRequest(EnforcerError):
    """A request that says what it may not, or asks for what cannot be asked."""


class RequestState(StrEnum):
    """What became of a request so far."""

    WAITS = "waits"
    GRANTED = "granted"
    REFUSED = "refused"
    LAPSED = "lapsed"


class Wish(NamedTuple):
    """What somebody wrote."""

    quota: str
    limit: str
    until: str
    why: str


class Refusal(NamedTuple):
    """Which admin refused a request, when and why."""

    at: datetime
    by: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class RaiseRequest:
    """One request; there is at most one of each principal."""

    principal: Principal
    """Who asked, by IAM's word."""
    subject: Principal
    """Whose limit it is: the principal's, or that of its session."""
    quota: str
    measure: Measure
    limit: Decimal
    until: datetime
    why: str
    at: datetime
    before: Decimal
    """The limit when it was asked."""
    told: str = ""
    """Empty until admins were told of it, then the RequestState that was told last."""
    refusal: Refusal | None = None

    @property
    def command(self) -> str:
        """What grants it."""
        return raise_command(str(self.subject), self.quota, self.limit, self.until)

    @property
    def asked(self) -> str:
        """`5,000,000 total tokens`."""
        return limit_of(self.limit, self.measure.words)


def wish_of(body: Any) -> Wish:
    """What a request says; raises InvalidRequest with all that is wrong with it."""
    if not isinstance(body, Mapping):
        raise InvalidRequest(f"a request is a JSON object with {', '.join(_TEXTS)}")
    wrong = [f"it has no {name}" for name in _TEXTS if name not in body]
    wrong += [f"{str(name)[:40]!r} is unknown" for name in body if name not in _TEXTS]
    for name, most in _TEXTS.items():
        said = body.get(name, "")
        if not isinstance(said, str):
            wrong.append(f"{name} is no text")
        elif len(said) > most:
            wrong.append(f"{name} has {len(said)} characters; allowed: at most {most}")
        elif name in body and not said.strip():
            wrong.append(f"{name} is empty")
    why = body.get("why", "")
    if isinstance(why, str) and (found := _not_plain(why)):
        wrong.append(f"why has {found}; allowed: plain words without links")
    if wrong:
        raise InvalidRequest(f"{'; '.join(wrong)}. A request says {', '.join(_TEXTS)}")
    return Wish(*(" ".join(body[name].split()) for name in _TEXTS))


def limit_asked(wish: Wish, measure: Measure, now_at: Decimal) -> Decimal:
    """The limit; raises InvalidRequest for what is none, or not above the present one."""
    from quota_enforcer.core.quotas.form.shorthand import number  # noqa: PLC0415 - only self-service reads it

    limit = number(wish.limit, measure.value)
    if not isinstance(limit, Decimal) or not limit.is_finite() or limit <= 0:
        raise InvalidRequest(
            f"limit is {wish.limit!r}; allowed: a number of {measure.words}, such as 5000000 or 5M"
        )
    if len(limit.as_tuple().digits) > MOST_PLACES or limit.adjusted() >= MOST_PLACES:
        raise InvalidRequest(f"limit is {wish.limit!r}; allowed: at most {MOST_PLACES} digits")
    if not measure.fractional and limit % 1:
        raise InvalidRequest(f"limit is {wish.limit!r}; allowed: a whole number of {measure.words}")
    if limit <= now_at:
        raise InvalidRequest(
            f"limit is {wish.limit!r}, and quota {wish.quota} lets you use "
            f"{limit_of(now_at, measure.words)} already: ask for more"
        )
    return limit


def end_asked(wish: Wish, now: datetime, zone: ZoneInfo) -> datetime:
    """The end, to the minute; raises InvalidRequest for what is none, is past, or too far."""
    try:
        until = values.moment(ends.end_text(wish.until, now, zone), zone)
    except (ValueError, OverflowError) as error:
        raise InvalidRequest(f"until is {wish.until!r}; allowed: {ends.END_FORMS}") from error
    until = until.replace(second=0, microsecond=0)
    if not now < until <= now + LONGEST:
        raise InvalidRequest(
            f"until is {wish.until!r}; allowed: from now to {LONGEST.days} days from now"
        )
    return until


def plain(words: str) -> str:
    """The words without links and what could be markup: others may have written them."""
    kept = "".join(each for each in words if each.isprintable() and each not in _NOT_PLAIN)
    return " ".join(kept.replace("://", " ").split())[:MOST_WORDS]


def _not_plain(words: str) -> str:
    found = sorted({each for each in words if each in _NOT_PLAIN or not each.isprintable()})
    if found:
        return f"{found[0]!r}"
    return "a link" if "://" in words else ""
