"""Details: everybody's days by model, packed for the page's script.

JSON, deflated, as base64: a third of what rows of a table would be.
"""

import base64
import json
import zlib
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from quota_enforcer.insight.report.model import Person, Report

MICRO_USD = 1_000_000


def packed(report: Report, people: Iterable[Person]) -> str:
    """These people's days.

    `people` are by name; each has rows of model, then the columns day, requests, tokens, and
    millionths of a dollar, the last of them at assumed prices. Models and days are places in the
    lists that go with it.
    """
    places = {day: place for place, day in enumerate(report.days)}
    models = sorted({model for person in report.people for model in person.models})
    known = {model: place for place, model in enumerate(models)}
    rows: dict[str, Any] = {}
    for person in people:
        rows[str(person.principal)] = [
            [known[model], *_columns(days.items(), places)] for model, days in person.models.items()
        ]
    document = {"days": [str(day) for day in report.days], "models": models, "people": rows}
    written = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    return base64.b64encode(zlib.compress(written.encode(), 9)).decode()


def _columns(days: Iterable[Any], places: Any) -> list[list[int]]:
    used = [(places[day], counts) for day, counts in days if day in places]
    return [
        [place for place, _ in used],
        [counts.requests for _, counts in used],
        [counts.tokens for _, counts in used],
        [_micro(counts.cost_usd) for _, counts in used],
        [_micro(counts.assumed_usd) for _, counts in used],
    ]


def _micro(usd: Decimal) -> int:
    return round(usd * MICRO_USD)
