"""A pool of whole accounts or kinds: whoever is known there is in it, from the first call on."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from builders import NOON
from quota_enforcer.core.deployment import Metering
from quota_enforcer.core.errors import Conflict
from quota_enforcer.core.ledger import Record
from world import World, principal

MINUTES = timedelta(minutes=1)
MIDNIGHT = datetime(2026, 11, 25, tzinfo=UTC)
TEAM = "team/guests"
GUESTS, OTHERS = "444455556666", "555566667777"
BEN, JOB = f"{GUESTS}/user/ben", f"{GUESTS}/role/job"
DEE = f"{OTHERS}/user/dee"


def pool(world: World, *members: str, **but: Any) -> None:
    """An admin writes one limit of 1,000 total tokens a day for all of these together."""
    world.quota(**{"principal": TEAM, "members": list(members), "share": "pool", **but})


def denied(world: World) -> set[str]:
    """Whom IAM denies in all accounts."""
    return {str(who) for who, scopes in world.denies.attached.items() if scopes}


def edited(world: World, at: datetime) -> None:
    """The enforcer finds the edits."""
    world.enforcer().edited(at)


def used(world: World, who: str, at: datetime, tokens: int) -> None:
    """Somebody calls where they are, and the meter wakes the enforcer for them."""
    account, _, own = who.partition("/") if who[0].isdigit() else ("", "", who)
    kind, _, name = own.partition("/")
    called = f"role:{name}/1" if kind == "role" else name
    world.stream(called, at, tokens, place=f"{account}/eu-west-1" if account else "")
    world.wake(at, who)


@pytest.fixture
def world() -> World:
    """Two member accounts, of which the pool has one; everybody has called once."""
    world = World()
    world.metering(Metering.STREAM)
    world.member(GUESTS, OTHERS)
    pool(world, f"{GUESTS}/*")
    for who in (BEN, JOB, DEE, "user/alice"):
        used(world, who, NOON, 300)
    world.sweep(NOON)
    assert denied(world) == set()
    return world


@pytest.fixture
def spent(world: World) -> World:
    """A minute later a user of the account uses up what is left."""
    used(world, BEN, NOON + MINUTES, 400)
    return world


def test_the_call_that_spends_it_denies_the_account_and_nobody_else(spent: World) -> None:
    assert denied(spent) == {BEN, JOB}
    assert [spent.told(who) for who in (TEAM, BEN, JOB, DEE)] == [["blocked"]] * 3 + [[]]


def test_who_appears_later_is_denied_with_the_first_call_that_is_metered(spent: World) -> None:
    late = f"{GUESTS}/role/late"
    used(spent, late, NOON + 2 * MINUTES, 1)
    assert denied(spent) == {BEN, JOB, late}
    assert spent.told(late) == ["blocked"]


def test_what_somebody_new_uses_counts_at_once(world: World) -> None:
    used(world, f"{GUESTS}/user/new", NOON + MINUTES, 400)
    assert denied(world) == {BEN, JOB, f"{GUESTS}/user/new"}


def test_a_sweep_says_the_same_as_the_wakes(spent: World) -> None:
    report = spent.sweep(NOON + 5 * MINUTES)
    assert (denied(spent), report.drift, report.failures) == ({BEN, JOB}, [], [])


def test_a_sweep_finds_what_no_wake_came_for(world: World) -> None:
    world.stream("ben", NOON + MINUTES, 400, place=f"{GUESTS}/eu-west-1")
    world.ledger.marks["12:01"] = frozenset({principal(BEN)})
    world.sweep(NOON + 5 * MINUTES)
    assert denied(world) == {BEN, JOB}


def test_the_next_day_frees_everybody(spent: World) -> None:
    spent.sweep(MIDNIGHT)
    assert denied(spent) == set()
    assert [spent.told(who)[-1] for who in (TEAM, BEN, JOB)] == ["restored"] * 3


@pytest.mark.parametrize(
    ("edit", "left"),
    [
        pytest.param({"limit": 5000}, set(), id="a higher limit"),
        pytest.param({"members": [f"{OTHERS}/*"]}, set(), id="another account"),
        pytest.param({"members": [f"{GUESTS}/user/*"], "limit": 600}, {BEN}, id="only its users"),
    ],
)
def test_an_edit_frees_whom_it_concerns(spent: World, edit: dict[str, Any], left: set[str]) -> None:
    pool(spent, f"{GUESTS}/*", **edit)
    edited(spent, NOON + 2 * MINUTES)
    assert denied(spent) == left


def test_without_the_item_everybody_is_free(spent: World) -> None:
    spent.quotas.delete(TEAM, "daily")
    edited(spent, NOON + 2 * MINUTES)
    assert denied(spent) == set()


def test_an_edit_that_makes_the_pool_denies_whoever_is_known(world: World) -> None:
    pool(world, f"{OTHERS}/*", f"{GUESTS}/role/*", limit=600)
    edited(world, NOON + MINUTES)
    assert denied(world) == {DEE, JOB}


def test_several_accounts_a_kind_and_people_by_name_share_one_limit(world: World) -> None:
    pool(world, f"{GUESTS}/*", f"{OTHERS}/user/*", "user/alice", limit=1300)
    edited(world, NOON + MINUTES)
    assert denied(world) == set()
    used(world, "user/alice", NOON + 2 * MINUTES, 100)
    assert denied(world) == {BEN, JOB, DEE, "user/alice"}


def test_a_kind_of_all_accounts_shares_too(world: World) -> None:
    pool(world, "role/*", limit=400)
    edited(world, NOON + MINUTES)
    used(world, "role/ci", NOON + 2 * MINUTES, 100)
    assert denied(world) == {JOB, "role/ci"}


def test_a_members_own_quota_beats_the_pool_and_what_they_use_still_counts(world: World) -> None:
    world.quota(principal=BEN, limit=9000)
    edited(world, NOON + MINUTES)
    used(world, BEN, NOON + 2 * MINUTES, 400)
    assert denied(world) == {JOB}


def test_each_of_an_account_may_have_the_teams_quota(world: World) -> None:
    pool(world, f"{GUESTS}/*", share="each", limit=400)
    edited(world, NOON + MINUTES)
    used(world, BEN, NOON + 2 * MINUTES, 100)
    assert denied(world) == {BEN}


def test_the_team_item_may_name_the_account(world: World) -> None:
    world.quota(
        principal=TEAM, quota="members", members=[f"{OTHERS}/*"],
        measure=None, limit=None, window=None,
    )  # fmt: skip
    world.quota(principal=TEAM, quota="little", share="pool", limit=300)
    edited(world, NOON + MINUTES)
    assert denied(world) == {DEE}


def test_nobody_else_is_read_for_a_pool_of_names(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool(world, BEN, JOB)
    edited(world, NOON + MINUTES)
    monkeypatch.setattr(world.ledger, "everybody", pytest.fail)
    used(world, BEN, NOON + 2 * MINUTES, 400)
    assert denied(world) == {BEN, JOB}


def test_whom_another_run_wrote_first_is_decided_about_by_all_who_are_known(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, overtaken = world.ledger.put, list[Record]()

    def later(record: Record, *rest: Any, **more: Any) -> None:
        if str(record.principal) == JOB and not overtaken:
            overtaken.append(record)
            raise Conflict("another run was first")
        put(record, *rest, **more)

    monkeypatch.setattr(world.ledger, "put", later)
    used(world, BEN, NOON + MINUTES, 400)
    assert overtaken
    assert denied(world) == {BEN, JOB}
