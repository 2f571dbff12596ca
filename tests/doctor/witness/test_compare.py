"""CloudTrail's calls beside the ledger's: what either has alone, and what only looks so."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import HAIKU, UTC_ZONE
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.buckets import ModelUsage, Usage
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.place import Place
from quota_enforcer.doctor.witness.compare import (
    Caller,
    CallsApart,
    LackingTokens,
    TrailCalls,
    Unlogged,
    WitnessCompared,
    compare,
    trail_calls,
)
from quota_enforcer.doctor.witness.trail import TrailRow

HOME, DUBLIN = Place("111122223333", "us-east-1"), Place("111122223333", "eu-west-1")
MEMBER = Place("444455556666", "eu-west-1")
NINE = datetime(2026, 11, 24, 9, tzinfo=UTC)
TEN, ELEVEN, NOON = (NINE + timedelta(hours=n) for n in (1, 2, 3))
SPAN = (NINE, NOON)
ALICE, ANN = Principal.parse("user/alice"), Principal.parse("sso/ann")
CI, RUN = Principal.parse("role/ci"), "assumed-role/ci/run-42"
NAMES = {"user/alice": "iam::{}:user/alice", RUN: "sts::{}:assumed-role/ci/run-42",
         "ann": "sts::{}:assumed-role/AWSReservedSSO_Dev_0123456789abcdef/ann"}  # fmt: skip


def row(
    calls: int,
    hour: datetime = NINE,
    who: str = "user/alice",
    place: Place = HOME,
    event: str = "InvokeModel",
    tokens: tuple[int, int, int] = (0, 0, 0),
) -> TrailRow:
    arn = f"arn:aws:{NAMES[who].format(place.account)}" if who else ""
    return TrailRow(hour, place.account, place.region, arn, event, calls, *tokens)


def used(hours: Mapping[datetime, Counts | int], place: str = "") -> Usage:
    counts = {h: c if isinstance(c, Counts) else Counts(c) for h, c in hours.items()}
    return Usage.of_places({place: {HAIKU: ModelUsage.of_hours(counts, UTC_ZONE)}})


def compared(rows: list[TrailRow], usages: Mapping[Principal, Usage]) -> WitnessCompared:
    return compare(trail_calls(rows, HOME), usages, HOME, SPAN)


def test_where_both_have_the_same_nothing_is_told() -> None:
    rows = [row(3), row(4, event="Converse"), row(5, TEN), row(2, who=RUN)]
    usages = {ALICE: used({NINE: 7, TEN: 5}), CI: used({NINE: 2})}
    assert compared(rows, usages) == WitnessCompared((), (), ())


def test_calls_that_the_ledger_lacks_are_told_by_whom_and_when() -> None:
    rows = [row(10), row(5, TEN), row(7, ELEVEN), row(4, who=RUN)]
    found = compared(rows, {ALICE: used({NINE: 10, TEN: 2}), CI: used({})})
    assert found.missing == (
        CallsApart(Caller(ALICE, HOME), 10, 22, TEN, ELEVEN),
        CallsApart(Caller(CI, HOME), 4, 4, NINE, NINE),
    )
    assert found.surplus == ()


@pytest.mark.parametrize(
    ("trail", "ledger", "missing", "surplus"),
    [
        ({NINE: 5}, {NINE: 4, TEN: 1}, 0, 0),
        ({TEN: 5}, {NINE: 1, TEN: 4}, 0, 0),
        ({NINE: 5}, {NINE: 4, ELEVEN: 1}, 1, 1),
        ({NINE: 5, TEN: 5}, {NINE: 4, TEN: 5, ELEVEN: 1}, 1, 1),
        ({NINE: 1}, {NINE - timedelta(hours=1): 1}, 0, 0),
        ({ELEVEN: 1}, {NOON: 1}, 0, 0),
        ({NINE: 1}, {NINE: 1, NOON: 9, NINE - timedelta(hours=1): 9}, 0, 0),
        ({NINE: 1}, {NINE: 3}, 0, 2),
        ({NINE: 4}, {TEN: 3}, 1, 0),
    ],
)
def test_a_call_near_the_full_hour_may_be_in_either_hour(
    trail: dict[datetime, int], ledger: dict[datetime, int], missing: int, surplus: int
) -> None:
    """What the neighbouring hour does not explain is a difference; hours outside explain too."""
    found = compared([row(n, hour) for hour, n in trail.items()], {ALICE: used(ledger)})
    assert sum(each.calls for each in found.missing) == missing
    assert sum(each.calls for each in found.surplus) == surplus


def test_each_place_is_held_against_what_was_used_there() -> None:
    """A Region whose log nobody meters has usage in CloudTrail alone."""
    rows = [row(5), row(5, place=DUBLIN), row(3, who="ann", place=MEMBER), row(3, who="ann")]
    usages = {ALICE: used({NINE: 10}), ANN: used({NINE: 3}, str(MEMBER))}
    found = compared(rows, usages)
    assert [(each.caller, each.calls) for each in found.missing] == [
        (Caller(ALICE, DUBLIN), 5), (Caller(ANN, HOME), 3),
    ]  # fmt: skip
    assert [(each.caller, each.calls) for each in found.surplus] == [(Caller(ALICE, HOME), 5)]


def test_principals_of_member_accounts_are_their_own() -> None:
    rows = [row(5, place=MEMBER), row(2, who=RUN, place=MEMBER)]
    member = Principal.parse("444455556666/user/alice")
    role = Principal.parse("444455556666/role/ci")
    usages = {member: used({NINE: 5}, str(MEMBER)), role: used({NINE: 2}, str(MEMBER))}
    assert compared(rows, usages) == WitnessCompared((), (), ())
    assert [each.caller.principal for each in compared(rows, {}).missing] == [member, role]


class TestTokens:
    def both(self, trail: TrailRow, ledger: Counts) -> tuple[LackingTokens, ...]:
        return compared([trail], {ALICE: used({NINE: ledger})}).tokens

    def test_fewer_than_cloudtrail_counted_are_told(self) -> None:
        told = row(2, event="Converse", tokens=(2, 1888, 252))
        lacking = LackingTokens(Caller(ALICE, HOME), 1070, 2140)
        assert self.both(told, Counts(2, 944, 126)) == (lacking,)
        assert self.both(told, Counts(2, 1888, 252)) == ()

    def test_more_are_not_since_cached_ones_may_be_counted_apart(self) -> None:
        told = row(2, event="Converse", tokens=(2, 1888, 252))
        assert self.both(told, Counts(2, 1888, 252, 50_000)) == ()

    def test_an_hour_with_calls_that_do_not_tell_is_left_out(self) -> None:
        told, silent = row(1, event="Converse", tokens=(1, 944, 126)), row(1)
        assert compared([told, silent], {ALICE: used({NINE: Counts(2, 10, 1)})}).tokens == ()

    def test_where_calls_differ_tokens_say_nothing(self) -> None:
        assert self.both(row(2, event="Converse", tokens=(2, 1888, 252)), Counts(1, 944)) == ()


class TestCallers:
    def test_what_no_log_has_is_told_apart_by_whom(self) -> None:
        said = trail_calls(
            [
                row(3, event="CreateInference"),
                row(4, TEN, event="CreateInference"),
                row(9, who=RUN, event="CreateInference"),
                row(1, who="", event="CreateModelInvocationJob"),
                row(2, place=MEMBER, event="StartAsyncInvoke"),
            ],
            HOME,
        )
        member = Principal.parse("444455556666/user/alice")
        assert said == TrailCalls(
            {},
            {},
            (
                Unlogged("CreateInference", Caller(CI, HOME), 9),
                Unlogged("CreateInference", Caller(ALICE, HOME), 7),
                Unlogged("CreateModelInvocationJob", None, 1),
                Unlogged("StartAsyncInvoke", Caller(member, MEMBER), 2),
            ),
            0,
        )

    def test_a_caller_without_an_arn_is_counted_and_compared_with_nobody(self) -> None:
        said = trail_calls([row(3, who="")], HOME)
        assert (said.nameless, said.total, said.calls) == (3, 0, {})

    def test_an_operation_of_another_kind_is_nobodys(self) -> None:
        assert trail_calls([row(3, event="ListFoundationModels")], HOME) == TrailCalls(
            {}, {}, (), 0
        )


@given(
    st.dictionaries(st.integers(0, 2), st.integers(1, 50)),
    st.dictionaries(st.integers(0, 2), st.integers(1, 50)),
)
def test_no_call_is_made_up_and_none_is_lost(trail: dict[int, int], ledger: dict[int, int]) -> None:
    """What is missing and what is too much differ by as much as the sums do."""
    rows = [row(n, NINE + timedelta(hours=h)) for h, n in trail.items()]
    found = compared(rows, {ALICE: used({NINE + timedelta(hours=h): n for h, n in ledger.items()})})
    missing = sum(each.calls for each in found.missing)
    surplus = sum(each.calls for each in found.surplus)
    if trail:
        assert missing - surplus == sum(trail.values()) - sum(ledger.values())
    assert missing <= sum(trail.values())
    assert surplus <= sum(ledger.values())
