"""Charts: Vega-Lite specifications made into SVG, in the page's own colours, light or dark.

Colours are CSS variables of the page, so one drawing serves screen, night and print. Each chart is
drawn twice, wide and narrow, since text in an SVG shrinks with it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import vl_convert
from markupsafe import Markup

WIDTHS = {"wide": 1040, "narrow": 330}
"""Pixels of the two drawings."""
_CONFIG = {
    "font": "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": "var(--muted)",
        "titleColor": "var(--muted)",
        "gridColor": "var(--line)",
        "domainColor": "var(--line)",
        "tickColor": "var(--line)",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
    },
}

Spec = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing by width, what it says in one sentence, and its legend: name and CSS class.

    `head` and `rows` are the same numbers as a table, where no other table of the page has them.
    """

    drawings: Mapping[str, Markup]
    says: str
    legend: Sequence[tuple[str, str]]
    head: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()


def drawn(spec: Callable[[int], Spec]) -> dict[str, Markup]:
    """The drawings of a specification that depends on the width."""
    return {name: svg(spec(width)) for name, width in WIDTHS.items()}


def is_wide(width: int) -> bool:
    """Whether there is room for more labels, and a pointer to ask for a mark's words."""
    return width > WIDTHS["narrow"]


def said(width: int) -> Spec:
    """The encoding of what each mark says under the pointer; only the wide drawing has it."""
    return {"description": {"field": "says", "type": "nominal"}} if is_wide(width) else {}


def time_axis(first: str, last: str, width: int, *, field: str, pad: float = 0) -> Spec:
    """Local time shown as if it were UTC, so that neither browser nor Vega moves it."""
    return {
        "field": field,
        "type": "temporal",
        "title": None,
        "scale": {"type": "utc", "domain": [first, last], "padding": pad / 2 + 1},
        "axis": {
            "format": "%-d %b",
            "grid": field != "day",
            "tickCount": 10 if is_wide(width) else 4,
            "labelOverlap": True,
        },
    }


def ranged(field: str, values: Sequence[object]) -> Spec:
    """An encoding without a legend: the place that a field holds says which of the values."""
    scale = {"domain": list(range(len(values))), "range": list(values)}
    return {"field": field, "type": "nominal", "scale": scale, "legend": None}


def svg(spec: Spec) -> Markup:
    """Vega escapes what it draws, so names in any alphabet, or with markup in them, stay text."""
    whole = {"background": None, "config": _CONFIG, "padding": 2, **spec}
    drawing = vl_convert.vegalite_to_svg(whole, allowed_base_urls=[])
    return Markup(drawing)  # noqa: S704 - see above; a test draws hostile names
