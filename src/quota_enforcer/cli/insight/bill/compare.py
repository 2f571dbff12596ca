"""A report laid beside the ledger of a deployment: what is read, and what comes of it."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.insight.bill.reader import BillReader
from quota_enforcer.cli.terminal.output import how_far
from quota_enforcer.core.pricing.catalog.shipped import shipped_prices
from quota_enforcer.core.principal import Kind
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.place import Place
from quota_enforcer.core.usage.window import DAY
from quota_enforcer.decide.rules.rule_set import RuleSet
from quota_enforcer.insight.bill.cells import CellKey
from quota_enforcer.insight.bill.discounts import Dearer, Proposal, proposals
from quota_enforcer.insight.bill.line import BillFacts
from quota_enforcer.insight.bill.metered import metered_cells, needs_hours
from quota_enforcer.insight.bill.models import ModelNames
from quota_enforcer.insight.bill.reasons import Reason
from quota_enforcer.insight.bill.reconcile import BillScope, Reconciled, reconcile
from quota_enforcer.insight.bill.verdict import BillVerdict, bill_verdict
from quota_enforcer.insight.status import everybody
from quota_enforcer.insight.usage import By, SpendQuery

_BEFORE: Final = timedelta(days=35)
"""How far before the first day the ledger is read, to tell a gap in it from its beginning."""


@dataclass(frozen=True, slots=True)
class BillQuery:
    """What is asked of a report; a day that is None is that of the report."""

    first: date | None
    last: date | None
    account: str | None
    region: str | None
    tolerance: Decimal
    excepted: frozenset[Reason]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of it."""

    facts: BillFacts
    scope: BillScope
    found: Reconciled
    verdict: BillVerdict
    proposals: list[Proposal]
    dearer: list[Dearer]


def compared(
    deployment: Deployment, rules: RuleSet, reader: BillReader, asked: BillQuery, today: date
) -> Comparison:
    """Read the ledger for the days of the report, and lay one beside the other."""
    facts = reader.facts()
    first = asked.first or facts.first or today
    last = asked.last or max(facts.newest or first, min(today, first))
    settings = deployment.settings
    region = settings.region
    metered = _metered(deployment, rules, SpendQuery(first - _BEFORE, last, (By.DAY,)), region)
    scope = BillScope(
        first,
        last,
        settings.account,
        region,
        frozenset({(settings.account, region), *((key.account, key.region) for key in metered)}),
        min((key.day for key in metered), default=None),
        facts.newest,
        asked.account,
        asked.region,
    )
    prices = shipped_prices(rules.prices).on(last)
    names = ModelNames((key.model for key in metered), {**prices.listed, **prices.own})
    found = reconcile(reader.lines(), metered, names, scope)
    verdict = bill_verdict(found, asked.tolerance, asked.excepted, _unread(facts))
    wanted, dearer = proposals(
        found.cells, found.discounts, lambda model: prices.discount(model, region)
    )
    return Comparison(facts, scope, found, verdict, wanted, dearer)


def _unread(facts: BillFacts) -> int:
    return sum(bad.count for bad in facts.bad)


def _metered(
    deployment: Deployment, rules: RuleSet, days: SpendQuery, region: str
) -> dict[CellKey, Counts]:
    settings = deployment.settings
    local = replace(days, first=days.first - DAY, last=days.last + DAY)
    known = [each.principal for each in everybody(deployment.ledger.everybody(), rules.rules)]
    firsts = {each: local.first for each in known if each.kind is not Kind.TEAM}
    hours = local.first if needs_hours(settings.zone) else None
    with how_far(f"Reading the usage of {len(firsts):,} principals") as told:
        usages = deployment.usages(firsts, hours, told)
    return metered_cells(usages, settings.zone, Place(settings.account, region), days)
