"""Each edit once, and none lost: whoever sees it first, and wherever one of several dies."""

import inspect
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from inspect import Signature, signature
from itertools import count
from typing import Any

import pytest

from builders import HOUR, NOON
from fakes import FakeDenies, FakeLedger, FakeQuotas
from quota_enforcer.core.deployment import Metering
from quota_enforcer.core.notices.notice import NoticeKind
from quota_enforcer.enforce.report import Report
from same_again import same_again
from world import World, principal

MINUTES = timedelta(minutes=1)
SECONDS = timedelta(seconds=1)
ALICE = principal("user/alice")
AT = NOON + MINUTES


def a_world() -> World:
    """A deployment on the stream, swept at noon; alice has used 500 of 1,000 tokens."""
    return _worlds()()


@cache
def _worlds() -> Callable[[], World]:
    world = World()
    world.metering(Metering.STREAM)
    world.quota()
    world.stream("alice", NOON, 500)
    world.sweep(NOON)
    return same_again(world)


@pytest.fixture
def world() -> World:
    return a_world()


def edited(world: World, at: datetime = AT) -> Report:
    """The table's stream wakes the enforcer, in whichever process."""
    return world.enforcer().edited(at)


def removed(world: World) -> None:
    world.quotas.delete("user/alice", "daily")


def history(world: World, who: str | None = "user/alice") -> list[str]:
    """The edits that the history knows, of somebody or of the deployment."""
    whose = None if who is None else principal(who)
    past = world.ledger.history(whose)
    return [f"{each.quota}: {each.reason}" for each in past if each.kind is NoticeKind.EDITED]


def test_the_history_says_what_changed_and_by_whom(world: World) -> None:
    world.quota(limit=2000, warn_at=[50, 90])
    edited(world)
    world.quota(limit=3000, warn_at=[50, 90], edited_by="arn:admin")
    edited(world, AT + SECONDS)
    removed(world)
    edited(world, AT + 2 * SECONDS)
    past = [each for each in world.ledger.history(ALICE) if each.kind is NoticeKind.EDITED]
    assert [(each.reason, each.by) for each in past] == [
        ("added: measure total_tokens, limit 1,000, window day", "see CloudTrail"),
        ("limit 1,000 -> 2,000, warn_at - -> 50,90", "see CloudTrail"),
        ("limit 2,000 -> 3,000", "arn:admin"),
        ("removed: measure total_tokens, limit 3,000, window day, warn_at 50,90", "see CloudTrail"),
    ]
    assert {each.whom or each.principal for each in past} == {"user/alice"}


def test_edits_are_sent_to_nobody(world: World) -> None:
    world.quota(limit=2000)
    edited(world)
    world.sweep(NOON + 30 * MINUTES)
    assert (world.told(), world.ledger.outbox(NOON + 5 * HOUR)) == ([], [])


def test_three_edits_of_one_moment_are_three(world: World) -> None:
    for limit in (2000, 1000, 2000):
        world.quota(limit=limit)
        edited(world)
    assert history(world)[1:] == [
        "daily: limit 1,000 -> 2,000",
        "daily: limit 2,000 -> 1,000",
        "daily: limit 1,000 -> 2,000",
    ]


def test_what_is_mended_to_what_it_was_is_noted_as_valid_again(world: World) -> None:
    world.quota(limit="lots")
    edited(world)
    world.quota()
    edited(world, AT + SECONDS)
    assert history(world)[1:] == ["daily: valid again"]


def test_an_edit_without_effect_is_no_news_twice(world: World) -> None:
    world.quota(note="for the paper")
    assert (edited(world).looked_at, history(world)[1:]) == (0, ["daily: note - -> for the paper"])
    world.ledger.writes.clear()
    assert edited(world, AT + SECONDS).edits == 0
    assert world.ledger.writes == []


@pytest.mark.parametrize("first", ["sweep", "edit"])
def test_an_edit_is_noted_once_whoever_sees_it_first(world: World, first: str) -> None:
    world.quota(limit=400)
    if first == "sweep":
        world.sweep(AT)
    for second in range(3):
        edited(world, AT + second * SECONDS)
    world.sweep(NOON + 5 * MINUTES)
    assert history(world)[1:] == ["daily: limit 1,000 -> 400"]
    assert world.told("user/alice") == ["blocked"]


