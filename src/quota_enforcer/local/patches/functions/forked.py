"""Lambda workers are forked from one process instead of started; see `fork_server`."""

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from ministack.core import lambda_runtime

_FORK_SERVER: Final = Path(__file__).with_name("fork_server.py")
_SIZE: Final = 4
"""Bytes that say how long a request is, or which process the answer is about."""


class Forked:
    """A worker, with what the emulator asks of a process; it is no child of ours."""

    def __init__(self, process_id: int, standard: tuple[int, int, int], alive: int) -> None:
        self.process_id = process_id
        self.stdin = os.fdopen(standard[0], "w", buffering=1)
        self.stdout, self.stderr = os.fdopen(standard[1]), os.fdopen(standard[2])
        self._alive = os.fdopen(alive)

    def poll(self) -> int | None:
        return 0 if self._ended(0) else None

    def wait(self, timeout: float | None = None) -> int:
        if not self._ended(timeout):
            raise subprocess.TimeoutExpired("worker", timeout or 0)
        return 0

    def terminate(self) -> None:
        os.kill(self.process_id, signal.SIGTERM)

    def kill(self) -> None:
        os.kill(self.process_id, signal.SIGKILL)

    def _ended(self, timeout: float | None) -> bool:
        """Whether it ended, for whatever reason, since its file ends with it."""
        return bool(select.select([self._alive], [], [], timeout)[0])


class ForkServer:
    """The process that forks; it starts with the first worker and ends with the emulator."""

    def __init__(self) -> None:
        self._one_at_a_time = threading.Lock()
        self._requests: socket.socket | None = None

    def fork(self, script: str, folder: str, environment: dict[str, str]) -> Forked:
        """A worker that runs the script in the folder."""
        stdin, stdout, stderr, alive = (os.pipe() for _ in range(4))
        theirs = [stdin[0], stdout[1], stderr[1], alive[1]]
        what = {"script": script, "folder": folder, "environment": environment}
        request = json.dumps(what).encode()
        with self._one_at_a_time:
            server = self._requests = self._requests or _started()
            socket.send_fds(server, [len(request).to_bytes(_SIZE, "big")], theirs)
            server.sendall(request)
            answer = server.recv(_SIZE, socket.MSG_WAITALL)
        for file in theirs:
            os.close(file)
        return Forked(int.from_bytes(answer, "big"), (stdin[1], stdout[0], stderr[0]), alive[0])


def _started() -> socket.socket:
    ours, theirs = socket.socketpair()
    process = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-P", str(_FORK_SERVER), str(theirs.fileno())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        pass_fds=[theirs.fileno()],
    )
    theirs.close()

    def stop() -> None:
        ours.close()
        process.wait()

    atexit.register(stop)
    return ours


def install() -> None:
    """Fork Python's workers, on Linux: elsewhere, some libraries do not survive it."""
    if sys.platform != "linux":
        return
    server = ForkServer()

    def started(command: list[str], **how: Any) -> Any:
        if command[0] == sys.executable:
            return server.fork(command[1], how["cwd"], how["env"])
        return subprocess.Popen(command, **how)  # noqa: S603 - what the emulator starts

    lambda_runtime.subprocess = SimpleNamespace(**vars(subprocess) | {"Popen": started})
