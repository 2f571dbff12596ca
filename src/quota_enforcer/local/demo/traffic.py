"""The real traffic that the demo replays; traffic-NOTICE.md says where each figure comes from."""

import csv
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from importlib.resources import files

from quota_enforcer.core.usage.counts import Counts


@dataclass(frozen=True, slots=True)
class Request:
    """One call of a model: how long after its trace began, and the tokens it took."""

    after: timedelta
    counts: Counts


def conversations() -> dict[str, list[Request]]:
    """The requests of each conversation, in the order in which they were made."""
    found: defaultdict[str, list[Request]] = defaultdict(list)
    source = files("quota_enforcer.local.demo").joinpath("traffic.csv").read_text(encoding="ascii")
    for row in csv.DictReader(source.splitlines()):
        counts = Counts(
            requests=1,
            input_tokens=int(row["input_tokens"]),
            output_tokens=int(row["output_tokens"]),
            cache_read_tokens=int(row["cache_read_tokens"]),
            cache_write_tokens=int(row["cache_write_tokens"]),
        )
        after = timedelta(milliseconds=int(row["t_ms"]))
        found[row["conversation"]].append(Request(after, counts))
    return dict(found)
