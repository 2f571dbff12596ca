"""The process that Lambda workers are forked from; a script that imports nothing of ours.

Lambda's runtime and the packages that functions bring along are imported here, once: importing
them is most of what a cold start costs. The function's own code is imported by each worker, from
the archive that was deployed.
"""

import contextlib
import json
import os
import runpy
import signal
import socket
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NoReturn

_LIBRARIES: Final = ("boto3", "aws_lambda_powertools", "aws_xray_sdk.core", "crhelper", "tenacity")
_SIZE: Final = 4
"""Bytes that say how long a request is, or which process the answer is about."""


def serve(requests: socket.socket) -> None:
    """Fork a worker for each request, and answer its process id, until the emulator is gone.

    A request comes with four files: the worker's stdin, stdout and stderr, and one that it only
    holds, so that the emulator sees the worker's end as the end of that file.
    """
    sys.dont_write_bytecode = False  # workers of one archive share what they compile
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system collects workers that ended
    os.environ["LAMBDA_TASK_ROOT"] = "/var/task"  # the X-Ray SDK asks for it while imported
    for name in _LIBRARIES:
        with contextlib.suppress(ImportError):
            import_module(name)
    while True:
        size, files, _, _ = socket.recv_fds(requests, _SIZE, 4)
        if not size:
            return
        request = requests.recv(int.from_bytes(size, "big"), socket.MSG_WAITALL)
        if (worker := os.fork()) == 0:
            requests.close()
            _work(json.loads(request), files)
        for file in files:
            os.close(file)
        requests.sendall(worker.to_bytes(_SIZE, "big"))


def _work(request: dict[str, Any], files: list[int]) -> NoReturn:
    """Be the worker."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for standard, file in enumerate(files[:3]):
        os.dup2(file, standard)
        os.close(file)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    script: str = request["script"]
    sys.argv = [script]
    sys.path.insert(0, str(Path(script).parent))
    try:
        runpy.run_path(script, run_name="__main__")
    except BaseException:  # noqa: BLE001 - the emulator reads it; and a worker never becomes a second server
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
