"""Requests as items of the ledger, one for each principal, in one partition.

The self-service function may put items there and nowhere else. So they are read as what anybody
could have written: what is no request is none, and its words are made plain again.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

from quota_enforcer.aws.dynamodb.expression import Expression
from quota_enforcer.aws.dynamodb.ledger.notices import notice_writes
from quota_enforcer.aws.dynamodb.ledger.schema import EXPIRES
from quota_enforcer.aws.dynamodb.table import PutTable, Update
from quota_enforcer.aws.dynamodb.text import instant, moment
from quota_enforcer.core.errors import UnknownIdentity
from quota_enforcer.core.ledger import REQUESTS
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.quotas.form import values
from quota_enforcer.core.quotas.request import (
    AGAIN,
    LONGEST,
    RaiseRequest,
    Refusal,
    RequestState,
    plain,
)
from quota_enforcer.core.usage.counts import Measure

if TYPE_CHECKING:
    from collections.abc import Iterable

    from quota_enforcer.aws.dynamodb.table import ReadTable, Table
    from quota_enforcer.aws.dynamodb.wire import Plain
    from quota_enforcer.core.notices.notice import Notice

STAYS: Final = timedelta(days=7)
"""After its end, so that whoever asked can still see what became of it."""


class DynamoRequestReads:
    """Reads them."""

    def __init__(self, table: "ReadTable") -> None:
        self._reads = table

    def requests(self) -> list[RaiseRequest]:
        found = map(request_of, self._reads.partition(REQUESTS))
        return [each for each in found if each is not None]

    def request(self, principal: Principal) -> RaiseRequest | None:
        """The one of this principal."""
        item = self._reads.get(_key(principal))
        return None if item is None else request_of(item)


class DynamoRequestStore(DynamoRequestReads):
    """Takes them: the one thing that self-service may write."""

    def __init__(self, table: PutTable) -> None:
        super().__init__(table)
        self._puts = table

    def ask(self, request: RaiseRequest) -> bool:
        """Keep it in place of the last; False if that is not an hour old."""
        long_ago = Expression(
            "attribute_not_exists(#at) OR #at <= :ago", {"ago": instant(request.at - AGAIN)}
        )
        return self._puts.put(request_item(request), long_ago)


class DynamoRequests(DynamoRequestReads):
    """Answers them, and notes what was told."""

    def __init__(self, table: "Table") -> None:
        super().__init__(table)
        self._table = table

    def note_request(
        self, request: RaiseRequest, told: RequestState, notices: "Iterable[Notice]"
    ) -> bool:
        noted = Update(_key(request.principal), values={"told": told}, condition=_same(request))
        return not self._table.write([noted, *notice_writes(notices)])

    def refuse(self, request: RaiseRequest, refusal: Refusal) -> bool:
        """False if it was answered meanwhile, or another took its place."""
        said = {
            "refused_at": instant(refusal.at),
            "refused_by": refusal.by,
            "refused_why": refusal.why,
        }
        return self._table.update(_key(request.principal), said, condition=_same(request))


def _key(principal: Principal) -> "Plain":
    return {"pk": REQUESTS, "sk": str(principal)}


def _same(request: RaiseRequest) -> Expression:
    told = "#told = :told" if request.told else "attribute_not_exists(#told)"
    said = {"at": instant(request.at)} | ({"told": request.told} if request.told else {})
    return Expression(f"#at = :at AND {told}", said)


def request_item(request: RaiseRequest) -> "Plain":
    """What self-service puts; nothing of what others note of it."""
    return {
        **_key(request.principal),
        "subject": str(request.subject),
        "quota": request.quota,
        "measure": request.measure.value,
        "limit": str(request.limit),
        "before": str(request.before),
        "until": instant(request.until),
        "why": request.why,
        "at": instant(request.at),
        EXPIRES: int((request.until + STAYS).timestamp()),
    }


def request_of(item: Mapping[str, Any]) -> RaiseRequest | None:
    """The request of an item; None if it is none."""
    try:
        principal = Principal.parse(str(item["sk"]))
        subject = Principal.parse(str(item["subject"]))
        at, until = datetime.fromisoformat(item["at"]), datetime.fromisoformat(item["until"])
        limit, before = Decimal(item["limit"]), Decimal(item["before"])
        told, quota = str(item.get("told", "")), values.name(item["quota"])
        request = RaiseRequest(
            principal,
            subject,
            quota,
            Measure(item["measure"]),
            limit,
            until,
            plain(str(item["why"])),
            at,
            before,
            RequestState(told).value if told else "",
            _refusal_of(item),
        )
    except (KeyError, TypeError, ValueError, InvalidOperation, UnknownIdentity):
        return None
    return request if _is_sound(request) else None


def _is_sound(request: RaiseRequest) -> bool:
    """Whether self-service could have taken it."""
    principal, subject = request.principal, request.subject
    own = subject == principal or (subject.kind is Kind.SESSION and subject.of_role == principal)
    numbers = request.limit.is_finite() and request.before.is_finite() and request.limit > 0
    if not (own and numbers and request.at.tzinfo and request.until.tzinfo):
        return False
    return request.until - request.at <= LONGEST


def _refusal_of(item: Mapping[str, Any]) -> Refusal | None:
    at = moment(item, "refused_at")
    if at is None:
        return None
    return Refusal(at, plain(item.get("refused_by", "")), plain(item.get("refused_why", "")))
