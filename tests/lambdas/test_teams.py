"""The teams function: what a run writes and tells, and that the breaker looks at it too."""

from datetime import timedelta
from typing import Any

import pytest

from builders import NOON
from cli_world import AdminTable
from fakes import FakeQuotas
from quota_enforcer.core.deployment import Mode
from quota_enforcer.core.errors import ConfigError
from quota_enforcer.core.quotas.item import Item
from quota_enforcer.insight.quotas.teams.reading import TeamEntry, TeamsReading, Unread
from quota_enforcer.insight.quotas.teams.source import TeamSource
from quota_enforcer.lambdas.teams.keeping import TeamsKept, TeamsNotInStep, check, keep
from quota_enforcer.lambdas.teams.settings import TeamsSettings
from template_values import Deployed, teams_kept
from world import ACCOUNT, World

SOURCE = TeamSource.parse("iam:team")
BY = "the schedule of the stack, from iam:team"


def reading(*unread: Unread, **teams: str) -> TeamsReading:
    entries = [
        TeamEntry(team, f"user/{who}", who) for team, all_ in teams.items() for who in all_.split()
    ]
    return TeamsReading(tuple(entries), unread)


def run(table: Any, said: TeamsReading) -> TeamsKept:
    return keep(lambda _: said, table, SOURCE, ACCOUNT)


@pytest.fixture
def table() -> AdminTable:
    return AdminTable(FakeQuotas())


def test_it_writes_what_has_changed_and_signs_it(table: AdminTable) -> None:
    assert run(table, reading(x="a b")).written == ["team/x"]
    assert table.get("team/x", "members") == {
        "principal": "team/x", "quota": "members", "members": ["user/a", "user/b"],
        "kept_in": "iam:team", "edited_by": BY,
    }  # fmt: skip
    again = run(table, reading(x="a b"))
    assert again.written == []
    check(again)


def test_what_is_refused_is_an_error_after_the_rest_is_written(table: AdminTable) -> None:
    run(table, reading(x="a b c"))
    kept = run(table, reading(x="a", y="d"))
    assert kept.written == ["team/y"]
    with pytest.raises(
        TeamsNotInStep, match=r"team/x: 2 of 3 would leave .* --allow-shrink team/x"
    ):
        check(kept)
    stored = table.get("team/x", "members") or {}
    assert stored["members"] == ["user/a", "user/b", "user/c"]


@pytest.mark.parametrize(("team", "told"), [("x", True), ("*", True), ("", False)])
def test_what_could_not_be_read_is_told_if_it_may_be_of_a_team(
    table: AdminTable, team: str, *, told: bool
) -> None:
    kept = run(table, reading(Unread(team, "line 3", "it is broken"), x="a"))
    assert kept.written == ["team/x"]
    assert ("line 3: it is broken" in kept.to_json()["doubts"]) is told


def test_a_team_that_cannot_be_written_stops_no_other(table: AdminTable) -> None:
    class Broken(AdminTable):
        def put(self, item: Item, expected: Item | None) -> None:
            if item["principal"] == "team/x":
                raise TimeoutError("DynamoDB does not answer")
            super().put(item, expected)

    kept = run(Broken(table.quotas), reading(x="a", y="b"))
    assert kept.written == ["team/y"]
    with pytest.raises(TeamsNotInStep, match="team/x: TimeoutError: DynamoDB does not answer"):
        check(kept)


def test_an_admins_edit_meanwhile_stays_and_is_no_error(table: AdminTable) -> None:
    table.overtaken = True
    kept = run(table, reading(x="a"))
    assert kept.written == []
    check(kept)


def test_a_source_that_cannot_be_read_at_all_changes_nothing(table: AdminTable) -> None:
    def fails(_: TeamSource) -> TeamsReading:
        raise TimeoutError("IAM does not answer")

    run(table, reading(x="a"))
    with pytest.raises(TimeoutError):
        keep(fails, table, SOURCE, ACCOUNT)
    assert (table.get("team/x", "members") or {})["members"] == ["user/a"]


class TestAsAnEdit:
    @pytest.fixture
    def world(self) -> World:
        """Thirty people have used more than a team's limit, which nobody else has."""
        world = World(Mode.ENFORCE)
        world.quota(principal="team/x", quota="members", members=["user/z"], kept_in="iam:team")
        item = world.quotas.table["team/x", "members"]
        world.quotas.table["team/x", "members"] = {
            name: item[name] for name in ("principal", "quota", "members", "kept_in")
        }
        world.quota(principal="team/x", quota="daily", limit=1_000)
        for number in range(30):
            world.call(f"p{number}", NOON - timedelta(minutes=30), 1_500)
        world.sweep(NOON)
        return world

    def test_whoever_joins_is_held_to_the_limit_and_the_history_says_who_did_it(
        self, world: World
    ) -> None:
        run(AdminTable(world.quotas), reading(x="z p1"))
        world.sweep(NOON + timedelta(minutes=5))
        assert world.denied == {"user/p1"}
        told = [each for each in world.ledger.whole_history() if each.principal == "team/x"]
        assert BY in {each.by for each in told}

    def test_the_breaker_holds_whom_a_reading_would_block_in_masses(self, world: World) -> None:
        everybody = " ".join(f"p{number}" for number in range(30))
        run(AdminTable(world.quotas), reading(x=f"z {everybody}"))
        world.sweep(NOON + timedelta(minutes=5))
        assert world.denied == set()


class TestSettings:
    def test_the_template_tells_it_what_it_reads(self) -> None:
        given = Deployed(**teams_kept("iam:team")).environment("TeamsFunction")
        settings = TeamsSettings.from_environment(given)
        assert settings.source == SOURCE
        assert (settings.role, settings.region) == ("TeamsReaderRole.Arn", "us-east-1")
        there = {"TeamsReader": "arn:aws:iam::444455556666:role/r", "TeamsRegion": "eu-west-1"}
        given = Deployed(**teams_kept("identity-center:b-*"), **there).environment("TeamsFunction")
        settings = TeamsSettings.from_environment(given)
        assert (settings.role, settings.region) == tuple(there.values())

    @pytest.mark.parametrize("source", ["identity-center:a*b", "s3://x", "iam: "])
    def test_a_source_that_it_cannot_read_is_named(self, source: str) -> None:
        given = Deployed(**teams_kept(source)).environment("TeamsFunction")
        with pytest.raises(ConfigError, match="parameters TeamsFrom and TeamsName"):
            TeamsSettings.from_environment(given)

    def test_all_that_is_missing_is_named_at_once(self) -> None:
        with pytest.raises(ConfigError, match="TEAMS_FROM is not set; ACCOUNT_ID is not set"):
            TeamsSettings.from_environment({})


def test_the_error_of_a_run_names_ten_and_says_how_many_more(table: AdminTable) -> None:
    kept = run(table, reading())
    kept.failed = [f"team/t{number}: Throttled: slow down" for number in range(12)]
    with pytest.raises(TeamsNotInStep) as told:
        check(kept)
    assert "team/t9: Throttled" in str(told.value)
    assert "team/t10" not in str(told.value)
    assert str(told.value).endswith("; and 2 more. `quota-enforcer teams preview` shows all of it")
