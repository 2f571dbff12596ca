"""Notices as items: one in the outbox until it is sent, one in the history for about 13 months."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any

from quota_enforcer.aws.dynamodb.expression import Expression
from quota_enforcer.aws.dynamodb.ledger.schema import (
    BY_DUE,
    DEPLOYMENT,
    FOUND,
    finding_key,
)
from quota_enforcer.aws.dynamodb.table import BATCH, Delete, Put
from quota_enforcer.aws.dynamodb.text import as_attributes, fitting_key, instant, moment
from quota_enforcer.core.errors import UnknownIdentity
from quota_enforcer.core.notices.notice import HISTORY_ONLY, Notice, NoticeKind
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.counts import Number
from quota_enforcer.core.usage.stored import USAGE_KEPT

if TYPE_CHECKING:
    from quota_enforcer.aws.dynamodb.table import Table, WholeTable
    from quota_enforcer.aws.dynamodb.wire import Plain

OUTBOX = "outbox"
HISTORY = "history#"
AFTER_HISTORY = "history$"
"""Comes after every range key that starts with `history#`, since `$` follows `#`."""
LISTED = "history"
"""The listing of the index `by-due` that has everybody's history, by when it happened."""


class DynamoNotices:
    """The `Outbox` and the history."""

    def __init__(self, table: "WholeTable") -> None:
        self._table = table

    def post(self, notices: Iterable[Notice]) -> None:
        post_notices(self._table, notices)

    def gate_findings(self) -> list[str]:
        """What others did to gates and nobody was told of, in words; consistently read."""
        where = Expression(
            "#pk = :pk AND begins_with(#sk, :found)", {"pk": DEPLOYMENT, "found": FOUND}
        )
        return [item["words"] for item in self._table.query(where)]

    def tell_findings(self, findings: Iterable[str], notice: Notice) -> bool:
        there = Expression("attribute_exists(pk)", {})
        taken = [Delete(finding_key(words), there) for words in findings]
        return not self._table.write([*taken, *notice_writes([notice])])

    def outbox(self, until: datetime) -> list[Notice]:
        waiting = map(notice_of, self._table.partition(OUTBOX))
        return [notice for notice in waiting if notice.at < until]

    def sent(self, notice: Notice) -> None:
        self._table.delete(outbox_key(notice))

    def history(
        self, principal: Principal | None = None, since: datetime | None = None
    ) -> list[Notice]:
        """Past notices, oldest first: one principal's, or those of the deployment."""
        keys = {"first": history_from(since), "after": AFTER_HISTORY}
        partition = DEPLOYMENT if principal is None else str(principal)
        items = self._table.query(
            Expression("#pk = :pk AND #sk BETWEEN :first AND :after", {"pk": partition, **keys})
        )
        return _by_time(map(notice_of, items), since)

    def whole_history(
        self, since: datetime | None = None, limit: int | None = None
    ) -> list[Notice]:
        """Everybody's and the deployment's past notices, oldest first, of these the newest."""
        first = "0" if since is None else instant(since)
        where = Expression(
            "#listing = :listing AND #due >= :first",
            {"listing": LISTED, "first": first},
        )
        items = self._table.query(where, index=BY_DUE, newest_first=True)
        return _by_time(map(notice_of, islice(items, limit)), since)


def post_notices(table: "Table", notices: Iterable[Notice]) -> None:
    """Put notices into outbox and history, each into both or neither if there are up to fifty."""
    writes = notice_writes(notices)
    for first in range(0, len(writes), BATCH):
        table.write(writes[first : first + BATCH])


def notice_writes(notices: Iterable[Notice]) -> list[Put]:
    """Outbox and history of each notice; the same one twice is one."""
    several = {notice.id: notice for notice in notices}.values()
    told = (notice for notice in several if notice.kind not in HISTORY_ONLY)
    return [
        *(Put(outbox_item(notice)) for notice in told),
        *(Put(history_item(notice)) for notice in several),
    ]


def outbox_key(notice: Notice) -> "Plain":
    """Where a notice waits to be sent."""
    return {"pk": OUTBOX, "sk": fitting_key(notice.id)}


def outbox_item(notice: Notice) -> "Plain":
    """A notice that waits to be sent."""
    return {**outbox_key(notice), **as_attributes(notice)}


def history_item(notice: Notice) -> "Plain":
    """A notice as it is kept: in its principal's partition, or in the deployment's.

    An admin may type anything as a principal, and only a real one gets a partition.
    """
    try:
        partition = str(Principal.parse(notice.principal))
    except UnknownIdentity:
        partition = DEPLOYMENT
    return {
        "pk": partition,
        "sk": fitting_key(f"{HISTORY}{notice.id}"),
        "listing": LISTED,
        "due": instant(notice.at),
        "expires": int((notice.at + USAGE_KEPT).timestamp()),
        **as_attributes(notice),
    }


def history_from(since: datetime | None) -> str:
    """The first range key of a history that begins then."""
    if since is None:
        return HISTORY
    return f"{HISTORY}{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def notice_of(item: "Plain") -> Notice:
    """The notice of an outbox or history item."""
    return Notice(
        kind=NoticeKind(item["kind"]),
        at=datetime.fromisoformat(item["at"]),
        principal=item.get("principal", ""),
        quota=item.get("quota", ""),
        reason=item.get("reason", ""),
        used=_used(item["used"]),
        limit=Decimal(item["limit"]),
        measure=item.get("measure", ""),
        window=item.get("window", ""),
        percent=int(item["percent"]),
        whom=item.get("whom", ""),
        models=item.get("models", ""),
        since=moment(item, "since"),
        until=moment(item, "until"),
        closed=item.get("closed", ""),
        others=item.get("others", ""),
        runs_out=moment(item, "runs_out"),
        pool=item.get("pool", ""),
        by=item.get("by", ""),
        edit=item.get("edit", ""),
        cheaper=item.get("cheaper", ""),
        stage=int(item.get("stage", 0)),
        facts=tuple((label, words) for label, words in item.get("facts", ())),
    )


def _used(value: Any) -> Number:
    """Counted tokens are numbers; money and weighted tokens are text, like limits."""
    return Decimal(value) if isinstance(value, str) else int(value)


def _by_time(notices: Iterable[Notice], since: datetime | None) -> list[Notice]:
    """Oldest first; keys have whole seconds only."""
    later = (each for each in notices if since is None or each.at >= since)
    return sorted(later, key=lambda notice: notice.at)
