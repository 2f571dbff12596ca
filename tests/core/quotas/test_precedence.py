"""Precedence: principal, then team, then kind, then default, name by name."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import ALICE, HOUR, NOON, a_quota
from quota_enforcer.core.principal import Identity, Kind, Principal
from quota_enforcer.core.quotas.precedence import Applicable, Precedence, QuotaBook, covers
from quota_enforcer.core.quotas.quota import Exemption, Quota, Rule, Share
from quota_enforcer.core.quotas.subject import Subject

SOON, LATER = NOON + HOUR, NOON + 5 * HOUR


def rule(subject: str, limit: int = 1, **but: Any) -> Quota:
    return a_quota(subject=subject, limit=Decimal(limit), **but)


def team(limit: int, *members: str, name: str = "team/x", **but: Any) -> Quota:
    return rule(name, limit, members=members, **but)


def limits(rules: Sequence[Rule], who: str = "user/alice", now: datetime = NOON) -> list[int]:
    applicable = QuotaBook(rules).applicable_to(Principal.parse(who), now)
    return [int(quota.limit) for quota in applicable.quotas]


ITSELF = rule("user/alice", 1)
TEAM = team(2, "user/alice", "user/bob")
KIND = rule("user/*", 3)
DEFAULT = rule("default", 4)


class TestNearestWins:
    @pytest.mark.parametrize(
        ("rules", "chosen"),
        [
            pytest.param([DEFAULT, KIND, TEAM, ITSELF], [1], id="itself before its team"),
            pytest.param([DEFAULT, KIND, TEAM], [2], id="team before kind"),
            pytest.param([DEFAULT, KIND], [3], id="kind before default"),
            pytest.param([DEFAULT], [4], id="default"),
            pytest.param([], [], id="nothing"),
            pytest.param([rule("user/bob"), rule("role/*")], [], id="only others"),
            pytest.param([team(2, "user/bob")], [], id="a team of others"),
        ],
    )
    def test_for_one_name(self, rules: list[Rule], chosen: list[int]) -> None:
        assert limits(rules) == chosen
        assert limits(rules[::-1]) == chosen

    @pytest.mark.parametrize("nearer", range(6))
    def test_of_a_member_account(self, nearer: int) -> None:
        """Its own kinds come before the whole account, and that before all accounts' kinds."""
        who = "444455556666/user/alice"
        rules = [
            rule(who, 0),
            team(1, who),
            rule("444455556666/user/*", 2),
            rule("444455556666/*", 3),
            rule("user/*", 4),
            rule("default", 5),
        ]
        assert limits(rules[nearer:], who) == [nearer]
        assert limits(rules[nearer:][::-1], who) == [nearer]
        levels = [each.nearness for each in QuotaBook(rules).candidates(Principal.parse(who), NOON)]
        assert levels == ["principal", "team", "kind", "account", "kind", "default"]

    @pytest.mark.parametrize("who", ["user/alice", "555566667777/user/alice", "sso/alice"])
    def test_an_accounts_rules_cover_nobody_else(self, who: str) -> None:
        account = "444455556666"
        rules = [rule(f"{account}/{each}") for each in ("user/alice", "user/*", "*", "role/*")]
        assert limits(rules, who) == []

    def test_sessions_are_those_of_one_accounts_role(self) -> None:
        here, there = rule("session/ci/*", 1), rule("444455556666/session/ci/*", 2)
        assert limits([here, there], "session/ci/run") == [1]
        assert limits([here, there], "444455556666/session/ci/run") == [2]

    def test_name_by_name(self) -> None:
        """A rule for oneself replaces that name only; all others stay in force."""
        rules = [ITSELF, KIND, rule("default", 5, name="monthly"), rule("user/*", 6, name="burst")]
        assert limits(rules) == [6, 1, 5]

    def test_of_several_teams_all_count_so_the_strictest_decides(self) -> None:
        rules = [team(7, "user/alice"), team(2, "user/alice", name="team/y"), KIND]
        assert sorted(limits(rules)) == [2, 7]

    @pytest.mark.parametrize(
        ("who", "chosen"),
        [
            ("user/alice", [4]),
            ("sso/ana", [4]),
            ("role/ci", []),
            ("session/ci/run", []),
            ("team/x", []),
            ("other/arn:aws:iam::123456789012:root", []),
        ],
    )
    def test_the_default_covers_people_only(self, who: str, chosen: list[int]) -> None:
        """It must never stop a production service."""
        assert limits([DEFAULT], who) == chosen

    @pytest.mark.parametrize(
        ("who", "chosen"),
        [
            ("session/ci/run-1", [1]),
            ("session/ci/run-2", [2]),
            ("session/other/run-1", []),
            ("role/ci", [3]),
        ],
    )
    def test_sessions_have_their_roles_kind_and_not_their_roles_quota(
        self, who: str, chosen: list[int]
    ) -> None:
        rules = [rule("session/ci/run-1", 1), rule("session/ci/*", 2), rule("role/*", 3)]
        assert limits(rules, who) == chosen