class Between:
    """Does something once: just before the nth access to what is outside.

    Nothing that others see changes between two accesses, so these are all the moments there are;
    after the last access `last` does it.
    """

    def __init__(self, nth: int) -> None:
        self.was_last = False
        self._left = nth
        self._do: Callable[[], object] | None = None

    def comes(self, world: World, do: Callable[[], object]) -> None:
        """From here on the moments count."""
        self._do = do
        for fake in (world.ledger, world.quotas, world.denies):
            for name in METHODS[type(fake)]:
                setattr(fake, name, self._hooked(getattr(fake, name)))

    def last(self) -> None:
        self.was_last = self._do is not None
        self._now()

    def _now(self) -> None:
        do, self._do = self._do, None
        if do is not None:
            do()

    def _hooked(self, method: Callable[..., object]) -> Callable[..., object]:
        def hooked(*args: object, **kwargs: object) -> object:
            self._moment()
            return method(*args, **kwargs)

        return hooked

    def _moment(self) -> None:
        self._left -= 1
        if self._left == -1:
            self._now()


METHODS: dict[type, list[str]] = {
    kind: [
        name for name, _ in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")
    ]
    for kind in (FakeLedger, FakeQuotas, FakeDenies)
}
"""The public ones of each fake, each call of which is a moment."""


def at_each_moment(test: Callable[..., None]) -> Callable[..., None]:
    """The test in a new world for each moment that there is, and once after all of them."""

    def all_of_them(**table: object) -> None:
        for moment in count():
            between = Between(moment)
            try:
                test(a_world(), between, **table)
            except Exception as error:
                error.add_note(f"at moment {moment}")
                raise
            if between.was_last:
                assert moment > FEWEST
                return

    given = list(signature(test).parameters.values())[2:]
    all_of_them.__signature__ = Signature(given)  # type: ignore[attr-defined]  # pytest reads it
    return all_of_them


FEWEST = 2
"""Moments that every actor has; with fewer, nothing would have come between."""
ACTORS: dict[str, Callable[[World], Any]] = {
    "edit": lambda world: edited(world, AT + SECONDS),
    "sweep": lambda world: world.sweep(AT + SECONDS),
    "wake": lambda world: world.enforcer().wake([ALICE], AT + SECONDS),
}


@pytest.mark.parametrize("one", list(ACTORS))
@pytest.mark.parametrize("other", ["edit", "sweep"])
@at_each_moment
def test_whoever_acts_on_an_older_limit_never_has_the_last_word(
    world: World, between: Between, one: str, other: str
) -> None:
    """Whenever the limit is raised meanwhile, alice is open at once, and each edit noted once."""
    world.quota(limit=400)

    def newer() -> None:
        world.quota(limit=5000)
        ACTORS[other](world)

    between.comes(world, newer)
    ACTORS[one](world)
    between.last()
    assert world.denied == set()
    edited(world, AT + 2 * SECONDS)
    world.sweep(NOON + 5 * MINUTES)
    assert world.denied == set()
    edits = history(world)[1:]
    assert len(edits) == len(set(edits))
    assert edits[-1].endswith(" -> 5,000")
    assert world.ledger.state().unsettled == ""
    assert world.sweep(NOON + 20 * MINUTES).looked_at == 0


