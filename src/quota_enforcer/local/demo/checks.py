"""What a run must have shown; each check looks only at what really happened."""

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from quota_enforcer.core.principal import GATED, Kind, Principal
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.model import EVERY_MODEL
from quota_enforcer.local.demo import cast
from quota_enforcer.local.demo.blocks import NEVER, blocks
from quota_enforcer.local.demo.record import Event, Record

SECONDS: Final = 10
"""Real ones that a block may take here, on a slow machine too; as a rule it is less than one."""
_LIMITS: Final = {(item["principal"], item["quota"]): item["limit"] for item in cast.QUOTAS}


def results(record: Record) -> dict[str, bool]:
    """What was checked, in words, and whether it is so."""
    return {words: check(record) for words, check in _CHECKS.items()}


def _warned_first(record: Record) -> bool:
    return any(
        (warning.principal, warning.quota) == (block.principal, block.quota)
        and warning.at < block.at
        and warning.limit is not None
        and warning.used < warning.limit
        for block in _of(record, "blocked")
        for warning in _of(record, "warning")
    )


def _first_from_stream(record: Record) -> bool:
    """Without any tick between: the block is dated with the call itself."""
    blocked = _of(record, "blocked")
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


def _budget_on_cached_tokens(record: Record) -> bool:
    used = record.went_through(cast.FRANK)
    blocked = _of(record, "blocked", cast.FRANK)
    return (
        [event.quota for event in blocked] == ["budget"]
        and isinstance(blocked[0].used, Decimal)
        and blocked[0].used >= _LIMITS["user/frank", "budget"]
        and used.cache_read_tokens > 0.8 * used.tokens
        and any(a.refusal for a in record.answers if a.call.principal == cast.FRANK)
    )


def _dollars_are_the_list_price(record: Record) -> bool:
    ledger = record.ledger.get(cast.FRANK, Counts())
    price = cast.SONNET_USD_PER_MILLION
    paid = sum((n * usd for n, usd in zip(ledger[1:5], price, strict=True)), Decimal(0))
    return 0 < paid == ledger.cost_usd * 1_000_000 and not ledger.assumed_usd


def _refused_while_blocked(record: Record) -> bool:
    refused = [
        "AccessDenied" in answer.refusal and policy in answer.refusal
        for block in blocks(record)
        for policy in [record.gate if block.gated else record.policies[block.models]]
        for answer in record.answers
        if block.stops(answer)
    ]
    return len(refused) > 0 and all(refused)


def _others_go_on(record: Record) -> bool:
    made = list(blocks(record))
    free = [a for a in record.answers if not any(block.stops(a) for block in made)]
    beside = [a for a in free if any(block.holds(a) for block in made)]
    return len(beside) > 0 and not any(answer.refusal for answer in free)


def _role_in_all_sessions(record: Record) -> bool:
    (member,) = (each for each in cast.CAST if each.principal == cast.BATCH)
    refused = {
        a.call.session for a in record.answers if a.refusal and a.call.principal == cast.BATCH
    }
    return len(refused) > 1 and refused == set(member.sessions)


def _colleague_goes_on(kind: Kind) -> Callable[[Record], bool]:
    """Somebody was refused, and meanwhile somebody else went through behind the same role."""

    def went_on(record: Record) -> bool:
        return any(
            answer.refusal and other.call.principal != who and not other.refusal
            for block in blocks(record)
            for answer in record.answers
            if block.stops(answer) and (who := answer.call.principal).kind is kind
            for other in record.answers
            if block.holds(other) and record.roles.get(other.call.principal) == record.roles[who]
        )

    return went_on


def _sibling_stays_open(record: Record) -> bool:
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


def _default_spares_roles(record: Record) -> bool:
    answers = record.until_closed(cast.REPORTING)
    of_day: defaultdict[object, int] = defaultdict(int)
    for answer in answers:
        of_day[answer.call.at.date()] += answer.call.counts.tokens
    over = max(of_day.values(), default=0) > _LIMITS["default", "daily"]
    return over and not any(answer.refusal for answer in answers)


def _raise_restores(record: Record) -> bool:
    raised = record.edits.get("raise", NEVER)
    old = _LIMITS["user/bob", "daily"]
    return any(
        event.at >= raised and event.used >= old and _back(record, cast.BOB, event.at)
        for event in _of(record, "restored", cast.BOB)
    )


def _window_restores(principal: Principal, quota: str) -> Callable[[Record], bool]:
    """The same limit, less used than that, and the next call goes through."""
    limit = _LIMITS.get((str(principal), quota), _LIMITS["default", "daily"])

    def restored(record: Record) -> bool:
        return any(
            event.used < limit == event.limit and _back(record, principal, event.at)
            for event in _of(record, "restored", principal)
        )

    return restored


