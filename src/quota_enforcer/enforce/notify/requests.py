"""Admins are told what somebody asks for, and whoever asked is told the answer."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from quota_enforcer.core.notices.amounts import limit_of
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.notices.wording import moment
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.quotas.request import RaiseRequest, RequestState
from quota_enforcer.decide.rules.requests import answer, limit_now
from quota_enforcer.enforce.ports.ledger import RequestMemory
from quota_enforcer.enforce.report import Outcome, failure

AT_ONCE: Final = 20
"""Requests that one sweep tells of at most; the next sweep tells of the others."""


class RequestNotifier:
    """Tells of each request once when it is made, and once when it is answered."""

    def __init__(self, memory: RequestMemory, zone: ZoneInfo) -> None:
        self._memory = memory
        self._zone = zone

    def notify(self, book: QuotaBook, now: datetime) -> Outcome:
        """The notices that are now in the outbox; the next sweep tells of all others."""
        try:
            requests = sorted(self._memory.requests(), key=lambda each: each.at)
            untold = [each for each in requests if self._is_news(each, book, now)]
            notices = [
                notice for each in untold[:AT_ONCE] for notice in self._tell(each, book, now)
            ]
        except Exception as error:  # noqa: BLE001 - the rest of the sweep goes on
            return Outcome(failures=(failure("could not tell of requests", error),))
        return Outcome(tuple(notices))

    def _is_news(self, request: RaiseRequest, book: QuotaBook, now: datetime) -> bool:
        became = answer(request, book, now)
        return became is not RequestState.LAPSED and became != request.told

    def _tell(self, request: RaiseRequest, book: QuotaBook, now: datetime) -> Iterable[Notice]:
        became = answer(request, book, now)
        notice = Notice(
            _KINDS[became],
            now,
            str(request.principal),
            request.quota,
            self._words(request, became, book, now),
            limit=request.limit,
            whom=str(request.subject),
            until=request.until,
            by=request.refusal.by if became is RequestState.REFUSED and request.refusal else "",
        )
        return [notice] if self._memory.note_request(request, became, [notice]) else []

    def _words(
        self, request: RaiseRequest, became: RequestState, book: QuotaBook, now: datetime
    ) -> str:
        asked = f"{request.asked} until {moment(request.until, self._zone)}"
        match became:
            case RequestState.GRANTED:
                limit = limit_now(request, book, now)
                known = f"the limit is {limit_of(limit, request.measure.words)} now"
                said = known if limit.is_finite() else "there is no limit any more"
                return f"{said}; asked for: {asked}"
            case RequestState.REFUSED:
                refusal = request.refusal
                by = refusal.by if refusal is not None and refusal.by else "an administrator"
                why = f': "{refusal.why}"' if refusal is not None and refusal.why else ""
                return f"{by} refused {asked}{why}"
            case _:
                before = limit_of(request.before, request.measure.words)
                return (
                    f"{request.principal} asks for {asked}, where the limit is {before}: "
                    f'"{request.why}"'
                )


_KINDS: Final = {
    RequestState.WAITS: NoticeKind.ASKED,
    RequestState.GRANTED: NoticeKind.GRANTED,
    RequestState.REFUSED: NoticeKind.REFUSED,
}
