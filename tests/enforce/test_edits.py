"""Edits of the quota table as timelines: who is blocked, released and told before any tick."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from builders import HOUR, NOON, an_item
from quota_enforcer.core.deployment import Metering, Mode
from quota_enforcer.core.errors import CannotDeny
from quota_enforcer.core.notices.notice import NoticeKind
from quota_enforcer.core.principal import Principal
from quota_enforcer.enforce.report import Report
from world import World, principal

MINUTES = timedelta(minutes=1)
SECONDS = timedelta(seconds=1)
ALICE = principal("user/alice")
AT = NOON + MINUTES


@pytest.fixture
def world() -> World:
    """A deployment on the stream, swept at noon; alice has used 500 of 1,000 tokens."""
    world = World()
    world.metering(Metering.STREAM)
    world.quota()
    world.stream("alice", NOON, 500)
    world.sweep(NOON)
    return world


@pytest.fixture
def blocked(world: World) -> World:
    """The same, but she was blocked at noon."""
    world.stream("alice", NOON, 700)
    world.wake(NOON, "user/alice")
    assert world.denied == {"user/alice"}
    return world


def edited(world: World, at: datetime = AT) -> Report:
    """The table's stream wakes the enforcer, in whichever process."""
    return world.enforcer().edited(at)


def history(world: World, who: str | None = "user/alice") -> list[str]:
    """The edits that the history knows, of somebody or of the deployment."""
    whose = None if who is None else principal(who)
    past = world.ledger.history(whose)
    return [f"{each.quota}: {each.reason}" for each in past if each.kind is NoticeKind.EDITED]


# What an edit does


def test_lowering_a_limit_blocks_at_once(world: World) -> None:
    world.quota(limit=400)
    report = edited(world)
    assert world.denied == {"user/alice"}
    assert (report.looked_at, report.edits, report.failures) == (1, 1, [])
    assert world.told("user/alice") == ["blocked"]


def raised(world: World) -> None:
    world.quota(limit=5000)


def raised_for_a_while(world: World) -> None:
    world.quota(raise_to="unlimited", raise_until="2026-11-24T18:00")


def removed(world: World) -> None:
    world.quotas.delete("user/alice", "daily")


def disabled(world: World) -> None:
    world.quota(enabled=False)


def exempted(world: World) -> None:
    world.quota(exempt=True)


def only_told(world: World) -> None:
    world.quota(action="notify")


@pytest.mark.parametrize(
    "edit", [raised, raised_for_a_while, removed, disabled, exempted, only_told]
)
def test_what_ends_a_block_does_so_at_once(blocked: World, edit: Callable[[World], None]) -> None:
    edit(blocked)
    edited(blocked)
    assert blocked.denied == set()
    assert "restored" in blocked.told("user/alice")


def test_a_raise_that_an_edit_began_ends_by_the_clock(blocked: World) -> None:
    raised_for_a_while(blocked)
    edited(blocked)
    blocked.sweep(NOON + 6 * HOUR)
    assert blocked.denied == {"user/alice"}


def test_a_block_by_hand_works_before_the_first_call(world: World) -> None:
    world.quota(principal="user/bob", limit=0, until="2026-11-24T13:00")
    edited(world)
    assert world.denied == {"user/bob"}


@pytest.mark.parametrize("subject", ["default", "user/*"])
def test_an_edit_of_a_kind_or_the_default_concerns_everybody_of_it(
    world: World, subject: str
) -> None:
    for who in ("alice", "bob", "role:ci/42"):
        world.stream(who, NOON, 600)
    world.wake(NOON, "user/alice", "user/bob", "role/ci")
    world.quota(principal=subject, quota="burst", limit=550)
    assert edited(world).looked_at == 2
    assert world.denied == {"user/alice", "user/bob"}


def test_an_edit_of_one_principal_reads_nobody_elses_record(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.ledger, "everybody", lambda: pytest.fail("it listed everybody"))
    world.quota(limit=400)
    edited(world)
    assert world.denied == {"user/alice"}


