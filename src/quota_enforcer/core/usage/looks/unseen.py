"""How usage is marked that nobody has looked at yet.

A mark is written before the usage it tells of, so that usage never is without one. Who reads a mark
may be quicker than the usage that follows it; so a mark of a delivery says when that began, and who
is not woken by that very delivery takes it out only when nothing can follow it any more.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

MOST: Final = 200
"""Principals in one mark: an item holds 400 KB, and a name may have a thousand letters."""
YOUNG: Final = timedelta(minutes=15)
"""So long usage may follow its mark: the template ends the meter function after that."""
_SECONDS: Final = "%Y%m%dT%H%M%SZ"


def mark_of(now: datetime) -> str:
    """Another one for each delivery that begins now."""
    return f"{now:{_SECONDS}}.{uuid4().hex}"


def token_of(mark: str, number: int) -> str:
    """The item with this number of a mark, which has several if there are many users."""
    return f"{mark}#{number}"


def is_token(mark: str) -> bool:
    """Whether it names one item and not what several begin with."""
    return "#" in mark


def may_be_followed(token: str, now: datetime) -> bool:
    """Whether usage may come yet that this marks; never where it was marked after it was set."""
    moment, dot, _ = token.partition(".")
    if not dot:
        return False
    try:
        begun = datetime.strptime(f"{moment}+0000", f"{_SECONDS}%z")
    except ValueError:
        return False
    return now - begun < YOUNG
