"""A comparison for people and for machines."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from quota_enforcer.cli.insight.bill.columns import SWITCH_ON
from quota_enforcer.cli.insight.bill.compare import Comparison
from quota_enforcer.cli.terminal.escaping import spreadsheet_cell
from quota_enforcer.cli.terminal.output import hint, say, screenful, warn
from quota_enforcer.cli.terminal.tables import say_table
from quota_enforcer.core.notices.amounts import count, dollars, exact, number
from quota_enforcer.insight.bill.cells import BillBy, Sums, grouped
from quota_enforcer.insight.bill.discounts import Proposal
from quota_enforcer.insight.bill.reasons import Reason
from quota_enforcer.insight.bill.verdict import money, row_words

_MONEY: Final = {
    "metered_usd": "metered",
    "billed_usd": "billed",
    "difference_usd": "difference",
    "pending_usd": "pending",
    "unbilled_usd": "unbilled",
    "never_metered_usd": "never_metered",
    "assumed_usd": "assumed",
    "other_tier_usd": "other_tier",
}
_TOKENS: Final = {"metered_tokens": "metered_tokens", "billed_tokens": "billed_tokens"}
_HEAD: Final = ("Metered", "Billed", "Difference", "Never metered", "What it is")
_NUMBERS: Final = _HEAD[:-1]
_UNTOLD: Final = "(not told)"

Rows = Mapping[tuple[str, ...], Sums]


def _values(row: Sums) -> dict[str, str]:
    return {
        name: exact(Decimal(getattr(row, field))) for name, field in {**_MONEY, **_TOKENS}.items()
    }


def as_csv_text(rows: Rows, by: Sequence[BillBy], tolerance: Decimal) -> str:
    """A header line, then a line for each row; no cell is a formula, whoever named it."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow((*by, *_MONEY, *_TOKENS, "what"))
    for key, row in rows.items():
        cells = map(spreadsheet_cell, key)
        writer.writerow((*cells, *_values(row).values(), row_words(row, tolerance)))
    return written.getvalue()


def document(compared: Comparison, by: Sequence[BillBy]) -> dict[str, Any]:
    """Money and tokens as decimal texts."""
    verdict, facts, found = compared.verdict, compared.facts, compared.found
    rows = grouped(found.cells, by)
    return {
        "from": str(compared.scope.first),
        "to": str(compared.scope.last),
        "by": by,
        "rows": [
            {
                **dict(zip(by, key, strict=True)),
                **_values(row),
                "never_metered": {why: exact(usd) for why, usd in sorted(row.never.items())},
                "what": row_words(row, verdict.tolerance),
            }
            for key, row in rows.items()
        ],
        "total": _values(found.sums),
        "never_metered": [
            {"reason": why, "usd": exact(usd), "why": why.why, "counts": why.counts}
            for why, usd in _by_reason(found.sums)
        ],
        "beside_usd": {kind: exact(usd) for kind, usd in sorted(found.beside.items())},
        "left_out_usd": exact(found.left_out),
        "discounts": [
            {
                "of": each.of,
                "percent": exact(each.percent),
                "models": each.models,
                "difference_usd": exact(each.now),
                "then_usd": exact(each.then),
                "command": command_of(each, compared),
            }
            for each in compared.proposals
        ],
        "dearer": [
            {"model": each.model, "times": exact(each.times)} for each in compared.dearer
        ],
        "bill": {
            "rows": facts.rows,
            "first": facts.first and str(facts.first),
            "newest": facts.newest and str(facts.newest),
            "by_principal": facts.by_principal,
            "net": facts.net,
            "estimated_rows": facts.estimated,
            "bad_rows": [{"count": each.count, "problem": each.problem} for each in facts.bad],
        },
        "verdict": {
            "agrees": verdict.agrees,
            "off_usd": exact(verdict.off),
            "of_usd": exact(verdict.of),
            "off_percent": exact(verdict.percent),
            "tolerance_percent": exact(verdict.tolerance),
        },
    }  # fmt: skip


def command_of(proposal: Proposal, compared: Comparison) -> str:
    """The command that sets a discount."""
    return (
        f"quota-enforcer prices discount {proposal.of} {number(proposal.percent)}% "
        f"--from {compared.scope.first}"
    )