def test_whoever_ends_by_older_rules_has_everybody_looked_at_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From an edit on, each write by what was before it is refused; this is the net below that."""
    world.stream("alice", NOON, 600)
    looked_at = world.ledger.looked_at

    def meanwhile(seen: Any) -> None:
        monkeypatch.undo()
        world.quota(limit=5000)
        assert edited(world, AT + SECONDS).edits == 1
        assert world.ledger.state().unsettled == ""
        looked_at(seen)

    monkeypatch.setattr(world.ledger, "looked_at", meanwhile)
    world.enforcer().wake([ALICE], AT + SECONDS)
    assert sorted(world.told("user/alice")) == ["blocked", "restored"]
    assert world.ledger.state().unsettled != ""
    assert world.sweep(NOON + 5 * MINUTES).looked_at == 1
    assert (world.denied, world.ledger.state().unsettled) == (set(), "")


@pytest.mark.parametrize("one", list(ACTORS))
@at_each_moment
def test_an_edit_taken_back_while_somebody_acts_on_it_is_taken_back(
    world: World, between: Between, one: str
) -> None:
    """Nobody may see a difference any more, and yet whoever it concerned ends up as before."""
    world.quota(limit=400)

    def back() -> None:
        world.quota()
        edited(world, AT + SECONDS)

    between.comes(world, back)
    ACTORS[one](world)
    between.last()
    edited(world, AT + 2 * SECONDS)
    world.sweep(NOON + 5 * MINUTES)
    assert world.denied == set()
    assert world.ledger.records([ALICE])[ALICE].due is None


@pytest.mark.parametrize("one", ["edit", "sweep"])
@pytest.mark.parametrize("other", list(ACTORS))
@at_each_moment
def test_two_who_see_an_edit_at_once_note_and_tell_it_once(
    world: World, between: Between, one: str, other: str
) -> None:
    world.quota(limit=400)
    world.quota(principal="user/bob", limit="lots")
    between.comes(world, lambda: ACTORS[other](world))
    ACTORS[one](world)
    between.last()
    world.sweep(NOON + 20 * MINUTES)
    assert history(world)[1:] == ["daily: limit 1,000 -> 400"]
    assert sorted(world.told()) == [
        "user/alice blocked", "user/bob invalid-quota",
    ]  # fmt: skip


@pytest.mark.parametrize("one", list(ACTORS))
@at_each_moment
def test_an_end_that_an_edit_sets_is_not_forgotten_by_who_does_not_know_it(
    world: World, between: Between, one: str
) -> None:
    """Nothing else changes for alice, so a record by the older quota is as good to write."""
    world.quota(principal="default", limit=500)
    world.stream("alice", NOON, 400)
    world.sweep(NOON)
    assert world.denied == set()
    world.quota(note="looked at")

    def newer() -> None:
        world.quota(until="2026-11-24T18:00")
        edited(world, AT + SECONDS)

    between.comes(world, newer)
    ACTORS[one](world)
    between.last()
    world.sweep(NOON + 5 * MINUTES)
    world.sweep(NOON + 6 * HOUR)
    assert world.denied == {"user/alice"}


@pytest.mark.parametrize("one", list(ACTORS))
@at_each_moment
def test_the_end_of_a_raise_is_never_forgotten(world: World, between: Between, one: str) -> None:
    """Whoever knows the limit before it, and whenever the raise comes, it ends by the clock."""
    world.stream("alice", NOON, 400)
    world.wake(NOON, "user/alice")
    world.stream("alice", NOON, 700)
    world.another_process()

    def newer() -> None:
        world.quota(raise_to=5000, raise_until="2026-11-24T18:00")
        edited(world, AT + SECONDS)

    between.comes(world, newer)
    ACTORS[one](world)
    between.last()
    world.sweep(NOON + 5 * MINUTES)
    assert world.denied == set()
    world.sweep(NOON + 6 * HOUR)
    assert world.denied == {"user/alice"}


@pytest.mark.parametrize("one", ["edit", "sweep"])
@at_each_moment
def test_the_meters_never_keep_an_older_price(world: World, between: Between, one: str) -> None:
    def price(dollars: int) -> None:
        world.quotas.put({"principal": "price/a.b", "quota": "price", "input": dollars})

    def newer() -> None:
        price(2)
        edited(world, AT + SECONDS)

    price(1)
    between.comes(world, newer)
    ACTORS[one](world)
    between.last()
    assert world.ledger.meter_rules().prices["a.b"].input == Decimal(2) / 1_000_000


@pytest.mark.parametrize("crash", range(16))
def test_a_crash_between_any_two_writes_is_healed_when_lambda_tries_again(
    world: World, crash: int
) -> None:
    world.quota(limit=400)
    world.quota(principal="user/bob", limit="lots")
    world.ledger.writes.clear()
    world.ledger.fails_at = crash
    with suppress(ConnectionError):
        edited(world)
    world.ledger.fails_at = None
    edited(world, AT + SECONDS)
    world.sweep(NOON + 20 * MINUTES)
    assert world.denied == {"user/alice"}
    assert set(world.told()) == {
        "user/alice blocked", "user/bob invalid-quota",
    }  # fmt: skip
    assert history(world)[1:] == ["daily: limit 1,000 -> 400"]
    assert world.sweep(NOON + 40 * MINUTES).looked_at == 0


@pytest.mark.parametrize("crash", range(10))
@pytest.mark.parametrize("another", [False, True])
def test_an_edit_taken_back_after_a_crash_leaves_nobody_blocked(
    world: World,
    crash: int,
    another: bool,  # noqa: FBT001 - a table
) -> None:
    """Nobody sees a change any more, and yet whoever it concerned is looked at."""
    world.quota(limit=400)
    world.ledger.writes.clear()
    world.ledger.fails_at = crash
    with suppress(ConnectionError):
        edited(world)
    world.ledger.fails_at = None
    world.quota()
    if another:
        world.quota(principal="user/bob")
    edited(world, AT + SECONDS)
    world.sweep(NOON + 5 * MINUTES)
    assert world.denied == set()


def test_what_fails_in_the_middle_is_news_until_it_succeeds(world: World) -> None:
    """So Lambda's next try goes on with it, and the sweep if that fails too."""
    world.quota(principal="user/bob", limit=0)
    world.quota(limit=400)
    world.denies.refuse[ALICE] = ConnectionError("IAM is away")
    assert edited(world).failures == ["user/alice: ConnectionError: IAM is away"]
    assert (world.denied, history(world)[1:]) == ({"user/bob"}, [])
    world.denies.refuse.clear()
    assert edited(world, AT + SECONDS).failures == []
    assert world.denied == {"user/alice", "user/bob"}
    assert history(world)[1:] == ["daily: limit 1,000 -> 400"]
    assert world.told("user/bob") == ["blocked"]
