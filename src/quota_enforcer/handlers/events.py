"""What the enforcer can be asked to do, read from the event it is invoked with."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from quota_enforcer.core.errors import FutureTick, UnknownEvent

STALE = timedelta(minutes=2)
"""A schedule may retry for hours; an old tick has long been overtaken by a newer one."""
SKEW = timedelta(seconds=5)
"""How far the clocks of the scheduler and of Lambda may differ."""
_ALLOWED = (
    '{"action": "sweep", "scheduled_time": TIME} from the schedule, '
    '{"action": "sweep", "dry_run": BOOLEAN, "confirm_blocks": BOOLEAN} from an admin, '
    'or {"action": "close"} when the stack goes'
)


@dataclass(frozen=True, slots=True)
class SweepRequest:
    """Sweep as of `now`."""

    now: datetime
    dry_run: bool = False
    confirm_blocks: bool = False


@dataclass(frozen=True, slots=True)
class CloseRequest:
    """Release everybody and block nobody any more."""

    now: datetime


@dataclass(frozen=True, slots=True)
class StaleTick:
    """A scheduled event that comes too late to be of use."""

    scheduled: datetime


def read_event(event: Any, clock: datetime) -> SweepRequest | CloseRequest | StaleTick:
    """The request that an event makes at the clock's time.

    Raises UnknownEvent for anything else, and FutureTick for a scheduled time yet to come.
    """
    match event:
        case {"action": "close", **rest} if not rest:
            return CloseRequest(clock)
        case {"action": "sweep", "scheduled_time": str(text), **rest} if not rest:
            return _tick(text, clock)
        case {"action": "sweep", **rest} if rest.keys() <= {"dry_run", "confirm_blocks"}:
            dry_run, confirm_blocks = rest.get("dry_run", False), rest.get("confirm_blocks", False)
            if isinstance(dry_run, bool) and isinstance(confirm_blocks, bool):
                return SweepRequest(clock, dry_run, confirm_blocks)
        case _:
            pass
    raise UnknownEvent(f"cannot understand the event {str(event)[:200]}; known: {_ALLOWED}")


def _tick(text: str, clock: datetime) -> SweepRequest | StaleTick:
    try:
        scheduled = datetime.fromisoformat(text)
        early = scheduled - clock
    except (ValueError, TypeError) as error:
        raise UnknownEvent(
            f"scheduled_time is {text[:50]!r}; allowed: an instant such as 2026-12-01T09:00:00Z",
        ) from error
    if early > SKEW:
        raise FutureTick(f"the event was scheduled for {scheduled}, but it is only {clock}")
    return StaleTick(scheduled) if -early > STALE else SweepRequest(scheduled)
