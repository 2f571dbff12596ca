"""The picture of a simulation: a page for the browser, or one drawing for a document."""

import re
from collections.abc import Mapping
from importlib import resources
from typing import Final
from xml.sax.saxutils import escape

from markupsafe import Markup

from quota_enforcer.core.notices.amounts import dollars
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.insight.report import page, texts
from quota_enforcer.insight.report.charts.drawing import Spec, svg
from quota_enforcer.insight.simulate.curves import Curve, curves
from quota_enforcer.insight.simulate.replay import Simulated, refused
from quota_enforcer.insight.simulate.trace import Trace

_OURS: Final = "quota_enforcer.insight.simulate"
_REPORT: Final = "quota_enforcer.insight.report"
_WIDTH: Final = 900
_DRAWN: Final = 5
"""Curves of one drawing, that of all together among them."""
_LEGEND: Final[Spec] = {
    "orient": "top", "title": None, "labelColor": "var(--muted)", "labelFontSize": 13,
    "symbolType": "square", "symbolStrokeWidth": 0,
}  # fmt: skip
_TITLE: Final[Spec] = {
    "anchor": "start", "color": "var(--ink)", "fontSize": 15, "subtitleColor": "var(--muted)",
    "subtitleFontSize": 12.5, "subtitlePadding": 5, "offset": 10,
}  # fmt: skip


def as_page(outcomes: Mapping[Principal, Simulated], trace: Trace) -> str:
    """One file that asks no network for anything; every number stands in a table too."""
    saved = refused(outcomes)
    return (
        page.templates(_OURS, trace.zone)
        .get_template("simulation.html.j2")
        .render(
            title=title(trace),
            zone=trace.zone,
            saved=saved,
            whole=Counts.total(each.counts for each in trace.arrivals),
            dollars=dollars,
            curves=[(each, each.chart()) for each in curves(outcomes, trace)],
            style=Markup(_styles()),  # noqa: S704 - our own files
        )
    )


def as_drawing(outcomes: Mapping[Principal, Simulated], trace: Trace) -> str:
    """An SVG of the first curves, light or dark as its reader is, with a title and in words."""
    several = curves(outcomes, trace)[:_DRAWN]
    spec = {
        "background": "var(--card)",
        "padding": 18,
        "title": {**_TITLE, "text": title(trace), "fontSize": 19, "offset": 16},
        "vconcat": [_titled(each, _LEGEND if not place else None)
                    for place, each in enumerate(several)],
        "spacing": 26,
    }  # fmt: skip
    described = [
        f"<title>{escape(title(trace))}</title>",
        f"<desc>{escape(' '.join(f'{each.title}. {each.says}' for each in several))}</desc>",
        f"<style>{_variables()}</style>",
    ]
    drawing = re.sub(r"<svg ", '<svg role="img" ', str(svg(spec)), count=1)
    return re.sub(r"(<svg [^>]*>)", lambda found: found[1] + "".join(described), drawing, count=1)


def title(trace: Trace) -> str:
    """`What the limits would have done, Mon 9 Nov 2026 to Fri 27 Nov 2026`."""
    days = trace.days()
    several = texts.day(days[0]) + (f" to {texts.day(days[-1])}" if len(days) > 1 else "")
    return f"What the limits would have done, {several}"


def _titled(curve: Curve, legend: Spec | None) -> Spec:
    heading = {**_TITLE, "text": curve.title, "subtitle": curve.says}
    return {**curve.spec(_WIDTH, legend), "title": heading}


def _styles() -> str:
    folder = resources.files(_REPORT) / "templates"
    return "".join((folder / each).read_text(encoding="utf-8") for each in page.STYLES)


def _variables() -> str:
    """The report's colours alone, light and dark."""
    return _styles().partition("* { box-sizing")[0].partition("*/")[2].strip()
