"""The real traffic that the demo replays; its NOTICE says where each figure comes from."""

import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from quota_enforcer.core.usage.counts import TOKEN_COUNTS, Counts


@dataclass(frozen=True, slots=True)
class Request:
    """One call of a model: how long after its trace began, and the tokens it took."""

    after: timedelta
    counts: Counts


@cache
def conversations() -> Mapping[str, Sequence[Request]]:
    """The requests of each conversation, in the order in which they were made; read once."""
    found: defaultdict[str, list[Request]] = defaultdict(list)
    source = (
        files("quota_enforcer.local.demo").joinpath("data/traffic.csv").read_text(encoding="ascii")
    )
    for row in csv.DictReader(source.splitlines()):
        counts = Counts.observed((1, *(int(row.get(counter, 0)) for counter in TOKEN_COUNTS), 0))
        after = timedelta(milliseconds=int(row["t_ms"]))
        found[row["conversation"]].append(Request(after, counts))
    return MappingProxyType({name: tuple(several) for name, several in found.items()})
