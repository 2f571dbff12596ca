"""One clock for the parts of the emulator that date usage: the simulated clock.

The emulator dates log events, datapoints, alarm windows and the Date of answers with real time.
AWS has only one clock, so everything that belongs to the metered traffic has to follow
`quota_enforcer.clock.now()`, which the client may move.
Sessions, signatures and DynamoDB's time to live stay on real time: the SDKs sign with it.
"""
# ruff: noqa: SLF001 - the emulator has no public hooks; its version is pinned for that reason

import time
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Any, Final

from ministack import app as emulator
from ministack.services import cloudwatch, cloudwatch_logs

from quota_enforcer import clock

_DATE: Final = b"date"
_FOR_PAGES: Final = b"access-control-"


class SimulatedTime:
    """Stands in for the module `time` inside one module of the emulator."""

    def time(self) -> float:
        """Seconds since the epoch on the simulated clock."""
        return clock.now().timestamp()

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


def install() -> None:
    """Let CloudWatch and CloudWatch Logs live in simulated time."""
    emulator._with_date_header = lambda send: send  # the real one, which we would replace
    cloudwatch.time = SimulatedTime()
    cloudwatch_logs.time = SimulatedTime()


def with_date(app: Any) -> Any:
    """The server's application, with the simulated Date on each answer.

    And without headers for web pages where none asks: AWS sends them in answer to an Origin alone,
    and the emulator's four are nearly half of what each caller has to read.
    """

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        left_out: tuple[bytes, ...] = (_DATE, _FOR_PAGES)
        if any(name == b"origin" for name, _ in scope.get("headers", ())):
            left_out = (_DATE,)

        async def dated(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                date = _written(clock.now().replace(microsecond=0))
                others = [
                    each
                    for each in message.get("headers", ())
                    if not each[0].lower().startswith(left_out)
                ]
                message["headers"] = [*others, (_DATE, date)]
            await send(message)

        await app(scope, receive, dated)

    return serve


@lru_cache(10)
def _written(moment: datetime) -> bytes:
    return format_datetime(moment, usegmt=True).encode()
