"""Checks of what is written down and told: the ledger, the notices, a mistake in a quota."""

from collections import Counter
from decimal import Decimal

from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.local.demo import cast
from quota_enforcer.local.demo.checks.blocks import LIMITS, NEVER, is_last_release, reported
from quota_enforcer.local.demo.record import RunRecord


def dollars_are_the_list_price(record: RunRecord) -> bool:
    ledger = record.ledger.get(cast.FRANK, Counts())
    price = cast.SONNET_USD_PER_MILLION
    paid = sum((n * usd for n, usd in zip(ledger[1:5], price, strict=True)), Decimal(0))
    return 0 < paid == ledger.cost_usd * 1_000_000 and not ledger.assumed_usd


def invalid_keeps_limit(record: RunRecord) -> bool:
    broken = record.edits.get("mistake", NEVER)
    later = [event for event in reported(record, "blocked", cast.CAROL) if event.at > broken]
    return len(later) > 0 and all(e.limit == LIMITS["user/carol", "daily"] for e in later)


def admins_told(record: RunRecord) -> bool:
    wanted = ("invalid-quota", "user/carol", "daily")
    return any(letter[:3] == wanted and "500k" in letter.text for letter in record.letters)


def refused_not_metered(record: RunRecord) -> bool:
    refused = Counter(
        answer.call.principal
        for principal in record.ledger
        for answer in record.until_closed(principal)
        if answer.refusal
    )
    return len(refused) > 0 and all(
        record.ledger[principal].requests + number == len(record.until_closed(principal))
        for principal, number in refused.items()
    )


def ledger_is_exact(record: RunRecord) -> bool:
    counted = {member.principal: record.went_through(member.principal) for member in cast.CAST}
    return record.ledger == counted and all(used.requests for used in counted.values())


def everyone_told(record: RunRecord) -> bool:
    happened = Counter(
        (e.kind, e.principal, e.quota) for e in record.events if not is_last_release(record, e)
    )
    told = Counter(letter[:3] for letter in record.letters)
    return len(happened) > 0 and happened <= told


def subscription_filtered(record: RunRecord) -> bool:
    of_alice = [each for each in record.letters if each.principal == str(cast.ALICE)]
    return len(of_alice) > 0 and sorted(record.subscribed) == sorted(of_alice)
