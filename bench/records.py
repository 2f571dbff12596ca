"""How fast the record reader is: metadata-only records, as logged with bodies switched off.

All four token counts are read and checked. Memory is that of one batch of 10,000 with its lines.
"""

import json
import random
import time
import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from quota_enforcer.meter.log.record import Counted, read

if TYPE_CHECKING:
    from bench.parts.figures import Figure, report
else:  # a script finds what lies beside it
    from parts.figures import Figure, report


RECORDS = 40_000
BATCH = 10_000
ROUNDS = 5
MOST_MB = 40
MOST_SECONDS = 1.0
START = datetime(2026, 11, 30, tzinfo=UTC)
MODELS = (
    "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "arn:aws:bedrock:eu-central-1:111122223333:inference-profile/eu.amazon.nova-lite-v1:0",
)


def lines() -> list[str]:
    """Generated records of 1,000 callers, users and sessions of roles."""
    dice = random.Random(1)  # noqa: S311 - numbers for a benchmark

    def line(n: int) -> str:
        who = dice.randrange(1_000)
        arn = (
            f"arn:aws:iam::111122223333:user/u{who}"
            if who % 2
            else f"arn:aws:sts::111122223333:assumed-role/r{who}/session-{n}"
        )
        return json.dumps({
            "timestamp": f"{START + timedelta(seconds=n):%Y-%m-%dT%H:%M:%SZ}",
            "accountId": "111122223333",
            "identity": {"arn": arn},
            "region": "eu-central-1",
            "requestId": f"8d8903c3-e948-4c21-b4d9-{n:012}",
            "operation": "ConverseStream",
            "modelId": dice.choice(MODELS),
            "input": {
                "inputContentType": "application/json",
                "inputTokenCount": dice.randrange(10_000),
                "cacheReadInputTokenCount": dice.randrange(200_000),
                "cacheWriteInputTokenCount": dice.randrange(10_000),
            },
            "output": {
                "outputContentType": "application/json",
                "outputTokenCount": dice.randrange(4_000),
            },
            "schemaType": "ModelInvocationLog",
            "schemaVersion": "1.0",
        })  # fmt: skip

    return [line(n) for n in range(RECORDS)]


def main() -> None:
    """Time it, best of a few rounds, and say what parsing alone takes."""
    text = lines()
    read_in, parsed_in = [], []
    for _ in range(ROUNDS):
        start = time.process_time()
        counted = sum(isinstance(read(line), Counted) for line in text)
        read_in.append(time.process_time() - start)
        start = time.process_time()
        for line in text:
            json.loads(line)
        parsed_in.append(time.process_time() - start)
    if counted != RECORDS:
        raise SystemExit(f"records: {RECORDS - counted} of {RECORDS} were not counted")
    print(
        f"records: {RECORDS / min(read_in):,.0f} per CPU second, best of {ROUNDS} "
        f"(json.loads alone: {RECORDS / min(parsed_in):,.0f})"
    )
    tracemalloc.start()
    kept = [read(line) for line in lines()[:BATCH]]
    peak = tracemalloc.get_traced_memory()[1]
    print(f"records: {len(kept):,} read and kept peak at {peak:,} B")
    report(
        [
            Figure("memory of 10,000 records", peak / 1e6, "MB", MOST_MB),
            Figure("to read 10,000 records", min(read_in) * BATCH / RECORDS, "s", MOST_SECONDS),
        ]
    )


if __name__ == "__main__":
    main()