class TestExemptions:
    @pytest.mark.parametrize(
        ("rules", "chosen"),
        [
            pytest.param(
                [Exemption(Subject("user/alice"), "daily"), KIND, DEFAULT], [], id="oneself"
            ),
            pytest.param([Exemption(Subject("user/*"), "daily"), DEFAULT], [], id="one's kind"),
            pytest.param(
                [Exemption(Subject("user/*"), "daily"), ITSELF], [1], id="a nearer quota wins"
            ),
            pytest.param([Exemption(Subject("user/alice"), "other"), KIND], [3], id="another name"),
            pytest.param(
                [Exemption(Subject("team/y"), "daily", members=("user/alice",)), TEAM],
                [2],
                id="one team exempts, another does not",
            ),
        ],
    )
    def test_an_exemption_that_wins_leaves_no_limit(
        self, rules: list[Rule], chosen: list[int]
    ) -> None:
        assert limits(rules) == chosen


class TestEnds:
    def test_a_rule_that_ended_gives_way_to_the_next(self) -> None:
        rules = [rule("user/alice", 1, until=SOON), DEFAULT]
        assert limits(rules, now=NOON) == [1]
        assert limits(rules, now=SOON) == [4]

    def test_the_next_change_by_the_clock_is_known(self) -> None:
        rules = [
            rule("user/alice", 1, until=LATER),
            rule("default", 4, name="monthly", raise_to=Decimal(9), raise_until=SOON),
        ]
        book = QuotaBook(rules)
        assert book.applicable_to(ALICE, NOON).turns_at == SOON
        assert book.applicable_to(ALICE, SOON).turns_at == LATER
        assert book.applicable_to(ALICE, LATER).turns_at is None

    def test_the_end_of_an_exemption_counts(self) -> None:
        book = QuotaBook([Exemption(Subject("user/alice"), "daily", until=SOON), KIND])
        assert book.applicable_to(ALICE, NOON) == Applicable((), SOON)
        assert book.applicable_to(ALICE, SOON) == Applicable((KIND,), None)


class TestCharged:
    RUN = Identity(Principal.parse("role/ci"), Principal.parse("session/ci/run-1"))

    @pytest.mark.parametrize(
        ("rules", "watched"),
        [
            pytest.param([], False, id="no quota"),
            pytest.param([rule("role/ci"), DEFAULT], False, id="only the role"),
            pytest.param([rule("session/ci/run-2")], False, id="another session"),
            pytest.param([rule("session/other/*")], False, id="sessions of another role"),
            pytest.param([rule("session/ci/run-1")], True, id="this session"),
            pytest.param([rule("session/ci/*")], True, id="sessions of this role"),
            pytest.param(
                [Exemption(Subject("session/ci/run-1"), "daily")], True, id="an exemption"
            ),
            pytest.param([team(1, "session/ci/run-1")], True, id="a member of a team"),
            pytest.param(
                [team(1, "session/ci/run-1", share=Share.POOL)], True, id="a member of a pool"
            ),
        ],
    )
    def test_a_session_counts_by_itself_where_a_quota_watches_it(
        self,
        rules: list[Rule],
        watched: bool,  # noqa: FBT001 - a table
    ) -> None:
        """And always to its role: nobody escapes a role's quota by naming a session."""
        role, session = self.RUN.principal, self.RUN.session
        expected = (role, session) if watched else (role,)
        assert QuotaBook(rules).charged(self.RUN) == expected

    def test_a_user_counts_as_itself(self) -> None:
        assert QuotaBook([rule("session/ci/*")]).charged(Identity(ALICE)) == (ALICE,)


