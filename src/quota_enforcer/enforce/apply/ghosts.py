"""Ghosts: principals in the ledger only because a quota named them, perhaps by a slip.

They go with the last quota that names them, so that nobody counts them any more.
"""

from contextlib import suppress
from datetime import date
from typing import Protocol

from quota_enforcer.core.errors import Conflict
from quota_enforcer.core.ledger import Record
from quota_enforcer.core.quotas.quota import named_by
from quota_enforcer.core.usage.reads import UsageReads
from quota_enforcer.decide.rules.rule_set import RuleSet
from quota_enforcer.enforce.ports import Standings

SINCE_EVER = date.min


class GhostLedger(Standings, UsageReads, Protocol):
    """The roles of the ledger that tell who never used anything, and forget them."""


def forget_ghosts(ledger: GhostLedger, rules: RuleSet) -> None:
    """Take whom edits named, and no quota names now, out of the ledger if they never used anything.

    Before the edits are remembered, so that it is repeated if it comes to no end. Somebody with
    usage, or whom anything still denies, stays; and whoever is written meanwhile has a new record.
    """
    named_before = rules.named - named_by(rules.rules)
    for record in ledger.records(named_before).values() if named_before else ():
        if record.version and _is_idle(record):
            used = ledger.usage(record.principal, SINCE_EVER).models
            if not used:
                with suppress(Conflict):
                    ledger.forget(record)


def _is_idle(record: Record) -> bool:
    standing = record.standing
    acted = standing.denied or standing.used_up or standing.would_deny
    return not acted and record.intended is None and not record.trouble
