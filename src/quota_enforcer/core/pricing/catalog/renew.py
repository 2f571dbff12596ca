"""Writes `table.json` again, for maintainers.

    python -m quota_enforcer.core.pricing.catalog.renew DATE NAME=FILE...

DATE is when the newest table was published. That table comes first, as in
`litellm-1.110.2=prices.json`. The second is the newest one until then: what it lists otherwise
holds for the days before DATE. Each further one adds what those before it no longer list.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from quota_enforcer.core.pricing.catalog.litellm import read_table
from quota_enforcer.core.pricing.catalog.shipped import AS_OF, TABLE, UNTIL, as_listed
from quota_enforcer.core.pricing.codec import rate_of
from quota_enforcer.core.pricing.rate import Rate


def main(as_of: str, *tables: str) -> None:
    """Read the tables and write ours beside this file."""
    until = date.fromisoformat(as_of)
    newest: dict[str, Rate] = {}
    seen: set[str] = set()
    lists = [f'"{AS_OF}": "{until}"']
    for place, (name, _, file) in enumerate(table.partition("=") for table in tables):
        source = name.replace("-", " ")
        entries = json.loads(Path(file).read_text(encoding="utf-8"), parse_float=Decimal)
        rates = read_table(entries, "")
        gone = {key: rate for key, rate in rates.items() if key not in seen}
        newest = newest or rates
        if place == 1:
            changed = {key: replace(rate, until=until) for key, rate in rates.items()
                       if key in newest and newest[key] != rate}  # fmt: skip
            lists += _list(f"{source}{UNTIL}{until})", changed)
        lists += _list(f"{source} (no longer listed)" if place else source, gone)
        seen |= rates.keys()
    ours = Path(__file__).with_name(TABLE)
    lists += _ended_before(until, json.loads(ours.read_text(encoding="utf-8"), parse_float=Decimal))
    ours.write_text("{\n" + ",\n".join(lists) + "\n}\n", encoding="utf-8")


def _ended_before(until: date, ours: Mapping[str, Any]) -> list[str]:
    """What earlier renewals noted of prices that held until their days."""
    found = []
    for heading, prices in ours.items():
        if UNTIL in heading and f"{UNTIL}{until})" not in heading:
            found += _list(heading, {key: rate_of(each) for key, each in prices.items()})
    return found


def _list(heading: str, rates: Mapping[str, Rate]) -> list[str]:
    """The rates under their heading; nothing if there are none."""
    lines = [f"  {json.dumps(key)}: {_line(rates[key])}" for key in sorted(rates)]
    return [f"{json.dumps(heading)}: {{\n" + ",\n".join(lines) + "\n}"] if lines else []


def _line(rate: Rate) -> str:
    """One rate on one line; its numbers as exact as they were read."""
    return _object(as_listed(rate))


def _object(values: dict[str, object]) -> str:
    shown = (
        f'"{name}": {_object(value) if isinstance(value, dict) else _plain(value)}'
        for name, value in values.items()
    )
    return "{" + ", ".join(shown) + "}"


def _plain(value: object) -> str:
    return json.dumps(value) if isinstance(value, str) else str(value)


if __name__ == "__main__":
    main(*sys.argv[1:])
