"""Who used what, each call once."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import HAIKU
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.usage.buckets import ModelUsage, Usage
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.place import Place
from quota_enforcer.insight.usage import By, SpendQuery, spend

NOVA = "amazon.nova-lite-v1:0"
FIRST, LAST = date(2026, 11, 1), date(2026, 11, 30)
ALICE, BOB = Principal.parse("user/alice"), Principal.parse("user/bob")
CI, RUN = Principal.parse("role/ci"), Principal.parse("session/ci/run")


def usage(*days: tuple[str, int], model: str = HAIKU) -> Usage:
    """So many tokens on each day, at a tenth of a millionth of a dollar each."""
    counts = {
        date.fromisoformat(day): Counts(1, tokens, cost_usd=tokens * Decimal("1E-7"))
        for day, tokens in days
    }
    return Usage({model: ModelUsage({}, counts)})


def asked(*by: By) -> SpendQuery:
    return SpendQuery(FIRST, LAST, by)


def tokens(rows: dict[tuple[str, ...], Counts]) -> dict[tuple[str, ...], int]:
    return {key: counts.tokens for key, counts in rows.items()}


def test_by_principal_model_and_month() -> None:
    both = Usage(
        {
            **usage(("2026-11-02", 5), ("2026-11-03", 7)).models,
            **usage(("2026-11-02", 3), model=NOVA).models,
        }
    )
    rows = spend({ALICE: both}, {}, asked(By.PRINCIPAL, By.MODEL, By.MONTH))
    assert tokens(rows) == {
        ("user/alice", NOVA, "2026-11"): 3,
        ("user/alice", HAIKU, "2026-11"): 12,
    }
    assert rows["user/alice", HAIKU, "2026-11"].cost_usd == Decimal("0.0000012")


def test_a_session_of_a_member_account_is_in_its_own_role() -> None:
    member = "444455556666"
    role, run = (Principal.parse(f"{member}/{each}") for each in (CI, RUN))
    used = usage(("2026-11-02", 5))
    rows = spend({CI: used, role: used, run: used}, {}, asked(By.PRINCIPAL))
    assert tokens(rows) == {("role/ci",): 5, (f"{member}/role/ci",): 5}
    alone = spend({CI: used, run: used}, {}, asked(By.PRINCIPAL))
    assert tokens(alone) == {("role/ci",): 5, (f"{member}/session/ci/run",): 5}


HOME = Place("111122223333", "us-east-1")
DUBLIN, MEMBER = "111122223333/eu-west-1", "444455556666/eu-west-1"


def spread(**places: int) -> Usage:
    """Tokens on one day, at home, in home's account in Dublin, and in another account there."""
    where = {"home": "", "dublin": DUBLIN, "member": MEMBER}
    return Usage.of_places(
        {where[place]: usage(("2026-11-02", n)).models for place, n in places.items()}
    )


def by(*columns: By) -> SpendQuery:
    return SpendQuery(FIRST, LAST, columns, HOME)


@pytest.mark.parametrize(
    ("columns", "rows"),
    [
        ((By.ACCOUNT,), {("111122223333",): 11, ("444455556666",): 100}),
        ((By.REGION,), {("eu-west-1",): 110, ("us-east-1",): 1}),
        ((By.ACCOUNT, By.REGION),
         {("111122223333", "eu-west-1"): 10, ("111122223333", "us-east-1"): 1,
          ("444455556666", "eu-west-1"): 100}),
        ((By.REGION, By.PRINCIPAL),
         {("eu-west-1", "user/alice"): 110, ("us-east-1", "user/alice"): 1}),
        ((By.PRINCIPAL,), {("user/alice",): 111}),
        ((By.DAY, By.MODEL), {("2026-11-02", HAIKU): 111}),
    ],
)  # fmt: skip
def test_by_account_and_region(columns: tuple[By, ...], rows: dict[tuple[str, ...], int]) -> None:
    used = spread(home=1, dublin=10, member=100)
    assert tokens(spend({ALICE: used}, {}, by(*columns))) == rows


