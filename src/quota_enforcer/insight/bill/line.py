"""The lines of a bill, as a reader of Cost and Usage Reports sums up their rows.

Days are UTC's, as in the report, whose columns are named here as CUR 2.0 names them.
https://docs.aws.amazon.com/cur/latest/userguide/table-dictionary-cur2-line-item.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final


class LineKind(StrEnum):
    """What a line charges for."""

    USAGE = "usage"
    DISCOUNT = "discount"
    CREDIT = "credit"
    REFUND = "refund"
    TAX = "tax"
    FEE = "fee"
    """What is paid once or by the month, and whatever this version does not know."""


_KINDS: Final[Mapping[str, LineKind]] = {
    "usage": LineKind.USAGE,
    "discountedusage": LineKind.USAGE,
    "savingsplancoveredusage": LineKind.USAGE,
    "credit": LineKind.CREDIT,
    "refund": LineKind.REFUND,
    "tax": LineKind.TAX,
}
"""By `line_item_line_item_type`; EdpDiscount, PrivateRateDiscount and the like end alike."""


def kind_of(line_item_type: str) -> LineKind:
    said = line_item_type.lower()
    if said.endswith("discount"):
        return LineKind.DISCOUNT
    return _KINDS.get(said, LineKind.FEE)


@dataclass(frozen=True, slots=True)
class Charged:
    """What was charged for, in the report's own words: of many lines the same."""

    kind: str
    product_code: str
    product: str
    """Its name, such as `Claude Sonnet 4.6 (Amazon Bedrock Edition)`."""
    model: str
    """Its model as AWS names it since July 2026; empty before."""
    feature: str
    usage_type: str
    operation: str
    unit: str


@dataclass(frozen=True, slots=True)
class BillLine:
    """Rows of one day that say the same of who used what."""

    day: date
    account: str
    region: str
    """Empty if the row does not tell."""
    principal: str
    """The ARN of who called; empty if the row does not tell."""
    charged: Charged
    amount: Decimal
    cost: Decimal
    rows: int = 1


@dataclass(frozen=True, slots=True)
class BadRows:
    """Rows that could not be read, so that nobody knows what they cost."""

    count: int
    problem: str
    """Of the first, in words."""


@dataclass(frozen=True, slots=True)
class BillFacts:
    """What a report says of itself."""

    rows: int
    """Of all services."""
    first: date | None
    newest: date | None
    """The days of its rows; None if none can be read."""
    by_principal: bool
    """Whether it has the column `line_item_iam_principal`."""
    net: bool
    """Whether costs are those after discounts."""
    estimated: int = 0
    """Rows without the number of an invoice: AWS may still change them."""
    bad: tuple[BadRows, ...] = ()
    legacy: bool = False
    """Whether it is a report of the older kind, which never names who called."""
