"""The timeline: who was blocked, or would have been, from when to when."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from quota_enforcer.insight.report import texts
from quota_enforcer.insight.report.blocked import BlockedPeriod, BlockOutcome
from quota_enforcer.insight.report.charts.drawing import (
    Chart,
    Spec,
    drawn,
    is_wide,
    ranged,
    said,
    time_axis,
)
from quota_enforcer.insight.report.model import UsageReport

LONGEST = 24
"""Principals on the timeline: those blocked longest."""
_OUTCOMES = list(BlockOutcome)
_FILLED = (1, 0.3, 0)
"""How full a bar of each outcome is, so that colour is not all that tells them apart."""


def timeline(report: UsageReport) -> Chart | None:
    """Those blocked longest, one line each; None if nobody was."""
    blocks = report.blocks
    whole: dict[str, timedelta] = {}
    for block in blocks:
        lasted = block.lasted(report.first, report.now)
        whole[block.principal] = whole.get(block.principal, timedelta(0)) + lasted
    longest = sorted(whole, key=lambda who: (-whole[who], who))[:LONGEST]
    shown = [block for block in blocks if block.principal in set(longest)]
    if not shown:
        return None
    legend = [
        (str(outcome), f"o{place}")
        for place, outcome in enumerate(_OUTCOMES)
        if any(block.outcome is outcome for block in shown)
    ]
    if any(map(_restored, shown)):
        legend.append(("restored", "restored"))
    fewer = f" It shows the {LONGEST} blocked longest." if len(whole) > LONGEST else ""
    return Chart(
        drawn(lambda width: _spec(report, shown, longest, width)),
        f"Timeline of {len(report.days)} days: {len(blocks):,} blocks of {len(whole):,} "
        f"principals.{fewer} The table of blocks has the times.",
        legend,
    )


def _restored(block: BlockedPeriod) -> bool:
    return block.outcome is BlockOutcome.BLOCKED and block.end is not None


def _spec(
    report: UsageReport, blocks: Sequence[BlockedPeriod], order: Sequence[str], width: int
) -> Spec:
    labels = 250 if is_wide(width) else 110

    def local(moment: datetime) -> str:
        return f"{moment.astimezone(report.zone):%Y-%m-%dT%H:%M:%SZ}"

    def value(block: BlockedPeriod) -> dict[str, object]:
        return {
            "who": block.principal,
            "from": local(max(block.start, report.first)),
            "to": local(block.end or report.now),
            "place": _OUTCOMES.index(block.outcome),
            "says": texts.block(block, report),
        }

    who = {
        "field": "who",
        "type": "nominal",
        "title": None,
        "sort": list(order),
        "axis": {
            "labelLimit": labels - 12,
            "labelColor": "var(--ink)",
            "grid": True,
            "ticks": False,
            "domain": False,
        },
    }
    time = time_axis(local(report.first), local(report.now), width, field="from")
    colour = ranged("place", [f"var(--o{place})" for place in range(len(_OUTCOMES))])
    mark = {"type": "bar", "height": 11, "strokeWidth": 1.6, "strokeJoin": "round"}
    bars = {
        "data": {"values": [value(block) for block in blocks]},
        "mark": {**mark, "aria": is_wide(width)},
        "encoding": {
            "x": time,
            "x2": {"field": "to"},
            "y": who,
            "color": colour,
            "stroke": colour,
            "fillOpacity": ranged("place", _FILLED),
            **said(width),
        },
    }
    restores = {
        "data": {"values": [value(block) for block in blocks if _restored(block)]},
        "mark": {
            "type": "tick",
            "thickness": 2.5,
            "height": 15,
            "color": "var(--good)",
            "aria": False,
        },
        "encoding": {"x": {**time, "field": "to"}, "y": who},
    }
    return {
        "width": width - labels,
        "height": {"step": 20},
        "layer": [bars, restores],
    }
