"""Time in the sandbox: the schedules fire while the clock runs, and while it is moved."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final

from quota_enforcer.core.errors import EnforcerError
from quota_enforcer.local.demo.account import STACK, SWEEP_MINUTES
from quota_enforcer.local.demo.story import RECOUNT_MINUTE
from quota_enforcer.local.embedded import EmbeddedAws
from quota_enforcer.local.sandbox.home import Home

_LOOKS: Final = 0.5
"""Seconds between two looks at the clock."""
_STEP: Final = timedelta(minutes=SWEEP_MINUTES)
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_BY_THE_HOUR: Final = timedelta(days=2)
LONGEST: Final = timedelta(days=62)
"""That the clock is moved at once."""


class CannotMove(EnforcerError):
    """Time does not run so; the message says what is allowed."""


class Ticks:
    """Fires the schedules when they are due, in a thread of its own."""

    def __init__(self, aws: EmbeddedAws, home: Home, failed: Callable[[str], None]) -> None:
        """`failed` is told of what a function raised."""
        self._aws = aws
        self._home = home
        self._failed = failed
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        last = self._aws.time
        while not self._over.wait(_LOOKS):
            with self._home.alone("clock"):
                now = self._aws.time
                if now - last <= 2 * _STEP:  # else somebody has moved it, and has fired them
                    for schedule in due(last, now):
                        self._fire(schedule)
                last = now

    def _fire(self, schedule: str) -> None:
        try:
            self._aws.fire_schedule(STACK, schedule)
        except Exception as error:  # noqa: BLE001 - whatever it is, the clock goes on
            self._failed(f"{schedule}: {error}")


def due(last: datetime, now: datetime) -> list[str]:
    """The schedules with a moment after `last` and up to `now`."""
    minutes = [last.replace(second=0, microsecond=0) + timedelta(minutes=n) for n in range(1, 12)]
    passed = [each.minute for each in minutes if each <= now]
    recounts = RECOUNT_MINUTE in passed
    sweeps = any(minute % SWEEP_MINUTES == 0 for minute in passed)
    return ["MeterSchedule"] * recounts + ["EnforcerSchedule"] * sweeps


def move(aws: EmbeddedAws, home: Home, to: datetime, moved: Callable[[datetime], None]) -> None:
    """Move the clock ahead, and do on the way what the schedules would; it runs on from there.

    Raises CannotMove if it would go back or too far.
    """
    with home.alone("clock"):
        now = aws.time
        if to <= now:
            raise CannotMove(
                f"it is {now:%Y-%m-%d %H:%M} UTC in the sandbox, and time only goes on: {to:%H:%M}"
                " of which day? Write +2h, +1d, or a later moment"
            )
        if to - now > LONGEST:
            raise CannotMove(
                f"from {now:%Y-%m-%d} to {to:%Y-%m-%d} is more than {LONGEST.days} days: "
                "move the clock in several steps"
            )
        for stop in stops(now, to):
            aws.set_time(stop, running=stop == to)
            sweep(aws)
            aws.settle()
            moved(stop)
        aws.fire_schedule(STACK, "MeterSchedule")


def sweep(aws: EmbeddedAws) -> None:
    """As the schedule has it done, but for its role, which takes longer than the sweep."""
    described = aws.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in described["Outputs"]}
    aws.client("lambda").invoke(
        FunctionName=outputs["EnforcerFunction"], Payload=b'{"action": "sweep"}'
    )


def stops(now: datetime, to: datetime) -> Iterator[datetime]:
    """Where windows turn: each whole hour of the first two days, then each midnight (UTC)."""
    stop = now.replace(minute=0, second=0, microsecond=0) + _HOUR
    while stop < to:
        yield stop
        step = _HOUR
        if stop - now > _BY_THE_HOUR:
            stop = stop.replace(hour=0)
            step = _DAY
        stop += step
    yield to