class TestCandidates:
    """Why the quotas of a principal are those: every rule that covers it, and what became of it."""

    @pytest.mark.parametrize(
        ("rules", "fates"),
        [
            pytest.param(
                [DEFAULT, KIND, TEAM, ITSELF],
                ["principal applies", "team replaced", "kind replaced", "default replaced"],
                id="the nearest replaces all others",
            ),
            pytest.param(
                [DEFAULT, rule("user/alice", until=NOON)],
                ["principal ended", "default applies"],
                id="what has ended replaces nothing",
            ),
            pytest.param(
                [DEFAULT, Exemption(Subject("user/alice"), "daily")],
                ["principal applies", "default replaced"],
                id="an exemption replaces too",
            ),
            pytest.param(
                [TEAM, team(7, "user/alice", name="team/y"), KIND],
                ["team applies", "team applies", "kind replaced"],
                id="of several teams all apply",
            ),
            pytest.param(
                [ITSELF, rule("default", name="monthly")],
                ["principal applies", "default applies"],
                id="each name by itself",
            ),
            pytest.param([rule("user/bob"), rule("role/*")], [], id="rules for others are none"),
        ],
    )
    def test_nearest_first_with_what_became_of_each(
        self, rules: list[Rule], fates: list[str]
    ) -> None:
        candidates = QuotaBook(rules).candidates(ALICE, NOON)
        assert [f"{each.nearness} {each.fate}" for each in candidates] == fates

    def test_a_roles_session_has_its_own_kind_and_no_default(self) -> None:
        book = QuotaBook([DEFAULT, rule("session/ci/*"), rule("session/other/*")])
        [only] = book.candidates(Principal.parse("session/ci/42"), NOON)
        assert (only.rule.subject, only.nearness) == ("session/ci/*", Precedence.KIND)


class TestPools:
    POOL = team(5, "user/alice", "sso/ana", share=Share.POOL)
    X = Principal.parse("team/x")

    def test_a_pools_quota_is_its_members_and_the_teams_own(self) -> None:
        book = QuotaBook([self.POOL, DEFAULT])
        assert book.applicable_to(self.X, NOON).quotas == (self.POOL,)
        assert book.applicable_to(ALICE, NOON).quotas == (self.POOL,)
        assert book.applicable_to(Principal.parse("user/bob"), NOON).quotas == (DEFAULT,)

    @pytest.mark.parametrize(
        ("rules", "chosen"),
        [
            pytest.param([ITSELF], [1], id="an own quota"),
            pytest.param([Exemption(Subject("user/alice"), "daily")], [], id="an own exemption"),
            pytest.param([rule("user/alice", name="other")], [5, 1], id="of another name"),
            pytest.param([KIND, DEFAULT], [5], id="one's kind gives way"),
            pytest.param(
                [team(2, "user/alice", name="team/y")], [5, 2], id="another team: the strictest"
            ),
            pytest.param(
                [team(3, "user/alice", name="team/y", share=Share.POOL)], [5, 3], id="two pools"
            ),
            pytest.param(
                [Exemption(Subject("team/x"), "daily", None, ("user/alice",), Share.POOL), KIND],
                [],
                id="a pool without limit",
            ),
        ],
    )
    def test_what_beats_a_pool_for_a_member(self, rules: list[Rule], chosen: list[int]) -> None:
        pools = [] if any(each.id == self.POOL.id for each in rules) else [self.POOL]
        assert limits([*pools, *rules]) == chosen

    def test_who_draws_on_a_pool(self) -> None:
        book = QuotaBook([self.POOL, team(5, "user/alice", "user/bob", name="team/each")])
        assert book.pools == {self.X: {Principal.parse("sso/ana"), ALICE}}
        assert set(book.pools_of(ALICE)) == {self.X}
        assert set(book.pools_of(Principal.parse("user/bob"))) == set()

    def test_who_is_exempt_draws_on_it_all_the_same(self) -> None:
        book = QuotaBook([self.POOL, Exemption(Subject("user/alice"), "daily")])
        assert set(book.pools_of(ALICE)) == {self.X}
        assert ALICE in book.contributors[self.POOL.id]

    def test_each_quota_of_a_team_has_its_own_members(self) -> None:
        more = team(9, "user/bob", name="team/x", share=Share.POOL)
        more = replace(more, name="monthly")
        book = QuotaBook([self.POOL, more])
        assert set(map(str, book.pools[self.X])) == {"user/alice", "user/bob", "sso/ana"}
        assert set(map(str, book.contributors[more.id])) == {"user/bob"}
        assert book.applicable_to(Principal.parse("user/bob"), NOON).quotas == (more,)

    def test_a_session_of_a_role_in_the_pool_counts_once(self) -> None:
        members = ("role/ci", "session/ci/42", "session/other/1")
        pool = team(5, *members, share=Share.POOL)
        book = QuotaBook([pool])
        assert set(map(str, book.contributors[pool.id])) == {"role/ci", "session/other/1"}
        assert book.applicable_to(Principal.parse("session/ci/42"), NOON).quotas == (pool,)


