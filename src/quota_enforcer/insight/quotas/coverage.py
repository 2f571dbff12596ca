"""What the quotas leave uncounted of usage that a ledger or a log holds."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from operator import sub

from quota_enforcer.core.deployment import Context
from quota_enforcer.core.pricing.rate import Cost
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.usage.buckets import Usage
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.coverage import ChargedUse, Coverage, coverage
from quota_enforcer.core.usage.model import canonical_model
from quota_enforcer.core.usage.place import NOWHERE_KNOWN, Place
from quota_enforcer.core.usage.window import DAY, local_date
from quota_enforcer.insight.usage import By, SpendQuery, days_in
from quota_enforcer.meter.log.record import Counted

COVERED_DAYS = 7
"""How far back usage is looked at that no quota counts: today and the days before."""


def of_last_days(found: Coverage) -> str:
    """`Last 7 days: under no quota ...`, one line."""
    return f"Last {COVERED_DAYS} days: {found.words[0].lower()}{found.words[1:]}"


def covered_since(context: Context) -> date:
    """The first of those days."""
    return local_date(context.now, context.zone) - (COVERED_DAYS - 1) * DAY


def coverage_of_usage(
    usages: Mapping[Principal, Usage], book: QuotaBook, context: Context
) -> Coverage:
    """What the quotas of this moment leave uncounted of what a ledger has of the last days."""
    query = SpendQuery(
        covered_since(context), local_date(context.now, context.zone), (By.PRINCIPAL, By.MODEL)
    )
    home = context.home or NOWHERE_KNOWN
    return coverage(_each_once(usages, query, home), book, context.now)


def coverage_of_calls(
    calls: Sequence[Counted], book: QuotaBook, price: Callable[[Counted], Cost]
) -> Coverage:
    """What the quotas that stand when the last of these calls is made leave uncounted of them."""
    rows: defaultdict[tuple[tuple[Principal, ...], str, Principal | None, Place], list[Counts]]
    rows = defaultdict(list)
    for call in calls:
        cost = price(call)
        counts = cost.charged_to(call.counts)
        model = canonical_model(call.model_id)
        rows[book.charged(call.identity), model, call.identity.session, call.place].append(counts)
    uses = (
        ChargedUse(charged, model, Counts.total(several), session, place)
        for (charged, model, session, place), several in rows.items()
    )
    if not calls:
        return Coverage()
    return coverage(uses, book, max(call.at for call in calls))


def _each_once(
    usages: Mapping[Principal, Usage], query: SpendQuery, home: Place
) -> Iterator[ChargedUse]:
    """Every call once: a session's is in its role's usage too, and a team has none of its own."""
    apart: defaultdict[tuple[Principal, str, Place], list[Counts]] = defaultdict(list)
    sums = _by_model_and_place(usages, query, home)
    for (who, model, place), counts in sums.items():
        if who.kind is Kind.SESSION:
            role = who.of_role
            apart[role, model, place].append(counts)
            yield ChargedUse((role, who), model, counts, place=place)
    for (who, model, place), counts in sums.items():
        if who.kind not in {Kind.SESSION, Kind.TEAM}:
            sessions = apart.get((who, model, place), ())
            rest = Counts._make(map(sub, counts, Counts.total(sessions))) if sessions else counts
            yield ChargedUse((who,), model, rest, place=place)


def _by_model_and_place(
    usages: Mapping[Principal, Usage], query: SpendQuery, home: Place
) -> dict[tuple[Principal, str, Place], Counts]:
    rows: defaultdict[tuple[Principal, str, Place], list[Counts]] = defaultdict(list)
    for who, usage in usages.items():
        for stored, of_place in usage.by_place.items():
            place = Place.of(stored, home)
            for model, _, counts in days_in(of_place, query):
                rows[who, model, place].append(counts)
    return {key: Counts.total(several) for key, several in rows.items()}
