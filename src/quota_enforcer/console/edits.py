"""Edits of the quota table, proposed in words before they are written, and written as agreed.

Whoever agrees has seen an item as it stood: if somebody else has edited it since, that is shown,
and nothing is written.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from quota_enforcer.cli.quotas.edit import StoredEdit, cannot_deny, effect, newly_unknown
from quota_enforcer.cli.quotas.preview import Preview, preview
from quota_enforcer.cli.quotas.show import reach
from quota_enforcer.console.look import Look
from quota_enforcer.core.errors import Conflict
from quota_enforcer.core.quotas.describe import in_full
from quota_enforcer.core.quotas.diff import AUTHOR, changes, ordered, shown
from quota_enforcer.core.quotas.item import Item
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.quotas.quota import Action, Quota


@dataclass(frozen=True, slots=True)
class ProposedEdit:
    """An edit in words.

    Attributes:
        meaning: what the item says.
        covers: to whom it applies; empty where that is of no interest.
        changes: attribute, before, after.
        effects: whom it would block or release now, and what the breaker would do.
        doubts: what may be a mistake.
        question: whom it would block; empty if nobody, so that nothing has to be agreed to.
        seen: the item as it stood, to be given back with the answer.
    """

    meaning: str
    covers: str
    changes: tuple[tuple[str, str, str], ...]
    effects: tuple[str, ...]
    doubts: tuple[str, ...]
    question: str
    seen: str


def proposal(look: Look, edit: StoredEdit) -> ProposedEdit:
    """What it means, whom it covers, and whom it would block now."""
    deployment, now = look.deployment, look.now
    found = preview(deployment, {(edit.key, edit.name): edit.new}, now) if edit.made else Preview()
    known = [record.principal for record in deployment.ledger.everybody()]
    others = [
        rule
        for rule in deployment.load(now).rules
        if (rule.subject, rule.name) != (edit.rule.subject, edit.rule.name)
    ]
    return ProposedEdit(
        in_full(edit.rule),
        reach(edit.rule, QuotaBook([*others, edit.rule]), known, now).words,
        _changes(edit),
        tuple(found.said()),
        tuple(_doubts(look, edit)),
        found.question,
        fingerprint(edit.old),
    )


def write(look: Look, edit: StoredEdit, seen: str) -> str:
    """Write it; returns when it takes effect.

    Raises Conflict if the item is not what was seen.
    """
    if fingerprint(edit.old) != seen:
        raise Conflict("somebody else has edited it meanwhile")
    deployment = look.deployment
    found = preview(deployment, {(edit.key, edit.name): edit.new}, look.now)
    deployment.quotas.put({**edit.new, AUTHOR: deployment.caller()}, edit.old)
    look.forget()
    return effect(deployment, found)


def fingerprint(item: Item | None) -> str:
    """The item as a text that a form can carry."""
    return "" if item is None else json.dumps(ordered(item), default=_plain)


def meanwhile(seen: str, now: Item | None) -> list[tuple[str, str, str]]:
    """What somebody else has changed since: attribute, as it was seen, as it is."""
    before = json.loads(seen, object_hook=_from_plain) if seen else None
    return [(each.attribute, shown(each.old), shown(each.new)) for each in changes(before, now)]


def _plain(value: Any) -> Any:
    """What JSON has no form for."""
    return {"exactly": str(value)} if isinstance(value, Decimal) else sorted(value)


def _from_plain(value: dict[str, Any]) -> Any:
    return Decimal(value["exactly"]) if value.keys() == {"exactly"} else value


def _changes(edit: StoredEdit) -> tuple[tuple[str, str, str], ...]:
    return tuple(
        (each.attribute, shown(each.old) if edit.old else "", shown(each.new))
        for each in edit.changes
    )


def _doubts(look: Look, edit: StoredEdit) -> Iterator[str]:
    for each in newly_unknown(look.deployment, edit):
        yield f"{each.words}; this limits nobody until there is one"
    rule = edit.rule
    if isinstance(rule, Quota) and rule.action is Action.DENY:
        why = cannot_deny(look.deployment, rule)
        if why:
            yield f"{why}; it warns and notifies admins"
