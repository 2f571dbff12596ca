"""Denying in member accounts: where, what is tried again, what stops nobody else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from builders import NOON
from fakes import FakeAuthor
from quota_enforcer.core.deployment import Metering
from quota_enforcer.core.usage.place import Place
from world import World, principal

THERE, FAR = "444455556666", "555566667777"
BOB, NAMESAKE = f"{THERE}/user/bob", f"{FAR}/user/bob"
MINUTES = timedelta(minutes=1)
LOST = "sts:AssumeRole: AccessDenied"


@pytest.fixture
def world() -> World:
    """A deployment with two member accounts and a limit for every user of each."""
    world = World()
    world.metering(Metering.STREAM)
    world.member(THERE, FAR)
    for account in ("", f"{THERE}/", f"{FAR}/"):
        world.quota(principal=f"{account}user/*")
    return world


def over(world: World, at: datetime = NOON) -> None:
    """Bob of two accounts and alice of home use up their limits."""
    for who, account in (("bob", THERE), ("bob", FAR), ("alice", world.settings.account)):
        world.stream(who, at, 1200, account=account)
    world.ledger.marks["batch"] = frozenset(map(principal, (BOB, NAMESAKE, "user/alice")))


def everybody_denied(world: World) -> list[str]:
    return sorted(str(who) for who, scopes in world.denies.attached.items() if scopes)


def test_who_is_over_in_a_member_account_is_denied_there_and_no_namesake_is(world: World) -> None:
    world.stream("bob", NOON, 1200, account=THERE)
    world.stream("bob", NOON, 10)
    world.wake(NOON + MINUTES, BOB, "user/bob")
    assert everybody_denied(world) == [BOB]
    assert world.told(BOB) == ["blocked"]
    world.sweep(datetime(2026, 11, 25, tzinfo=UTC))
    assert everybody_denied(world) == []
    assert world.told(BOB) == ["blocked", "restored"]


def test_without_a_satellite_nobody_can_be_denied_and_admins_are_told_why(world: World) -> None:
    world.satellites.places.clear()
    over(world)
    report = world.sweep(NOON + MINUTES)
    assert everybody_denied(world) == ["user/alice"]
    assert not report.failures
    assert world.told(BOB) == ["warning", "could-not-deny"]
    assert world.denies.reached == []


def test_a_satellite_that_comes_later_denies_whoever_is_over_by_then(world: World) -> None:
    world.satellites.places.clear()
    over(world)
    world.sweep(NOON + MINUTES)
    world.satellites.places.add(Place(THERE, "eu-west-1"))
    world.sweep(NOON + 6 * MINUTES)
    assert everybody_denied(world) == [BOB, "user/alice"]


def test_an_account_out_of_reach_stops_no_other_and_is_told_once(world: World) -> None:
    world.denies.lost[THERE] = LOST
    over(world)
    for at in (5, 10, 15, 75):
        report = world.sweep(NOON + at * MINUTES)
        assert report.failures == []
        assert report.unreachable == [THERE]
    assert everybody_denied(world) == [NAMESAKE, "user/alice"]
    notices = [each for each, _ in world.topic.sent if each.kind == "account-unreachable"]
    assert [(each.quota, each.reason) for each in notices] == [(THERE, LOST)]
    assert world.told(BOB) == []


def test_once_it_is_reached_they_are_denied_and_told_and_a_new_loss_is_told_again(
    world: World,
) -> None:
    world.denies.lost[THERE] = LOST
    over(world)
    world.sweep(NOON + 5 * MINUTES)
    world.denies.lost.clear()
    assert world.sweep(NOON + 10 * MINUTES).unreachable == [THERE]  # until all are asked
    assert BOB in everybody_denied(world)
    assert world.told(BOB) == ["blocked"]
    assert world.sweep(NOON + 65 * MINUTES).unreachable == []
    world.denies.lost[THERE] = LOST
    assert world.sweep(NOON + 125 * MINUTES).unreachable == [THERE]
    assert [each for each in world.told() if "unreachable" in each] == [" account-unreachable"] * 2


def test_whoever_waits_for_an_account_costs_no_write_in_each_sweep(world: World) -> None:
    world.denies.lost[THERE] = LOST
    over(world)
    for at in (5, 10):
        world.sweep(NOON + at * MINUTES)
    before = len(world.ledger.writes)
    world.sweep(NOON + 15 * MINUTES)
    assert {name for name, _ in world.ledger.writes[before:]} <= {"begin", "finish", "looked_at"}


def test_who_is_denied_in_an_account_out_of_reach_is_not_called_restored(world: World) -> None:
    over(world)
    world.sweep(NOON + 5 * MINUTES)
    world.denies.lost[THERE] = LOST
    midnight = datetime(2026, 11, 25, tzinfo=UTC)
    world.sweep(midnight)
    assert everybody_denied(world) == [BOB]
    assert "restored" not in world.told(BOB)
    assert "restored" in world.told(NAMESAKE)
    world.denies.lost.clear()
    world.sweep(midnight + 5 * MINUTES)
    assert everybody_denied(world) == []
    assert world.told(BOB)[-1] == "restored"


def test_a_wake_for_somebody_out_of_reach_tells_and_leaves_them_to_the_next_sweep(
    world: World,
) -> None:
    world.denies.lost[THERE] = LOST
    world.stream("bob", NOON, 1200, account=THERE)
    assert world.wake(NOON + MINUTES, BOB).failures == []
    world.wake(NOON + 2 * MINUTES, BOB)
    assert world.told() == [" account-unreachable"]
    world.denies.lost.clear()
    world.sweep(NOON + 5 * MINUTES)
    assert everybody_denied(world) == [BOB]


def test_what_others_change_there_is_put_right_within_the_hour(world: World) -> None:
    over(world)
    world.sweep(NOON + 5 * MINUTES)
    world.denies.attached[principal(BOB)].clear()
    world.denies.attached[principal(f"{THERE}/user/eve")] = {"*"}
    report = world.sweep(NOON + 10 * MINUTES)
    assert report.drift == []
    report = world.sweep(NOON + 61 * MINUTES)
    assert sorted(report.drift) == [
        f"the deny of * was attached to {THERE}/user/eve",
        f"the deny of * was detached from {BOB}",
    ]
    assert everybody_denied(world) == [BOB, NAMESAKE, "user/alice"]


def test_what_was_not_asked_is_as_recorded_and_no_reason_to_look_again(world: World) -> None:
    """Between two hourly looks nobody takes a deny of a member account for taken off."""
    over(world)
    world.sweep(NOON + 5 * MINUTES)
    world.denies.calls.clear()
    assert world.sweep(NOON + 30 * MINUTES).looked_at == 0
    world.ledger.marks["another"] = frozenset({principal(BOB)})
    report = world.sweep(NOON + 35 * MINUTES)
    assert (report.looked_at, report.drift) == (1, [])
    assert world.denies.calls == []
    assert world.told(BOB) == ["blocked"]


def test_a_call_that_should_have_been_refused_has_its_account_asked_and_no_other(
    world: World,
) -> None:
    over(world)
    world.sweep(NOON + 5 * MINUTES)
    world.denies.attached[principal(BOB)].clear()
    world.denies.listings.clear()
    late = NOON + 30 * MINUTES
    world.wake(late, BOB, called={principal(BOB): {"anthropic.claude-3-haiku-20240307-v1:0": late}})
    assert set(world.denies.listings) == {frozenset({THERE})}
    assert BOB in everybody_denied(world)


@pytest.mark.parametrize("accounts", [0, 50])
def test_an_idle_sweep_costs_the_same_with_many_accounts(accounts: int) -> None:
    """But for the first of an hour, which asks all of them side by side."""
    world = World()
    world.metering(Metering.STREAM)
    world.member(*(f"4444555566{number:02}" for number in range(accounts)))
    world.quota()
    world.stream("alice", NOON, 1200)
    for minute in (5, 10):
        world.sweep(NOON + minute * MINUTES)
    world.denies.listings.clear()
    writes, reads, quotas = len(world.ledger.writes), world.satellites.reads, world.quotas.reads
    world.sweep(NOON + 15 * MINUTES)
    assert world.denies.listings == [frozenset()]
    assert world.denies.reached == []
    assert world.satellites.reads - reads == 1
    assert world.quotas.reads - quotas == 1
    assert [name for name, _ in world.ledger.writes[writes:]] == ["begin", "finish"]
    world.sweep(NOON + 61 * MINUTES)
    assert len(world.denies.listings[-1]) == accounts


def test_a_satellite_that_was_deleted_took_its_denies_with_it(world: World) -> None:
    """No policy can be deleted that somebody has; so nobody of that account is denied any more."""
    over(world)
    world.sweep(NOON + 5 * MINUTES)
    del world.denies.attached[principal(BOB)]
    world.satellites.places = {Place(FAR, "eu-west-1")}
    report = world.sweep(NOON + 10 * MINUTES)
    assert report.failures == report.unreachable == []
    assert THERE not in world.denies.reached[2:]
    assert not world.ledger.records([principal(BOB)])[principal(BOB)].standing.denied
    assert everybody_denied(world) == [NAMESAKE, "user/alice"]


def test_an_account_that_left_the_organisation_is_forgotten_with_its_satellite(
    world: World,
) -> None:
    """Until then it is out of reach; whoever is denied there is never called restored before."""
    over(world)
    world.sweep(NOON + 5 * MINUTES)
    world.denies.lost[THERE] = LOST
    midnight = datetime(2026, 11, 25, tzinfo=UTC)
    assert world.sweep(midnight).unreachable == [THERE]
    assert "restored" not in world.told(BOB)
    world.satellites.places = {Place(FAR, "eu-west-1")}
    assert world.sweep(midnight + 5 * MINUTES).unreachable == []
    assert not world.ledger.blocked()


def test_two_stacks_in_one_account_are_one_account(world: World) -> None:
    world.satellites.places.add(Place(THERE, "us-west-2"))
    over(world)
    world.sweep(NOON + 5 * MINUTES)
    assert world.denies.reached.count(THERE) == 1


def test_the_end_of_home_releases_member_accounts_and_says_which_it_could_not(
    world: World,
) -> None:
    over(world)
    world.sweep(NOON + 5 * MINUTES)
    world.denies.lost[FAR] = LOST
    ended = world.enforcer().close(NOON + 10 * MINUTES)
    assert sorted(ended.released) == [BOB, "user/alice"]
    assert ended.unreachable == [FAR]
    assert everybody_denied(world) == [NAMESAKE]
    (notice,) = (each for each, _ in world.topic.sent if each.kind == "account-unreachable")
    assert notice.quota == FAR
    assert "stays denied until the satellite of that account is deleted" in notice.reason


def test_regions_of_the_home_account_make_no_member(world: World) -> None:
    world.settings = replace(world.settings, satellites="regions")
    over(world)
    world.sweep(NOON + 5 * MINUTES)
    assert world.satellites.reads == 0
    assert everybody_denied(world) == ["user/alice"]


class TestGates:
    """People and sessions of shared roles, whom the author denies."""

    ANN = "sso/ann@example.com"
    RUN = f"{THERE}/session/ci/42"

    @pytest.fixture
    def author(self, world: World) -> FakeAuthor:
        author = world.keep_gates()
        world.quota(principal="sso/*")
        world.quota(principal=f"{THERE}/session/ci/*")
        for who in ("sso:ann@example.com", "role:ci/42"):
            world.appear(who, NOON, account=THERE)
        world.appear("sso:ann@example.com", NOON)
        for who in ("sso:ann@example.com", "role:ci/42"):
            world.stream(who, NOON, 1200, account=THERE)
        world.ledger.marks["batch"] = frozenset(map(principal, (self.ANN, self.RUN)))
        return author

    def test_the_author_learns_in_which_account_each_role_is(
        self, world: World, author: FakeAuthor
    ) -> None:
        world.sweep(NOON + 5 * MINUTES)
        assert author.denied == {principal(self.ANN): {"*"}, principal(self.RUN): {"*"}}
        intents = {str(each.principal): each.roles for each in world.ledger.gate_intents()}
        set_ = "AWSReservedSSO_Developer_0123456789abcdef"
        assert intents == {self.ANN: {set_, f"{THERE}/{set_}"}, self.RUN: {f"{THERE}/ci"}}

    def test_every_account_is_looked_at_once_an_hour(
        self, world: World, author: FakeAuthor
    ) -> None:
        for minutes in (5, 10, 61, 66):
            world.sweep(NOON + minutes * MINUTES)
        assert author.everywhere == [True, False, True, False]

    def test_without_member_accounts_there_is_no_difference(self) -> None:
        world = World()
        author = world.keep_gates()
        for minutes in (5, 10):
            world.sweep(NOON + minutes * MINUTES)
        assert author.everywhere == [True, True]

    def test_a_person_is_called_blocked_and_admins_hear_in_which_account_they_are_not(
        self, world: World, author: FakeAuthor
    ) -> None:
        author.unreachable = {THERE: LOST}
        author.partly = True
        author.trouble = {principal(self.ANN): f"account {THERE} cannot be reached: {LOST}"}
        for minutes in (5, 10):
            report = world.sweep(NOON + minutes * MINUTES)
            assert report.unreachable == [THERE]
            assert report.failures == []
        assert world.told(self.ANN) == ["blocked", "could-not-deny"]
        assert world.told().count(" account-unreachable") == 1

    def test_the_end_says_in_which_accounts_gates_could_not_be_emptied(
        self, world: World, author: FakeAuthor
    ) -> None:
        world.sweep(NOON + 5 * MINUTES)
        author.unreachable = {FAR: LOST}
        ended = world.enforcer().close(NOON + 10 * MINUTES)
        assert ended.unreachable == [FAR]
        assert sorted(ended.released) == [self.RUN, self.ANN]
