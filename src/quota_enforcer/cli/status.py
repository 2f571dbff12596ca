"""`status`: where everybody is, by the rules that the enforcer runs."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any

from rich.text import Text

from quota_enforcer import clock
from quota_enforcer.cli.deployment import Deployment
from quota_enforcer.cli.options import AsJson, on_deployment
from quota_enforcer.cli.output import hint, progress, say, say_json, say_table
from quota_enforcer.cli.standings import Row, State, rows, unlimited
from quota_enforcer.core import wording
from quota_enforcer.core.amounts import exact, used_units
from quota_enforcer.core.decision import Decision
from quota_enforcer.core.measure import Measure
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.quota import UNLIMITED, Rule
from quota_enforcer.core.quota_item import KINDS
from quota_enforcer.core.verdict import Mode, Terms
from quota_enforcer.core.window import local_date
from quota_enforcer.ports import Record, SweepState
from quota_enforcer.sweep.look import look
from quota_enforcer.sweep.pools import Pools

READERS = 16
"""Principals read side by side: reading waits for the network, not for the processor."""
_STYLES = {
    State.WARNED: "yellow",
    State.OVER: "bold yellow",
    State.BLOCKED: "bold red",
    State.WOULD_BE_BLOCKED: "bold yellow",
    State.COULD_NOT_BE_BLOCKED: "bold red",
    State.NO_QUOTA: "dim",
}


@on_deployment
def status(deployment: Deployment, *, as_json: AsJson = False) -> None:
    """Show where everybody is: usage, limit, percent, state, and when it resets.

    It is computed now, by the enforcer's own rules, from the usage metered so far.

    Examples:
      quota-enforcer status
      quota-enforcer status --json
    """
    now = clock.now()
    terms = deployment.settings.terms(now)
    state = deployment.ledger.state()
    table = list(_everybody(deployment, terms))
    if as_json:
        say_json(_document(deployment, state, terms, table))
        return
    say(_header(deployment, state, terms))
    if table:
        say_table(
            ("Principal", "Quota", "Used", "%", "State", "Resets at"),
            [_cells(row, terms) for row in table],
            numbers={"%"},
            narrow={"Used": 13, "State": 13, "Resets at": 10},
        )
    else:
        say("Nobody has used Bedrock yet, and there is no quota for a single principal.")
    for place, (why, whom) in enumerate(_reasons(table).items()):
        say(f"{'' if place else chr(10)}{', '.join(whom)}: {why}.")
    footnote = _assumed(table)
    if footnote:
        say(f"\n{footnote}")
    _hints(state, terms)


def _everybody(deployment: Deployment, terms: Terms) -> Iterator[Row]:
    """The rows of all whom the ledger knows or a quota names."""
    loaded = deployment.load(terms.now)
    book = loaded.book
    pools = Pools(book, deployment.ledger, terms)
    records = {record.principal: record for record in deployment.ledger.everybody()}
    for principal in _named(loaded.rules):
        records.setdefault(principal, Record(principal))

    def read(record: Record) -> list[Row]:
        decision = look(record, book, deployment.ledger, terms, pools)
        return list(_one(deployment, record, decision, terms))

    with ThreadPoolExecutor(READERS) as pool:
        found = pool.map(read, (records[principal] for principal in sorted(records)))
        for several in progress(found, "Reading usage", total=len(records)):
            yield from several


def _one(deployment: Deployment, record: Record, decision: Decision, terms: Terms) -> Iterator[Row]:
    several = list(rows(record, decision))
    if several or not record.version or record.principal.kind is Kind.TEAM:
        yield from several
        return
    today = local_date(terms.now, terms.zone)
    yield unlimited(record.principal, deployment.ledger.usage(record.principal, today), terms)


def _named(rules: Iterable[Rule]) -> set[Principal]:
    """Whom the rules name one by one; a team itself only where it shares one quota."""
    whom = {each for rule in rules for each in rule.named}
    return {Principal.parse(each) for each in whom if each not in KINDS and "*" not in each}


def _document(
    deployment: Deployment, state: SweepState, terms: Terms, table: Iterable[Row]
) -> dict[str, Any]:
    return {
        "stack": deployment.settings.stack,
        "mode": terms.mode,
        "time_zone": str(terms.zone),
        "now": terms.now,
        "last_sweep": state.finished,
        "data_age_seconds": _age(state, terms.now),
        "breaker_since": state.breaker_since,
        "standings": [_row(row) for row in table],
        "unpriced_models": sorted({model for row in table for model in row.unpriced}),
    }


def _row(row: Row) -> dict[str, Any]:
    """A row as data: money and weighted tokens, and their limits, as exact text."""
    document = asdict(row)
    if isinstance(row.used, Decimal):
        document["used"] = exact(row.used)
        document["limit"] = None if row.limit is None else exact(row.limit)
    document["assumed"] = None if row.assumed is None else exact(row.assumed)
    return document


def _age(state: SweepState, now: datetime) -> int | None:
    return None if state.fresh_at is None else int((now - state.fresh_at).total_seconds())


def _header(deployment: Deployment, state: SweepState, terms: Terms) -> str:
    fresh = "no usage seen yet"
    age = _age(state, terms.now)
    if age is not None:
        fresh = f"newest usage {max(age, 0) // 60} min old"
    swept = f"last sweep {wording.moment(state.finished, terms.zone)}" if state.finished else ""
    parts = [deployment.settings.stack, f"{terms.mode} mode", fresh, swept or "not swept yet"]
    return ", ".join(parts)


def _cells(row: Row, terms: Terms) -> tuple[str | Text, ...]:
    words = str(row.state)
    if row.since is not None:
        words += f" since {wording.moment(row.since, terms.zone)}"
    return (
        row.principal,
        row.quota or "-",
        _used(row),
        "" if row.percent is None else str(row.percent),
        Text(words, _STYLES.get(row.state, "")),
        _resets(row, terms),
    )


def _used(row: Row) -> str:
    """How much of how much; `~` marks money that is partly assumed."""
    if not row.measure:
        return ""
    limit = (UNLIMITED if row.limit is None else row.limit) if row.quota else None
    about = "~" if row.assumed else ""
    return about + used_units(row.used, limit, Measure(row.measure).words)


def _assumed(table: Iterable[Row]) -> str:
    """The footnote on `~`: which models have no known price, and what to do; empty for none."""
    models = sorted({model for row in table for model in row.unpriced})
    if not models:
        return ""
    return (
        f"~ holds costs at assumed prices, since no price is known for {', '.join(models)}. "
        "They warn, and deny only where a quota says unknown_prices: deny. "
        "Set a price: quota-enforcer prices set MODEL"
    )


def _resets(row: Row, terms: Terms) -> str:
    if row.resets_at is not None:
        return wording.moment(row.resets_at, terms.zone)
    if row.window.startswith("rolling") and row.state in {State.OK, State.WARNED}:
        return row.window
    return "" if not row.measure else wording.moment(None, terms.zone)


def _reasons(table: Iterable[Row]) -> dict[str, list[str]]:
    """What needs more words than a cell has, with whom it is true of."""
    reasons: dict[str, list[str]] = {}
    for row in table:
        whom = f"{row.principal} {row.quota}"
        if row.why:
            reasons.setdefault(row.why, []).append(whom)
    return reasons


def _hints(state: SweepState, terms: Terms) -> None:
    if state.closed:
        hint("The stack is being deleted: everybody is free, and nobody will be blocked.")
    if terms.mode is Mode.OBSERVE:
        hint("In observe mode nobody is blocked; the stack's parameter Mode switches to enforce.")
    if state.breaker_since is not None:
        since = wording.moment(state.breaker_since, terms.zone)
        hint(
            f"The breaker holds new blocks since {since}: "
            "see `quota-enforcer sweep --dry-run`, then `quota-enforcer sweep --confirm-blocks`."
        )
