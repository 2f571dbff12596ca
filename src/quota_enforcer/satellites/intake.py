"""Whether home takes what is posted to its meter's function URL, and from which place it comes.

AWS says who calls (account, role, organisation); the body says nothing about that. A refusal has a
status of HTTP and a sentence: a satellite does not try again what is refused so, but keeps a
pointer to it.
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from quota_enforcer.core.errors import EnforcerError
from quota_enforcer.core.usage.place import Place
from quota_enforcer.satellites.names import OLDEST, VERSION, Part, region_of
from quota_enforcer.satellites.registry import Satellite

BAD_REQUEST: Final = 400
FORBIDDEN: Final = 403
CONFLICT: Final = 409

_ROLE: Final = re.compile(r"arn:aws[\w-]*:sts::(\d{12}):assumed-role/([^/]+)/[^/]+", re.ASCII)
_STACK: Final = re.compile(
    r"arn:aws[\w-]*:cloudformation:([a-z0-9-]+):(\d{12}):stack/[A-Za-z0-9-]{1,128}/[a-z0-9-]{1,64}",
    re.ASCII,
)
_GROUP: Final = re.compile(r"[A-Za-z0-9_/.#-]{1,512}", re.ASCII)
_PARAMETERS: Final = re.compile(r"[!-~]{0,200}", re.ASCII)
_SHOWN: Final = 100
_KINDS: Final = "awslogs, announce, leave"


class IntakeRefused(EnforcerError):
    """Home does not take this; `status` is the one of HTTP."""

    def __init__(self, status: int, words: str) -> None:
        self.status = status
        super().__init__(words)


@dataclass(frozen=True, slots=True)
class SatelliteCaller:
    """Who signed a request, by AWS's word."""

    account: str
    arn: str
    organization: str = ""
    """Its account's organisation; empty if it is in none."""


@dataclass(frozen=True, slots=True)
class HomeStack:
    """The stack that is asked, as far as it matters to satellites."""

    stack: str
    stack_id: str
    place: Place
    organization: str = ""
    """Whose accounts may have satellites; empty if only home's own may, in other Regions."""


@dataclass(frozen=True, slots=True)
class ForwardRequest:
    """Meter a batch of the log in a place: `data` as CloudWatch Logs handed it over there."""

    place: Place
    data: str


@dataclass(frozen=True, slots=True)
class AnnounceRequest:
    """A satellite says that it stands."""

    satellite: Satellite


@dataclass(frozen=True, slots=True)
class LeaveRequest:
    """A satellite's stack is being deleted."""

    place: Place
    stack_id: str


SatelliteRequest = ForwardRequest | AnnounceRequest | LeaveRequest


def take(caller: SatelliteCaller, body: str, home: HomeStack, now: datetime) -> SatelliteRequest:
    """What a caller's body asks of home. Raises IntakeRefused.

    No message holds anything of the body but the home and the version that it names.
    """
    _check_account(caller, home)
    match _parsed(body):
        case {"home": str(named), "version": int(version), **rest} if version is not True:
            _check_home(named, home)
            _check_version(version)
        case _:
            raise IntakeRefused(
                BAD_REQUEST,
                f'the body is no request of a satellite: expected {{"home": STACK-ID, "version": '
                f"NUMBER}} and one of {_KINDS}",
            )
    match rest:
        case {"awslogs": {"data": str(data), **more}, **others} if not more and not others:
            return ForwardRequest(_place(caller, home, Part.FORWARDER), data)
        case {"announce": dict(said), **others} if not others:
            place = _place(caller, home, Part.SETUP)
            return AnnounceRequest(_announced(said, place, version, now))
        case {"leave": {"stack_id": str(stack_id), **more}, **others} if not more and not others:
            place = _place(caller, home, Part.SETUP)
            return LeaveRequest(place, _checked_stack_id(stack_id, place))
        case _:
            raise IntakeRefused(
                BAD_REQUEST,
                f"the body asks for nothing that home knows: expected exactly one of {_KINDS}, as "
                f"satellite.yaml of version {VERSION} sends them",
            )


