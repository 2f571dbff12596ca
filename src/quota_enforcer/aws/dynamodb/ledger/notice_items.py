"""Notices as items: one in the outbox until it is sent, one in the history for about 13 months."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from quota_enforcer.aws.dynamodb.dynamo_read import Plain
from quota_enforcer.aws.dynamodb.ledger.items import DEPLOYMENT
from quota_enforcer.aws.dynamodb.ledger.usage_items import KEPT
from quota_enforcer.aws.dynamodb.text import as_attributes, fitting_key, instant, moment
from quota_enforcer.core.errors import UnknownIdentity
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.counts import Number

OUTBOX = "outbox"
HISTORY = "history#"
AFTER_HISTORY = "history$"
"""Comes after every range key that starts with `history#`, since `$` follows `#`."""
LISTED = "history"
"""The listing of the index `by-due` that has everybody's history, by when it happened."""


def outbox_key(notice: Notice) -> Plain:
    """Where a notice waits to be sent."""
    return {"pk": OUTBOX, "sk": fitting_key(notice.id)}


def outbox_item(notice: Notice) -> Plain:
    """A notice that waits to be sent."""
    return {**outbox_key(notice), **as_attributes(notice)}


def history_item(notice: Notice) -> Plain:
    """A notice as it is kept: with its principal where it names one, else with the deployment.

    What an admin typed as a principal may be anything, so it makes no partition of its own.
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
        "expires": int((notice.at + KEPT).timestamp()),
        **as_attributes(notice),
    }


def history_from(since: datetime | None) -> str:
    """The first range key of a history that begins then."""
    if since is None:
        return HISTORY
    return f"{HISTORY}{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def notice_of(item: Plain) -> Notice:
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
        after=item.get("after", ""),
        pool=item.get("pool", ""),
        by=item.get("by", ""),
        edit=item.get("edit", ""),
    )


def _used(value: Any) -> Number:
    """Counted tokens are numbers; money and weighted tokens are text, like limits."""
    return Decimal(value) if isinstance(value, str) else int(value)
