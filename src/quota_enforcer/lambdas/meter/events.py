"""What the meter can be asked to do, read from the event it is invoked with."""

from base64 import b64decode
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from quota_enforcer.core.errors import UnknownEvent
from quota_enforcer.core.usage.place import Place
from quota_enforcer.core.usage.window import YEARS
from quota_enforcer.satellites.intake import SatelliteCaller

_ALLOWED = (
    '{"awslogs": {"data": TEXT}} from CloudWatch Logs, '
    '{"action": "recount", "hour": "2026-11-24T10:00:00Z"} from an admin, also with "without": '
    '[EVENT, ...] or "everything": true, and with "place": "444455556666/eu-west-1", '
    'a request to the function URL, or {"action": "recount"} from the schedule'
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
    place: Place | None = None
    """Where; None for home, and if all of the hour is meant for every satellite too."""

    @property
    def of_all_places(self) -> bool:
        """Log events are of one log."""
        return not (self.place or self.without or self.everything)


@dataclass(frozen=True, slots=True)
class UrlRequest:
    """What somebody posted to the function URL, and who by AWS's word; None if it does not say."""

    caller: SatelliteCaller | None
    method: str
    path: str
    body: str


def read_event(event: Any) -> DeliveryRequest | RecountRequest | UrlRequest:
    """The request that an event makes; raises UnknownEvent for anything else.

    The message names the event's keys only: its values may be somebody's prompt.
    """
    match event:
        case {"awslogs": {"data": str(data)}}:
            return DeliveryRequest(data)
        case {"requestContext": {"http": {"method": str(method)}, **context}, "rawPath": str(path)}:
            return UrlRequest(_caller(context.get("authorizer")), method, path, _body(event))
        case {"action": "recount", "hour": str(), "place": str(place)}:
            of_hour = _recount({name: each for name, each in event.items() if name != "place"})
            return replace(of_hour, place=_place(place))
        case _:
            return _recount(event)


def _recount(event: Any) -> RecountRequest:
    match event:
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


def _caller(authorizer: Any) -> SatelliteCaller | None:
    """Who signed a request, as Lambda tells it.

    https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
    """
    match authorizer:
        case {"iam": {"accountId": str(account), "userArn": str(arn), **more}}:
            organization = more.get("principalOrgId")
            return SatelliteCaller(
                account, arn, organization if isinstance(organization, str) else ""
            )
        case _:
            return None


def _body(event: dict[str, Any]) -> str:
    """Empty where there is none, or where it is no text."""
    body = event.get("body")
    if not isinstance(body, str):
        return ""
    if event.get("isBase64Encoded") is not True:
        return body
    try:
        return b64decode(body, validate=True).decode()
    except ValueError:
        return ""


def _place(text: str) -> Place:
    try:
        return Place.parse(text)
    except ValueError:
        raise UnknownEvent(
            f"place is {text[:_SHOWN]!r}; allowed: an account and a Region such as "
            "444455556666/eu-west-1"
        ) from None


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
