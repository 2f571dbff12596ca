"""What leads raise: held to the bound of the team's quota, for its members, whatever they write."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import NOON
from quota_enforcer.core.ledger import QuotaMemory
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.lint import LintCode, review
from quota_enforcer.core.quotas.quota import LeadRaise, Quota, teams_of
from quota_enforcer.decide.rules.loader import QuotaLoader
from quota_enforcer.decide.rules.rule_set import RuleSet

HOME = "111122223333"
SCOPES = frozenset({"*", "anthropic.claude-3-opus*"})
BOUND = 5_000
LIMIT = 1_000
TEAM = {"principal": "team/x", "quota": "members", "members": ["user/a", "user/b", "role/*"]}


def limit(**changes: Any) -> dict[str, Any]:
    quota = {"principal": "team/x", "quota": "daily", "measure": "total_tokens", "limit": LIMIT,
             "window": "day", "leads_raise_to": BOUND}  # fmt: skip
    return {name: each for name, each in (quota | changes).items() if each is not None}


def lead(to: Any = 3_000, member: str = "user/a", **changes: Any) -> dict[str, Any]:
    item = {"principal": "lead/x", "quota": f"daily:{member}", "raise_to": to,
            "until": (NOON + timedelta(days=1)).isoformat()}  # fmt: skip
    return item | changes


def loaded(
    *items: dict[str, Any], now: datetime = NOON, memories: tuple[QuotaMemory, ...] = ()
) -> RuleSet:
    return QuotaLoader(ZoneInfo("UTC"), SCOPES, HOME).load(items, memories, now)


def quotas(who: str, *items: dict[str, Any], now: datetime = NOON) -> tuple[Quota, ...]:
    return loaded(*items, now=now).book.applicable_to(Principal.parse(who), now).quotas


def limits(who: str, *items: dict[str, Any], now: datetime = NOON) -> list[Decimal]:
    return [each.limit_at(now) for each in quotas(who, *items, now=now)]


class TestReview:
    @pytest.mark.parametrize(
        "items",
        [
            (TEAM, limit(leads_raise_to=None), lead()),
            (TEAM, limit(), lead(LIMIT)),
            (TEAM, limit(), lead(member="user/zoe")),
            (TEAM, limit(), lead(quota="weekly:user/a")),
            (TEAM, limit(), lead(principal="lead/y")),
            (TEAM, limit(), lead(), limit(principal="user/a", leads_raise_to=None)),
        ],
        ids=[
            "no bound",
            "not above",
            "no member",
            "no such quota",
            "no such team",
            "a nearer rule",
        ],
    )
    def test_a_raise_without_effect_is_told(self, items: tuple[dict[str, Any], ...]) -> None:
        [told] = [
            each
            for each in review(loaded(*items).rules, (), NOON)
            if each.code is LintCode.RAISES_NOTHING
        ]
        assert told.subject.startswith("lead/")
        assert told.words.startswith("raises nothing: ")

    def test_one_that_raises_is_not(self) -> None:
        rules = loaded(TEAM, limit(), lead()).rules
        assert LintCode.RAISES_NOTHING not in [each.code for each in review(rules, (), NOON)]

    def test_nor_one_that_is_looked_at_alone(self) -> None:
        [alone] = [each for each in loaded(TEAM, limit(), lead()).rules
                   if isinstance(each, LeadRaise)]  # fmt: skip
        assert review([alone], (), NOON) == []


class TestBound:
    @pytest.mark.parametrize(
        ("to", "is_then"),
        [(3_000, 3_000), (BOUND, BOUND), (BOUND + 1, BOUND), (10**17, BOUND), (LIMIT, LIMIT),
         (1, LIMIT), (0, LIMIT), (Decimal("1500.5"), Decimal("1500.5"))],
    )  # fmt: skip
    def test_a_lead_raises_up_to_it_and_never_lowers(self, to: Any, is_then: Any) -> None:
        assert limits("user/a", TEAM, limit(), lead(to)) == [is_then]

    def test_for_the_member_alone(self) -> None:
        assert limits("user/b", TEAM, limit(), lead()) == [LIMIT]

    def test_also_for_somebody_who_is_in_the_team_by_a_kind(self) -> None:
        items = TEAM, limit(), lead(member="role/ci")
        assert limits("role/ci", *items) == [3_000]
        assert limits("role/other", *items) == [LIMIT]

    @pytest.mark.parametrize("who", ["user/stranger", "team/x", "sso/a"])
    def test_nobody_else_gets_a_limit_or_loses_one(self, who: str) -> None:
        everybody = {**limit(), "principal": "user/*", "leads_raise_to": None, "limit": 7}
        everybody.pop("leads_raise_to")
        items = TEAM, limit(), everybody
        assert limits(who, *items, lead(member=who)) == limits(who, *items)

    def test_it_ends_by_itself(self) -> None:
        items = TEAM, limit(), lead()
        [quota] = quotas("user/a", *items)
        end = NOON + timedelta(days=1)
        assert loaded(*items).book.applicable_to(Principal.parse("user/a"), NOON).turns_at == end
        assert limits("user/a", *items, now=end) == [LIMIT]
        assert quota.raised_by_lead

    @pytest.mark.parametrize(
        "of_team",
        [limit(leads_raise_to=None), limit(limit=0), limit(share="pool", leads_raise_to=None),
         limit(enabled=False), limit(quota="weekly"), limit(until=NOON.isoformat())],
    )  # fmt: skip
    def test_without_one_they_raise_nothing(self, of_team: dict[str, Any]) -> None:
        """Nor what is closed to the team, nor what its members share."""
        items = TEAM, of_team
        assert limits("user/a", *items, lead()) == limits("user/a", *items)

    @pytest.mark.parametrize("own", [0, 500])
    def test_a_block_or_a_limit_of_the_members_own_stays(self, own: int) -> None:
        nearer = {**limit(leads_raise_to=None), "principal": "user/a", "limit": own}
        assert limits("user/a", TEAM, limit(), nearer, lead()) == [own]

    def test_another_teams_limit_stays(self) -> None:
        other = [{**TEAM, "principal": "team/y"}, {**limit(), "principal": "team/y"}]
        assert sorted(limits("user/a", TEAM, limit(), *other, lead())) == [LIMIT, 3_000]
        theirs = lead() | {"principal": "lead/y"}
        assert sorted(limits("user/a", TEAM, limit(), *other, theirs)) == [LIMIT, 3_000]

    @pytest.mark.parametrize(("admins", "is_then"), [(2_000, 3_000), (4_000, 4_000)])
    def test_of_an_admins_raise_and_a_leads_the_higher_holds(
        self, admins: int, is_then: int
    ) -> None:
        raised = limit(raise_to=admins, raise_until=(NOON + timedelta(hours=1)).isoformat())
        assert limits("user/a", TEAM, raised, lead()) == [is_then]

    def test_the_stages_of_a_quota_are_raised_with_it(self) -> None:
        staged = limit(closes={"80": ["anthropic.claude-3-opus*"], "100": ["*"]})
        assert limits("user/a", TEAM, staged, lead()) == [2_400, 3_000]
        assert limits("user/b", TEAM, staged, lead()) == [800, 1_000]

    @given(st.decimals(0, 10**12, places=2), st.integers(0, 10_000), st.integers(-5, 60))
    def test_whatever_they_write_the_limit_stays_within_the_bound(
        self, to: Decimal, bound: int, days: int
    ) -> None:
        item = lead(to, until=(NOON + timedelta(days=days)).isoformat())
        [then] = limits("user/a", TEAM, limit(leads_raise_to=bound), item)
        assert LIMIT <= then <= max(LIMIT, bound)


class TestItem:
    def rule(self, item: dict[str, Any]) -> LeadRaise:
        [found] = [each for each in loaded(item).rules if isinstance(each, LeadRaise)]
        return found

    def test_whom_it_concerns_is_the_member_however_written(self) -> None:
        for member in ("user/a", f"{HOME}/user/a", f"arn:aws:iam::{HOME}:user/eng/a"):
            assert self.rule(lead(member=member)).named == {Principal.parse("user/a")}
        assert self.rule(lead(member="sso/Ana@Example.com")).members == ("sso/ana@example.com",)

    def test_it_makes_no_team(self) -> None:
        assert teams_of([self.rule(lead())]) == {}

    @pytest.mark.parametrize(
        ("changes", "attribute"),
        [({"limit": 5}, "limit"), ({"exempt": True}, "exempt"),
         ({"members": ["user/z"]}, "members"),
         ({"leads_raise_to": 10**9}, "leads_raise_to"), ({"raise_to": "unlimited"}, "raise_to"),
         ({"raise_to": -1}, "raise_to"), ({"quota": "daily"}, "quota"),
         ({"quota": "daily:"}, "quota"),
         ({"quota": "daily:role/*"}, "quota"), ({"quota": "daily:team/x"}, "quota"),
         ({"quota": "daily:default"}, "quota"), ({"quota": ":user/a"}, "quota"),
         ({"principal": "lead/"}, "principal"), ({"principal": "lead/*"}, "principal"),
         ({"until": "never"}, "until"), ({"until": 5}, "until"), ({"window": "day"}, "window"),
         ({"kept_in": "iam:x"}, "kept_in"), ({"colour": "red"}, "attribute 'colour'")],
    )  # fmt: skip
    def test_what_is_not_a_raise_is_refused_by_its_attribute(
        self, changes: dict[str, Any], attribute: str
    ) -> None:
        found = loaded(TEAM, limit(), lead(**changes))
        assert limits("user/a", TEAM, limit(), lead(**changes)) == [LIMIT]
        [told] = found.invalid
        assert told.reason.startswith(attribute)

    def test_without_an_end_it_is_none(self) -> None:
        endless = lead()
        endless.pop("until")
        assert "until is missing" in loaded(endless).invalid[0].reason

    @pytest.mark.parametrize(("days", "valid"), [(31, True), (32, False)])
    def test_it_ends_within_a_month(self, days: int, *, valid: bool) -> None:
        item = lead(until=(NOON + timedelta(days=days)).isoformat())
        assert (limits("user/a", TEAM, limit(), item) == [3_000]) is valid

    def test_one_that_was_refused_does_not_begin_once_its_end_is_near_enough(self) -> None:
        item = lead(until=(NOON + timedelta(days=40)).isoformat())
        [edit] = [each for each in loaded(item).edits if each.after is not None]
        assert edit.after is not None
        later = loaded(item, now=NOON + timedelta(days=20), memories=(edit.after,))
        assert later.rules == []

    @pytest.mark.parametrize("changes", [{"principal": "user/a"}, {"share": "pool"},
                                         {"window": "hour", "unusual": "5x"}])  # fmt: skip
    def test_a_bound_is_of_teams_whose_members_each_have_the_quota(
        self, changes: dict[str, Any]
    ) -> None:
        assert "leads_raise_to is" in loaded(TEAM, limit(**changes)).invalid[0].reason


class TestHistory:
    def test_it_stands_with_the_member_and_says_who_by_which_team(self) -> None:
        admin = f"arn:aws:iam::{HOME}:user/admin"
        edits = loaded(lead(), lead(member="user/b", edited_by=admin)).edits
        told = [each for edit in edits for each in edit.notices]
        assert [(each.principal, each.quota, each.by) for each in told] == [
            ("user/a", "daily", "a lead of team/x"),
            ("user/b", "daily", f"a lead of team/x, who says to be {admin}"),
        ]

    def test_an_edit_concerns_the_member_alone(self) -> None:
        everybody = [Principal.parse(each) for each in ("user/a", "user/b", "role/ci")]
        [edit] = loaded(lead()).edits
        assert RuleSet(edits=[edit]).concerned(everybody) == {Principal.parse("user/a")}

    @pytest.mark.parametrize(("after", "stricter"), [(6_000, False), (4_000, True), (None, True)])
    def test_a_lower_bound_is_an_edit_that_the_breaker_doubts(
        self, after: int | None, *, stricter: bool
    ) -> None:
        old = {**limit(), "members": ["user/a"]}
        new = {**limit(leads_raise_to=after), "members": ["user/a"]}
        memory = QuotaMemory("team/x", "daily", old, changed_at=NOON - timedelta(days=9))
        changed = loaded(new, memories=(memory,)).changed_at["team/x#daily"]
        assert (changed == NOON) is stricter
