"""What the meter and the sweep need from outside: the adapters in `aws` and the tests' fakes fit.

Every write may be repeated. Nothing here knows AWS.
"""

from quota_enforcer.ports.ledger import Ledger, LedgerReads, ReadMany, Usages, unheard
from quota_enforcer.ports.outside import (
    Denies,
    GateAuthor,
    Metrics,
    Models,
    NamedByThemselves,
    Outside,
    Quotas,
    Series,
    Topic,
)
from quota_enforcer.ports.stored import (
    Brief,
    Bucket,
    GateIntent,
    PriceMemory,
    QuotaMemory,
    Record,
    Source,
    SweepState,
)

__all__ = [
    "Brief",
    "Bucket",
    "Denies",
    "GateAuthor",
    "GateIntent",
    "Ledger",
    "LedgerReads",
    "Metrics",
    "Models",
    "NamedByThemselves",
    "Outside",
    "PriceMemory",
    "QuotaMemory",
    "Quotas",
    "ReadMany",
    "Record",
    "Series",
    "Source",
    "SweepState",
    "Topic",
    "Usages",
    "unheard",
]
