"""The embedded AWS as a process: `python -m quota_enforcer.local.server`.

It is ministack, in one process, with IAM decisions on and its gaps closed by the modules of
`patches`; what each closes, and what AWS does, stands in its docstring.
Environment:
    GATEWAY_PORT: the port on 127.0.0.1 (default 4566).
    QUOTA_ENFORCER_LISTENER: instead, the descriptor of a socket that already listens there.
    QUOTA_ENFORCER_CLOCK_FILE: the simulated clock, see `quota_enforcer.clock`.
    QUOTA_ENFORCER_STOP_AT_EOF: stop when standard input ends, so that the server never outlives
        the process that started it.
"""

import contextlib
import gc
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from typing import Any, Final

import uvicorn

_DEFAULTS: Final = {
    "AUTH": "true",
    "DOCKER_HOST": "unix:///nonexistent",  # the emulator would reap containers of its kind
    "GATEWAY_PORT": "4566",
    "IOT_MTLS_ENABLED": "0",  # else it opens a port to the world
    "LOG_LEVEL": "WARNING",
    "MINISTACK_ACCOUNT_ID": "123456789012",
    "SFTP_ENABLED": "0",
}

_IDLE: Final = 20
"""Seconds that an idle connection stays open: longer than a busy machine pauses between two calls.

With many more the server would run out of file descriptors: it can watch 1,024 of them.
"""


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    if os.environ.get("QUOTA_ENFORCER_STOP_AT_EOF"):
        threading.Thread(target=_stop_at_eof, daemon=True).start()
    # As if it were not installed: seven services look for a daemon whenever all is forgotten.
    modules: dict[str, Any] = sys.modules
    modules["docker"] = None
    from quota_enforcer.local.patches import emulator  # noqa: PLC0415 - it reads the settings above

    app = emulator.patched()
    # All that is imported stays: looking through it again and again is a tenth of the work.
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    # Functions inherit our environment, and Powertools would take this level for its own.
    log_level = os.environ.pop("LOG_LEVEL").lower()
    config = uvicorn.Config(
        app,
        ws="none",
        log_level=log_level,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,  # `patches.clock` gives the simulated one
        # A client may send just as an idle connection is closed, and it does not try again.
        timeout_keep_alive=_IDLE,
        timeout_graceful_shutdown=0,  # nothing here is worth waiting for
    )
    try:
        _Server(config).run(sockets=[_listener()])
    finally:
        emulator.stop_functions()


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """A signal ends it in order, and is not raised again: functions are to end too."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.handle_exit)
        yield


def _listener() -> socket.socket:
    inherited = os.environ.get("QUOTA_ENFORCER_LISTENER")
    if inherited:
        return socket.socket(fileno=int(inherited))
    return socket.create_server(("127.0.0.1", int(os.environ["GATEWAY_PORT"])))


def _stop_at_eof() -> None:
    while os.read(sys.stdin.fileno(), 1024):  # unbuffered: a buffer's lock would be held at exit
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
