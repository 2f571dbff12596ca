"""Orphans: records of principals who never used anything, and whom no quota names any more.

A quota that names somebody makes a record of them, also where the name has a typing error. The
record goes with the last such quota, so that nobody counts in sums who does not exist.
"""

from contextlib import suppress
from datetime import date
from typing import Protocol

from quota_enforcer.core.errors import Conflict
from quota_enforcer.core.ledger import Record
from quota_enforcer.core.quotas.quota import named_by
from quota_enforcer.core.usage.reads import UsageReads
from quota_enforcer.decide.rules.rule_set import RuleSet
from quota_enforcer.enforce.ports.ledger import Standings


class OrphanLedger(Standings, UsageReads, Protocol):
    """The roles of the ledger that tell who never used anything, and forget them."""


def forget_orphans(ledger: OrphanLedger, rules: RuleSet) -> None:
    """Delete the records of whom edited quotas named, no quota names now, and who used nothing.

    It is done before the edits are remembered, so that a crash repeats it. A record stays if
    anything of it is in force, or if another run writes it meanwhile.
    """
    named_before = rules.named - named_by(rules.rules)
    for record in ledger.records(named_before).values() if named_before else ():
        if record.version and _is_idle(record):
            used = ledger.usage(record.principal, date.min).models
            if not used:
                with suppress(Conflict):
                    ledger.forget(record)


def _is_idle(record: Record) -> bool:
    standing = record.standing
    acted = standing.denied or standing.used_up or standing.would_deny
    return not acted and record.intended is None and not record.trouble
