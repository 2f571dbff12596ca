"""A notice as an event for machines: `type`, `timestamp` and `data`, after Standard Webhooks.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import json
from typing import Any

from quota_enforcer.core.notices.amounts import exact
from quota_enforcer.core.notices.message import Message
from quota_enforcer.core.notices.notice import Notice
from quota_enforcer.core.usage.counts import Number


def notice_event(notice: Notice, message: Message) -> str:
    """The JSON text, in ASCII; what the notice does not say is left out."""
    numbers = {"used": _exact(notice.used), "limit": _exact(notice.limit)} if notice.measure else {}
    data: dict[str, Any] = {
        "id": notice.id,
        "kind": notice.kind,
        "audience": notice.kind.audience,
        "principal": notice.principal,
        "quota": notice.quota,
        "subject": message.subject,
        "headline": message.headline,
        "facts": [{"label": label, "text": text} for label, text in message.facts],
        **numbers,
        "measure": notice.measure,
        "window": notice.window,
        "percent": notice.percent,
        "closed": notice.closed,
        "since": notice.since and notice.since.isoformat(),
        "until": notice.until and notice.until.isoformat(),
        "pool": notice.pool,
        "by": notice.by,
    }
    event = {
        "type": f"notice.{notice.kind.replace('-', '_')}",
        "timestamp": notice.at.isoformat(),
        "data": {name: value for name, value in data.items() if value},
    }
    return json.dumps(event, separators=(",", ":"))


def _exact(value: Number) -> str:
    """Exact, as text; `no limit` where there is none."""
    return str(value) if isinstance(value, int) else exact(value)
