"""One POST: no redirect is followed, and nothing of the answer is kept but its status."""

import ssl
from collections.abc import Mapping
from functools import cache
from http.client import HTTPException, HTTPSConnection
from typing import Final, NamedTuple
from urllib.parse import urlsplit

SECONDS: Final = 15
"""For each step of it: connecting, writing, and waiting for the answer."""
ACCEPTED: Final = range(200, 300)


class PostAnswer(NamedTuple):
    """What came of it."""

    status: int
    """Of HTTP; 0 if there was no answer."""
    words: str
    """Why there was none."""
    again_in: int = 0
    """Seconds to wait, if the receiver says so (`Retry-After`)."""

    @property
    def accepted(self) -> bool:
        return self.status in ACCEPTED


def post(url: str, body: bytes, headers: Mapping[str, str]) -> PostAnswer:
    """Post it to an https address; whatever goes wrong is an answer too."""
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = HTTPSConnection(parts.hostname or "", parts.port, timeout=SECONDS, context=_tls())
    try:
        connection.request("POST", path, body, dict(headers))
        answer = connection.getresponse()
        wait = answer.getheader("retry-after", "")
        return PostAnswer(answer.status, "", int(wait) if wait.isascii() and wait.isdigit() else 0)
    except (OSError, HTTPException) as error:
        return PostAnswer(0, type(error).__name__)
    finally:
        connection.close()


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
