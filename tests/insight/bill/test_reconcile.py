"""Bill and ledger: whatever they say, each dollar of both is in exactly one place."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import example, given
from hypothesis import strategies as st

from quota_enforcer.core.usage.counts import NO_MONEY, Counts
from quota_enforcer.insight.bill.cells import BillBy, CellKey, Sums, grouped, total
from quota_enforcer.insight.bill.line import BillLine, Charged
from quota_enforcer.insight.bill.models import ModelNames
from quota_enforcer.insight.bill.reasons import Reason
from quota_enforcer.insight.bill.reconcile import BillScope, Reconciled, reconcile
from quota_enforcer.insight.bill.verdict import bill_verdict, row_words

HOME = "111122223333"
HERE = "us-east-1"
FIRST = date(2026, 11, 1)
SONNET = "anthropic.claude-sonnet-4-6"
OLD, NEW = "anthropic.claude-3-opus-20240229-v1:0", "anthropic.claude-3-opus-20250101-v1:0"
USAGES = (
    "USE1-Claude4.6Sonnet-input-tokens", "USE1-Claude4.6Sonnet-output-tokens-batch",
    "USE1-Claude4.6Sonnet-input-tokens-priority", "USE1-Claude3Opus-output-tokens",
    "EUW1-Claude4.6Sonnet-input-tokens", "USE1-NovaPro-input-tokens", "USE1-Guardrail-Units",
    "USE1-nobody.knows", "",
)  # fmt: skip
CALLERS = ("", "user/alice", "user/bob", "assumed-role/ci/-", "root")


def arn(caller: str, account: str = HOME) -> str:
    service = "sts" if caller.startswith("assumed-role") else "iam"
    return f"arn:aws:{service}::{account}:{caller}" if caller else ""


def charged(usage: str, kind: str = "Usage", unit: str = "1K tokens") -> Charged:
    return Charged(kind, "AmazonBedrock", "", "", "", usage, "InvokeModelInference", unit)


def line(
    usd: str,
    caller: str = "user/alice",
    usage: str = "USE1-Claude4.6Sonnet-input-tokens",
    day: int = 0,
    kind: str = "Usage",
) -> BillLine:
    when = FIRST + timedelta(days=day)
    amount = Decimal(1000)
    return BillLine(when, HOME, "", arn(caller), charged(usage, kind), amount, Decimal(usd))


def cell(principal: str = "user/alice", model: str = SONNET, day: int = 0) -> CellKey:
    return CellKey(FIRST + timedelta(days=day), HOME, HERE, principal, model)


def scope(newest: int = 25, **but: object) -> BillScope:
    facts = {
        "first": FIRST, "last": FIRST + timedelta(days=29), "home": HOME, "region": HERE,
        "metered": frozenset({(HOME, HERE)}), "since": FIRST,
        "newest": FIRST + timedelta(days=newest),
    }  # fmt: skip
    return BillScope(**{**facts, **but})  # type: ignore[arg-type]


def laid(
    lines: Iterable[BillLine], metered: Mapping[CellKey, Counts], where: BillScope | None = None
) -> Reconciled:
    priced = [SONNET, OLD, NEW, "amazon.nova-pro-v1:0"]
    names = ModelNames((key.model for key in metered), priced)
    return reconcile(lines, metered, names, where or scope())


def used(usd: str, tokens: int = 1_000_000, assumed: str = "0") -> Counts:
    return Counts(1, tokens, cost_usd=Decimal(usd), assumed_usd=Decimal(assumed))


money = st.decimals("-5", "1000", places=10)
lines = st.builds(
    BillLine,
    day=st.integers(-3, 33).map(lambda day: FIRST + timedelta(days=day)),
    account=st.sampled_from((HOME, "444455556666")),
    region=st.sampled_from(("", HERE, "eu-west-1")),
    principal=st.builds(arn, st.sampled_from(CALLERS), st.sampled_from((HOME, "444455556666"))),
    charged=st.builds(
        charged,
        st.sampled_from(USAGES),
        st.sampled_from(("Usage", "Tax", "Credit", "EdpDiscount", "RIFee", "SomethingNew")),
        st.sampled_from(("1K tokens", "Units", "Hours", "")),
    ),
    amount=st.decimals(0, 10**6, places=6),
    cost=money,
)
cells = st.builds(
    cell,
    st.sampled_from(("user/alice", "user/bob", "role/ci", "user/carol")),
    st.sampled_from((SONNET, OLD, NEW, "amazon.nova-pro-v1:0", "provisioned-model/abc")),
    st.integers(-3, 33),
)
spent = st.decimals(0, 99, places=9).map(lambda usd: Counts(1, 1000, cost_usd=usd))
ledgers = st.dictionaries(cells, spent)
scopes = st.builds(
    scope,
    newest=st.integers(-1, 29),
    since=st.sampled_from((FIRST, FIRST + timedelta(days=9), None)),
    account=st.sampled_from((None, HOME)),
    only_region=st.sampled_from((None, HERE)),
)


@given(st.lists(lines, max_size=30), ledgers, scopes)
@example([line("1", "")], {cell(): used("1"), cell("user/bob"): used("2")}, scope())
def test_every_dollar_is_in_one_place(
    several: list[BillLine], metered: dict[CellKey, Counts], where: BillScope
) -> None:
    found = laid(several, metered, where)
    sums = found.sums
    beside = sum(found.beside.values(), NO_MONEY)
    assert sums.on_bill + beside + found.left_out == sum((each.cost for each in several), NO_MONEY)
    asked = [each for key, each in metered.items() if where.wants(key.day, key.account, key.region)]
    assert sums.in_ledger == sum((each.cost_usd for each in asked), NO_MONEY)


@given(st.lists(lines, max_size=30), ledgers, st.sets(st.sampled_from(BillBy)))
def test_rows_add_up_to_the_same_however_they_are_told_apart(
    several: list[BillLine], metered: dict[CellKey, Counts], by: set[BillBy]
) -> None:
    found = laid(several, metered)
    rows = grouped(found.cells, sorted(by))
    assert total(rows.values()) == found.sums
    assert all(row_words(row, Decimal(1)) for row in rows.values())


def only(found: Reconciled) -> Sums:
    [sums] = found.cells.values()
    return sums


def test_what_names_no_caller_is_laid_beside_those_whom_the_bill_does_not_name() -> None:
    metered = {cell(who): used(usd) for who, usd in
               (("user/alice", "1"), ("user/bob", "2"), ("role/ci", "4"))}  # fmt: skip
    found = laid([line("1"), line("6", "")], metered)
    both = {key.principal: (int(row.metered), int(row.billed)) for key, row in found.cells.items()}
    assert both == {"user/alice": (1, 1), "": (6, 6)}


def test_two_dates_of_a_model_are_one_where_the_bill_tells_none() -> None:
    metered = {cell(model=OLD): used("1"), cell(model=NEW): used("2")}
    found = laid([line("3", usage="USE1-Claude3Opus-input-tokens")], metered)
    [key] = found.cells
    assert key.model == f"{OLD} + {NEW}"
    assert only(found).difference == 0


def test_a_model_that_nobody_has_used_keeps_all_the_names_it_may_have() -> None:
    [key] = laid([line("3", usage="USE1-Claude3Opus-input-tokens")], {}).cells
    assert key.model == f"{OLD} + {NEW}"


def test_another_account_is_written_before_its_principals() -> None:
    theirs = BillLine(
        FIRST, "444455556666", HERE, arn("assumed-role/reporting/-", "444455556666"),
        charged(USAGES[0]), Decimal(1), Decimal(2),
    )  # fmt: skip
    [(key, sums)] = laid([theirs], {}).cells.items()
    assert key.principal == "444455556666/role/reporting"
    assert sums.never == {Reason.ACCOUNT: 2}
    metered = {key: used("2")}
    where = scope(metered=frozenset({("444455556666", HERE)}))
    assert only(laid([theirs], metered, where)).difference == 0


def verdict(found: Reconciled, tolerance: str = "1", **but: object) -> tuple[bool, int]:
    expected = {"excepted": (), "unread": 0, **but}
    made = bill_verdict(found, Decimal(tolerance), **expected)  # type: ignore[arg-type]
    return made.agrees, int(made.off)


class TestVerdict:
    def test_differences_of_two_callers_do_not_make_up_for_each_other(self) -> None:
        metered = {cell(): used("10"), cell("user/bob"): used("10")}
        found = laid([line("11"), line("9", "user/bob")], metered)
        assert found.sums.difference == 0
        assert verdict(found) == (False, 2)

    def test_a_call_that_is_billed_on_the_next_day_is_no_difference(self) -> None:
        metered = {cell(): used("10"), cell(day=1): used("10")}
        assert verdict(laid([line("9"), line("11", day=1)], metered)) == (True, 0)

    def test_it_is_beyond_the_tolerance_only_if_it_is_more(self) -> None:
        found = laid([line("100")], {cell(): used("99")})
        assert verdict(found, "1") == (True, 1)
        assert verdict(found, "0.99") == (False, 1)

    def test_a_bill_beside_an_empty_ledger_does_not_agree(self) -> None:
        assert verdict(laid([line("1")], {}, scope(since=None))) == (False, 1)

    def test_nothing_beside_nothing_agrees(self) -> None:
        assert verdict(laid([], {})) == (True, 0)

    def test_a_ledger_beside_an_empty_bill_does_not_agree(self) -> None:
        assert verdict(laid([], {cell(): used("1")})) == (False, 1)

    def test_rows_that_were_not_read_could_say_anything(self) -> None:
        assert verdict(laid([], {}), unread=1) == (False, 0)


class TestWords:
    def test_a_price_differs_if_the_tokens_do_not(self) -> None:
        row = only(laid([line("2")], {cell(): used("1")}))
        assert row_words(row, Decimal(1)) == "billed 100.0 % more for the same tokens"

    def test_usage_differs_if_the_tokens_do(self) -> None:
        row = only(laid([line("2")], {cell(): used("1", 500_000)}))
        assert row_words(row, Decimal(1)) == "billed 100.0 % more for 100.0 % more tokens"

    def test_tiers_and_assumed_prices_are_named(self) -> None:
        dear = line("7", usage="USE1-Claude4.6Sonnet-input-tokens-priority")
        row = only(laid([dear], {cell(): used("4", assumed="4")}))
        assert row_words(row, Decimal(1)) == (
            "billed 75.0 % more for the same tokens, $7.00 in another service tier, "
            "$4.00 at assumed prices"
        )
