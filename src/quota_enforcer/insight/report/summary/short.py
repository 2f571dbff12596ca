"""The first screen in short: numbers, and the first few behind each."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.insight.report import texts
from quota_enforcer.insight.report.lines import QuotaLine, stopped
from quota_enforcer.insight.report.model import UsageReport, by_model, by_spender

FIRST = 3
"""Of each list; the card leads to all of them."""
Named = tuple[str, str]


@dataclass(frozen=True, slots=True)
class InShort:
    """How many, and of the first a name and a value each."""

    halted: int
    halted_first: tuple[Named, ...]
    running_out: int
    running_out_first: tuple[Named, ...]
    spenders: int
    spenders_first: tuple[Named, ...]
    tokens: int
    requests: int
    models_first: tuple[Named, ...]


def in_short(report: UsageReport, every: list[QuotaLine], names: Mapping[str, str]) -> InShort:
    """Of all lines, the most urgent first; `names` are those of the models.

    Moments sort as they read, and what only an admin ends comes after all of them.
    """
    halted: dict[str, list[str]] = {}
    for line in stopped(every):
        halted.setdefault(line.who, []).append(line.until)
    running_out = [line for line in every if line.running_out]
    spenders = by_spender(report)
    month = Counts.total(counts for _, counts in spenders)
    models = sorted(by_model(report), key=lambda each: (-each.month.cost_usd, each.name))
    return InShort(
        len(halted),
        _first((who, f"until {max(until)}") for who, until in halted.items()),
        len({line.who for line in running_out}),
        _first((f"{line.who}, {line.quota}", line.runs_out) for line in running_out),
        len(spenders),
        _first((str(who.principal), texts.money(used.cost_usd)) for who, used in spenders),
        month.tokens,
        month.requests,
        _first(
            (names[each.name], texts.money(each.month.cost_usd))
            for each in models
            if any(each.month)
        ),
    )


def _first(several: Iterable[Named]) -> tuple[Named, ...]:
    return tuple(several)[:FIRST]
