"""What CloudWatch Logs hands to a subscribed function: a gzip of JSON in base64.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
"""

import json
import zlib
from base64 import b64decode
from dataclasses import dataclass
from typing import Any, Final

from quota_enforcer.core.errors import EnforcerError
from quota_enforcer.meter.ports import LogEvent

LARGEST: Final = 64 << 20
"""Bytes of a delivery; the JSON of so much takes half of the function's memory."""


class Undecodable(EnforcerError):
    """A delivery is damaged as a whole; the message says how, and nothing of what it holds."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Some events of one stream of a log group."""

    owner: str
    """The log group's account."""
    group: str
    stream: str
    events: tuple[LogEvent, ...]
    control: bool = False
    """CloudWatch Logs sends it only to see whether the function answers."""
    damaged: int = 0


def decode(data: str) -> Delivery:
    """The delivery in an event's `awslogs.data`. Raises Undecodable.

    Events without an id, a time or a message are counted in `damaged`: where they are in the log
    cannot be said.
    """
    delivery = _parsed(data)
    kind = delivery.get("messageType")
    if kind == "CONTROL_MESSAGE":
        return Delivery("", "", "", (), control=True)
    events = delivery.get("logEvents")
    owner, group, stream = (delivery.get(name) for name in ("owner", "logGroup", "logStream"))
    if kind != "DATA_MESSAGE" or not isinstance(events, list):
        raise Undecodable("it is neither a control message nor a data message with log events")
    if not (isinstance(owner, str) and isinstance(group, str) and isinstance(stream, str)):
        raise Undecodable("it does not say which log group and stream of which account it is of")
    whole = tuple(event for event in map(_event, events) if event is not None)
    return Delivery(owner, group, stream, whole, damaged=len(events) - len(whole))


def _parsed(data: str) -> dict[str, Any]:
    try:
        delivery = json.loads(_expanded(b64decode(data, validate=True)))
    # The kind of error only: some of these errors hold the text that they are about.
    except (EOFError, OSError, zlib.error) as error:
        raise Undecodable(f"it is no whole gzip: {type(error).__name__}") from None
    except ValueError as error:
        raise Undecodable(f"it is broken: {type(error).__name__}") from None
    except RecursionError:
        raise Undecodable("its JSON is nested too deeply") from None
    if not isinstance(delivery, dict):
        raise Undecodable("it is no JSON object")
    return delivery


def _expanded(packed: bytes) -> bytes:
    """What a gzip holds, up to a bound: a thousandth of it may stand for a function's memory.

    Raises Undecodable beyond, EOFError if it is cut off, and what zlib raises.
    """
    unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    expanded = unpacking.decompress(packed, LARGEST)
    if unpacking.unconsumed_tail:
        raise Undecodable(f"it expands to more than {LARGEST >> 20} MiB")
    if not unpacking.eof:
        raise EOFError
    return expanded


def _event(event: Any) -> LogEvent | None:
    match event:
        case {"id": str(id_), "timestamp": int(timestamp), "message": str(message)}:
            return LogEvent(id_, timestamp, message)
        case _:
            return None
