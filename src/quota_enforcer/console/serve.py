"""Serving the console on loopback, in a thread, until it is ended."""

import secrets
import socket
import threading
import time
from typing import Final, Self

import uvicorn

from quota_enforcer.console.app import console
from quota_enforcer.console.guard import TOKEN
from quota_enforcer.console.page import Desk

_HOST: Final = "127.0.0.1"
_PATIENCE: Final = 10.0
_PAUSE: Final = 0.02


class Serving:
    """A console that answers; `address` lets one browser in."""

    def __init__(self, desk: Desk, port: int = 0) -> None:
        """On a free port, or on this one; raises OSError if it is taken."""
        token = secrets.token_urlsafe(32)
        self._socket = socket.create_server((_HOST, port))
        found = int(self._socket.getsockname()[1])
        self.address = f"http://{_HOST}:{found}/?{TOKEN}={token}"
        config = uvicorn.Config(
            console(desk, found, token), log_level="warning", access_log=False, lifespan="off",
            timeout_graceful_shutdown=1, server_header=False,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        deadline = time.monotonic() + _PATIENCE
        while not self._server.started and time.monotonic() < deadline:
            time.sleep(_PAUSE)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(_PATIENCE)
        self._socket.close()
