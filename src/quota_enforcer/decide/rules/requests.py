"""What became of a request: granted once the limit is higher, whoever raised it and how."""

from datetime import datetime
from decimal import Decimal

from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.quotas.quota import UNLIMITED
from quota_enforcer.core.quotas.request import RaiseRequest, RequestState


def limit_now(request: RaiseRequest, book: QuotaBook, now: datetime) -> Decimal:
    """The limit of what was asked for; unlimited if no such quota limits the subject any more."""
    return min(
        (
            quota.limit_at(now)
            for quota in book.applicable_to(request.subject, now).quotas
            if quota.name == request.quota
        ),
        default=UNLIMITED,
    )


def answer(request: RaiseRequest, book: QuotaBook, now: datetime) -> RequestState:
    """What became of a request; what was told stays true, whatever becomes of the limit later."""
    if request.told in {RequestState.GRANTED, RequestState.REFUSED}:
        return RequestState(request.told)
    if limit_now(request, book, now) > request.before:
        return RequestState.GRANTED
    if request.refusal is not None:
        return RequestState.REFUSED
    return RequestState.LAPSED if now >= request.until else RequestState.WAITS
