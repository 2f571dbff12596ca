"""One clock for the parts of the emulator that date usage: the simulated clock.

The emulator dates log events, datapoints and alarm windows with `time.time()`.
AWS has only one clock, so everything that belongs to the metered traffic has to follow
`quota_enforcer.clock.now()`, which the client may move.
Sessions, signatures and DynamoDB's time to live stay on real time: the SDKs sign with it.
"""

import time
from typing import Any

from ministack.services import cloudwatch, cloudwatch_logs

from quota_enforcer import clock


class SimulatedTime:
    """Stands in for the module `time` inside one module of the emulator."""

    def time(self) -> float:
        """Seconds since the epoch on the simulated clock."""
        return clock.now().timestamp()

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


def install() -> None:
    """Let CloudWatch and CloudWatch Logs live in simulated time."""
    cloudwatch.time = SimulatedTime()
    cloudwatch_logs.time = SimulatedTime()