def _blocked_by_hand(record: Record) -> bool:
    held = record.edits.get("hold", NEVER)
    holds = [event for event in _of(record, "blocked", cast.ERIN) if event.at >= held]
    return any(event.limit == 0 for event in holds) and any(
        a.refusal for a in record.answers if a.call.principal == cast.ERIN and a.call.at >= held
    )


def _invalid_keeps_limit(record: Record) -> bool:
    broken = record.edits.get("mistake", NEVER)
    later = [event for event in _of(record, "blocked", cast.CAROL) if event.at > broken]
    return len(later) > 0 and all(e.limit == _LIMITS["user/carol", "daily"] for e in later)


def _admins_told(record: Record) -> bool:
    wanted = ("invalid-quota", "user/carol", "daily")
    return any(letter[:3] == wanted and "500k" in letter.text for letter in record.letters)


def _refused_not_metered(record: Record) -> bool:
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


def _ledger_is_exact(record: Record) -> bool:
    counted = {member.principal: record.went_through(member.principal) for member in cast.CAST}
    return record.ledger == counted and all(used.requests for used in counted.values())


def _everyone_told(record: Record) -> bool:
    happened = Counter(
        (e.kind, e.principal, e.quota) for e in record.events if not _last(record, e)
    )
    told = Counter(letter[:3] for letter in record.letters)
    return len(happened) > 0 and happened <= told


def _subscription_filtered(record: Record) -> bool:
    of_alice = [each for each in record.letters if each.principal == str(cast.ALICE)]
    return len(of_alice) > 0 and sorted(record.subscribed) == sorted(of_alice)


def _deletion_releases(record: Record) -> bool:
    last = [event for event in record.events if _last(record, event)]
    after = [a for a in record.answers if record.closed and a.call.at >= record.closed]
    return (
        len(record.blocked) > 0
        and {event.principal for event in last} == {str(each) for each in record.blocked}
        and record.blocked <= {answer.call.principal for answer in after}
        and not any(answer.refusal for answer in after)
    )


def _nothing_left(record: Record) -> bool:
    return record.closed is not None and not record.leftovers


def _gate_is_empty(record: Record) -> bool:
    gated = any(principal.kind in GATED for principal in record.blocked)
    return gated and record.still_listed == frozenset()


def _of(record: Record, kind: str, principal: Principal | None = None) -> list[Event]:
    return [
        event
        for event in record.events
        if event.kind == kind and principal in {None, Principal.parse(event.principal)}
    ]


def _last(record: Record, event: Event) -> bool:
    """Whether it was a release at the stack's end."""
    return event.kind == "restored" and event.at == record.closed


def _back(record: Record, principal: Principal, at: datetime) -> bool:
    """Whether the last call before was refused and the next one goes through."""
    answers = [answer for answer in record.answers if answer.call.principal == principal]
    before = [answer for answer in answers if answer.call.at < at]
    after = [answer for answer in answers if answer.call.at >= at]
    return bool(before and before[-1].refusal and after and not after[0].refusal)


_CHECKS: Final[dict[str, Callable[[Record], bool]]] = {
    "a warning came before the limit was reached": _warned_first,
    "the first block came from the log, seconds after the call that crossed the line": (
        _first_from_stream
    ),
    "a budget in dollars blocked somebody whose tokens were mostly cached": (
        _budget_on_cached_tokens
    ),
    "its dollars are the tokens at Bedrock's list price": _dollars_are_the_list_price,
    "IAM refused every call of who was blocked, naming the deny policy": _refused_while_blocked,
    "meanwhile every call of everyone else went through": _others_go_on,
    "a blocked role was blocked in all its sessions": _role_in_all_sessions,
    "one of two people behind a permission set was blocked, the other went on": (
        _colleague_goes_on(Kind.SSO)
    ),
    "one of two sessions of a shared role was blocked, the other went on": (
        _colleague_goes_on(Kind.SESSION)
    ),
    "one model was closed to somebody while another stayed open": _sibling_stays_open,
    "the default quota for people stopped no role": _default_spares_roles,
    "a raised limit brought access back": _raise_restores,
    "the end of the hour brought access back": _window_restores(cast.ALICE, "hourly"),
    "the end of the day brought access back": _window_restores(cast.DAVE, "daily"),
    "a rolling window brought access back": _window_restores(cast.BATCH, "pace"),
    "an admin blocked somebody by hand": _blocked_by_hand,
    "a quota that became invalid kept its limit": _invalid_keeps_limit,
    "admins were told what is wrong with it": _admins_told,
    "refused calls were not metered": _refused_not_metered,
    "the ledger equals the calls that went through, once each, to the token and the dollar": (
        _ledger_is_exact
    ),
    "everyone concerned was sent a notice": _everyone_told,
    "a filtered subscription got its own notices only": _subscription_filtered,
    "deleting the stack released who was blocked": _deletion_releases,
    "deleting the stack left nothing of it behind": _nothing_left,
    "but the gate, which roles still name: it denies nobody any more": _gate_is_empty,
}
