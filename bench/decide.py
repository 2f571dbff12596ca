"""How long `decide` takes: 10,000 principals x 5 quotas x 2 models, half of the quotas monthly.

Buckets lie in memory as the ledger would hand them over; what is timed is finding the quotas in
force, summing their buckets and deciding, on one core.
"""

import cProfile
import pstats
import random
import sys
import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from quota_enforcer.core.deployment import Context, Mode
from quota_enforcer.core.ledger import Standing
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.quotas.quota import Quota
from quota_enforcer.core.quotas.subject import Subject
from quota_enforcer.core.usage.buckets import ModelUsage, Usage
from quota_enforcer.core.usage.counts import OBSERVED, Counts, Measure
from quota_enforcer.core.usage.window import DAY, HOUR, Unit, Window, hour_start, local_date
from quota_enforcer.decide.decision import decide

if TYPE_CHECKING:
    from bench.parts.figures import Figure, report
else:  # a script finds what lies beside it
    from parts.figures import Figure, report


PRINCIPALS = 10_000
MOST = 5.0
"""Seconds of a core."""
MODELS = ("anthropic.claude-3-haiku-20240307-v1:0", "amazon.nova-lite-v1:0")
ZONE = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 30, 15, 20, tzinfo=UTC)
QUOTAS = [
    ("monthly-tokens", Measure.TOTAL_TOKENS, 300_000, Window(Unit.MONTH)),
    ("monthly-requests", Measure.REQUESTS, 50_000, Window(Unit.MONTH, resets_on=15)),
    ("daily-tokens", Measure.TOTAL_TOKENS, 14_000, Window(Unit.DAY)),
    ("daily-dollars", Measure.COST_USD, 5, Window(Unit.DAY)),
    ("rolling", Measure.INPUT_TOKENS, 65_000, Window(Unit.HOUR, rolling=24)),
]  # the first two are monthly, and so is the fifth of every other principal: half of all
PRICE = Decimal("0.00125")
PERSONAL = ("personal", Measure.CACHE_READ_TOKENS, 90_000, Window(Unit.MONTH))


def rules() -> list[Quota]:
    """Four quotas by default, and a fifth for each principal: monthly for every other one."""
    shared = [
        Quota(Subject("default"), name, measure=measure, limit=Decimal(limit), window=window)
        for name, measure, limit, window in QUOTAS[:4]
    ]
    own = [
        Quota(Subject(f"user/u{n}"), name, measure=measure, limit=Decimal(limit), window=window)
        for n in range(PRINCIPALS)
        for name, measure, limit, window in [QUOTAS[4] if n % 2 else PERSONAL]
    ]
    return shared + own


def usages() -> list[Usage]:
    """A month of day buckets and two days of hour buckets for each principal and model."""
    dice = random.Random(1)  # noqa: S311 - numbers for a benchmark
    today, hour = local_date(NOW, ZONE), hour_start(NOW, ZONE)

    def counts() -> Counts:
        observed = Counts.observed(dice.randrange(2_000) for _ in OBSERVED)
        return observed._replace(cost_usd=dice.randrange(2_000) * PRICE)

    def usage() -> ModelUsage:
        return ModelUsage(
            {hour - n * HOUR: counts() for n in range(48)},
            {today - n * DAY: counts() for n in range(32)},
        )

    return [Usage({model: usage() for model in MODELS}) for _ in range(PRINCIPALS)]


def main() -> None:
    """Time one pass over everybody; with `profile` say where the time goes."""
    book, everybody = QuotaBook(rules()), usages()
    context = Context(NOW, ZONE, Mode.ENFORCE)

    def one_pass() -> int:
        notices = 0
        for n, usage in enumerate(everybody):
            principal = Principal.parse(f"user/u{n}")
            applicable = book.applicable_to(principal, NOW)
            notices += len(decide(principal, applicable, usage, Standing(), context).notices)
        return notices

    start = time.process_time()
    notices = one_pass()
    took = time.process_time() - start
    print(
        f"decide: {PRINCIPALS:,} principals x 5 quotas x 2 models: {took:.2f} s, {notices} notices"
    )
    report([Figure("10,000 decisions", took, "s", MOST)])
    if sys.argv[1:] == ["profile"]:
        profile = cProfile.Profile()
        profile.runcall(one_pass)
        print("where the time goes (profiled, so slower):")
        pstats.Stats(profile).strip_dirs().sort_stats("tottime").print_stats(8)


if __name__ == "__main__":
    main()