@pytest.mark.parametrize(
    ("subject", "members", "who", "concerned"),
    [
        ("default", (), "user/alice", True),
        ("default", (), "sso/ana", True),
        ("default", (), "role/ci", False),
        ("user/*", (), "user/alice", True),
        ("user/*", (), "sso/ana", False),
        ("user/alice", (), "user/alice", True),
        ("user/alice", (), "user/bob", False),
        ("role/*", (), "session/ci/run", False),
        ("session/ci/*", (), "session/ci/run", True),
        ("session/ci/*", (), "session/other/run", False),
        ("session/ci/*", (), "role/ci", False),
        ("team/x", ("user/alice",), "user/alice", True),
        ("team/x", ("user/alice",), "user/bob", False),
        ("team/x", ("user/alice",), "team/x", True),
    ],
)
def test_whom_an_edit_can_concern(
    subject: str,
    members: tuple[str, ...],
    who: str,
    concerned: bool,  # noqa: FBT001 - a table
) -> None:
    assert covers(subject, members, Principal.parse(who)) is concerned


PEOPLE = ["user/alice", "user/bob", "sso/ana", "role/ci", "session/ci/run", "team/x"]
WHOM = [*PEOPLE, "user/*", "sso/*", "role/*", "session/ci/*", "default", "team/y"]


@st.composite
def a_rule(draw: st.DrawFn) -> Rule:
    subject = draw(st.sampled_from(WHOM))
    name = draw(st.sampled_from(["daily", "monthly"]))
    until = draw(st.sampled_from([None, NOON, SOON, LATER]))
    share = draw(st.sampled_from(Share))
    members: tuple[str, ...] = ()
    if subject.startswith("team/"):
        several = st.lists(st.sampled_from(PEOPLE[:5]), min_size=1, max_size=3, unique=True)
        members = tuple(draw(several))
    if draw(st.booleans()):
        return Exemption(Subject(subject), name, until, members, share)
    return rule(subject, name=name, until=until, members=members, share=share)


some_rules = st.lists(a_rule(), unique_by=lambda one: one.id, max_size=12)


@given(some_rules, st.sampled_from(PEOPLE), st.sampled_from([NOON, SOON, LATER]))
def test_who_has_a_quota_is_covered_by_it(rules: list[Rule], who: str, now: datetime) -> None:
    """It stands, an edit of it is noticed, and but for teams each name comes once."""
    principal = Principal.parse(who)
    applicable = QuotaBook(rules).applicable_to(principal, now)
    names = [quota.name for quota in applicable.quotas if not quota.members]
    assert len(names) == len(set(names))
    for quota in applicable.quotas:
        assert quota.stands(now)
        assert covers(quota.subject, quota.members, principal)


@given(some_rules, st.sampled_from(PEOPLE))
def test_nothing_changes_before_the_next_turn(rules: list[Rule], who: str) -> None:
    book = QuotaBook(rules)
    now = book.applicable_to(Principal.parse(who), NOON)
    until = now.turns_at or LATER + HOUR
    for moment in (NOON, SOON, LATER):
        if moment < until:
            assert book.applicable_to(Principal.parse(who), moment).quotas == now.quotas


@given(some_rules)
def test_no_order_of_the_table_changes_who_has_what(rules: list[Rule]) -> None:
    book, reversed_book = QuotaBook(rules), QuotaBook(rules[::-1])
    for who in PEOPLE:
        one, other = (
            each.applicable_to(Principal.parse(who), NOON) for each in (book, reversed_book)
        )
        assert sorted(q.id for q in one.quotas) == sorted(q.id for q in other.quotas)
        assert one.turns_at == other.turns_at
    assert book.pools == reversed_book.pools


def test_a_role_is_never_touched_by_rules_for_people() -> None:
    rules: list[Rule] = [DEFAULT, KIND, rule("sso/*"), ITSELF, TEAM]
    for kind in (Kind.ROLE, Kind.SESSION, Kind.OTHER, Kind.TEAM):
        assert QuotaBook(rules).applicable_to(Principal(kind, "ci/run"), NOON) == Applicable()