def show(compared: Comparison, by: Sequence[BillBy], limit: int | None) -> None:
    """The largest disagreement first."""
    verdict = compared.verdict
    rows = grouped(compared.found.cells, by)
    say(_heading(compared))
    if rows:
        ordered = sorted(rows.items(), key=lambda each: (-_apart(each[1]), each[0]))
        most = screenful(limit)
        shown = ordered[:most]
        table = [(*_names(key, by), *_cells(row, verdict.tolerance)) for key, row in shown]
        total = compared.found.sums
        table.append(("Total", *("" for _ in by[1:]), *_cells(total, None)))
        say_table((*(each.capitalize() for each in by), *_HEAD), table, numbers=_NUMBERS)
        if len(shown) < len(rows):
            hint(f"{len(rows) - len(shown):,} more rows: --limit 0 shows all.")
    for line in _after(compared):
        say(line)
    _notes(compared)


def _apart(row: Sums) -> Decimal:
    return row.against() + row.never_metered


def _names(key: Sequence[str], by: Sequence[BillBy]) -> Iterator[str]:
    for each, text in zip(by, key, strict=True):
        yield text or (_UNTOLD if each is BillBy.PRINCIPAL else "-")


def _cells(row: Sums, tolerance: Decimal | None) -> tuple[str, ...]:
    what = "" if tolerance is None else row_words(row, tolerance)
    never = money(row.never_metered) if row.never_metered else ""
    difference = money(row.difference) if row.difference else ""
    return dollars(row.in_ledger), money(row.on_bill), difference, never, what


def _heading(compared: Comparison) -> str:
    scope, facts = compared.scope, compared.facts
    days = f"Bill and ledger {scope.first} to {scope.last}, days of UTC"
    costs = "costs after discounts" if facts.net else "costs before discounts"
    return f"{days}, {count(facts.rows, 'row')} read, {costs}"


def _by_reason(total: Sums) -> list[tuple[Reason, Decimal]]:
    return sorted(total.never.items(), key=lambda each: (-abs(each[1]), each[0]))


def _after(compared: Comparison) -> Iterator[str]:
    """What is said below the table, the verdict last."""
    total = compared.found.sums
    never = _by_reason(total)
    if never:
        yield "\nBilled but never metered:"
        for reason, usd in never:
            mark = "" if reason.counts else " (does not count)"
            yield f"  {money(usd)}  {reason}{mark}: {reason.why}"
    if total.unbilled:
        yield (
            f"\nMetered and not billed: {dollars(total.unbilled)}: what AWS gave for nothing, or "
            "the bill names another caller or model."
        )
    if total.pending:
        yield (
            f"\nMetered and not billed yet: {dollars(total.pending)}, from "
            f"{compared.scope.late_from} on: AWS bills up to a day late, and what the Marketplace "
            "sells later."
        )
    if compared.found.beside:
        beside = ", ".join(
            f"{kind} {money(usd)}" for kind, usd in sorted(compared.found.beside.items())
        )
        yield f"\nOn the bill beside usage, not compared: {beside}."
    yield from _discounts(compared)
    yield f"\n{_verdict(compared)}"


def _discounts(compared: Comparison) -> Iterator[str]:
    for each in compared.proposals:
        yield (
            f"\nOne discount explains {money(each.now)} of the difference ({', '.join(each.models)}"
            f"), and leaves {money(each.then)}:\n  {command_of(each, compared)}"
        )
    if compared.proposals:
        scope = compared.scope
        yield (
            f"Then price those days again: quota-enforcer recount {scope.first}T00..{scope.last}T23"
        )
    for costlier in compared.dearer:
        yield (
            f"\n{costlier.model} costs {costlier.times:.4f} times its price here, every day: "
            "`quota-enforcer prices update` or `prices set` corrects it."
        )


def _verdict(compared: Comparison) -> str:
    verdict = compared.verdict
    sums = f"{dollars(verdict.off)} of {dollars(verdict.of)}, {verdict.percent:.2f} %"
    within = f"tolerance {number(verdict.tolerance)} %"
    if verdict.unread:
        return f"Nobody knows whether they agree: {count(verdict.unread, 'row')} could not be read."
    if verdict.agrees:
        return f"They agree: off by {sums} ({within})."
    return f"They do not agree: off by {sums} ({within})."


def _notes(compared: Comparison) -> None:
    facts = compared.facts
    for bad in facts.bad:
        warn(f"{count(bad.count, 'row')} could not be read: {bad.problem}")
    if facts.estimated:
        hint(f"{count(facts.estimated, 'row')} without an invoice: AWS may still change them.")
    if not facts.by_principal and not facts.legacy:
        hint(f"The report names no callers: {SWITCH_ON}.")
    if facts.legacy:
        hint("This is a report of the older kind, which names no callers; CUR 2.0 can.")
    if compared.found.left_out:
        hint(f"{money(compared.found.left_out)} of other days, accounts or Regions are left out.")
