"""Editing quota items with `quota set`, its parts that are pure."""

from decimal import Decimal
from typing import Any

import pytest

from builders import a_quota, an_item
from quota_enforcer.cli.quotas.edit import edited
from quota_enforcer.core.principal import canonical
from quota_enforcer.core.quotas.describe import named
from quota_enforcer.core.quotas.diff import Change, changes, shown
from quota_enforcer.core.quotas.quota import Exemption
from quota_enforcer.core.quotas.subject import Subject
from quota_enforcer.core.usage.counts import Measure
from world import ACCOUNT


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("user/alice", "user/alice"),
        ("sso/Alice@Example.com", "sso/alice@example.com"),
        (f"arn:aws:iam::{ACCOUNT}:user/staff/alice", "user/alice"),
        (f"arn:aws:iam::{ACCOUNT}:role/reporting", "role/reporting"),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/reporting/ci-42", "role/reporting"),
        ("user/*", "user/*"),
        ("default", "default"),
        ("nonsense", "nonsense"),
        ("arn:nonsense", "arn:nonsense"),
    ],
)
def test_whom_is_written_one_way_only(written: str, meant: str) -> None:
    assert canonical(written, ACCOUNT) == meant


def test_an_edit_sets_what_is_given_takes_out_what_is_unset_and_keeps_the_rest() -> None:
    old = an_item(note="first", until="2026-12-01")
    assert edited(old, {"limit": 5}, ["until", "principal"]) == an_item(limit=5, note="first")


def test_changes_come_in_the_order_of_the_documentation_and_leave_out_the_author() -> None:
    old = an_item(edited_by="me", typo=1)
    new = an_item(limit=2, window=None, note="x", edited_by="you")
    assert changes(old, new) == [
        Change("limit", 1000, 2),
        Change("window", "day", None),
        Change("note", None, "x"),
        Change("typo", 1, None),
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Decimal("12.50"), Decimal("12.5")),
        (Decimal("1E+3"), 1000),
        (Decimal("-0.00"), 0),
        ([Decimal("0.10"), 5], {5, Decimal("0.1")}),
        ({"output_tokens": Decimal("1.0")}, {"output_tokens": 1}),
    ],
    ids=str,
)
def test_one_number_in_two_spellings_is_no_change(one: Any, other: Any) -> None:
    assert changes(an_item(limit=one), an_item(limit=other)) == []


@pytest.mark.parametrize(
    ("one", "other"), [(1, True), (0, False), ("1000", 1000), ("true", True), ([1], 1)], ids=str
)
def test_what_only_looks_alike_is_a_change(one: Any, other: Any) -> None:
    assert changes(an_item(limit=one), an_item(limit=other)) == [Change("limit", one, other)]


def test_the_order_of_a_list_is_no_change() -> None:
    assert changes(an_item(warn_at=[50, 80]), an_item(warn_at={80, 50})) == []


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "-"),
        (True, "true"),
        (Decimal(1_000_000), "1,000,000"),
        ([Decimal(50), Decimal(80)], "50, 80"),
        ([], "none"),
        (Decimal("12.50"), "12.5"),
        ({"output_tokens": Decimal(5), "input_tokens": 1}, "input_tokens x 1, output_tokens x 5"),
        ("day", "day"),
        ("für 研究\n\x1b[2J", "für 研究\\n\\x1b[2J"),
        ({"b", "a"}, "a, b"),
    ],
)
def test_values_are_shown_as_people_read_them(value: Any, words: str) -> None:
    assert shown(value) == words


def test_a_rule_is_named_with_what_it_grants() -> None:
    assert named(a_quota()) == "daily of user/alice: 1,000 total tokens per day"
    assert named(Exemption(Subject("role/ci"), "daily")) == "daily of role/ci: no limit"
    budget = a_quota(measure=Measure.COST_USD, limit=Decimal("12.5"))
    assert named(budget) == "daily of user/alice: $12.50 per day"
    weights = tuple(map(Decimal, ("0", "1", "5", "0.1", "0", "0")))
    weighted = a_quota(measure=Measure.WEIGHTED_TOKENS, weights=weights)
    assert named(weighted) == (
        "daily of user/alice: 1,000 weighted tokens per day "
        "(input tokens x 1, output tokens x 5, cache read tokens x 0.1)"
    )
