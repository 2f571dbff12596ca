"""The real traffic that the demo replays; its NOTICE says where each figure comes from."""

import csv
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from importlib.resources import files

from quota_enforcer.core.usage.counts import TOKEN_COUNTS, Counts


@dataclass(frozen=True, slots=True)
class Request:
    """One call of a model: how long after its trace began, and the tokens it took."""

    after: timedelta
    counts: Counts


def conversations() -> dict[str, list[Request]]:
    """The requests of each conversation, in the order in which they were made."""
    found: defaultdict[str, list[Request]] = defaultdict(list)
    source = (
        files("quota_enforcer.local.demo").joinpath("data/traffic.csv").read_text(encoding="ascii")
    )
    for row in csv.DictReader(source.splitlines()):
        counts = Counts.observed((1, *(int(row.get(counter, 0)) for counter in TOKEN_COUNTS), 0))
        after = timedelta(milliseconds=int(row["t_ms"]))
        found[row["conversation"]].append(Request(after, counts))
    return dict(found)
