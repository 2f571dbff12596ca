"""The readers of log lines and of quota items, fuzzed along the code that an input reaches.

Run by `make soak` in an environment that has atheris and nothing else, since the readers need the
standard library alone: `guided.py record|item -max_total_time=60`. An input that breaks one is
printed, and kept as a file `crash-...`.
https://github.com/google/atheris
"""

import json
import sys
from datetime import timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import atheris

with atheris.instrument_imports():
    from quota_enforcer.core.errors import EnforcerError
    from quota_enforcer.core.quotas.item import ATTRIBUTES, read_quota
    from quota_enforcer.core.usage.counts import OBSERVED
    from quota_enforcer.meter.log.fields import MOST_TOKENS
    from quota_enforcer.meter.log.record import Counted, read

ACCOUNT: Final = "111122223333"
LONGEST_REASON: Final = 1000
LONGEST_WORDS: Final = 20_000
UTC: Final = ZoneInfo("UTC")
RECORD: Final = {
    "timestamp": "2026-11-24T12:00:00Z",
    "accountId": ACCOUNT,
    "requestId": "1",
    "operation": "Converse",
    "modelId": "anthropic.claude-3-haiku-20240307-v1:0",
    "identity": {"arn": f"arn:aws:iam::{ACCOUNT}:user/alice"},
    "input": {"inputTokenCount": 10},
    "output": {"outputTokenCount": 20},
}


def record(data: bytes) -> None:
    """A line is counted, or refused with a short reason: as it is, and as values in a record."""
    _sane(data)
    given = atheris.FuzzedDataProvider(data)
    changed: dict[str, Any] = dict(RECORD)
    for name in RECORD:
        if given.ConsumeBool():
            changed[name] = _value(given)
    _sane(json.dumps(changed).encode())


def item(data: bytes) -> None:
    """An item is a quota, or is refused with reasons."""
    given = atheris.FuzzedDataProvider(data)
    found: dict[str, Any] = {"principal": "user/alice", "quota": "daily", "limit": 10}
    for name in ("principal", "quota", *ATTRIBUTES):
        if given.ConsumeBool():
            found[name] = _value(given)
    try:
        read_quota(found, UTC, {"*"})
    except EnforcerError as refused:
        if not 0 < len(str(refused)) < LONGEST_WORDS:
            raise AssertionError(found) from refused


def _sane(line: bytes) -> None:
    reading = read(line, ACCOUNT)
    if isinstance(reading, Counted):
        numbers = reading.counts[: len(OBSERVED)]
        sane = all(type(each) is int and 0 <= each <= MOST_TOKENS for each in numbers)
        sane = sane and reading.at.utcoffset() == timedelta(0)
    else:
        sane = 0 < len(reading.reason) <= LONGEST_REASON and "\n" not in reading.reason
    if not sane:
        raise AssertionError(reading)


def _value(given: Any) -> Any:
    match given.ConsumeIntInRange(0, 5):
        case 0:
            return given.ConsumeInt(9)
        case 1:
            return given.ConsumeFloat()
        case 2:
            return None
        case 3:
            return [given.ConsumeUnicode(20)]
        case 4:
            return {given.ConsumeUnicode(8): given.ConsumeUnicodeNoSurrogates(20)}
        case _:
            return given.ConsumeUnicode(60)


if __name__ == "__main__":
    what = {"record": record, "item": item}[sys.argv.pop(1)]
    atheris.Setup(sys.argv, what)
    atheris.Fuzz()
