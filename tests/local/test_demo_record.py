"""What the demo notes of a run, and whom it takes for blocked from what."""

from datetime import UTC, datetime, timedelta

from builders import UTC_ZONE
from quota_enforcer.core.deployment import Context, Mode
from quota_enforcer.core.ledger import Standing
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.item import read_quota
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.usage.buckets import ModelUsage, Usage, pooled
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.model import ModelScope
from quota_enforcer.core.usage.window import hour_start
from quota_enforcer.decide.decision import decide
from quota_enforcer.enforce.report import event as event_of
from quota_enforcer.local.demo import cast
from quota_enforcer.local.demo.cast import HAIKU, SONNET, Call
from quota_enforcer.local.demo.checks.blocking import expensive_model_first
from quota_enforcer.local.demo.checks.blocks import blocks
from quota_enforcer.local.demo.record import Answer, Event, RunRecord, priced

NINE = datetime(2026, 12, 1, 9, tzinfo=UTC)
POLICIES = {"*": "arn:policy/all", SONNET: "arn:policy/sonnet"}
GATE = "arn:policy/gate"


def answer(who: Principal, refusal: str = "", *, minute: int = 1, model: str = SONNET) -> Answer:
    at = NINE + timedelta(minutes=minute)
    return Answer(Call(at, who, "", model, Counts(1, 10)), refusal and f"AccessDenied: {refusal}")


def event(kind: str, who: Principal, quota: str, minute: int, used: int = 10) -> Event:
    """Of a limit of 10."""
    return Event(NINE + timedelta(minutes=minute), kind, str(who), quota, used, 10, "why")


def noted(*answers: Answer) -> list[tuple[str, str]]:
    """The timeline's rows for these calls."""
    roles = {cast.GRACE: "developer", cast.HEIDI: "developer", cast.IVY: "ml"}
    record = RunRecord(POLICIES, GATE, roles)
    for each in answers:
        record.answered(each)
    return [(row.who, row.what) for row in record.rows]


def test_the_first_refused_call_and_the_first_through_again_make_a_row() -> None:
    refused, free = answer(cast.BOB, POLICIES["*"]), answer(cast.BOB)
    assert noted(free, refused, refused, free, free) == [
        ("user/bob", "call refused by IAM: AccessDenied"),
        ("user/bob", "call goes through again"),
    ]


def test_a_call_of_another_model_is_no_release() -> None:
    refused, haiku = answer(cast.KIM, POLICIES[SONNET]), answer(cast.KIM, model=HAIKU)
    assert noted(refused, haiku, refused, haiku, answer(cast.KIM)) == [
        ("user/kim", "call refused by IAM: AccessDenied"),
        ("user/kim", "call of another model goes through"),
        ("user/kim", "call goes through again"),
    ]


def test_a_colleague_behind_the_same_role_makes_one_row_and_nobody_else_does() -> None:
    refused, heidi = answer(cast.GRACE, GATE), answer(cast.HEIDI)
    assert noted(heidi, refused, heidi, heidi, answer(cast.IVY), answer(cast.BOB)) == [
        ("sso/grace", "call refused by IAM: AccessDenied"),
        ("sso/heidi", "call behind the same role goes through"),
    ]


def test_a_call_of_the_other_model_that_is_refused_too_makes_a_row() -> None:
    sonnet, haiku = answer(cast.KIM, POLICIES[SONNET]), answer(cast.KIM, model=HAIKU)
    both = answer(cast.KIM, POLICIES["*"], model=HAIKU)
    assert noted(sonnet, haiku, both, both, answer(cast.KIM)) == [
        ("user/kim", "call refused by IAM: AccessDenied"),
        ("user/kim", "call of another model goes through"),
        ("user/kim", "call refused by IAM: AccessDenied"),
        ("user/kim", "call goes through again"),
    ]


def test_a_stage_stops_the_expensive_model_and_the_limit_both() -> None:
    record = RunRecord()
    record.happened(event("blocked", cast.KIM, "dollars", 10, used=8))
    record.happened(event("blocked", cast.KIM, "dollars", 20))
    assert [row.what for row in record.rows] == [
        "blocked in part: quota dollars", "blocked: quota dollars",
    ]  # fmt: skip
    stage, limit = sorted(blocks(record), key=lambda each: each.began)
    assert (stage.models, stage.ended, limit.models) == (SONNET, limit.began, "*")
    assert not stage.stops(answer(cast.KIM, minute=15, model=HAIKU))
    assert limit.stops(answer(cast.KIM, minute=25, model=HAIKU))


def test_a_block_stops_the_models_of_its_quota_while_it_lasts() -> None:
    record = RunRecord()
    for each in (
        event("blocked", cast.KIM, "dollars", 10, used=8), event("restored", cast.KIM, "", 20)
    ):  # fmt: skip
        record.happened(each)
    [block] = blocks(record)
    assert block.stops(answer(cast.KIM, minute=15))
    assert not block.stops(answer(cast.KIM, minute=15, model=HAIKU))
    assert not block.stops(answer(cast.KIM, minute=20))
    assert not block.stops(answer(cast.BOB, minute=15))
    assert not block.gated


def test_a_block_without_an_end_lasts() -> None:
    record = RunRecord()
    record.happened(event("blocked", cast.GRACE, "daily", 10))
    [block] = blocks(record)
    assert block.gated
    assert block.stops(answer(cast.GRACE, minute=10_000, model=HAIKU))


def test_the_expensive_model_closes_first_on_the_traffic_that_the_demo_replays() -> None:
    """As the decision has it, without an AWS: the limit is chosen so that both stages are seen."""
    items = ({"measure": cast.MEASURE} | item for item in cast.QUOTAS)
    rules = (read_quota(item, UTC_ZONE, [*POLICIES]) for item in items)
    book = QuotaBook(rule for rule in rules if rule is not None)
    record, usage, standing = RunRecord(POLICIES, GATE), Usage(), Standing()
    for call in (each for each in cast.calls(NINE) if each.principal == cast.KIM):
        closed = [each for each in standing.denied if ModelScope(each).covers(call.model)]
        record.answered(Answer(call, f"AccessDenied: {POLICIES[closed[0]]}" if closed else ""))
        if closed:
            continue
        hours = {hour_start(call.at, UTC_ZONE): priced(call)}
        usage = pooled([usage, Usage({call.model: ModelUsage.of_hours(hours, UTC_ZONE)})])
        context = Context(call.at, UTC_ZONE, Mode.ENFORCE)
        quotas = book.applicable_to(cast.KIM, call.at)
        decision = decide(cast.KIM, quotas, usage, standing, context)
        standing = decision.standing
        for notice in decision.notices:
            record.happened(Event.reported(event_of(notice), call.at))
    assert expensive_model_first(record)
    assert [row.what for row in record.rows] == [
        "warned: quota dollars",
        "blocked in part: quota dollars",
        "call refused by IAM: AccessDenied",
        "call of another model goes through",
        "blocked: quota dollars",
        "call refused by IAM: AccessDenied",
    ]
