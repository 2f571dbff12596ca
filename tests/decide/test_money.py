"""Quotas on money and on weighted tokens: they behave like any other, to the last decimal place."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import ALICE, HAIKU, HOUR, NOON, UTC_ZONE, a_quota, kinds
from quota_enforcer.core.deployment import Context, Mode
from quota_enforcer.core.ledger import Level, Standing
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.precedence import Applicable
from quota_enforcer.core.quotas.quota import UNLIMITED, Action, Quota, UnknownPrices
from quota_enforcer.core.usage.buckets import ModelUsage, Usage
from quota_enforcer.core.usage.counts import OBSERVED, Counts, Measure
from quota_enforcer.core.usage.model import ModelScope
from quota_enforcer.core.usage.window import DAY, Unit, Window
from quota_enforcer.decide.decision import Decision, decide

SONNET = "anthropic.claude-sonnet-4-20250514-v1:0"
MIDNIGHT = datetime(2026, 11, 25, tzinfo=UTC)
ROLLING = Window(Unit.HOUR, rolling=5)
Spent = Mapping[datetime, tuple[str, str]]
"""By hour: dollars, and how many of them at an assumed price."""


def spent(hours: Spent, model: str = HAIKU) -> Usage:
    buckets = {
        hour: Counts(1, cost_usd=Decimal(usd), assumed_usd=Decimal(assumed))
        for hour, (usd, assumed) in hours.items()
    }
    return Usage({model: ModelUsage.of_hours(buckets, UTC_ZONE)})


def a_budget(**but: object) -> Quota:
    """$10 a day for alice, warned at 80 %."""
    return a_quota(**{"measure": Measure.COST_USD, "limit": Decimal(10), **but})


def look(
    usage: Usage,
    quota: Quota | None = None,
    *,
    now: datetime = NOON,
    before: Standing | None = None,
    mode: Mode = Mode.ENFORCE,
    who: Principal = ALICE,
) -> Decision:
    applicable = Applicable((quota or a_budget(),))
    return decide(who, applicable, usage, before or Standing(), Context(now, UTC_ZONE, mode))


@pytest.mark.parametrize(
    ("usd", "told"),
    [
        ("7.999999999999", []),
        ("8", ["warning 80"]),
        ("9.999999999999", ["warning 80"]),
        ("10", ["blocked"]),
    ],
)
def test_a_budget_is_exact_to_the_last_place(usd: str, told: list[str]) -> None:
    assert kinds(look(spent({NOON: (usd, "0")}))) == told


@pytest.mark.parametrize(("limit", "blocked"), [("0.3", True), ("0.300000000001", False)])
def test_tenths_add_up(limit: str, blocked: bool) -> None:  # noqa: FBT001 - a table
    """As floats 0.1 + 0.1 + 0.1 is more than 0.3."""
    thrice = spent({NOON - n * HOUR: ("0.1", "0") for n in range(3)})
    decision = look(thrice, a_budget(limit=Decimal(limit)))
    assert ("blocked" in kinds(decision)) is blocked


def test_a_block_is_told_in_dollars() -> None:
    (blocked,) = look(spent({NOON: ("12.345678", "0")})).notices
    assert blocked.reason == "$12.34 of $10.00 used today (quota daily of user/alice)"
    assert (blocked.used, blocked.percent) == (Decimal("12.345678"), 123)
    assert blocked.measure == "US dollars"


def test_the_assumed_part_warns_but_does_not_deny() -> None:
    decision = look(spent({NOON: ("12", "4")}))
    assert (decision.standing.level, decision.standing.denied) == (Level.OVER, frozenset())
    assert kinds(decision) == ["warning 100"]
    assert decision.notices[0].reason == (
        "$12.00 of $10.00 used today, $4.00 of it at assumed prices (quota daily of user/alice); "
        "it blocks nothing, since only assumed prices reach the limit: "
        f"those of {HAIKU}"
    )  # fmt: skip


def test_where_the_quota_says_so_the_assumed_part_denies() -> None:
    decision = look(spent({NOON: ("12", "12")}), a_budget(unknown_prices=UnknownPrices.DENY))
    assert kinds(decision) == ["blocked"]
    assert "$12.00 of it at assumed prices" in decision.notices[0].reason
    assert decision.standing.until == MIDNIGHT


@pytest.mark.parametrize(
    ("model", "blocked"),
    [
        ("application-inference-profile/abc123", True),
        ("prompt-router/mine", True),
        ("imported-model/mine", True),
        ("provisioned-model/mine", True),
        ("custom-model-deployment/mine", True),
        ("arn:aws:sagemaker:us-east-1:111122223333:endpoint/mine", True),
        ("acme.new-model-v1:0", False),
        (HAIKU, False),
    ],
)
@pytest.mark.parametrize("window", [Window(Unit.DAY), ROLLING])
def test_what_people_make_themselves_denies_at_its_assumed_price(
    model: str, window: Window, *, blocked: bool
) -> None:
    """A profile is made, used, and deleted before Bedrock can be asked what is behind it."""
    decision = look(spent({NOON: ("12", "12")}, model), a_budget(window=window))
    assert ("blocked" in kinds(decision)) is blocked
    if blocked:
        assert "$12.00 of it at assumed prices" in decision.notices[0].reason
        assert decision.standing.until is not None


def test_only_its_own_part_is_certain() -> None:
    profile = spent({NOON: ("6", "6")}, "application-inference-profile/a").models
    assert kinds(look(Usage({**profile, **spent({NOON: ("6", "6")}).models}))) == ["warning 100"]
    assert kinds(look(Usage({**profile, **spent({NOON: ("4", "0")}).models}))) == ["blocked"]


def test_what_is_sure_to_reach_the_limit_denies_whatever_is_assumed() -> None:
    assert kinds(look(spent({NOON: ("13", "3")}))) == ["blocked"]


def test_the_warning_does_not_swallow_the_block_once_it_is_sure() -> None:
    first = look(spent({NOON: ("12", "4")}))
    second = look(spent({NOON: ("15", "4")}), before=first.standing, now=NOON + HOUR)
    assert kinds(second) == ["blocked"]


def test_only_models_without_a_price_are_named() -> None:
    usage = Usage({**spent({NOON: ("9", "0")}).models, **spent({NOON: ("3", "3")}, SONNET).models})
    assert look(usage).verdicts[0].unpriced == (SONNET,)


def test_only_models_that_the_quota_counts_are_named() -> None:
    usage = Usage({**spent({NOON: ("9", "1")}).models, **spent({NOON: ("3", "3")}, SONNET).models})
    assert look(usage).verdicts[0].unpriced == (HAIKU, SONNET)
    verdict = look(usage, a_budget(models=(ModelScope(HAIKU),))).verdicts[0]
    assert (verdict.unpriced, verdict.assumed) == ((HAIKU,), Decimal(1))


def test_of_many_models_without_a_price_three_are_named() -> None:
    usage = Usage(
        {
            name: model
            for n in "abcde"
            for name, model in spent({NOON: ("3", "3")}, n).models.items()
        }
    )
    assert look(usage).notices[0].reason.endswith("those of a, b, c and 2 more")


@pytest.mark.parametrize("measure", [Measure.REQUESTS, Measure.WEIGHTED_TOKENS])
def test_assumed_dollars_take_nothing_from_other_measures(measure: Measure) -> None:
    usage = spent({NOON: ("12", "4")})
    calls_alone = (Decimal(1), *[Decimal(0)] * (len(OBSERVED) - 1))
    weights = () if measure is Measure.REQUESTS else calls_alone
    verdict = look(usage, a_quota(measure=measure, limit=Decimal(1), weights=weights)).verdicts[0]
    assert (verdict.surely_used_up, verdict.unpriced) == (True, ())


def test_what_was_assumed_before_the_window_does_not_count() -> None:
    verdict = look(spent({NOON - DAY: ("9", "9"), NOON: ("3", "0")})).verdicts[0]
    assert (verdict.used, verdict.assumed, verdict.unpriced) == (Decimal(3), Decimal(0), ())


@pytest.mark.parametrize(
    ("but", "mode", "who", "why"),
    [
        ({"action": Action.NOTIFY}, Mode.ENFORCE, "user/alice", "this quota only notifies"),
        ({}, Mode.OBSERVE, "user/alice", "only assumed prices reach the limit"),
        ({}, Mode.ENFORCE, "sso/ann", "only assumed prices reach the limit"),
    ],
)
def test_the_nearest_reason_is_told(but: dict[str, object], mode: Mode, who: str, why: str) -> None:
    """Admins are not told that somebody could not be denied who would not be anyway."""
    principal = Principal.parse(who)
    quota = a_budget(subject=who, **but)
    decision = look(spent({NOON: ("12", "4")}), quota, mode=mode, who=principal)
    assert kinds(decision) == ["warning 100"]
    assert f"since {why}" in decision.notices[0].reason


def test_a_deny_lasts_until_what_is_sure_has_left_a_rolling_window() -> None:
    """The assumed rest still warns, and that ends when it has left too."""
    quota = a_budget(window=ROLLING)
    usage = spent({NOON - 3 * HOUR: ("8", "0"), NOON - 2 * HOUR: ("3", "0"), NOON: ("10", "10")})
    blocked = look(usage, quota)
    assert (blocked.standing.until, blocked.standing.due) == (NOON + 2 * HOUR, NOON + 2 * HOUR)
    freed = look(usage, quota, now=NOON + 2 * HOUR, before=blocked.standing)
    assert kinds(freed) == ["warning 100", "restored"]
    assert "only assumed prices reach the limit" in freed.notices[1].reason
    assert (freed.standing.level, freed.standing.due) == (Level.OVER, NOON + 5 * HOUR)
    clear = look(usage, quota, now=NOON + 5 * HOUR, before=freed.standing)
    assert (clear.standing.level, kinds(clear)) == (Level.OK, [])


def test_raising_a_budget_by_cents_lets_go() -> None:
    usage = spent({NOON: ("10.001", "0")})
    before = look(usage).standing
    raised = a_budget(raise_to=Decimal("10.005"), raise_until=MIDNIGHT)
    free = look(usage, raised, before=before)
    assert kinds(free) == ["warning 80", "restored"]
    assert free.notices[1].reason == "the limit is now $10.005"


def test_a_budget_of_nothing_is_a_block_by_hand() -> None:
    """However little is sure: it does not wait for usage."""
    assert kinds(look(spent({NOON: ("1", "1")}), a_budget(limit=Decimal(0)))) == ["blocked"]


def test_an_unlimited_budget_has_no_percent() -> None:
    verdict = look(spent({NOON: ("1", "0")}), a_budget(limit=UNLIMITED)).verdicts[0]
    assert (verdict.percent, verdict.used_up) == (0, False)


WEIGHTS = tuple(map(Decimal, ("0", "1", "5", "0.1", "1.25", "0")))
"""Output x 5, cache reads x 0.1, cache writes x 1.25."""


def test_weighted_tokens_are_the_sum_of_their_weights() -> None:
    quota = a_quota(measure=Measure.WEIGHTED_TOKENS, limit=Decimal("152.5"), weights=WEIGHTS)
    used = Counts(7, 20, 10, 1000, 10)
    usage = Usage({HAIKU: ModelUsage.of_hours({NOON: used}, UTC_ZONE)})
    assert quota.number(used) == Decimal("182.5")
    assert look(usage, quota).notices[0].reason == (
        "182.5 of 152.5 weighted tokens used today (quota daily of user/alice)"
    )


MILLS = st.integers(0, 1500)
STEPS = st.lists(st.tuples(st.integers(1, 300), MILLS, MILLS), min_size=1, max_size=12)
LIMITS = st.integers(0, 1500)
SCALES = st.sampled_from(["1", "0.001", "0.00000025", "0.000000000003", "12345.678"])
WINDOWS = st.sampled_from([Window(Unit.DAY), Window(Unit.HOUR), ROLLING, Window(Unit.WEEK)])


def outlines(decision: Decision) -> tuple[object, ...]:
    """What a decision comes to, apart from its numbers and words."""
    standing = decision.standing
    return (
        kinds(decision),
        (standing.level, standing.denied, standing.until, standing.due, standing.used_up.keys()),
        [(told.threshold, told.until) for told in standing.warned.values()],
        [(verdict.percent, verdict.frees_at) for verdict in decision.verdicts],
    )


@given(STEPS, LIMITS, SCALES, WINDOWS)
def test_a_budget_behaves_as_a_token_quota(
    steps: list[tuple[int, int, int]], limit: int, scale: str, window: Window
) -> None:
    """Where each token costs the same, dollars decide as tokens do, step by step."""
    price = Decimal(scale)
    by_tokens = a_quota(limit=Decimal(limit), window=window, warn_at=(50, 80))
    by_money = replace(by_tokens, measure=Measure.COST_USD, limit=limit * price)
    weights = tuple(price if "_tokens" in counter else Decimal(0) for counter in OBSERVED)
    weighted = replace(by_money, measure=Measure.WEIGHTED_TOKENS, weights=weights)
    quotas = (by_tokens, by_money, weighted)
    before = [Standing()] * len(quotas)
    hours: dict[datetime, Counts] = {}
    now = NOON
    for minutes, tokens, _ in steps:
        now += timedelta(minutes=minutes)
        hour = now.replace(minute=0)
        call = Counts(1, tokens, cost_usd=tokens * price)
        hours[hour] = Counts.total([hours.get(hour, Counts()), call])
        usage = Usage({HAIKU: ModelUsage.of_hours(hours, UTC_ZONE)})
        decisions = [
            look(usage, quota, now=now, before=standing)
            for quota, standing in zip(quotas, before, strict=True)
        ]
        assert outlines(decisions[1]) == outlines(decisions[0])
        assert outlines(decisions[2]) == outlines(decisions[0])
        before = [decision.standing for decision in decisions]


@given(STEPS, LIMITS, WINDOWS)
def test_what_is_assumed_never_decides_a_deny(
    steps: list[tuple[int, int, int]], limit: int, window: Window
) -> None:
    """With or without the assumed money the same is denied, as long; asked to, all of it denies.

    And whoever is denied would be with every price known.
    """
    quota = a_budget(limit=Decimal(limit), window=window)
    strict = replace(quota, unknown_prices=UnknownPrices.DENY)
    now, every, known = NOON, dict[datetime, Counts](), dict[datetime, Counts]()
    for minutes, sure, assumed in steps:
        now += timedelta(minutes=minutes)
        hour = now.replace(minute=0)
        one, all_ = Decimal(sure), Decimal(sure + assumed)
        known[hour] = Counts.total([known.get(hour, Counts()), Counts(1, cost_usd=one)])
        call = Counts(1, cost_usd=all_, assumed_usd=all_ - one)
        every[hour] = Counts.total([every.get(hour, Counts()), call])
    whole, part = (Usage({HAIKU: ModelUsage.of_hours(hours, UTC_ZONE)}) for hours in (every, known))
    lenient, without = look(whole, quota, now=now).standing, look(part, quota, now=now).standing
    assert (lenient.denied, lenient.until, lenient.used_up) == (
        without.denied, without.until, without.used_up,
    )  # fmt: skip
    asked = look(whole, strict, now=now)
    priced = Usage(
        {HAIKU: ModelUsage.of_hours(
            {hour: row._replace(assumed_usd=Decimal(0)) for hour, row in every.items()}, UTC_ZONE
        )}
    )  # fmt: skip
    assert asked.standing.denied == look(priced, quota, now=now).standing.denied
    assert lenient.denied <= asked.standing.denied
    assert lenient.level is asked.standing.level


@given(STEPS, LIMITS)
def test_without_new_usage_nothing_changes_before_it_is_due(
    steps: list[tuple[int, int, int]], limit: int
) -> None:
    """Also where the deny ends before the warning does."""
    quota = a_budget(limit=Decimal(limit), window=ROLLING)
    now = NOON
    hours: dict[datetime, Counts] = {}
    for minutes, sure, assumed in steps:
        now += timedelta(minutes=minutes)
        call = Counts(1, cost_usd=Decimal(sure + assumed), assumed_usd=Decimal(assumed))
        hour = now.replace(minute=0)
        hours[hour] = Counts.total([hours.get(hour, Counts()), call])
    usage = Usage({HAIKU: ModelUsage.of_hours(hours, UTC_ZONE)})
    before = look(usage, quota, now=now).standing
    while before.due is not None and limit:
        later = look(usage, quota, now=before.due - timedelta(seconds=1), before=before)
        assert (later.notices, later.standing.denied) == ((), before.denied)
        assert before.due > now
        now = before.due
        before = look(usage, quota, now=now, before=before).standing


@given(st.lists(st.decimals(0, 10**6, places=13), min_size=1, max_size=40))
def test_sums_of_dollars_are_exact(amounts: list[Decimal]) -> None:
    """However many calls, bucket and window come to the same as arithmetic without rounding."""
    calls = [Counts(1, cost_usd=amount) for amount in amounts]
    buckets: dict[datetime, Counts] = {}
    for n, call in enumerate(calls):
        hour = NOON - n % 12 * HOUR
        buckets[hour] = Counts.total([buckets.get(hour, Counts()), call])
    usage = Usage({HAIKU: ModelUsage.of_hours(buckets, UTC_ZONE)})
    with localcontext(prec=200):
        truth = sum(amounts, Decimal(0))
    assert look(usage).verdicts[0].used == truth
