"""Where a principal is: the memory that a decision starts from and leaves behind."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class Level(StrEnum):
    """How far a principal is with the fullest of its quotas."""

    OK = "ok"
    WARNED = "warned"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Warned:
    """The highest threshold (percent) already warned of, for one limit, until the window ends."""

    threshold: int
    limit: Decimal
    until: datetime


@dataclass(frozen=True, slots=True)
class UsedUp:
    """A quota that denies: its limit, the start of its window, and when it frees by the clock."""

    limit: Decimal
    window_start: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class WouldDeny:
    """A quota that only observe mode keeps from denying, and since when."""

    since: datetime
    used_up: UsedUp


@dataclass(frozen=True, slots=True)
class Standing:
    """Level, what is denied since when and until when and why, and what was said already.

    `denied` are model scopes. `used_up`, `would_deny` and `warned` are by quota id. `due` is the
    next moment at which the decision can change without new usage.
    """

    level: Level = Level.OK
    denied: frozenset[str] = frozenset()
    since: datetime | None = None
    until: datetime | None = None
    reason: str = ""
    used_up: Mapping[str, UsedUp] = field(default_factory=dict)
    warned: Mapping[str, Warned] = field(default_factory=dict)
    due: datetime | None = None
    would_deny: Mapping[str, WouldDeny] = field(default_factory=dict)
