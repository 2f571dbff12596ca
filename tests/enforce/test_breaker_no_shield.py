"""Nobody can raise the breaker as a shield: usage alone never trips it, and it holds no others."""

from datetime import timedelta
from decimal import Decimal

import pytest

from builders import NOON
from quota_enforcer.core.deployment import Metering, Mode
from quota_enforcer.core.notices.notice import NoticeKind
from quota_enforcer.decide.breaker import RECENT
from world import World

MINUTES = timedelta(minutes=1)
LATER = NOON + RECENT + timedelta(hours=1)
"""When what was edited at noon is no longer recent."""
TYPED = LATER + MINUTES
PEOPLE = [f"user/u{number}" for number in range(14)]


@pytest.fixture
def world() -> World:
    """A deployment on the stream whose quotas of 1,000 a day have stood for more than a day."""
    world = World()
    world.metering(Metering.STREAM)
    world.quota(principal="default")
    world.quota(principal="session/ci/*", quota="each")
    world.sweep(NOON)
    return world


def use(world: World, tokens: int, *who: str) -> None:
    for each in who:
        world.stream(each.removeprefix("user/"), LATER, tokens)


def test_fourteen_sessions_with_small_use_are_blocked_and_shield_nobody(world: World) -> None:
    world.keep_gates()
    several = [f"session/ci/{number}" for number in range(14)]
    for each in several:
        world.stream(f"role:ci/{each.rpartition('/')[2]}", LATER, 1100)
    use(world, 70_000_000, "user/alice")
    report = world.wake(LATER, *several, "user/alice")
    assert (report.held, world.told().count(" breaker")) == ([], 0)
    assert world.denied == {"user/alice"}
    assert len(world.ledger.gate_intents()) == 14


def test_so_they_are_also_on_the_day_of_the_edit(world: World) -> None:
    world.keep_gates()
    world.quota(principal="session/ci/*", quota="each", limit=900)
    for number in range(14):
        world.stream(f"role:ci/{number}", LATER, 1000)
    assert world.wake(LATER, *(f"session/ci/{number}" for number in range(14))).held == []


def test_everybody_who_uses_up_a_standing_quota_is_blocked(world: World) -> None:
    use(world, 1100, *PEOPLE)
    assert world.wake(LATER, *PEOPLE).held == []
    assert world.denied == set(PEOPLE)


def typo(world: World, limit: int = 1) -> None:
    """Everybody has used 100, and an admin mistypes the limit of all."""
    use(world, 100, *PEOPLE)
    world.wake(LATER, *PEOPLE)
    world.quota(principal="default", quota="typo", limit=limit)
    assert len(world.enforcer().edited(TYPED).held) == len(PEOPLE)


def test_who_is_over_another_quota_is_blocked_while_the_breaker_holds(world: World) -> None:
    typo(world)
    use(world, 1000, "user/u0")
    assert world.wake(TYPED + MINUTES, "user/u0").held == ["user/u0"]
    assert world.denied == {"user/u0"}
    assert world.told("user/u0") == ["blocked"]
    [notice] = (each for each, _ in world.topic.sent if each.principal == "user/u0")
    assert "typo" not in notice.reason


def test_its_standing_names_what_is_held_and_what_blocks(world: World) -> None:
    typo(world)
    use(world, 1000, "user/u0")
    world.wake(TYPED + MINUTES, "user/u0")
    [record] = (each for each in world.ledger.everybody() if str(each.principal) == "user/u0")
    assert set(record.standing.held) == {"default#typo"}
    assert set(record.standing.used_up) == {"default#daily"}


def test_who_goes_on_to_far_beyond_is_blocked_whatever_the_breaker_does(world: World) -> None:
    typo(world, limit=90)
    use(world, 60, "user/u1")
    world.wake(TYPED + MINUTES, "user/u1")
    assert world.denied == set()
    use(world, 20, "user/u1")
    world.wake(TYPED + 2 * MINUTES, "user/u1")
    assert world.denied == {"user/u1"}
    assert world.ledger.state().breaker_since == TYPED
    world.sweep(TYPED + 4 * MINUTES)
    assert world.denied == {"user/u1"}


def test_a_block_by_hand_is_made_while_the_breaker_holds(world: World) -> None:
    typo(world)
    world.quota(principal="user/u2", quota="block", measure="requests", limit=0)
    world.enforcer().edited(TYPED + MINUTES)
    assert world.denied == {"user/u2"}


def test_a_held_record_is_not_written_again_for_nothing(world: World) -> None:
    typo(world)
    world.sweep(TYPED + 4 * MINUTES)
    world.ledger.writes.clear()
    world.sweep(TYPED + 9 * MINUTES)
    assert [method for method, _ in world.ledger.writes if method == "put"] == []


def test_what_was_confirmed_holds_nobody_later_in_the_day(world: World) -> None:
    typo(world)
    world.sweep(TYPED + 4 * MINUTES, confirm_blocks=True)
    others = [f"user/v{number}" for number in range(14)]
    use(world, 100, *others)
    assert world.wake(TYPED + 5 * MINUTES, *others).held == []
    assert world.denied == {*PEOPLE, *others}


def test_what_is_held_stays_so_after_a_day_without_an_answer(world: World) -> None:
    """A rolling window keeps the usage that was too much."""
    use(world, 100, *PEOPLE)
    world.wake(LATER, *PEOPLE)
    world.quota(principal="default", quota="typo", limit=60, window="rolling 72 hours")
    world.enforcer().edited(TYPED)
    assert len(world.sweep(TYPED + RECENT + 5 * MINUTES).held) == len(PEOPLE)
    assert world.denied == set()


