"""Rows of the status table and one principal's standing, for people and for machines."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from rich.text import Text

from quota_enforcer.cli.terminal.output import say
from quota_enforcer.cli.terminal.tables import say_table, styled
from quota_enforcer.core.deployment import Context
from quota_enforcer.core.ledger import Record
from quota_enforcer.core.notices import wording
from quota_enforcer.core.notices.amounts import exact, listed, used_units
from quota_enforcer.core.quotas.quota import UNLIMITED
from quota_enforcer.core.usage.counts import Measure
from quota_enforcer.core.usage.model import EVERYTHING
from quota_enforcer.insight.status import State, StatusRow


def say_rows(table: Iterable[StatusRow], context: Context) -> None:
    say_table(
        ("Principal", "Quota", "Used", "%", "State", "Resets at"),
        [_cells(row, context) for row in table],
        numbers={"%"},
        narrow={"Used": 13, "State": 13, "Resets at": 10},
    )


def say_notes(table: Iterable[StatusRow]) -> None:
    """What has no room in the table's cells."""
    several = list(table)
    for place, (why, principals) in enumerate(_reasons(several).items()):
        say(f"{'' if place else chr(10)}{listed(principals, _LISTED)}: {why}.")
    footnote = _assumed(several)
    if footnote:
        say(f"\n{footnote}")


def row_document(row: StatusRow) -> dict[str, Any]:
    """A row as data: money and weighted tokens, and their limits, as exact text."""
    document = row._asdict()
    if isinstance(row.used, Decimal):
        document["used"] = exact(row.used)
        document["limit"] = None if row.limit is None else exact(row.limit)
    for name in ("cost_usd", "assumed_usd", "saved_usd"):
        dollars = getattr(row, name)
        document[name] = None if dollars is None else exact(dollars)
    return document


def _cells(row: StatusRow, context: Context) -> tuple[str | Text, ...]:
    words = str(row.state)
    if row.since is not None:
        words += f" since {wording.moment(row.since, context.zone)}"
    return (
        row.principal,
        row.quota or "-",
        used(row),
        "" if row.percent is None else str(row.percent),
        styled(row.state, words),
        _resets(row, context),
    )


def used(row: StatusRow) -> str:
    """How much of how much; `~` marks money that is partly assumed."""
    if not row.measure:
        return ""
    limit = (UNLIMITED if row.limit is None else row.limit) if row.quota else None
    return row.about + used_units(row.used, limit, Measure(row.measure).words)


def _resets(row: StatusRow, context: Context) -> str:
    if row.resets_at is not None:
        return wording.moment(row.resets_at, context.zone)
    if row.window.startswith("rolling") and row.state in {State.OK, State.WARNED}:
        return row.window
    return "" if not row.measure else wording.moment(None, context.zone)


_LISTED = 10


def _reasons(table: Iterable[StatusRow]) -> dict[str, list[str]]:
    """What needs more words than a cell has, each with the principals that it is true of."""
    reasons: dict[str, list[str]] = {}
    for row in table:
        if row.why:
            reasons.setdefault(row.why, []).append(f"{row.principal} {row.quota}")
    return reasons


def _assumed(table: Iterable[StatusRow]) -> str:
    """The footnote on `~`: for which models, and what to do; empty for none."""
    models = sorted({model for row in table for model in row.unpriced})
    if not models:
        return ""
    return (
        f"~ holds costs at assumed prices: those of {', '.join(models)}. "
        "They warn, and deny only where a quota says unknown_prices: deny, or for models that "
        "people make themselves. "
        "Why, and what to do: quota-enforcer prices check"
    )


def standing_words(record: Record, table: list[StatusRow], context: Context) -> str:
    """`blocked since ..., until ...`, or the most urgent of its states; and what is going on."""
    if record.intended is not None:
        return "a change is under way; the next sweep finishes it"
    standing = record.standing
    if record.trouble:
        return f"could not be {'blocked' if standing.denied else 'released'}: {record.trouble}"
    if standing.denied:
        since = wording.moment(standing.blocked_since, context.zone)
        return f"blocked since {since}, until {wording.moment(standing.until, context.zone)}"
    return str(table[0].state) if table else "no quota"


def denied_words(scopes: frozenset[str]) -> str:
    """The models that a deny of these scopes denies."""
    return "every model" if scopes >= EVERYTHING else ", ".join(sorted(scopes))
