"""Writes `table.json` again, for maintainers.

    python -m quota_enforcer.core.pricing.catalog.renew DATE NAME=FILE...

DATE is when the newest table was published. That table comes first, as in
`litellm-1.110.2=prices.json`; each further one adds only what those before it no longer list.
"""

import json
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

from quota_enforcer.core.pricing.catalog.litellm import read_table
from quota_enforcer.core.pricing.catalog.shipped import AS_OF, TABLE, as_listed
from quota_enforcer.core.pricing.rate import Rate


def main(as_of: str, *tables: str) -> None:
    """Read the tables and write ours beside this file."""
    seen: set[str] = set()
    lists = [f'"{AS_OF}": "{date.fromisoformat(as_of)}"']
    for place, (name, _, file) in enumerate(table.partition("=") for table in tables):
        source = name.replace("-", " ") + (" (no longer listed)" if place else "")
        entries = json.loads(Path(file).read_text(encoding="utf-8"), parse_float=Decimal)
        rates = read_table(entries, source)
        lines = [f"  {json.dumps(key)}: {_line(rates[key])}" for key in sorted(rates.keys() - seen)]
        seen |= rates.keys()
        if not lines:
            continue
        lists.append(f"{json.dumps(source)}: {{\n" + ",\n".join(lines) + "\n}")
    text = "{\n" + ",\n".join(lists) + "\n}\n"
    Path(__file__).with_name(TABLE).write_text(text, encoding="utf-8")


def _line(rate: Rate) -> str:
    """One rate on one line; its numbers as exact as they were read."""
    return _object(as_listed(rate))


def _object(values: dict[str, object]) -> str:
    shown = (
        f'"{name}": {_object(value) if isinstance(value, dict) else value}'
        for name, value in values.items()
    )
    return "{" + ", ".join(shown) + "}"


if __name__ == "__main__":
    main(*sys.argv[1:])
