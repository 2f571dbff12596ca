"""What no quota counts: how much of some usage, whose, and which rule would count it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import HAIKU, NOON, a_quota
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.quotas.quota import Action, Exemption, Rule, Share
from quota_enforcer.core.quotas.subject import Subject
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.coverage import ChargedUse, Coverage, coverage
from quota_enforcer.core.usage.model import ModelScope

OPUS = "anthropic.claude-3-opus-20240229-v1:0"


def a_use(*charged: str, model: str = HAIKU, requests: int = 10, **more: Any) -> ChargedUse:
    """Ten calls for a dollar."""
    counts = Counts(requests, 100 * requests, cost_usd=Decimal(requests) / 10)
    return ChargedUse(tuple(map(Principal.parse, charged)), model, counts, **more)


def found(uses: list[ChargedUse], *rules: Rule) -> Coverage:
    return coverage(uses, QuotaBook(rules), NOON)


@pytest.mark.parametrize(
    ("who", "subject", "covered"),
    [
        (["user/alice"], "user/alice", True),
        (["user/alice"], "user/*", True),
        (["user/alice"], "default", True),
        (["sso/ann@example.com"], "default", True),
        (["sso/ann@example.com"], "user/*", False),
        (["role/dev"], "default", False),
        (["role/dev"], "role/*", True),
        (["role/dev"], "role/dev", True),
        (["role/dev"], "session/dev/*", True),
        (["role/dev"], "session/dev/ann", False),
        (["role/dev", "session/dev/ann"], "session/dev/ann", True),
        (["role/dev", "session/dev/bob"], "session/dev/*", True),
        (["other/arn:aws:iam::111122223333:root"], "default", False),
    ],
)
def test_a_call_is_under_a_quota_if_one_applies_to_whom_it_counts_to(
    who: list[str],
    subject: str,
    covered: bool,  # noqa: FBT001
) -> None:
    missed = found([a_use(*who)], a_quota(subject=subject)).missed
    assert missed.requests == (0 if covered else 10)
    assert missed.cost_usd == (0 if covered else 1)


def test_a_quota_for_some_models_leaves_the_others_uncounted() -> None:
    uses = [a_use("user/alice", model=OPUS), a_use("user/alice", requests=5)]
    seen = found(uses, a_quota(models=(ModelScope(OPUS),)))
    assert seen.missed == uses[1].counts
    assert seen.total.requests == 15


def test_a_quota_that_only_notifies_counts_too() -> None:
    assert not any(found([a_use("user/alice")], a_quota(action=Action.NOTIFY)).missed)


def test_a_rule_that_has_ended_counts_nothing_any_more() -> None:
    ended = a_quota(until=NOON - timedelta(minutes=1))
    assert found([a_use("user/alice")], ended).missed.requests == 10


def test_a_pool_counts_for_its_members() -> None:
    pool = a_quota(subject="team/x", members=("role/dev",), share=Share.POOL)
    assert not any(found([a_use("role/dev")], pool).missed)


def test_what_is_exempt_is_told_apart() -> None:
    free = Exemption(Subject("user/alice"), "daily")
    seen = found([a_use("user/alice"), a_use("user/bob")], free, a_quota(subject="default"))
    assert (seen.missed.requests, seen.exempt.requests) == (0, 10)
    assert seen.words == "Every call is under a quota; 10 calls more ($1.00) are exempt."


@pytest.mark.parametrize(
    ("who", "rules"),
    [
        (["user/alice"], ("user/alice",)),
        (["user/alice", "user/bob"], ("user/*",)),
        (["sso/ann@example.com", "sso/bob@example.com"], ("sso/*",)),
        (["user/alice", "sso/ann@example.com"], ("default",)),
        (["role/dev"], ("role/dev",)),
        (["role/dev", "role/ci"], ("role/*",)),
        (["user/alice", "role/ci"], ("user/alice", "role/ci")),
        (["other/arn:aws:iam::111122223333:root"], ()),
    ],
)
def test_it_names_the_fewest_rules_that_would_count_all(
    who: list[str], rules: tuple[str, ...]
) -> None:
    assert set(found([a_use(each) for each in who]).rules) == set(rules)


PEOPLE = ["user/alice", "user/bob", "sso/ann@example.com", "role/dev", "role/ci"]


@given(
    st.lists(st.sampled_from(PEOPLE), min_size=1), st.sets(st.sampled_from(["user/*", "role/dev"]))
)
def test_with_the_rules_that_it_names_every_call_is_under_a_quota(
    who: list[str], there: set[str]
) -> None:
    uses = [a_use(each) for each in who]
    rules = [a_quota(subject=each) for each in there]
    missing = [a_quota(subject=each, name="more") for each in found(uses, *rules).rules]
    assert not any(found(uses, *rules, *missing).missed)
    assert found(uses, *rules).total == Counts.total(use.counts for use in uses)


def test_the_dearest_comes_first() -> None:
    uses = [a_use("user/alice"), a_use("user/bob", requests=30)]
    assert list(map(str, found(uses).uncovered)) == ["user/bob", "user/alice"]


class TestWords:
    def test_everybody_behind_one_role_and_a_default(self) -> None:
        """The default is for people and never covers roles, so nothing counts here."""
        ann, bob = (Principal.parse(f"session/dev/{name}") for name in ("ann", "bob"))
        uses = [a_use("role/dev", session=ann), a_use("role/dev", session=bob)]
        assert found(uses, a_quota(subject="default")).words == (
            "Under no quota: 20 calls of 20 (100 %) and $2.00 of $2.00, by role/dev. "
            "A quota for all models for role/dev would cover it. "
            "2 session names share role/dev: one for session/dev/* limits each by itself."
        )

    def test_one_session_name_is_nobody_sharing(self) -> None:
        seen = found([a_use("role/ci", session=Principal.parse("session/ci/job"))])
        assert "session" not in seen.words

    def test_a_ledger_does_not_know_the_sessions_that_nobody_watches(self) -> None:
        assert (
            "Where people share a role: one for session/ci/* limits"
            in found([a_use("role/ci")]).words
        )

    def test_a_small_part_is_not_rounded_to_nothing(self) -> None:
        seen = found([a_use("user/alice", requests=9999), a_use("user/bob", requests=1)], a_quota())
        assert "1 call of 10,000 (< 1 %)" in seen.words

    def test_who_cannot_be_denied_is_said_to_be(self) -> None:
        words = found([a_use("other/arn:aws:iam::111122223333:root")]).words
        assert words.endswith(
            "No quota can deny other/...: they are root, federated or of other accounts."
        )

    @pytest.mark.parametrize(
        ("uses", "words"),
        [
            ([], "No call was counted, so none is without a quota."),
            ([a_use("user/alice")], "Every call is under a quota."),
        ],
    )
    def test_there_is_nothing_to_say(self, uses: list[ChargedUse], words: str) -> None:
        assert found(uses, a_quota()).words == words


def test_as_data_money_is_exact_text() -> None:
    seen = found([a_use("user/alice"), a_use("user/bob")], a_quota())
    assert seen.to_json() == {
        "requests": 10, "cost_usd": "1", "assumed_usd": "0", "of_requests": 20, "of_cost_usd": "2",
        "exempt_requests": 0, "exempt_cost_usd": "0", "rules": ["user/bob"],
        "principals": [
            {"principal": "user/bob", "requests": 10, "cost_usd": "1", "assumed_usd": "0",
             "sessions": None},
        ],
    }  # fmt: skip
