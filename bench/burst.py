"""What one delivery of 10,000 records takes, in a process of its own: memory and processor time.

No AWS is behind it: whatever botocore is about to send is answered at once.
"""

import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.handlers import BUILTIN_HANDLERS

if TYPE_CHECKING:
    from bench.parts.deployment import ENVIRONMENT, context
    from bench.parts.figures import Figure, report
    from bench.parts.records import callers, delivery
else:  # a script finds what lies beside it
    from parts.deployment import ENVIRONMENT, context
    from parts.figures import Figure, report
    from parts.records import callers, delivery

RECORDS = 10_000
PRINCIPALS = 1_000
MOST_MEMORY = 200
MOST_SECONDS = 10.0
"""Bytes that the whole process may have at its peak."""
ROUNDS = 3
KEYS = {
    "AWS_ACCESS_KEY_ID": "x",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_SECRET_ACCESS_KEY": "x",
    "METERING": "stream",
}


class Answer(io.BytesIO):
    """The body of an answer, as botocore reads it."""

    def stream(self) -> list[bytes]:
        """All of it."""
        return [self.read()]


def at_once(request: Any, **_: Any) -> AWSResponse:
    """An answer that everything went well."""
    body: Any = Answer(b"{}")
    return AWSResponse(request.url, 200, HTTPHeaders(), body)


def main() -> None:
    """Make the deliveries, hand them to a process of its own, and check what it says."""
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(ROUNDS + 1):
            records = RECORDS if number else 1
            event = delivery(number * RECORDS, callers(number, records, PRINCIPALS), now)
            Path(folder, f"{number}.json").write_text(json.dumps(event), encoding="ascii")
        done = subprocess.run(  # noqa: S603 - our own interpreter
            [sys.executable, __file__, folder],
            env=os.environ | ENVIRONMENT | KEYS,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=120,
        )
    found = json.loads(done.stdout.splitlines()[-1])
    print(
        f"burst: {RECORDS:,} records of {PRINCIPALS:,} principals in one delivery: at most "
        f"{found['peak']:,} B of memory in the whole process, {found['before']:,} B before it"
    )
    print(
        f"burst: {found['seconds'] * 1_000 / RECORDS:.3f} s of processor time for 1,000 records, "
        f"best of {ROUNDS}"
    )
    report(
        [
            Figure("the meter's memory for 10,000 records", found["peak"] / 1e6, "MB", MOST_MEMORY),
            Figure("its processor time", found["seconds"], "s", MOST_SECONDS),
        ]
    )


def peak() -> int:
    """The bytes that this process has had at most."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def metered(folder: Path) -> None:
    """Meter the deliveries, the first to get ready, and print what the others took."""
    BUILTIN_HANDLERS.append(("before-send", at_once))
    from quota_enforcer.lambdas.meter import handler as meter  # noqa: PLC0415 - after the stand-in

    seconds: list[float] = []
    before = 0
    for number in range(ROUNDS + 1):
        event = json.loads(Path(folder, f"{number}.json").read_text(encoding="ascii"))
        before = before or peak() * (number > 0)
        begin = time.process_time()
        answer = meter.handler(event, context())
        seconds.append(time.process_time() - begin)
        if answer["counted"] != (RECORDS if number else 1):
            raise SystemExit(f"burst: it answered {answer}")
    print(json.dumps({"seconds": min(seconds[1:]), "before": before, "peak": peak()}))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        metered(Path(sys.argv[1]))
    else:
        main()
