"""What the enforcer can be asked to do, read from the event it is invoked with."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from quota_enforcer.core.errors import FutureTick, UnknownEvent, UnknownIdentity
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.place import HOME, is_place
from quota_enforcer.core.usage.reads import NOTHING_SAID, Woken
from quota_enforcer.core.usage.window import YEARS

STALE = timedelta(minutes=2)
"""A schedule may retry for hours; an old tick has long been overtaken by a newer one."""
SKEW = timedelta(seconds=5)
"""How far the clocks of the scheduler and of Lambda may differ."""
_ALLOWED = (
    '{"action": "sweep", "scheduled_time": TIME} from the schedule, '
    '{"action": "sweep", "dry_run": BOOLEAN, "confirm_blocks": BOOLEAN} from an admin, '
    '{"action": "wake", "principals": [PRINCIPAL, ...], "mark": TEXT, "since": TIME, '
    '"place": ACCOUNT/REGION} from a meter, where a '
    'principal may be {"principal": PRINCIPAL, "called": {MODEL: TIME}}, '
    '{"Records": [RECORD, ...]} from the stream of the quota table, '
    '{"action": "close"} when the stack goes, '
    'or {"action": "reopen"} if it was closed and stays'
)


_NONE: Mapping[Any, Any] = {}
_SAID = {"mark", "since", "place"}


@dataclass(frozen=True, slots=True)
class SweepRequest:
    """Sweep as of `now`."""

    now: datetime
    dry_run: bool = False
    confirm_blocks: bool = False


@dataclass(frozen=True, slots=True)
class WakeRequest:
    """Look at just these as of `now`."""

    now: datetime
    principals: frozenset[Principal]
    refused: tuple[str, ...] = ()
    """Sentences about names that no principal can have."""
    woken: Woken = NOTHING_SAID
    """What the meter says of their usage."""


@dataclass(frozen=True, slots=True)
class EditRequest:
    """Look at everybody whom edits of the quota table concern.

    The edits are read from the table: so the event may come twice, late, in any order or in parts.
    """

    now: datetime
    records: int


@dataclass(frozen=True, slots=True)
class CloseRequest:
    """Release everybody and block nobody any more."""

    now: datetime


@dataclass(frozen=True, slots=True)
class ReopenRequest:
    """Block again: the deployment was closed, and its stack stays."""

    now: datetime


@dataclass(frozen=True, slots=True)
class StaleTick:
    """A scheduled event that comes too late to be of use."""

    scheduled: datetime


Request = SweepRequest | WakeRequest | EditRequest | CloseRequest | ReopenRequest | StaleTick


def read_event(event: Any, clock: datetime) -> Request:
    """The request that an event makes at the clock's time.

    Raises UnknownEvent for anything else, and FutureTick for a scheduled time yet to come.
    """
    match event:
        case {"action": "close", **rest} if not rest:
            return CloseRequest(clock)
        case {"action": "reopen", **rest} if not rest:
            return ReopenRequest(clock)
        case {"action": "wake", "principals": [*names], **rest} if rest.keys() <= _SAID:
            if all(isinstance(each, str) for each in rest.values()):
                return _wake(names, clock, rest)
        case {"Records": [_, *_] as records, **rest} if not rest and all(map(_of_stream, records)):
            return EditRequest(clock, len(records))
        case {"action": "sweep", "scheduled_time": str(text), **rest} if not rest:
            return _tick(text, clock)
        case {"action": "sweep", **rest} if rest.keys() <= {"dry_run", "confirm_blocks"}:
            dry_run, confirm_blocks = rest.get("dry_run", False), rest.get("confirm_blocks", False)
            if isinstance(dry_run, bool) and isinstance(confirm_blocks, bool):
                return SweepRequest(clock, dry_run, confirm_blocks)
        case _:
            pass
    raise UnknownEvent(f"cannot understand the event {str(event)[:200]}; known: {_ALLOWED}")


def _of_stream(record: Any) -> bool:
    """Whether it is a record of a table's stream; only the quota table's is sent to us."""
    return isinstance(record, dict) and record.get("eventSource") == "aws:dynamodb"


def _wake(names: list[Any], clock: datetime, said_of_all: Mapping[Any, Any]) -> WakeRequest:
    """Whom to look at; a name that is none stops no other."""
    called: dict[Principal, Mapping[str, datetime]] = {}
    refused: list[str] = []
    for each in names:
        name, calls = each, _NONE
        match each:
            case {"principal": str(woken), "called": dict(said), **rest} if not rest:
                name, calls = woken, said
        try:
            principal = Principal.parse(name if isinstance(name, str) else str(name)[:200])
        except UnknownIdentity as error:
            refused.append(str(error))
        else:
            called[principal] = {**called.get(principal, {}), **_moments(calls)}
    place, mark = said_of_all.get("place", HOME), said_of_all.get("mark", "")
    since = _moments({"": said_of_all.get("since")}).get("")
    if place != HOME and not is_place(place):  # what cannot be told apart is looked at
        place, since = HOME, None
    return WakeRequest(clock, frozenset(called), tuple(refused), Woken(called, mark, since, place))


def _moments(calls: Mapping[Any, Any]) -> dict[str, datetime]:
    """When which model was called; what is no moment is left out, since the wake itself counts."""
    found = {}
    for model, text in calls.items():
        with suppress(ValueError, TypeError):
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is not None and moment.year in YEARS:
                found[str(model)] = moment
    return found


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
