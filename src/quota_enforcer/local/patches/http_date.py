"""The Date of every answer: AWS has only one clock, so it has to be the simulated one.

The emulator puts the real time there.
"""

from email.utils import format_datetime
from typing import Any, Final

from quota_enforcer import clock

_DATE: Final = b"date"


def with_date(app: Any) -> Any:
    """The server's application, with a Date on each answer."""

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        async def dated(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                date = format_datetime(clock.now(), usegmt=True).encode()
                others = [each for each in message.get("headers", []) if each[0].lower() != _DATE]
                message["headers"] = [*others, (_DATE, date)]
            await send(message)

        await app(scope, receive, dated)

    return serve
