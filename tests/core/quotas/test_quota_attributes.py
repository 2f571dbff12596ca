"""A quota written as an item reads as the same quota."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import UTC_ZONE, a_quota
from quota_enforcer.core.quotas.form.attributes import quota_attributes
from quota_enforcer.core.quotas.item import read_quota
from quota_enforcer.core.quotas.quota import Action, Overshoot, Quota, UnknownPrices
from quota_enforcer.core.usage.counts import Measure
from quota_enforcer.core.usage.model import EVERY_MODEL, ModelScope
from quota_enforcer.core.usage.place import PlaceScope
from quota_enforcer.core.usage.window import Unit, Window

OPUS = ModelScope("anthropic.claude-3-opus*")
WEIGHTS = tuple(map(Decimal, ("0", "1", "5", "0.1", "0", "0")))
WINDOWS = [
    Window(Unit.HOUR),
    Window(Unit.DAY, rolling=30),
    Window(Unit.HOUR, rolling=1),
    Window(Unit.MINUTE, rolling=15),
    Window(Unit.WEEK),
    Window(Unit.WEEK, resets_on=7),
    Window(Unit.MONTH, resets_on=31),
]


def again(quota: Quota) -> Any:
    item = {"principal": quota.subject, "quota": quota.name, **quota_attributes(quota)}
    return read_quota(item, UTC_ZONE, ["*", str(OPUS)])


def test_what_is_as_by_default_is_left_out() -> None:
    assert quota_attributes(a_quota()) == {
        "measure": "total_tokens",
        "limit": Decimal(1000),
        "window": "day",
    }


@pytest.mark.parametrize(
    "but",
    [
        {"warn_at": ()},
        {"warn_at": (50, 90)},
        {"action": Action.NOTIFY},
        {"overshoot": Overshoot.AVOID},
        {"window": Window(Unit.HOUR), "unusual": Decimal("2.5"), "action": Action.DENY},
        {
            "window": Window(Unit.HOUR),
            "unusual": Decimal(10),
            "warn_at": (),
            "action": Action.NOTIFY,
        },
        {"models": (OPUS, EVERY_MODEL)},
        {"measure": Measure.WEIGHTED_TOKENS, "weights": WEIGHTS},
        {"measure": Measure.COST_USD, "limit": Decimal("0.000000000001")},
        {"places": PlaceScope(regions=("eu-west-1", "us-east-1"))},
        {"places": PlaceScope(("111122223333", "012345678901"), ("eu-west-1",))},
        {"measure": Measure.COST_USD, "unknown_prices": UnknownPrices.DENY},
        *({"window": window} for window in WINDOWS),
    ],
    ids=str,
)
def test_a_rule_reads_as_it_was(but: dict[str, Any]) -> None:
    assert again(a_quota(**but)) == a_quota(**but)


@given(
    st.builds(
        a_quota,
        measure=st.sampled_from([each for each in Measure if each is not Measure.WEIGHTED_TOKENS]),
        limit=st.integers(0, 10**18).map(Decimal),
        window=st.sampled_from(WINDOWS),
        warn_at=st.sets(st.integers(1, 99)).map(lambda several: tuple(sorted(several))),
        action=st.sampled_from(Action),
    )
)
def test_any_rule_reads_as_it_was(quota: Quota) -> None:
    assert again(quota) == quota


def test_whom_raise_and_end_are_not_the_rules() -> None:
    raised = a_quota(raise_to=Decimal(5), raise_until=None, until=None, subject="user/bob")
    assert quota_attributes(raised) == quota_attributes(a_quota())
