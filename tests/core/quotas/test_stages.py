"""`closes`: what a quota closes apart from what it counts, and from which part of its limit on."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import NOON, UTC_ZONE, a_quota, an_item
from quota_enforcer.core.errors import InvalidQuota
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.describe import in_full
from quota_enforcer.core.quotas.diff import changes, shown
from quota_enforcer.core.quotas.form.attributes import quota_attributes
from quota_enforcer.core.quotas.form.nearest import nearest
from quota_enforcer.core.quotas.form.shorthand import item_form
from quota_enforcer.core.quotas.item import read_quota
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.quotas.quota import UNLIMITED, Quota, Share
from quota_enforcer.core.quotas.stage import Stage, opened_again, part_of, whole_of
from quota_enforcer.core.quotas.subject import QuotaId
from quota_enforcer.core.usage.model import EVERY_MODEL, ModelScope

OPUS, SONNET = "anthropic.claude-3-opus*", "anthropic.claude-3-sonnet*"
SCOPES = ("*", OPUS, SONNET)
OF_OPUS = (ModelScope(OPUS),)
EVERYTHING = (EVERY_MODEL,)
INSTALLED = (
    f"installed model scopes: *, {OPUS}, {SONNET}; to install another, set one of the stack's "
    "parameters ModelScope1 to ModelScope5"
)
OR_STAGES = (
    "; or a map of percentages of the limit, 1 to 100, to such, as in "
    '{"80": ["anthropic.claude-3-opus*"], "100": ["*"]}'
)


def read(**but: Any) -> Quota:
    found = read_quota(an_item(**but), UTC_ZONE, SCOPES)
    assert isinstance(found, Quota)
    return found


@pytest.mark.parametrize(
    ("closes", "stages", "denies"),
    [
        pytest.param(None, (), EVERYTHING, id="nothing said: what it counts"),
        pytest.param(OPUS, (), OF_OPUS, id="a scope"),
        pytest.param([OPUS], (), OF_OPUS, id="a list"),
        pytest.param({OPUS}, (), OF_OPUS, id="a string set of DynamoDB"),
        pytest.param({"100": OPUS}, (), OF_OPUS, id="the limit alone"),
        pytest.param({"80": OPUS}, (Stage(80, OF_OPUS),), EVERYTHING, id="then what it counts"),
        pytest.param(
            {"100": ["*"], "80 %": [OPUS]}, (Stage(80, OF_OPUS),), EVERYTHING, id="in any order"
        ),
        pytest.param(
            {"50": OPUS, "80%": [OPUS, SONNET], "100": "*"},
            (Stage(50, OF_OPUS), Stage(80, (*OF_OPUS, ModelScope(SONNET)))),
            EVERYTHING,
            id="three stages",
        ),
    ],
)
def test_what_is_closed(
    closes: Any, stages: tuple[Stage, ...], denies: tuple[ModelScope, ...]
) -> None:
    quota = read(closes=closes)
    assert (quota.stages, quota.denies, quota.models) == (stages, denies, EVERYTHING)


@pytest.mark.parametrize(
    ("closes", "allowed"),
    [
        pytest.param("amazon.*", INSTALLED + OR_STAGES, id="not installed"),
        pytest.param({"80": "amazon.*"}, INSTALLED + OR_STAGES, id="not installed, in a stage"),
        pytest.param([], INSTALLED + OR_STAGES, id="nothing"),
        pytest.param({}, INSTALLED + OR_STAGES, id="no stages"),
        pytest.param({"80": []}, INSTALLED + OR_STAGES, id="a stage of nothing"),
        pytest.param({"0": "*"}, "percentages of the limit from 1 to 100, not '0'", id="zero"),
        pytest.param({"101": "*"}, "percentages of the limit from 1 to 100, not '101'", id="more"),
        pytest.param(
            {"half": "*"}, "percentages of the limit from 1 to 100, not 'half'", id="word"
        ),
        pytest.param(
            {"80": OPUS, "80%": "*"}, "each percentage once; 80 % stands twice", id="twice"
        ),
        pytest.param(
            {"80": "*", "100": OPUS},
            "every stage to close at least what the one before it does: 100 % closes "
            f"{OPUS} and would open * again, which 80 % closes; add it at 100 %",
            id="opens at the limit",
        ),
        pytest.param(
            {"50": OPUS, "80": SONNET},
            "every stage to close at least what the one before it does: 80 % closes "
            f"{SONNET} and would open {OPUS} again, which 50 % closes; add it at 80 %",
            id="opens in between",
        ),
    ],
)
def test_what_is_refused(closes: Any, allowed: str) -> None:
    with pytest.raises(InvalidQuota) as refused:
        read(closes=closes)
    [problem] = refused.value.problems
    assert problem.partition("; allowed: ")[2].removesuffix("; write '*'") == allowed


def test_a_later_stage_that_counts_less_than_an_early_one_closes_is_refused() -> None:
    with pytest.raises(InvalidQuota, match=r"100 % closes anthropic\.claude-3-sonnet"):
        read(closes={"80": OPUS}, models=SONNET)


def test_a_quota_that_only_notifies_closes_nothing() -> None:
    with pytest.raises(InvalidQuota, match=r"closes is .*only with action deny"):
        read(closes=OPUS, action="notify")


def test_what_is_only_counted_need_not_be_installed() -> None:
    """It is not what is closed; but a vendor that nobody knows would count nothing."""
    quota = read(closes=OPUS, models="anthropic.*")
    assert (quota.models, quota.denies) == ((ModelScope("anthropic.*"),), OF_OPUS)
    for refused in (
        {"closes": OPUS, "models": "antropic.*"},
        {"closes": OPUS, "models": "claude*"},  # ids begin with their vendor
        {"closes": {"80": OPUS}, "models": "anthropic.*"},  # closed at the limit
        {"models": "anthropic.*"},
    ):
        with pytest.raises(InvalidQuota, match="models is"):
            read(**refused)


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        (f"80={OPUS}, 100=*", {"80": [OPUS], "100": ["*"]}),
        ([f"80={OPUS}", "100=all"], {"80": [OPUS], "100": ["*"]}),
        (f"80%: {OPUS}, {SONNET}; 100%: all", {"80": [OPUS, SONNET], "100": ["*"]}),
        (f"80 % {OPUS}", {"80": [OPUS]}),
        ({"80 %": OPUS, 100: "all"}, {"80": [OPUS], "100": ["*"]}),
        ({"80": OPUS, "80%": "*"}, {"80": OPUS, "80%": "*"}),
        (f"{OPUS}, {SONNET}", [OPUS, SONNET]),
        ("anthropic.claude-3-opus-20240229-v1:0", "anthropic.claude-3-opus-20240229-v1:0"),
        (OPUS, OPUS),
        (5, 5),
    ],
)
def test_as_people_write_it(written: Any, plain: Any) -> None:
    assert item_form({"closes": written})["closes"] == plain


def test_what_the_console_shows_is_read_back() -> None:
    stages = {"50": [OPUS], "80": [OPUS, SONNET], "100": ["*"]}
    assert shown(stages) == f"50 %: {OPUS}; 80 %: {OPUS}, {SONNET}; 100 %: *"
    assert item_form({"closes": shown(stages)})["closes"] == stages
    assert shown({"input_tokens": Decimal(1)}) == "input_tokens x 1"


def test_the_nearest_right_form_is_told() -> None:
    item = an_item(closes=f"80={OPUS}")
    assert nearest("closes", item) == f"; write {{'80': [{OPUS}]}}"


@pytest.mark.parametrize(
    "closes", [None, OPUS, [OPUS, SONNET], {"80": [OPUS]}, {"1": [OPUS], "99": ["*"], "100": ["*"]}]
)
def test_a_restated_quota_closes_the_same(closes: Any) -> None:
    quota = read(closes=closes)
    again = {"principal": quota.subject, "quota": quota.name, **quota_attributes(quota)}
    assert read_quota(again, UTC_ZONE, SCOPES) == quota


def test_in_words() -> None:
    quota = read(closes={"80": OPUS, "100": "*"}, warn_at=50)
    assert in_full(quota) == (
        f"1,000 total tokens per day; warns at 50 %, then denies {OPUS} at 80 %, everything at "
        "the limit"
    )
    [change] = changes(an_item(), an_item(closes={"80": OPUS}))
    assert shown(change.new) == f"80 %: {OPUS}"


def test_each_stage_is_a_quota_with_its_part_of_the_limit_and_of_the_raise() -> None:
    quota = a_quota(stages=(Stage(80, OF_OPUS),), raise_to=Decimal(5000), raise_until=None)
    early, whole = quota.in_stages()
    assert whole is quota
    assert (early.limit, early.raise_to, early.denies) == (Decimal(800), Decimal(4000), OF_OPUS)
    assert (early.warn_at, early.in_stages()) == ((), (early,))
    assert (early.id, early.item_id) == ("user/alice#daily@80", quota.id)
    assert a_quota(stages=quota.stages, raise_to=UNLIMITED).in_stages()[0].raise_to == UNLIMITED


def test_the_id_of_a_stage_names_its_item() -> None:
    """Also of people whose names have an @ themselves."""
    text = "sso/ann@example.com#daily@80"
    assert str(QuotaId.parse(text)) == text
    assert QuotaId.parse(text).item == "sso/ann@example.com#daily"
    assert QuotaId.parse(text).label == "daily at 80 %"
    assert QuotaId.parse("sso/ann@example.com#daily").percent == 100


@given(
    st.one_of(
        st.integers(0, 10**18).map(Decimal),
        st.decimals(0, 10**13, places=12, allow_nan=False, allow_infinity=False),
    ),
    st.integers(1, 100),
)
def test_parts_are_exact(limit: Decimal, percent: int) -> None:
    assert part_of(limit, percent) * 100 == limit * percent
    assert whole_of(part_of(limit, percent), percent) == limit


scopes = st.sampled_from([OPUS, SONNET, "*", "anthropic.*"]).map(ModelScope)


@given(st.lists(st.lists(scopes, min_size=1, max_size=3), min_size=1, max_size=4))
def test_in_order_means_that_nothing_opens_again(several: list[list[ModelScope]]) -> None:
    stages = [Stage(10 * (n + 1), tuple(each)) for n, each in enumerate(several)]
    models = ["anthropic.claude-3-opus-1", "anthropic.claude-3-sonnet-1", "anthropic.x", "meta.y"]
    closed = [{m for m in models if any(s.covers(m) for s in each.closes)} for each in stages]
    in_order = all(a <= b for n, b in enumerate(closed) for a in closed[:n])
    if opened_again(stages) is None:
        assert in_order


def test_the_stages_of_a_pool_are_fed_by_the_same_members() -> None:
    pool = a_quota(
        subject="team/x", members=("user/a", "user/b"), share=Share.POOL,
        stages=(Stage(80, OF_OPUS),),
    )  # fmt: skip
    book = QuotaBook([pool])
    early, whole = pool.in_stages()
    assert book.contributors[early.id] == book.contributors[whole.id] != frozenset()


def test_a_nearer_quota_replaces_all_stages_of_a_farther_one() -> None:
    far = a_quota(subject="user/*", stages=(Stage(80, OF_OPUS),))
    alice, bob = map(Principal.parse, ("user/alice", "user/bob"))
    book = QuotaBook([far, a_quota(limit=Decimal(5))])
    assert [each.limit for each in book.applicable_to(alice, NOON).quotas] == [5]
    applicable = book.applicable_to(bob, NOON)
    assert [each.percent for each in applicable.quotas] == [80, 100]
    assert applicable.whole == (far,)