def _check_account(caller: SatelliteCaller, home: HomeStack) -> None:
    if caller.account == home.place.account:
        return
    if not home.organization:
        raise IntakeRefused(
            FORBIDDEN,
            f"account {caller.account} is not {home.place.account}, and stack {home.stack} takes "
            "only further Regions of its own account: set its parameter Satellites to the id of "
            "your organisation (o-...)",
        )
    if caller.organization != home.organization:
        theirs = caller.organization or "none"
        raise IntakeRefused(
            FORBIDDEN,
            f"account {caller.account} is of organisation {theirs}, and stack {home.stack} takes "
            f"accounts of {home.organization} only: delete the satellite, or take the account "
            "into the organisation again",
        )


def _check_home(named: str, home: HomeStack) -> None:
    if named != home.stack_id:
        raise IntakeRefused(
            CONFLICT,
            f"this is the home {home.stack_id}, and the satellite is of {named[: 2 * _SHOWN]!r}: "
            "deploy it with HomeStackId and HomeUrl of one and the same home, as `quota-enforcer "
            "satellites plan` prints them",
        )


def _check_version(version: int) -> None:
    if OLDEST <= version <= VERSION:
        return
    known = f"version {VERSION}" if OLDEST == VERSION else f"versions {OLDEST} to {VERSION}"
    if version > VERSION:
        fix = "deploy the newer home stack first, then `recount` the hours in between"
    else:
        fix = "roll out the satellite.yaml of home's version"
    raise IntakeRefused(
        CONFLICT, f"the satellite has version {version}, and this home knows {known}: {fix}"
    )


def _place(caller: SatelliteCaller, home: HomeStack, part: Part) -> Place:
    """Where the caller stands, by its role's name, which has the Region."""
    match = _ROLE.fullmatch(caller.arn)
    region = region_of(match[2], home.stack, part) if match else None
    if match is None or match[1] != caller.account or region is None:
        raise IntakeRefused(
            FORBIDDEN,
            f"{caller.arn[: 2 * _SHOWN]!r} is not the role that may ask for this: only "
            f"{home.stack}-{part}-REGION of a satellite, which satellite.yaml makes",
        )
    place = Place(caller.account, region)
    if place == home.place:
        raise IntakeRefused(
            CONFLICT,
            f"{place} is where the home stack {home.stack} itself stands, and it meters its own "
            "log: delete the satellite there",
        )
    return place


def _announced(said: dict[str, Any], place: Place, version: int, now: datetime) -> Satellite:
    match said:
        case {"stack_id": str(stack_id), "log_group": str(group), "parameters": str(parameters)}:
            if not _GROUP.fullmatch(group):
                raise IntakeRefused(
                    BAD_REQUEST,
                    f"log_group is {group[:_SHOWN]!r}: expected the name of a log group, of "
                    "letters, digits and any of _/.#-",
                )
            if not _PARAMETERS.fullmatch(parameters):
                raise IntakeRefused(
                    BAD_REQUEST, "parameters is no digest: expected at most 200 ASCII characters"
                )
            own = _checked_stack_id(stack_id, place)
            return Satellite(place, version, group, own, now, parameters)
        case _:
            raise IntakeRefused(
                BAD_REQUEST, "announce has to say stack_id, log_group and parameters, all as texts"
            )


def _checked_stack_id(stack_id: str, place: Place) -> str:
    match = _STACK.fullmatch(stack_id)
    if match is None or (match[2], match[1]) != (place.account, place.region):
        raise IntakeRefused(
            BAD_REQUEST,
            f"stack_id is {stack_id[: 2 * _SHOWN]!r}: expected the ARN of a stack in {place}, "
            "where the caller stands",
        )
    return stack_id


def _parsed(body: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
