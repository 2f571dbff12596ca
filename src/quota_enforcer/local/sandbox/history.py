"""Weeks of the past: real conversations in the invocation log, metered and swept hour by hour.

The records come in one delivery for each hour, and whoever is blocked by then makes no calls.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from itertools import count
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.usage.counts import TOKEN_COUNTS
from quota_enforcer.local.demo import cast
from quota_enforcer.local.demo.account import Account
from quota_enforcer.local.demo.cast import Call, Member
from quota_enforcer.local.demo.traffic import conversations
from quota_enforcer.local.embedded import EmbeddedAws
from quota_enforcer.local.sandbox.passing_time import sweep

_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_ZONE: Final = ZoneInfo("UTC")
_WORKDAYS: Final = 5
_BUSY: Final = (9, 14)
"""Hours in which people talk to models: each takes a delivery, a wake and a sweep."""
_STREAM: Final = "aws/bedrock/modelinvocations"


class _Talked(NamedTuple):
    """Where the conversations of somebody's day begin, and how many they are."""

    member: int
    day: int

    @property
    def several(self) -> int:
        return (self.member * 5 + self.day * 3) % 4 + (self.member % 3)

    def hour(self, number: int) -> int:
        return _BUSY[(self.member * 3 + self.day + number) % len(_BUSY)]

    def conversation(self, number: int, of: int) -> int:
        return (self.member * 11 + self.day * 7 + number * 5) % of


class History:
    """The past of an account that stands; `roles` says who is behind which role, by ARN."""

    def __init__(self, aws: EmbeddedAws, account: Account, roles: Mapping[Principal, str]) -> None:
        self._aws = aws
        self._account = account
        self._roles = roles
        self._requests = count(1)
        logging = aws.client("bedrock").get_model_invocation_logging_configuration()
        self._group = logging["loggingConfig"]["cloudWatchConfig"]["logGroupName"]

    def live_through(self, end: datetime, progress: Callable[[str], None]) -> None:
        """Let time pass from now to `end`."""
        hours: defaultdict[datetime, list[Call]] = defaultdict(list)
        for call in calls(self._aws.time, end):
            hours[_next_hour(call.at)].append(call)
        midnights = set(_midnights(self._aws.time, end))
        today = None
        for hour in sorted({*hours, *midnights}):
            if hour > end:
                break
            if hour.date() != today:
                today = hour.date()
                progress(f"living through {today:%a %d %B}")
            self._hour(hour, hours[hour])
        self._aws.set_time(end)

    def _hour(self, hour: datetime, several: list[Call]) -> None:
        denied = self._account.denied()
        self._aws.set_time(hour)
        if denied:
            sweep(self._aws)
        made = [call for call in several if call.principal not in denied]
        if made:
            self._log(made)
            self._aws.settle()

    def _log(self, several: list[Call]) -> None:
        self._aws.client("logs").put_log_events(
            logGroupName=self._group,
            logStreamName=_STREAM,
            logEvents=[
                {
                    "timestamp": int(call.at.timestamp() * 1000),
                    "message": json.dumps(self._record(call)),
                }
                for call in several
            ],
        )

    def _record(self, call: Call) -> dict[str, Any]:
        sections: dict[str, dict[str, Any]] = {
            "input": {"inputContentType": "application/json"},
            "output": {"outputContentType": "application/json"},
        }
        numbers = call.counts._asdict()
        for name, field in TOKEN_COUNTS.items():
            sections[field.section][field.field] = numbers[name]
        return {
            "timestamp": f"{call.at:%Y-%m-%dT%H:%M:%SZ}",
            "accountId": self._aws.account_id,
            "region": self._aws.region,
            "requestId": f"00000000-0000-4000-8000-{next(self._requests):012d}",
            "operation": "InvokeModel",
            "modelId": call.model,
            "identity": {"arn": self._arn(call)},
            **sections,
            "schemaType": "ModelInvocationLog",
            "schemaVersion": "1.0",
        }

    def _arn(self, call: Call) -> str:
        who = call.principal
        if who.kind is Kind.USER:
            return f"arn:aws:iam::{self._aws.account_id}:user/{who.name}"
        return f"{self._roles[who]}/{call.session or who.name.rpartition('/')[2]}"


def calls(begin: datetime, end: datetime) -> Iterator[Call]:
    """What everybody says between the two: conversations in working hours of working days."""
    day, last = begin.date(), end.date()
    while day <= last:
        if day.weekday() < _WORKDAYS:
            for place, member in enumerate(cast.CAST):
                for call in _day(member, place, day):
                    if begin <= call.at < end:
                        yield call
        day += _DAY


def _day(member: Member, place: int, day: date) -> Iterator[Call]:
    said = conversations()
    names = sorted(said)
    talked = _Talked(place, day.toordinal())
    for number in range(talked.several):
        talk = member.talks[number % len(member.talks)]
        at = datetime.combine(day, time(talked.hour(number)), _ZONE)
        for request in said[names[talked.conversation(number, len(names))]]:
            yield Call(
                at + request.after, member.principal, talk.session, talk.model, request.counts
            )


def _next_hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0) + _HOUR


def _midnights(begin: datetime, end: datetime) -> Iterator[datetime]:
    midnight = datetime.combine(begin.date() + _DAY, time(), _ZONE)
    while midnight <= end:
        yield midnight
        midnight += _DAY