# What an edit is


@pytest.mark.parametrize("how", ["deleted", "disabled", "no exemption"])
def test_an_exemption_that_goes_is_an_edit_of_what_then_applies(world: World, how: str) -> None:
    use(world, 1100, *PEOPLE)
    world.quota(principal="user/*", exempt=True)
    world.enforcer().edited(LATER)
    world.wake(LATER, *PEOPLE)
    match how:
        case "deleted":
            world.quotas.delete("user/*", "daily")
        case "disabled":
            world.quota(principal="user/*", exempt=True, enabled=False)
        case _:
            world.quota(principal="user/*", limit=1050)
    assert len(world.enforcer().edited(TYPED).held) == len(PEOPLE)
    assert len(world.sweep(TYPED + 4 * MINUTES).held) == len(PEOPLE)
    assert world.denied == set()


def test_members_who_join_a_team_are_an_edit(world: World) -> None:
    use(world, 600, *PEOPLE)
    own = {"principal": "team/t", "quota": "own", "limit": 500, "window": "rolling 72 hours"}
    world.quota(**own, members=["user/zoe"])
    world.sweep(LATER)
    world.quota(**own, members=PEOPLE)
    assert len(world.enforcer().edited(LATER + RECENT).held) == len(PEOPLE)


def test_a_price_that_was_changed_is_an_edit_of_quotas_on_money() -> None:
    world = World()
    world.metering(Metering.STREAM)
    world.quota(principal="default", measure="cost_usd", limit=Decimal(10))
    world.sweep(NOON)
    world.quotas.put(
        {"principal": "price/anthropic.claude-3-haiku-20240307-v1:0", "quota": "price",
         "input": Decimal(900), "output": Decimal(900)}
    )  # fmt: skip
    world.enforcer().edited(TYPED)
    for who in PEOPLE:
        world.stream(who.removeprefix("user/"), TYPED, 100, cost="12")
    assert len(world.wake(TYPED + MINUTES, *PEOPLE).held) == len(PEOPLE)
    assert world.denied == set()


def test_a_wave_that_a_price_makes_adds_up_one_by_one() -> None:
    """With streamed usage each of them is a wake of its own."""
    world = World()
    world.metering(Metering.STREAM)
    world.quota(principal="default", measure="cost_usd", limit=Decimal(10))
    world.sweep(NOON)
    world.quotas.put(
        {"principal": "price/anthropic.claude-3-haiku-20240307-v1:0", "quota": "price",
         "input": Decimal(900), "output": Decimal(900)}
    )  # fmt: skip
    world.enforcer().edited(TYPED)
    for second, who in enumerate(PEOPLE):
        world.stream(who.removeprefix("user/"), TYPED, 100, cost="12")
        last = world.wake(TYPED + MINUTES + timedelta(seconds=second), who)
    assert last.held == [PEOPLE[-1]]
    assert len(world.denied) == 10


def test_switching_to_enforce_asks_before_it_blocks_a_fifth_of_all() -> None:
    world = World(Mode.OBSERVE)
    world.metering(Metering.STREAM)
    world.quota(principal="default")
    world.sweep(NOON)
    use(world, 1100, *PEOPLE)
    world.wake(LATER, *PEOPLE)
    world.mode(Mode.ENFORCE)
    report = world.sweep(TYPED)
    assert len(report.held) == len(PEOPLE)
    assert "the deployment's settings, which are new" in report.failures[0]
    assert len(world.sweep(TYPED + 5 * MINUTES).held) == len(PEOPLE)


def test_more_for_everybody_is_no_edit_that_blocks(world: World) -> None:
    world.quota(principal="default", limit=1200)
    world.enforcer().edited(LATER)
    use(world, 1300, *PEOPLE)
    assert world.wake(TYPED, *PEOPLE).held == []
    assert world.denied == set(PEOPLE)


def test_a_note_is_no_edit_that_blocks(world: World) -> None:
    world.quota(principal="default", note="as agreed in March")
    world.enforcer().edited(LATER)
    use(world, 1100, *PEOPLE)
    assert world.wake(TYPED, *PEOPLE).held == []


# All, and the notice


def test_a_first_delivery_is_measured_against_all_whom_it_brings() -> None:
    world = World()
    world.metering(Metering.STREAM)
    world.quota(principal="default")
    several = [f"user/u{number}" for number in range(100)]
    for place, who in enumerate(several):
        world.stream(who.removeprefix("user/"), NOON, 1100 if place < 18 else 10)
    assert world.wake(NOON, *several).held == []
    assert len(world.denied) == 18


def test_the_notice_says_what_is_held_and_why_and_caps_its_list() -> None:
    world = World()
    world.metering(Metering.STREAM)
    several = [f"user/{'x' * 40}{number}" for number in range(360)]
    for who in several:
        world.stream(who.removeprefix("user/"), NOON, 100)
    for number in range(12):
        names = several[number::12]
        world.quota(principal=f"team/t{number}", quota="own", limit=60, members=names)
    report = world.sweep(NOON + MINUTES)
    assert len(report.held) == 360
    [notice] = (each for each, _ in world.topic.sent if each.kind is NoticeKind.BREAKER)
    assert "360 of 360 principals (100 %), more than 10 and more than 20 %" in notice.reason
    assert "quota own of team/t0 for 30 (user/xxx" in notice.reason
    assert "; and 2 more quotas" in notice.reason
    assert len(notice.reason) < 8_000
    assert len(report.failures[0]) < 8_000
