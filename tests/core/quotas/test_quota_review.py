"""What valid quotas say that an admin may not have meant."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import product
from typing import Any

import pytest

from builders import HOUR, NOON, a_quota
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.lint import review
from quota_enforcer.core.quotas.quota import Action, Exemption, Quota, Rule
from quota_enforcer.core.quotas.stage import Stage
from quota_enforcer.core.quotas.subject import Subject
from quota_enforcer.core.usage.counts import Measure
from quota_enforcer.core.usage.model import ModelScope
from quota_enforcer.core.usage.place import Place, PlaceScope

DUBLIN = PlaceScope(regions=("eu-west-1",))
SOON, PAST = NOON + HOUR, NOON - HOUR
KNOWN = frozenset(map(Principal.parse, ("user/alice", "user/bob", "role/ci")))


def rule(subject: str, **but: Any) -> Quota:
    return a_quota(subject=subject, **but)


def team(*members: str, **but: Any) -> Quota:
    return a_quota(**{"subject": "team/x", "members": members, **but})


def doubts(*rules: Rule, known: frozenset[Principal] = KNOWN) -> list[str]:
    return [f"{each.subject} {each.name} {each.words}" for each in review(rules, known, NOON)]


@pytest.mark.parametrize("subject", ["user/alice", "user/*", "role/*", "default", "role/ci"])
def test_a_quota_for_somebody_known_is_no_doubt(subject: str) -> None:
    assert doubts(rule(subject)) == []


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ("user/alcie", "; did you mean user/alice?"),
        ("sso/somebody", ""),
        ("sso/*", ""),
        ("session/ci/*", ""),
    ],
)
def test_a_quota_for_nobody_is_named_with_who_may_be_meant(subject: str, words: str) -> None:
    assert doubts(rule(subject)) == [
        f"{subject} daily covers nobody who has used Bedrock yet{words}",
    ]


def test_where_nobody_is_known_yet_nobody_is_missed() -> None:
    assert doubts(rule("user/zoe"), team("user/zed"), rule("sso/*"), known=frozenset()) == []


def test_a_member_who_was_never_seen_is_named() -> None:
    assert doubts(team("user/alice", "user/aliec")) == [
        (
            "team/x daily has the member user/aliec, who has not used Bedrock yet; "
            "did you mean user/alice?"
        )
    ]


def test_only_the_first_unseen_names_are_compared_with_all_that_are_known() -> None:
    spellings = list(product(*((letter, letter.upper()) for letter in "alice")))
    found = doubts(team(*(f"user/{''.join(each)}" for each in spellings[1:31])))
    assert len(found) == 30
    assert sum("did you mean" in each for each in found) == 5


@pytest.mark.parametrize(
    "rules",
    [
        [rule("default"), rule("user/*"), rule("sso/*")],
        [team("user/alice", "user/bob"), rule("user/alice"), rule("user/bob")],
        [team("user/alice", until=SOON), rule("user/alice", until=SOON)],
        [team("user/alice"), Exemption(Subject("user/alice"), "daily")],
    ],
    ids=["default", "team", "both end", "exempt"],
)
def test_a_rule_that_nearer_ones_replace_for_everybody_never_applies(rules: Sequence[Rule]) -> None:
    known = KNOWN | {Principal.parse("sso/ann")}
    [found] = doubts(*rules, known=known)
    assert found.startswith(f"{rules[0].subject} daily never applies: ")


@pytest.mark.parametrize(
    "rules",
    [
        [rule("default"), rule("user/*")],
        [team("user/alice", "user/bob"), rule("user/alice")],
        [team("user/alice"), rule("user/alice", until=SOON)],
        [team("user/alice"), rule("user/alice", name="weekly")],
        [rule("user/*"), rule("user/alice"), rule("user/bob")],
    ],
    ids=["not all kinds", "not all members", "for a while", "another name", "who comes later"],
)
def test_a_rule_that_somebody_is_left_for_applies(rules: Sequence[Rule]) -> None:
    assert doubts(*rules) == []


def test_of_two_limits_on_the_same_only_the_lower_ever_blocks() -> None:
    low, high = rule("user/alice", limit=Decimal(5)), rule("user/alice", name="more")
    assert doubts(low, high) == [
        "user/alice more never blocks: daily counts the same and has a lower limit"
    ]


@pytest.mark.parametrize(
    "low",
    [
        {"subject": "user/bob"},
        {"measure": Measure.REQUESTS},
        {"action": Action.NOTIFY},
        {"until": SOON},
        {"places": DUBLIN},
        {"raise_to": Decimal(10_000), "raise_until": SOON},
        {"limit": Decimal(1000)},
    ],
    ids=str,
)
def test_two_limits_that_differ_in_more_both_have_their_use(low: dict[str, Any]) -> None:
    lower = a_quota(**{"limit": Decimal(5), **low})
    assert doubts(lower, rule("user/alice", name="more")) == []


@pytest.mark.parametrize(
    ("subject", "replaced"),
    [
        ("user/alice", "user/*"),
        ("user/alice", "default"),
        ("user/*", "default"),
        ("444455556666/user/zed", "444455556666/*"),
        ("444455556666/role/*", "role/*"),
        ("444455556666/*", "role/*"),
        ("team/x", "default"),
    ],
)
def test_a_quota_of_some_places_that_replaces_one_of_all_is_doubted(
    subject: str, replaced: str
) -> None:
    """Elsewhere there is then no limit of that name at all, which hardly anybody means."""
    members = ("user/alice",) if subject == "team/x" else ()
    narrow = rule(subject, members=members, places=DUBLIN)
    said = doubts(narrow, rule(replaced), known=frozenset())
    words = (
        f"{subject} daily counts only what is used in eu-west-1, and replaces that of {replaced} "
        "everywhere; under another name both count"
    )
    assert said == [words]
    assert doubts(narrow, rule(replaced, name="other"), known=frozenset()) == []


@pytest.mark.parametrize(
    "others",
    [
        [rule("default", places=PlaceScope(regions=("eu-west-1",)))],
        [Exemption(Subject("default"), "daily")],
        [rule("role/*"), rule("sso/*"), rule("user/bob")],
    ],
)
def test_a_quota_of_some_places_that_replaces_none_of_more_is_no_doubt(
    others: list[Rule],
) -> None:
    assert doubts(rule("user/alice", places=DUBLIN), *others, known=frozenset()) == []


@pytest.mark.parametrize(
    ("places", "words"),
    [
        (DUBLIN, "in eu-west-1"),
        (PlaceScope(("444455556666",), ("us-east-1",)), "in us-east-1 of account 444455556666"),
        (PlaceScope(("999999999999",)), "in account 999999999999"),
    ],
)
def test_a_quota_of_places_of_which_nothing_is_metered_counts_nothing(
    places: PlaceScope, words: str
) -> None:
    home, member = Place("111122223333", "us-east-1"), Place("444455556666", "eu-central-1")
    narrow = [rule("user/alice", places=places)]
    said = [each.words for each in review(narrow, (), NOON, metered=(home, member))]
    nothing = (
        f"counts what is used {words}, and nothing is metered there; metered are "
        "111122223333/us-east-1, 444455556666/eu-central-1"
    )
    assert said == [nothing]
    there = Place("444455556666", "us-east-1"), Place("1" * 12, "eu-west-1"), Place("9" * 12, "x-1")
    assert review(narrow, (), NOON, metered=there) == []
    assert review(narrow, (), NOON) == []


def test_for_several_a_higher_limit_can_be_what_is_left_where_the_lower_is_replaced() -> None:
    assert doubts(rule("user/*", limit=Decimal(5)), rule("user/*", name="more")) == []


def test_one_person_in_two_spellings_has_both() -> None:
    found = doubts(rule("user/alice"), rule("user/alice"))
    assert found == [
        "user/alice daily stands 2 times, in different spellings: the strictest of them decides"
    ]


def test_a_team_is_the_same_people_in_all_its_quotas() -> None:
    one, other = team("user/alice"), team("user/bob", name="weekly")
    assert doubts(one, other) == ["team/x weekly names other members than daily of the same team"]
    assert doubts(team("user/alice", "user/bob"), team("user/bob", "user/alice", name="w")) == []


def test_a_limit_of_0_without_an_end_blocks_for_good() -> None:
    zero = {"limit": Decimal(0)}
    assert doubts(rule("user/alice", **zero)) == [
        "user/alice daily has limit 0 and no `until`: it blocks until somebody removes it"
    ]
    assert doubts(rule("user/alice", until=SOON, **zero)) == []
    assert doubts(rule("user/alice", action=Action.NOTIFY, **zero)) == []


def test_what_has_ended_is_only_told_so() -> None:
    assert doubts(rule("user/zoe", until=PAST, limit=Decimal(0))) == [
        "user/zoe daily has ended and does nothing any more"
    ]


OPUS, HAIKU_ID = "anthropic.claude-3-opus*", "anthropic.claude-3-haiku-20240307-v1:0"


@pytest.mark.parametrize(
    ("warn_at", "doubted"), [((80,), True), ((90,), True), ((50, 80), False), ((), False)]
)
def test_a_stage_that_nobody_is_warned_before(warn_at: tuple[int, ...], doubted: bool) -> None:  # noqa: FBT001 - a column
    """Without any warning that is meant."""
    stage = Stage(80, (ModelScope(OPUS),))
    words = (
        f"user/alice daily closes {OPUS} at 80 %, and warns of nothing before: set warn_at below 80"
    )
    assert doubts(rule("user/alice", stages=(stage,), warn_at=warn_at)) == [words] * doubted


@pytest.mark.parametrize(
    ("models", "closes", "doubted"),
    [
        ("*", OPUS, False),
        (OPUS, "*", False),
        (HAIKU_ID, OPUS, True),
        (OPUS, HAIKU_ID, True),
        ("anthropic.*", HAIKU_ID, False),
        ("*haiku*", "anthropic.*", False),
        ("anthropic.claude-3-sonnet*", OPUS, True),
    ],
)
def test_a_quota_that_closes_nothing_of_what_it_counts(
    models: str,
    closes: str,
    doubted: bool,  # noqa: FBT001 - a column
) -> None:
    several = {"models": (ModelScope(models),), "closes": (ModelScope(closes),)}
    closed = "everything" if closes == "*" else closes
    words = f"user/alice daily counts {models} and closes {closed}: whoever has used it up goes on"
    assert doubts(rule("user/alice", **several)) == [words] * doubted


def test_of_two_that_count_the_same_the_higher_limit_may_close_more() -> None:
    """Stages in several items: the first closes the dear model, the second everything."""
    first = rule("user/alice", limit=Decimal(800), closes=(ModelScope(OPUS),))
    second = rule("user/alice", name="all")
    assert doubts(first, second) == []
    assert len(doubts(rule("user/alice", limit=Decimal(800)), second)) == 1


def test_of_a_group_in_a_team_somebody_must_have_been_seen() -> None:
    assert doubts(team("role/*", "user/alice")) == []
    assert doubts(team("444455556666/*")) == [
        "team/x daily has the members 444455556666/*, of whom nobody has used Bedrock yet"
    ]


def test_a_rule_of_a_kind_is_no_nearer_than_a_team_of_it() -> None:
    assert doubts(team("role/*"), rule("role/*")) == []
