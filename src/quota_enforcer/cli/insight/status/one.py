"""`status PRINCIPAL`: what is denied, since and until when and why, and each of its quotas."""

from typing import Any

from rich.text import Text

from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.insight.status.observing import Observed, first_moment, in_words, tallied
from quota_enforcer.cli.insight.status.page import header, header_document, hints
from quota_enforcer.cli.insight.status.rows import (
    denied_words,
    row_document,
    say_notes,
    say_rows,
    standing_words,
)
from quota_enforcer.cli.terminal.output import hint, say, say_facts, say_json
from quota_enforcer.cli.terminal.principals import hint_unknown_principal, record_of
from quota_enforcer.core.deployment import Context, Mode
from quota_enforcer.core.ledger import Record
from quota_enforcer.core.notices import wording
from quota_enforcer.core.principal import Kind
from quota_enforcer.core.usage.window import local_date
from quota_enforcer.decide.decision import Decision
from quota_enforcer.decide.evaluate import decide_for_one
from quota_enforcer.insight.status import StatusRow, by_urgency, rows, unlimited


def say_one(
    deployment: Deployment, text: str, context: Context, days: int, *, as_json: bool
) -> None:
    record = record_of(deployment, text)
    loaded = deployment.load(context.now)
    decision = decide_for_one(record, loaded.book, deployment.ledger, context)
    state = deployment.ledger.state()
    table = by_urgency(rows(record, decision, state)) or _today(deployment, record, context)
    found = None
    if context.mode is Mode.OBSERVE:
        history = deployment.ledger.history(record.principal, first_moment(context, days))
        found = tallied(history, [record], context, days)
    if as_json:
        document = header_document(deployment, state, context)
        say_json(document | _document(record, decision, table, found))
        return
    say(
        Text.assemble(
            (str(record.principal), "bold"), f": {standing_words(record, table, context)}"
        )
    )
    say(header(deployment, state, context))
    say("")
    facts = _facts(record, decision, found, context)
    if facts:
        say_facts(facts)
        say("")
    if table:
        say_rows(table, context)
        say_notes(table)
    hint_unknown_principal(deployment, record, loaded.rules)
    hints(state, context)
    hint(f"More: quota-enforcer explain {record.principal}, or history, or forecast.")


def _today(deployment: Deployment, record: Record, context: Context) -> list[StatusRow]:
    """What it used today; a team uses nothing but through its members."""
    if record.principal.kind is Kind.TEAM:
        return []
    today = local_date(context.now, context.zone)
    return [unlimited(record.principal, deployment.ledger.usage(record.principal, today), context)]


def _facts(
    record: Record, decision: Decision, found: Observed | None, context: Context
) -> list[tuple[str, str]]:
    standing = record.standing
    facts = []
    if standing.denied and not record.trouble:
        facts = [
            ("Denied", denied_words(standing.denied)),
            ("Why", standing.reason),
            ("Until", wording.moment(standing.until, context.zone)),
        ]
    elif standing.reason and not decision.denying:
        facts = [("Last noted", standing.reason)]
    for each in found.tallies if found else ():
        words = in_words(each, found.days, context) if found else ""
        facts.append(("Observed", f"quota {each.quota} would have blocked it {words}"))
    return facts


def _document(
    record: Record, decision: Decision, table: list[StatusRow], found: Observed | None
) -> dict[str, Any]:
    standing = record.standing
    return {
        "principal": str(record.principal),
        "known": record.version > 0,
        "level": decision.standing.level,
        "denied": standing.denied if not record.trouble else [],
        "since": standing.noted_since,
        "until": standing.until,
        "reason": standing.reason,
        "could_not": record.trouble or None,
        "under_way": record.intended is not None,
        "standings": [row_document(row) for row in table],
        "would_have_been_blocked": None if found is None else found.to_json(),
    }
