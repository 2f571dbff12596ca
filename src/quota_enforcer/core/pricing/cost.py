"""The prices of one model, each known or assumed, and the sum for its calls.

What is assumed is the dearest price that could apply, and is kept apart.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from operator import attrgetter
from typing import NamedTuple

from quota_enforcer.core.pricing.rate import COUNTED_BY, TOKEN_PRICES, CacheWrites, Cost
from quota_enforcer.core.usage.counts import NO_MONEY, PROMPT, TOKEN_COUNTS, Counts

_UNSPLIT = "cache_write of either lifetime"
SUMMED = (*TOKEN_PRICES, _UNSPLIT, "request")
"""What has a price of its own, in the order of Prices."""
FIVE_MINUTES, HOUR, EITHER = map(SUMMED.index, ("cache_write", "cache_write_1h", _UNSPLIT))
"""The places of cache writes: by their lifetime, and where no record tells it."""
INPUT, OUTPUT = map(SUMMED.index, ("input", "output"))
_SAVING = tuple(
    (counter, SUMMED.index(each.prices[0]), SUMMED.index(each.instead_of))
    for counter, each in TOKEN_COUNTS.items()
    if each.instead_of
)
"""Counters of tokens that cost less than others, and the places of both prices."""
ONE_UNIT = "one image or second a request"

_counted = attrgetter(*COUNTED_BY.values(), "cache_write_tokens", "requests")
"""How much of each of SUMMED there is, where all cache writes count for each of their prices."""
_prompt = attrgetter(*PROMPT)


class Assumed(NamedTuple):
    """What is not known of one price."""

    place: int
    """Of the price in Prices."""
    part: Decimal
    """How much of it is assumed: all of it, or what it may be dearer than a known one."""
    instead: str = ""
    """What was taken, unless the whole says it."""


@dataclass(frozen=True, slots=True)
class Prices:
    """What one model's calls are charged, each price the dearest that could apply."""

    amounts: tuple[Decimal, ...]
    """Dollars, one for each of SUMMED in its order."""
    assumed: tuple[Assumed, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelTerms:
    """The prices of one model in a Region and tier, and how sure they are."""

    words: str
    """The key of its price, or what stands in if the price is not `known`."""
    known: bool
    short: Prices
    long_over: int = 0
    long: Prices | None = None
    empty: Decimal = NO_MONEY
    """The price of a request that would be free by its tokens: of an image, or what else no record
    counts."""
    source: str = ""

    def cost(self, counts: Counts, written: CacheWrites | None = None) -> Cost:
        """What calls with these counts cost in all; a long prompt is one that is long on average.

        Without `written` all cache writes cost the price for an hour, where the model has one: what
        that is more than the price for five minutes is assumed.
        """
        prices = self._of(counts)
        used = _used(counts, written)
        usd = _summed(prices, used)
        if self.empty and not usd:
            extra = self.empty * counts.requests
            return Cost(extra, extra, f"{self.words}; {ONE_UNIT}" if self.known else self.words)
        assumed, words = NO_MONEY, [self.words]
        for place, part, instead in prices.assumed:
            if used[place]:
                assumed += part * used[place]
                if instead:
                    words.append(instead)
        return Cost(usd, assumed, "; ".join(dict.fromkeys(words)), _saved(prices, counts))

    def missing(self, counts: Counts) -> list[str]:
        """Which prices of a Rate would have to be known for calls with these counts.

        Of a model by tokens that is not known at all, input and output in any case.
        """
        prices, used = self._of(counts), _used(counts, None)
        if self.empty and not _summed(prices, used):
            return ["request"]
        several = {
            SUMMED[each.place]
            for each in prices.assumed
            if used[each.place] and each.part == prices.amounts[each.place] != 0
        }
        if _UNSPLIT in several:
            several.add("cache_write")
        if not self.known and "request" not in several:
            several |= {"input", "output"}
        return [name for name in SUMMED if name in several - {_UNSPLIT}]

    def _of(self, counts: Counts) -> Prices:
        if self.long is None:
            return self.short
        is_long = sum(_prompt(counts)) > self.long_over * (counts.requests or 1)
        return self.long if is_long else self.short


def _summed(prices: Prices, used: Iterable[int]) -> Decimal:
    return sum(map(Decimal.__mul__, prices.amounts, map(Decimal, used)), NO_MONEY)


def _saved(prices: Prices, counts: Counts) -> Decimal:
    """What cheaper tokens saved; nothing is claimed where a price is assumed."""
    assumed = {each.place for each in prices.assumed}
    return sum(
        (
            (prices.amounts[full] - prices.amounts[own]) * getattr(counts, counter)
            for counter, own, full in _SAVING
            if not assumed & {own, full}
        ),
        NO_MONEY,
    )


def _used(counts: Counts, written: CacheWrites | None) -> tuple[int, ...]:
    """How often each of the prices applies."""
    used = list(_counted(counts))
    if written is None:
        used[FIVE_MINUTES] = used[HOUR] = 0
    else:
        used[HOUR] = written.one_hour
        used[FIVE_MINUTES] -= written.one_hour
        used[EITHER] = 0
    return tuple(used)


def discounted(terms: ModelTerms, percent: Decimal) -> ModelTerms:
    """The terms with a percentage off every price, assumed ones too; exact."""
    left = 1 - percent / 100

    def less(prices: Prices) -> Prices:
        return Prices(
            tuple(price * left for price in prices.amounts),
            tuple(each._replace(part=each.part * left) for each in prices.assumed),
        )

    return replace(
        terms,
        words=f"{terms.words}, {percent.normalize():f} % off",
        short=less(terms.short),
        long=terms.long and less(terms.long),
        empty=terms.empty * left,
    )


def doubted(prices: Prices) -> Prices:
    """The prices as if every one of them were assumed."""
    said = {each.place: each.instead for each in prices.assumed if each.part}
    return replace(
        prices,
        assumed=tuple(
            Assumed(place, price, said.get(place, "")) for place, price in enumerate(prices.amounts)
        ),
    )
