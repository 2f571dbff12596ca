"""What a reading of teams would change: a table for each rule, and what holds of any reading."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quota_enforcer.insight.quotas.teams.plan import (
    MOST_LEAVE,
    Permitted,
    TeamsPlan,
    TeamState,
    TeamStep,
    plan_teams,
)
from quota_enforcer.insight.quotas.teams.reading import (
    EVERY_TEAM,
    NO_TEAM,
    TeamEntry,
    TeamsReading,
    Unread,
    of_csv,
    of_entries,
)
from quota_enforcer.insight.quotas.teams.source import (
    InvalidSource,
    SourceKind,
    TeamSource,
    UnreadableTeams,
)

HOME = "111122223333"
SOURCE = TeamSource.parse("iam:team")


def item(team: str, *members: str, kept_in: str | None = "iam:team") -> dict[str, Any]:
    kept = {} if kept_in is None else {"kept_in": kept_in}
    return {"principal": f"team/{team}", "quota": "members", "members": list(members), **kept}


def read(*unread: Unread, **teams: str) -> TeamsReading:
    """`research="a b"` is user/a and user/b in team/research."""
    entries = [
        TeamEntry(team, who if "/" in who or ":" in who else f"user/{who}", f"line {at}")
        for team, several in teams.items()
        for at, who in enumerate(several.split(), start=1)
    ]
    return TeamsReading(tuple(entries), unread)


def plan(
    reading: TeamsReading, *items: dict[str, Any], permitted: Permitted | None = None
) -> TeamsPlan:
    return plan_teams(reading, items, SOURCE, HOME, permitted or Permitted())


def one(reading: TeamsReading, *items: dict[str, Any], **more: Any) -> TeamStep:
    [step] = plan(reading, *items, **more).steps
    return step


class TestChanges:
    def test_a_team_that_is_new_here_is_added(self) -> None:
        step = one(read(research="b a"))
        assert step.state is TeamState.ADDED
        assert step.item == item("research", "user/a", "user/b")

    def test_whoever_joins_leaves_and_stays_is_told(self) -> None:
        stored = item("research", "user/a", "user/b", "user/c") | {"note": "ours"}
        step = one(read(research="a b d"), stored)
        assert (step.joins, step.leaves, step.stay) == (("user/d",), ("user/c",), 2)
        assert step.item == item("research", "user/a", "user/b", "user/d") | {"note": "ours"}

    def test_a_team_that_is_the_same_is_not_written(self) -> None:
        step = one(read(research="b a"), item("research", "user/a", "user/b"))
        assert (step.state, step.item) == (TeamState.SAME, None)

    @pytest.mark.parametrize(
        ("who", "member"),
        [
            (f"arn:aws:iam::{HOME}:user/eng/a", "user/a"),
            (f"arn:aws:iam::{HOME}:role/ci", "role/ci"),
            ("arn:aws:iam::444455556666:user/a", "444455556666/user/a"),
            (f"{HOME}/user/a", "user/a"),
            ("sso/Ana@Example.com", "sso/ana@example.com"),
            ("role/*", "role/*"),
        ],
    )
    def test_members_are_named_as_quotas_name_them(self, who: str, member: str) -> None:
        assert one(read(research=who)).joins == (member,)

    def test_somebody_may_be_in_several_teams(self) -> None:
        several = plan(read(research="a", ops="a"))
        assert [each.joins for each in several.steps] == [("user/a",), ("user/a",)]

    def test_quotas_with_members_of_their_own_are_told(self) -> None:
        own = {"principal": "team/research", "quota": "daily", "members": ["user/z"]}
        [note] = one(read(research="a"), own).notes
        assert "daily" in note
        assert "quota set team/research daily --unset members" in note


class TestRefusals:
    def test_no_team_is_left_with_nobody_in_it(self) -> None:
        step = one(read(), item("research", "user/a"))
        assert step.state is TeamState.REFUSED
        assert "quota remove team/research members" in step.why
        assert step.item is None

    def test_not_even_if_it_may_shrink(self) -> None:
        permitted = Permitted(shrink=frozenset({"team/research"}))
        assert one(read(), item("research", "user/a"), permitted=permitted).item is None

    @pytest.mark.parametrize(
        ("before", "after", "refused"),
        [("a b", "a", False), ("a b c", "a", True), ("a b c d", "a b", False), ("a", "b", True),
         ("a b c d e", "a b x y z", True), ("a b c d e", "a b c x y z", False)],
    )  # fmt: skip
    def test_half_of_a_team_may_leave_and_more_may_not(
        self, before: str, after: str, *, refused: bool
    ) -> None:
        stored = item("research", *(f"user/{each}" for each in before.split()))
        step = one(read(research=after), stored)
        assert (step.state is TeamState.REFUSED) is refused
        assert ("--allow-shrink team/research" in step.why) is refused

    def test_unless_an_admin_says_so(self) -> None:
        stored = item("research", "user/a", "user/b", "user/c")
        permitted = Permitted(shrink=frozenset({"team/research"}))
        step = one(read(research="a"), stored, permitted=permitted)
        assert step.leaves == ("user/b", "user/c")
        assert step.item == item("research", "user/a")

    @pytest.mark.parametrize("kept_in", [None, "identity-center:bedrock-*"])
    def test_a_team_that_is_kept_by_hand_or_elsewhere_is_left_alone(
        self, kept_in: str | None
    ) -> None:
        stored = item("research", "user/a", kept_in=kept_in)
        step = one(read(research="b a"), stored)
        assert (step.state, step.item) == (TeamState.LEFT, None)
        assert "--take-over team/research" in step.why
        permitted = Permitted(take_over=frozenset({"team/research"}))
        assert one(read(research="b a"), stored, permitted=permitted).joins == ("user/b",)

    def test_one_that_is_not_in_the_reading_is_not_even_named(self) -> None:
        assert plan(read(), item("research", "user/a", kept_in=None)).steps == ()

    def test_an_item_that_is_not_valid_is_refused_and_stops_no_other(self) -> None:
        broken = item("ops") | {"members": 5}
        ops, research = plan(read(ops="a", research="a"), broken).steps
        assert ops.state is TeamState.REFUSED
        assert "quota show team/ops members" in ops.why
        assert research.state is TeamState.ADDED


class TestMissingDataIsNotZero:
    @pytest.mark.parametrize(
        ("team", "waits"),
        [("research", True), (EVERY_TEAM, True), (NO_TEAM, False), ("ops", False)],
    )
    def test_nobody_leaves_a_team_that_was_not_read_completely(
        self, team: str, *, waits: bool
    ) -> None:
        reading = read(Unread(team, "line 9", "what it says is gone"), research="a b x")
        made = plan(reading, item("research", "user/a", "user/b", "user/c"))
        step = next(each for each in made.steps if each.team == "team/research")
        assert (step.waits, step.leaves) == ((("user/c",), ()) if waits else ((), ("user/c",)))
        assert step.joins == ("user/x",)
        assert ("line 9" in step.why) is waits
        assert [each.where for each in made.unread] == ["line 9"]

    def test_what_is_of_the_team_itself_is_told_first(self) -> None:
        reading = read(Unread(EVERY_TEAM, "line 1", "of anybody"),
                       Unread("research", "line 2", "of them"), research="a")  # fmt: skip
        step = one(reading, item("research", "user/a", "user/b"))
        assert step.why.endswith("line 2: of them and 1 more")

    def test_nor_if_nothing_of_it_was_read(self) -> None:
        reading = read(Unread(EVERY_TEAM, "page 2", "no answer"))
        step = one(reading, item("research", "user/a"))
        assert (step.state, step.item, step.waits) == (TeamState.SAME, None, ("user/a",))

    @pytest.mark.parametrize("who", ["eng/a/b", "user/", "team/other", "default", "nobody", "*"])
    def test_an_entry_that_names_nobody_is_told_and_stops_nothing_else(self, who: str) -> None:
        reading = TeamsReading((*read(research="a", ops="b").entries,
                                TeamEntry("research", who, "line 7")))  # fmt: skip
        made = plan(reading, item("research", "user/a", "user/old"))
        ops, research = made.steps
        assert [each.where for each in made.unread] == ["line 7"]
        assert repr(who) in made.unread[0].why
        assert ops.joins == ("user/b",)
        assert (research.leaves, research.waits) == ((), ("user/old",))

    def test_a_team_in_another_spelling_splits_no_team(self) -> None:
        made = plan(read(Research="a", research="b"), item("research", "user/a", "user/b"))
        [step] = made.steps
        assert (step.leaves, step.waits) == ((), ("user/a",))
        assert "team/Research is written like team/research" in made.unread[0].why

    def test_two_spellings_of_a_new_team_are_both_refused(self) -> None:
        made = plan(read(Research="a", research="b"))
        assert [each.state for each in made.steps] == [TeamState.REFUSED] * 2
        assert "one of team/Research, team/research" in made.steps[0].why


NAMES = st.sampled_from(["a", "b", "c", "d", "e", "f"])
MEMBERS = st.frozensets(NAMES.map("user/{}".format), max_size=6)
TEAMS = st.dictionaries(st.sampled_from(["x", "y", "z", "X"]), MEMBERS, max_size=4)
UNREAD = st.lists(
    st.builds(Unread, st.sampled_from(["x", "y", EVERY_TEAM, NO_TEAM]), st.just("line 1"),
              st.just("why")), max_size=2
)  # fmt: skip


@given(TEAMS, TEAMS, UNREAD, st.sampled_from(["iam:team", None]))
def test_of_any_reading(
    wanted: dict[str, frozenset[str]],
    stands: dict[str, frozenset[str]],
    unread: list[Unread],
    kept_in: str | None,
) -> None:
    """Nobody is lost unsaid, no team is emptied or halved, and a second run has nothing to do."""
    items = [item(team, *sorted(who), kept_in=kept_in) for team, who in stands.items() if who]
    entries = [TeamEntry(team, who, "l") for team, several in wanted.items() for who in several]
    reading = TeamsReading(tuple(entries), tuple(unread))
    made = plan(reading, *items)
    steps = {str(each.team): each for each in made.steps}
    for step in made.due:
        assert step.item is not None
        before = set((step.stored or {}).get("members", ()))
        after = set(step.item["members"])
        assert after
        assert 100 * len(before - after) <= MOST_LEAVE * len(before)
        assert after - before == set(step.joins)
        assert before - after == set(step.leaves)
        assert kept_in is not None or step.stored is None
    for entry in entries:
        told = {each.team for each in made.unread}
        of_it = steps.get(f"team/{entry.team}")
        stands_in = of_it is not None and (
            entry.who in (of_it.item or of_it.stored or {}).get("members", ()) or bool(of_it.why)
        )
        assert stands_in or told
    then = {each["principal"]: each for each in items}
    then |= {str(each.team): dict(each.item or {}) for each in made.due}
    assert plan(reading, *then.values()).due == ()


class TestFiles:
    def test_a_list_of_teams(self) -> None:
        reading = of_entries([({"team": "research", "members": ["user/a", "user/b"]}, 1, []),
                              ({"team": "team/ops", "members": "role/ci"}, 3, [])])  # fmt: skip
        assert reading.unread == ()
        assert [tuple(each) for each in reading.entries] == [
            ("research", "user/a", "line 1"), ("research", "user/b", "line 1"),
            ("team/ops", "role/ci", "line 3"),
        ]  # fmt: skip

    def test_an_export_of_the_quota_table_is_one_too(self) -> None:
        exported = [{"principal": "team/x", "quota": "daily", "limit": 5},
                    {"principal": "team/x", "quota": "members", "members": ["user/a"]}]  # fmt: skip
        [entry] = of_entries((each, 0, []) for each in exported).entries
        assert entry == TeamEntry("team/x", "user/a", "entry 2")

    @pytest.mark.parametrize(
        ("entry", "team"),
        [(5, EVERY_TEAM), ({"members": ["user/a"]}, EVERY_TEAM), ({"team": " "}, EVERY_TEAM),
         ({"team": "x"}, "x"), ({"team": "x", "members": [5]}, "x"),
         ({"team": "x", "members": {"a": 1}}, "x"), ({"team": "x", "members": [""]}, "x")],
    )  # fmt: skip
    def test_what_says_nothing_is_told_with_its_place(self, entry: Any, team: str) -> None:
        fine = ({"team": "y", "members": ["user/a"]}, 1, list[str]())
        reading = of_entries([fine, (entry, 2, [])])
        assert [(each.team, each.where) for each in reading.unread] == [(team, "line 2")]
        assert len(reading.entries) == 1

    def test_a_table_has_a_row_for_each_member(self) -> None:
        reading = of_csv("Member,why,Team\nuser/a,x,research\n\nuser/b,,research\n,,ops\n")
        assert [(each.team, each.who) for each in reading.entries] == [
            ("research", "user/a"), ("research", "user/b"),
        ]  # fmt: skip
        assert [(each.team, each.where) for each in reading.unread] == [("ops", "line 5")]

    def test_a_row_that_ends_early_and_a_quote_that_does_not_are_told(self) -> None:
        assert of_csv("team,member\nx\n").unread[0].team == "x"
        assert of_csv('team,member\nx,user/a\nx,"user/b\n').unread[0].team == EVERY_TEAM

    @pytest.mark.parametrize("text", ["", "user/a,research\n", "team;member\nx;user/a\n"])
    def test_a_table_without_its_columns_is_none(self, text: str) -> None:
        with pytest.raises(UnreadableTeams, match="expected a header with team and member"):
            of_csv(text)


class TestSource:
    @pytest.mark.parametrize(
        ("text", "kind", "as_kept"),
        [("iam:team", SourceKind.IAM, "iam:team"),
         ("identity-center:bedrock-*", SourceKind.IDENTITY_CENTER, "identity-center:bedrock-*"),
         ("identity-center:A b,C", SourceKind.IDENTITY_CENTER, "identity-center:A b,C"),
         ("s3://bucket/teams/all.json", SourceKind.S3, "s3://bucket/teams/all.json"),
         ("/home/me/teams.yaml", SourceKind.FILE, "file:teams.yaml"),
         ("file:teams.yaml", SourceKind.FILE, "file:teams.yaml")],
    )  # fmt: skip
    def test_forms(self, text: str, kind: SourceKind, as_kept: str) -> None:
        assert (TeamSource.parse(text).kind, str(TeamSource.parse(text))) == (kind, as_kept)

    @pytest.mark.parametrize(
        "text",
        ["", "iam:", "iam", "identity-center:", "identity-center:a*b", "identity-center:a*,b",
         "s3://bucket", "s3://bucket/", "s3:///key", "teams", "ldap:x"],
    )  # fmt: skip
    def test_what_is_none_is_told_all_forms(self, text: str) -> None:
        with pytest.raises(InvalidSource, match="iam:TAG"):
            TeamSource.parse(text)

    @pytest.mark.parametrize(
        ("source", "group", "team"),
        [("bedrock-*", "bedrock-research", "research"), ("bedrock-*", "bedrock-", None),
         ("bedrock-*", "other", None), ("*", "other", "other"), ("A,B c", "B c", "B c"),
         ("A,B c", "b c", None)],
    )  # fmt: skip
    def test_which_group_is_which_team(self, source: str, group: str, team: str | None) -> None:
        assert TeamSource.parse(f"identity-center:{source}").team_of(group) == team
