"""Whether bill and ledger agree, and what each row of the comparison means."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from quota_enforcer.core.notices.amounts import dollars
from quota_enforcer.core.usage.counts import NO_MONEY
from quota_enforcer.insight.bill.cells import BillBy, Sums, grouped
from quota_enforcer.insight.bill.reasons import Reason
from quota_enforcer.insight.bill.reconcile import Reconciled

_SAME_TOKENS: Final = Decimal("0.005")
"""So far may tokens be apart that are the same calls at the edge of a day."""
_WHOLE = 100


@dataclass(frozen=True, slots=True)
class BillVerdict:
    """How far bill and ledger are apart, beside what is compared."""

    off: Decimal
    """Dollars in which they disagree, each model of each caller for itself."""
    of: Decimal
    """Dollars of usage on the bill, without what does not count."""
    tolerance: Decimal
    """In percent."""
    unread: int
    """Rows that could not be read: with any of them nobody knows."""

    @property
    def percent(self) -> Decimal:
        """How far they are apart; 100 if there is nothing to compare with."""
        if not self.of:
            return Decimal(_WHOLE if self.off else 0)
        return self.off * _WHOLE / self.of

    @property
    def agrees(self) -> bool:
        return not self.unread and self.percent <= self.tolerance


def bill_verdict(
    found: Reconciled, tolerance: Decimal, excepted: Collection[Reason], unread: int
) -> BillVerdict:
    """The verdict; days are summed up first, since a call may be billed on the next."""
    by = (BillBy.ACCOUNT, BillBy.REGION, BillBy.PRINCIPAL, BillBy.MODEL)
    rows = list(grouped(found.cells, by).values())
    off = sum((row.against(excepted) for row in rows), NO_MONEY)
    of = sum((row.billed + _counted(row, excepted) for row in rows), NO_MONEY)
    return BillVerdict(off, of, tolerance, unread)


def _counted(row: Sums, excepted: Collection[Reason]) -> Decimal:
    never = (usd for why, usd in row.never.items() if why.counts and why not in excepted)
    return sum(never, NO_MONEY)


def row_words(row: Sums, tolerance: Decimal) -> str:
    """What a row means, in a few words."""
    words = [*_matched(row, tolerance)]
    if row.pending:
        words.append(f"{dollars(row.pending)} not billed yet")
    if row.unbilled:
        words.append(f"{dollars(row.unbilled)} metered and not billed")
    never = sorted(row.never.items(), key=lambda each: -abs(each[1]))
    words += [f"{money(usd)} never metered: {reason}" for reason, usd in never if usd]
    return "; ".join(words) or "nothing"


def _matched(row: Sums, tolerance: Decimal) -> list[str]:
    if not row.billed and not row.metered:
        return []
    if abs(row.difference) * _WHOLE <= tolerance * max(row.billed, row.metered):
        return ["agrees"]
    more = "more" if row.difference > 0 else "less"
    percent = abs(row.difference) * _WHOLE / row.metered if row.metered else Decimal(_WHOLE)
    words = f"billed {percent:.1f} % {more}"
    if row.counted and row.metered_tokens and row.billed_tokens:
        words += f" {_tokens(row)}"
    parts = [words]
    if row.other_tier:
        parts.append(f"{dollars(row.other_tier)} in another service tier")
    if row.assumed:
        parts.append(f"{dollars(row.assumed)} at assumed prices")
    return [", ".join(parts)]


def _tokens(row: Sums) -> str:
    apart = row.billed_tokens - row.metered_tokens
    if abs(apart) <= _SAME_TOKENS * row.metered_tokens:
        return "for the same tokens"
    side = "more" if apart > 0 else "fewer"
    return f"for {abs(apart) * _WHOLE / row.metered_tokens:.1f} % {side} tokens"


def money(usd: Decimal) -> str:
    """Dollars of either sign."""
    return f"-{dollars(-usd)}" if usd < 0 else dollars(usd)
