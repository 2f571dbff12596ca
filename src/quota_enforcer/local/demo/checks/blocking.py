"""Checks of blocks: warned first, blocked at once, and nobody else with them."""

from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Final

from quota_enforcer.core.principal import Kind
from quota_enforcer.core.usage.model import EVERY_MODEL
from quota_enforcer.local.demo import cast
from quota_enforcer.local.demo.checks.blocks import LIMITS, NEVER, blocks, reported
from quota_enforcer.local.demo.record import RunRecord

SECONDS: Final = 10
"""Real ones that a block may take here, on a slow machine too; as a rule it is less than one."""


def warned_first(record: RunRecord) -> bool:
    return any(
        (warning.principal, warning.quota) == (block.principal, block.quota)
        and warning.at < block.at
        and warning.limit is not None
        and warning.used < warning.limit
        for block in reported(record, "blocked")
        for warning in reported(record, "warning")
    )


def first_from_stream(record: RunRecord) -> bool:
    """Without any tick between: the block is dated with the call itself."""
    blocked = reported(record, "blocked")
    first = min(blocked, key=lambda event: event.at, default=None)
    return (
        first is not None
        and record.lags[:1] != []
        and record.lags[0][:2] == (first.principal, first.quota)
        and record.lags[0].seconds < SECONDS
        and any(
            str(answer.call.principal) == first.principal
            and timedelta(0) < first.at - answer.call.at < timedelta(seconds=1)
            for answer in record.answers
        )
    )


def budget_on_cached_tokens(record: RunRecord) -> bool:
    used = record.went_through(cast.FRANK)
    blocked = reported(record, "blocked", cast.FRANK)
    return (
        [event.quota for event in blocked] == ["budget"]
        and isinstance(blocked[0].used, Decimal)
        and blocked[0].used >= LIMITS["user/frank", "budget"]
        and used.cache_read_tokens > 0.8 * used.tokens
        and any(a.refusal for a in record.answers if a.call.principal == cast.FRANK)
    )


def refused_while_blocked(record: RunRecord) -> bool:
    refused = [
        "AccessDenied" in answer.refusal and policy in answer.refusal
        for block in blocks(record)
        for policy in [record.gate if block.gated else record.policies[block.models]]
        for answer in record.answers
        if block.stops(answer)
    ]
    return len(refused) > 0 and all(refused)


def others_go_on(record: RunRecord) -> bool:
    made = list(blocks(record))
    free = [a for a in record.answers if not any(block.stops(a) for block in made)]
    beside = [a for a in free if any(block.holds(a) for block in made)]
    return len(beside) > 0 and not any(answer.refusal for answer in free)


def role_in_all_sessions(record: RunRecord) -> bool:
    (member,) = (each for each in cast.CAST if each.principal == cast.BATCH)
    refused = {
        a.call.session for a in record.answers if a.refusal and a.call.principal == cast.BATCH
    }
    return len(refused) > 1 and refused == set(member.sessions)


def colleague_goes_on(kind: Kind) -> Callable[[RunRecord], bool]:
    """Somebody was refused, and meanwhile somebody else went through behind the same role."""

    def went_on(record: RunRecord) -> bool:
        return any(
            answer.refusal and other.call.principal != who and not other.refusal
            for block in blocks(record)
            for answer in record.answers
            if block.stops(answer) and (who := answer.call.principal).kind is kind
            for other in record.answers
            if block.holds(other) and record.roles.get(other.call.principal) == record.roles[who]
        )

    return went_on


def sibling_stays_open(record: RunRecord) -> bool:
    return any(
        answer.refusal and not other.refusal
        for block in blocks(record)
        if block.models != str(EVERY_MODEL)
        for answer in record.answers
        if block.stops(answer)
        for other in record.answers
        if block.holds(other)
        and other.call.principal == answer.call.principal
        and other.call.model != answer.call.model
    )


def expensive_model_first(record: RunRecord) -> bool:
    """The expensive one closed while the cheap one went on; at the limit that closed as well."""
    several = [each for each in blocks(record) if each.principal == str(cast.KIM)]
    if not several:
        return False
    first, *later = several
    made = [answer for answer in record.answers if answer.call.principal == cast.KIM]
    stage = [each for each in made if first.holds(each)]
    limit = [each for each in made if any(block.holds(each) for block in later)]
    return (
        first.models == cast.SONNET
        and {each.call.model for each in stage if each.refusal} == {cast.SONNET}
        and {each.call.model for each in stage if not each.refusal} == {cast.HAIKU}
        and {each.call.model for each in limit if each.refusal} == set(cast.MODELS)
    )


def default_spares_roles(record: RunRecord) -> bool:
    answers = record.until_closed(cast.REPORTING)
    of_day: defaultdict[object, int] = defaultdict(int)
    for answer in answers:
        of_day[answer.call.at.date()] += answer.call.counts.tokens
    over = max(of_day.values(), default=0) > LIMITS["default", "daily"]
    return over and not any(answer.refusal for answer in answers)


def blocked_by_hand(record: RunRecord) -> bool:
    edited = record.edits.get("block", NEVER)
    blocked = [event for event in reported(record, "blocked", cast.ERIN) if event.at >= edited]
    return any(event.limit == 0 for event in blocked) and any(
        a.refusal for a in record.answers if a.call.principal == cast.ERIN and a.call.at >= edited
    )
