"""What the meter can be asked to do, read from the event it is invoked with."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from quota_enforcer.core.errors import UnknownEvent
from quota_enforcer.core.usage.window import YEARS

_ALLOWED = (
    '{"awslogs": {"data": TEXT}} from CloudWatch Logs, '
    '{"action": "recount", "hour": "2026-11-24T10:00:00Z"} from an admin, also with "without": '
    '[EVENT, ...] or "everything": true, '
    'or {"action": "recount"} from the schedule'
)
_SHOWN = 50
MOST_EVENTS = 100
"""So many events can be left out of an hour with one request."""
_LONGEST_ID = 100


@dataclass(frozen=True, slots=True)
class DeliveryRequest:
    """Meter what CloudWatch Logs hands over: base64 of a gzip."""

    data: str


@dataclass(frozen=True, slots=True)
class RecountRequest:
    """Set one hour from the log, or all that were asked for."""

    hour: datetime | None = None
    without: frozenset[str] = frozenset()
    """The ids of log events that shall not count, from now on."""
    everything: bool = False
    """Whether those that were left out before count again."""


def read_event(event: Any) -> DeliveryRequest | RecountRequest:
    """The request that an event makes; raises UnknownEvent for anything else.

    The message names the event's keys only: its values may be somebody's prompt.
    """
    match event:
        case {"awslogs": {"data": str(data)}}:
            return DeliveryRequest(data)
        case {"action": "recount", **rest} if not rest:
            return RecountRequest()
        case {"action": "recount", "hour": str(text), **rest} if not rest:
            return RecountRequest(_hour(text))
        case {"action": "recount", "hour": str(text), "without": [*ids], **rest} if (
            not rest and 0 < len(ids) <= MOST_EVENTS and all(map(_is_id, ids))
        ):
            return RecountRequest(_hour(text), frozenset(ids))
        case {"action": "recount", "hour": str(text), "everything": True, **rest} if not rest:
            return RecountRequest(_hour(text), everything=True)
        case dict():
            keys = ", ".join(sorted(map(str, event)))[:_SHOWN]
            raise UnknownEvent(
                f"cannot understand an event with the keys {keys}; known: {_ALLOWED}"
            )
        case _:
            raise UnknownEvent(f"cannot understand a {type(event).__name__}; known: {_ALLOWED}")


def _is_id(value: Any) -> bool:
    """Whether it can be the id of a log event: 56 digits, in all that were ever seen."""
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_ID


def _hour(text: str) -> datetime:
    try:
        hour = datetime.fromisoformat(text)
    except ValueError:
        hour = None
    # Further out a zone may lead beyond what a date can be.
    if hour is None or hour.tzinfo is None or hour.year not in YEARS:
        raise UnknownEvent(
            f"hour is {text[:_SHOWN]!r}; allowed: an instant such as 2026-11-24T10:00:00Z"
        )
    return hour.astimezone(UTC)
