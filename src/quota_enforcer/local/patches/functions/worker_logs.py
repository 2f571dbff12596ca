"""A worker says where the log of an invocation ends.

The emulator does not know, so it looks again and again for 5 ms after the last line, and for 50 ms
where there is none: of a warm invocation, half. Here the worker writes a mark behind its log
before it answers, and the emulator reads up to there, or to the worker's end.
"""
# ruff: noqa: SLF001 - the emulator has no public hooks; its version is pinned for that reason

import contextlib
import queue
from typing import Any, Final

from ministack.core import lambda_runtime

_END: Final = "--- the end of this invocation's log, c2f1b7 ---"
_PATIENCE: Final = 5.0
"""Seconds for one line, however busy the machine is; a process that the function left behind, which
holds the log open, would be waited for without end."""

_WORKER: Final = f"""
import sys


class _Answers:
    def __init__(self, plain):
        self._plain = plain
        self._invoked = False

    def write(self, answer):
        self._invoked = not answer.startswith('{{"status": "ready"')
        return self._plain.write(answer)

    def flush(self):
        if self._invoked:
            sys.stderr.write("{_END}\\n")
            sys.stderr.flush()
        self._plain.flush()


sys.stdout = _Answers(sys.stdout)
"""
"""Runs in each worker before its own script, which keeps `sys.stdout` for answers alone."""


def install() -> None:
    """Let Python's workers write the mark, and read up to it."""
    lambda_runtime._PYTHON_WORKER_SCRIPT = _WORKER + lambda_runtime._PYTHON_WORKER_SCRIPT
    worker = lambda_runtime.Worker
    plain = worker._drain_stderr_bounded

    def drained(self: Any, *how: Any, **more: Any) -> Any:
        python = str(self.config.get("Runtime", "python")).startswith("python")
        return _up_to_the_end(self) if python else plain(self, *how, **more)

    worker._read_stderr = _read
    worker._drain_stderr_bounded = drained
    worker._drain_stderr = _what_is_there


def _read(worker: Any) -> None:
    """Its lines one after the other; at the end of the worker the mark, whatever it had to say."""
    lines = worker._stderr_queue
    with contextlib.suppress(ValueError, OSError):  # closed under our hands
        for line in worker._proc.stderr:
            lines.put(line.rstrip("\n"))
    lines.put(_END)


def _up_to_the_end(worker: Any) -> str:
    lines = []
    with contextlib.suppress(queue.Empty):
        while (line := worker._stderr_queue.get(timeout=_PATIENCE)) != _END:
            lines.append(line)
    return "\n".join(lines)


def _what_is_there(worker: Any) -> str:
    """Of an invocation that was given up."""
    lines = []
    with contextlib.suppress(queue.Empty):
        while (line := worker._stderr_queue.get_nowait()) != _END:
            lines.append(line)
    return "\n".join(lines)