def test_usage_without_a_place_is_homes() -> None:
    used = usage(("2026-11-02", 5))
    assert tokens(spend({ALICE: used}, {}, by(By.REGION))) == {("us-east-1",): 5}
    assert tokens(spend({ALICE: used}, {}, asked(By.REGION))) == {("",): 5}


def test_a_session_of_a_team_leaves_its_role_the_rest_of_each_place() -> None:
    usages = {CI: spread(home=100, dublin=50), RUN: spread(home=30, dublin=50)}
    rows = spend(usages, {RUN: {"team/a"}}, by(By.TEAM, By.REGION))
    assert tokens(rows) == {
        ("", "us-east-1"): 70,
        ("team/a", "eu-west-1"): 50,
        ("team/a", "us-east-1"): 30,
    }


def test_by_day_and_only_the_days_asked_for() -> None:
    used = usage(("2026-10-31", 1), ("2026-11-01", 2), ("2026-11-30", 3), ("2026-12-01", 4))
    assert tokens(spend({ALICE: used}, {}, asked(By.DAY))) == {
        ("2026-11-01",): 2,
        ("2026-11-30",): 3,
    }


def test_who_is_in_several_teams_is_charged_to_all_of_them_together() -> None:
    usages = {ALICE: usage(("2026-11-02", 5)), BOB: usage(("2026-11-02", 7))}
    teams = {ALICE: {"team/b", "team/a"}}
    rows = spend(usages, teams, asked(By.TEAM))
    assert tokens(rows) == {("",): 7, ("team/a+team/b",): 5}


def test_a_session_counts_in_its_role_and_not_again() -> None:
    usages = {CI: usage(("2026-11-02", 100)), RUN: usage(("2026-11-02", 30))}
    assert tokens(spend(usages, {}, asked(By.PRINCIPAL))) == {("role/ci",): 100}


def test_a_session_that_a_team_has_is_taken_out_of_its_role() -> None:
    usages = {CI: usage(("2026-11-02", 100)), RUN: usage(("2026-11-02", 30))}
    rows = spend(usages, {RUN: {"team/a"}}, asked(By.PRINCIPAL, By.TEAM))
    assert tokens(rows) == {("role/ci", ""): 70, ("session/ci/run", "team/a"): 30}
    assert sum(each.requests for each in rows.values()) == 1


def test_one_session_asked_for_by_itself_is_shown() -> None:
    assert tokens(spend({RUN: usage(("2026-11-02", 30))}, {}, asked(By.PRINCIPAL))) == {
        ("session/ci/run",): 30
    }


def test_who_used_nothing_has_no_row() -> None:
    assert spend({ALICE: Usage(), BOB: usage(("2026-11-02", 0))}, {}, asked(By.PRINCIPAL)) != {}
    assert spend({ALICE: Usage()}, {}, asked(By.PRINCIPAL)) == {}


amounts = st.dictionaries(st.integers(0, 29), st.integers(1, 1000), max_size=5)
someone = st.sampled_from([ALICE, BOB, CI])
orders = st.lists(st.sampled_from(By), min_size=1, unique=True)


@given(
    st.dictionaries(someone, amounts), amounts,
    st.dictionaries(st.sampled_from([ALICE, CI, RUN]), st.sets(st.sampled_from("ab"))), orders,
)  # fmt: skip
def test_whatever_rows_are_told_apart_by_they_add_up_to_all_calls(
    used: dict[Principal, dict[int, int]],
    by_run: dict[int, int],
    teams: dict[Principal, set[str]],
    by: list[By],
) -> None:
    """A session's calls are among its role's, so they never come on top."""
    days = {who: dict(several) for who, several in used.items()}
    if CI in days:
        for day, number in by_run.items():
            days[CI][day] = days[CI].get(day, 0) + number
        days[RUN] = by_run
    usages = {
        who: usage(*((str(FIRST + timedelta(days=day)), n) for day, n in several.items()))
        for who, several in days.items()
    }
    expected = sum(
        n for who, several in days.items() if who.kind is not Kind.SESSION for n in several.values()
    )
    rows = spend(usages, teams, asked(*by))
    assert sum(tokens(rows).values()) == expected
    assert list(rows) == sorted(rows)