def test_an_edit_of_a_team_concerns_who_joins_and_who_leaves(world: World) -> None:
    members = ["user/alice", "user/bob"]
    world.quota(principal="team/t", quota="pool", limit=500, share="pool", members=members)
    edited(world)
    assert world.denied == set(members)
    members = ["user/alice", "user/carol"]
    world.quota(principal="team/t", quota="pool", limit=500, share="pool", members=members)
    edited(world, AT + MINUTES)
    assert world.denied == set(members)
    assert world.told("user/bob") == ["blocked", "restored"]


def test_it_needs_neither_metrics_nor_what_iam_lists(world: World) -> None:
    world.metering(Metering.CLOUDWATCH)
    world.metrics.listing_fails = ConnectionError("CloudWatch is away")
    world.denies.denied = lambda: pytest.fail("it listed IAM's policies")  # type: ignore[method-assign]
    world.quota(limit=400)
    assert edited(world).failures == []
    assert world.denies.attached == {ALICE: {"*"}}


def test_a_price_concerns_nobody_but_the_meters(world: World) -> None:
    world.quotas.put({"principal": "price/amazon.nova", "quota": "price", "input": 1})
    report = edited(world)
    assert (report.looked_at, report.edits) == (0, 1)
    assert set(world.ledger.meter_rules().prices) == {"amazon.nova"}
    assert history(world, None) == ["price: added: input 1"]


def test_a_price_that_could_not_be_told_is_told_at_the_next_try(world: World) -> None:
    put_meter_rules = world.ledger.put_meter_rules
    world.ledger.put_meter_rules = None  # type: ignore[method-assign,assignment]
    world.quotas.put({"principal": "price/a.b", "quota": "price", "input": 1})
    assert "could not tell the meters" in edited(world).failures[0]
    world.ledger.put_meter_rules = put_meter_rules  # type: ignore[method-assign]
    edited(world, AT + SECONDS)
    assert set(world.ledger.meter_rules().prices) == {"a.b"}


def test_observe_mode_blocks_nobody(world: World) -> None:
    world.mode(Mode.OBSERVE)
    world.quota(limit=400)
    edited(world)
    assert (world.denied, world.told()) == (set(), ["user/alice warning"])


def test_what_an_edit_blocks_in_a_mode_that_no_sweep_has_seen_is_looked_at_again(
    world: World,
) -> None:
    world.mode(Mode.OBSERVE)
    world.sweep(NOON + SECONDS)
    world.mode(Mode.ENFORCE)
    world.quota(limit=400)
    edited(world)
    assert world.denied == {"user/alice"}
    world.mode(Mode.OBSERVE)
    world.sweep(NOON + 5 * MINUTES)
    assert world.denied == set()


def test_gates_follow_an_edit(world: World) -> None:
    author = world.keep_gates()
    world.stream("sso:ann@example.com", NOON, 500)
    world.quota(principal="sso/*", limit=400)
    world.wake(NOON, "sso/ann@example.com")
    world.quota(principal="sso/*", limit=900)
    edited(world)
    assert author.denied == {}
    world.quota(principal="sso/*", limit=300)
    edited(world, AT + SECONDS)
    assert author.denied == {principal("sso/ann@example.com"): {"*"}}


def test_after_the_end_nobody_is_blocked(world: World) -> None:
    world.close(NOON)
    world.quota(limit=400)
    assert edited(world).closed
    assert world.denied == set()


def test_a_stack_that_begins_to_go_meanwhile_leaves_nobody_blocked(world: World) -> None:
    attach = world.denies.attach

    def going(principal: Principal, scope: str) -> None:
        world.ledger.close()
        attach(principal, scope)

    world.denies.attach = going  # type: ignore[method-assign]
    world.quota(limit=400)
    edited(world)
    assert world.denied == set()


def test_the_breaker_holds_what_an_edit_would_block(world: World) -> None:
    people = [f"user/u{number}" for number in range(12)]
    for who in people:
        world.stream(who.removeprefix("user/"), NOON, 100)
    world.wake(NOON, *people)
    world.quota(principal="default", quota="typo", limit=1)
    report = edited(world)
    assert len(report.held) == 13
    assert "quota-enforcer sweep --confirm-blocks" in report.failures[0]
    assert edited(world, AT + SECONDS).edits == 0
    world.sweep(NOON + 5 * MINUTES)
    assert world.denied == set()
    world.quotas.delete("default", "typo")
    edited(world, NOON + 6 * MINUTES)
    world.sweep(NOON + 10 * MINUTES)
    assert (world.denied, world.ledger.state().breaker_since) == (set(), None)


