"""What a recent edit blocks in masses is held also where it comes one by one, and far beyond."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from builders import NOON
from quota_enforcer.core.deployment import Metering
from world import World

EVERY = timedelta(minutes=20)
"""Between two people's calls, so that no quarter of an hour has two of them."""
PEOPLE = [f"user/u{number:02d}" for number in range(40)]
TYPED = NOON + timedelta(minutes=1)
HAIKU_PRICE = "price/anthropic.claude-3-haiku-20240307-v1:0"


@pytest.fixture
def world() -> World:
    """Forty people on the stream, and ten dollars a day for each since yesterday."""
    world = World()
    world.metering(Metering.STREAM)
    world.quota(principal="default", measure="cost_usd", limit=Decimal(10))
    world.sweep(NOON - timedelta(days=2))
    for who in PEOPLE:
        world.stream(who.removeprefix("user/"), NOON, 100, cost="0.10")
    world.wake(NOON, *PEOPLE)
    return world


def mistype_the_price(world: World) -> None:
    item = {"quota": "price", "input": Decimal(900), "output": Decimal(900)}
    world.quotas.put({"principal": HAIKU_PRICE, **item})
    world.enforcer().edited(TYPED)


def call(world: World, who: str, cost: str, at: datetime) -> list[str]:
    """One call of so many dollars, and whom its wake holds."""
    world.stream(who.removeprefix("user/"), at, 100, cost=cost)
    return world.wake(at, who).held


def calls(world: World, several: list[str], cost: str, begin: datetime = TYPED) -> list[str]:
    """Each calls once, twenty minutes after the one before; whom the last wake held."""
    held: list[str] = []
    for place, who in enumerate(several):
        held = call(world, who, cost, begin + (place + 1) * EVERY)
    return held


@pytest.mark.parametrize("cost", ["12", "30", "900", "90000"])
def test_a_price_that_puts_everybody_far_beyond_blocks_ten_and_holds_the_rest(
    world: World, cost: str
) -> None:
    mistype_the_price(world)
    assert calls(world, PEOPLE[:30], cost) == [PEOPLE[29]]
    assert world.denied == set(PEOPLE[:10])
    assert world.told().count(" breaker") == 1


def test_so_does_a_limit_that_is_mistyped_before_anybody_has_used_anything(world: World) -> None:
    world.quota(principal="default", quota="typo", limit=1)
    world.enforcer().edited(TYPED + timedelta(hours=12, minutes=1))
    morning = TYPED + timedelta(hours=12, minutes=2)
    assert calls(world, PEOPLE[:20], "0.01", morning) == [PEOPLE[19]]
    assert len(world.denied) == 10


def test_those_whom_the_edit_itself_blocked_count_an_hour_later(world: World) -> None:
    calls(world, PEOPLE[:10], "5", NOON)
    edited = NOON + 11 * EVERY
    world.quota(principal="default", quota="typo", measure="cost_usd", limit=Decimal(1))
    assert world.enforcer().edited(edited).held == []
    assert world.denied == set(PEOPLE[:10])
    assert calls(world, PEOPLE[10:14], "5", edited + timedelta(hours=1)) == [PEOPLE[13]]
    assert world.denied == set(PEOPLE[:10])


def test_who_stands_out_by_a_factor_of_a_hundred_is_blocked_there_too(world: World) -> None:
    mistype_the_price(world)
    calls(world, PEOPLE[:12], "30")
    assert call(world, "user/u39", "70000", TYPED + 14 * EVERY) == []
    assert "user/u39" in world.denied


def test_once_tripped_those_who_go_far_beyond_one_by_one_are_held_as_well(world: World) -> None:
    """First they are just beyond the wrong limit, and each further call costs as much again."""
    mistype_the_price(world)
    calls(world, PEOPLE[:30], "12")
    assert len(world.denied) == 10
    again = TYPED + 31 * EVERY
    for place, who in enumerate(PEOPLE[10:30]):
        last = call(world, who, "18", again + place * timedelta(seconds=20))
    assert last == [PEOPLE[29]]
    assert len(world.denied) == 20
    far = world.ledger.state().breaker_far
    world.sweep(again + timedelta(minutes=15))
    assert len(world.denied) == 20
    assert world.ledger.state().breaker_far == far
    assert world.told().count(" breaker") == 1


def test_a_confirmed_price_blocks_them_all(world: World) -> None:
    mistype_the_price(world)
    calls(world, PEOPLE[:30], "900")
    world.sweep(TYPED + 31 * EVERY, confirm_blocks=True)
    assert world.denied == set(PEOPLE[:30])


# Nobody can make a shield of it


def test_eleven_who_go_just_beyond_on_the_day_of_an_edit_shield_nobody_far_beyond(
    world: World,
) -> None:
    mistype_the_price(world)
    calls(world, PEOPLE[:14], "11")
    assert call(world, "user/u39", "25", TYPED + 15 * EVERY) == []
    assert "user/u39" in world.denied


def test_who_was_blocked_before_the_edit_counts_for_nothing_of_it(world: World) -> None:
    calls(world, PEOPLE[:20], "30", NOON)
    assert len(world.denied) == 20
    edited = NOON + 22 * EVERY
    world.quotas.put({"principal": HAIKU_PRICE, "quota": "price", "input": 1, "output": 1})
    world.enforcer().edited(edited)
    assert calls(world, PEOPLE[20:30], "30", edited) == []
    assert len(world.denied) == 30


def test_where_nothing_was_edited_everybody_who_is_over_is_blocked(world: World) -> None:
    assert calls(world, PEOPLE, "900") == []
    assert world.denied == set(PEOPLE)
