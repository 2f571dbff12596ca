"""Models without a price: whom it is told, and how often."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from builders import HAIKU, HOUR, NOON, UTC_ZONE
from fakes import FakeLedger
from quota_enforcer.core.notices.notice import NoticeKind
from quota_enforcer.core.pricing.dated import newest_evidence, price_evidence
from quota_enforcer.core.usage.buckets import ModelUsage, Usage
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.enforce.notify.prices import UnpricedModels

DAY = timedelta(days=1)
CHRISTMAS = NOON + 31 * DAY
DEARER = Decimal("0.01")
"""What a cache write costs more if it stays for an hour."""


def dearer(model: str, at: datetime) -> Decimal:
    """After Christmas a discount leaves a tenth of it."""
    return {HAIKU: DEARER}[model] / (1 if at < CHRISTMAS else 10)


def spent(hour: datetime, assumed: int = 0) -> Usage:
    """A dollar in this hour, and so many more at an assumed price."""
    counts = Counts(1, 7, cost_usd=Decimal(1 + assumed), assumed_usd=Decimal(assumed))
    return Usage({HAIKU: ModelUsage.of_hours({hour: counts}, UTC_ZONE)})


class Watch:
    """A deployment whose sweeps see usage."""

    def __init__(self) -> None:
        self.ledger = FakeLedger(UTC_ZONE)

    def sees(self, *usages: Usage) -> int:
        """A sweep of a new process looks at somebody; how many notices that gave rise to."""
        seen = newest_evidence(price_evidence(usage, dearer) for usage in usages)
        notices = UnpricedModels(self.ledger).notify(seen, NOON)
        assert {notice.kind for notice in notices} <= {NoticeKind.PRICE_UNKNOWN}
        return len(notices)


@pytest.fixture
def watch() -> Watch:
    return Watch()


def test_a_model_without_a_price_is_told_once(watch: Watch) -> None:
    assert watch.sees(spent(NOON, assumed=1)) == 1
    assert [watch.sees(spent(NOON + n * HOUR, assumed=1)) for n in range(200)] == [0] * 200


def test_a_priced_model_is_not_told(watch: Watch) -> None:
    assert watch.sees(spent(NOON)) == 0


def test_one_call_without_a_price_is_enough(watch: Watch) -> None:
    assert watch.sees(spent(NOON), spent(NOON, assumed=1)) == 1


def test_with_and_without_a_price_side_by_side_is_told_once(watch: Watch) -> None:
    """By prefixes, or with cached tokens now and then: not a notice for every change."""
    hours = [NOON + n * HOUR for n in range(24 * 30)]
    told = [watch.sees(spent(hour, assumed=n % 2)) for n, hour in enumerate(hours)]
    assert sum(told) == 1


def test_a_model_that_had_a_price_for_a_week_is_told_again(watch: Watch) -> None:
    watch.sees(spent(NOON, assumed=1))
    assert watch.sees(spent(NOON + 7 * DAY)) == 0
    assert watch.sees(spent(NOON + 7 * DAY + HOUR, assumed=1)) == 1


def test_old_usage_says_nothing_new(watch: Watch) -> None:
    watch.sees(spent(NOON, assumed=1))
    watch.sees(spent(NOON + 8 * DAY))
    assert watch.sees(spent(NOON, assumed=1)) == 0


@pytest.mark.parametrize(
    ("hour", "assumed", "told"),
    [
        (NOON, "0.07", 0),
        (NOON, "0.0700001", 1),
        (NOON, "1", 1),
        (CHRISTMAS - HOUR, "0.07", 0),
        (CHRISTMAS, "0.007", 0),
        (CHRISTMAS, "0.0070001", 1),
    ],
)
def test_what_only_the_lifetime_of_cache_writes_leaves_open_has_a_price(
    watch: Watch, hour: datetime, assumed: str, told: int
) -> None:
    """No admin can set a price that would tell more; what counts are the prices of that day."""
    counts = Counts(1, 1, 1, 1, 7, cost_usd=Decimal(1), assumed_usd=Decimal(assumed))
    usage = Usage({HAIKU: ModelUsage.of_hours({hour: counts}, UTC_ZONE)})
    assert watch.sees(usage) == told