# Invalid items


def test_garbage_leaves_the_last_valid_version_in_force_and_is_told_once(blocked: World) -> None:
    blocked.quota(limit="lots", windw="day")
    for second in range(3):
        edited(blocked, AT + second * SECONDS)
    blocked.sweep(NOON + 5 * MINUTES)
    assert blocked.denied == {"user/alice"}
    assert blocked.told().count("user/alice invalid-quota") == 1
    (notice,) = (n for n, _ in blocked.topic.sent if n.kind is NoticeKind.INVALID_QUOTA)
    assert notice.reason == (
        "attribute 'windw' is unknown; did you mean window?; limit is 'lots'; allowed: a whole "
        "number, 0 or more. Until it is fixed, its last valid version stays in force"
    )


def test_other_garbage_is_told_again_and_mending_it_takes_effect(blocked: World) -> None:
    for limit in ("lots", "loads"):
        blocked.quota(limit=limit)
        edited(blocked)
    assert blocked.told().count("user/alice invalid-quota") == 2
    blocked.quota(limit=5000)
    edited(blocked)
    assert blocked.denied == set()


# What does not go through


def test_whom_iam_does_not_let_us_deny_is_no_failure(world: World) -> None:
    world.quota(limit=400)
    world.denies.refuse[ALICE] = CannotDeny("all 10 policy slots are full")
    assert edited(world).failures == []
    assert world.told("user/alice") == ["could-not-deny"]
    assert edited(world, AT + SECONDS).edits == 0


def test_a_notice_that_cannot_be_sent_does_not_repeat_the_edit(world: World) -> None:
    world.topic.fails = ConnectionError("SNS is away")
    world.quota(limit=400)
    assert len(edited(world).failures) == 1
    world.topic.fails = None
    assert edited(world, AT + SECONDS).edits == 0
    world.sweep(NOON + 20 * MINUTES)
    assert world.told("user/alice") == ["blocked"]


def test_a_session_that_the_metrics_must_be_read_for_is_left_to_the_sweep() -> None:
    """It is denied where it can be, but counts as seen only once it was metered."""
    world = World()
    author = world.keep_gates()
    world.call("role:ci/42", NOON - 8 * HOUR, 1200)
    world.sweep(NOON - 7 * HOUR)
    world.sweep(NOON)
    world.quota(principal="session/ci/42")
    assert edited(world).edits == 1
    assert author.denied == {}
    world.sweep(NOON + 5 * MINUTES)
    assert author.denied == {principal("session/ci/42"): {"*"}}
    assert edited(world, NOON + 6 * MINUTES).edits == 0
    assert len(history(world, "session/ci/42")) == 1


# Many


def test_twelve_hundred_principals_are_looked_at_in_pages(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [f"user/u{number:04}" for number in range(1_200)]
    world.quota(principal="default", limit=10_000)
    world.wake(NOON, *people)
    world.stream("u0777", NOON, 600)
    read, pages = world.ledger.records, []

    def paged(principals: Any) -> Any:
        several = list(principals)
        pages.append(len(several))
        return read(several)

    monkeypatch.setattr(world.ledger, "records", paged)
    monkeypatch.setattr(world.ledger, "usage", quick_usage(world))
    world.quota(principal="default", limit=550)
    assert edited(world).looked_at == 1_201
    assert world.denied == {"user/u0777"}
    assert max(pages) == 500


def quick_usage(world: World) -> Callable[..., Any]:
    """The fake's own search takes time with each bucket and each principal."""
    usage, used = world.ledger.usage, {"user/alice", "user/u0777"}
    nothing = usage(principal("user/nobody"), NOON.date())
    return lambda who, first: usage(who, first) if str(who) in used else nothing


def test_an_import_is_one_look_however_its_records_come(world: World) -> None:
    """The first wake finds all that is written by then, and the others nothing."""
    for number in range(50):
        world.quotas.put(an_item(principal=f"user/u{number}"))
    assert edited(world).edits == 50
    world.ledger.writes.clear()
    for _ in range(5):
        assert edited(world, AT + SECONDS).edits == 0
    assert world.ledger.writes == []
