"""Requests for a higher limit: of one of the caller's own quotas, at most one in an hour."""

import base64
import json
from typing import Any, Final, Protocol

from quota_enforcer.core.notices.wording import moment
from quota_enforcer.core.principal import Identity, Principal
from quota_enforcer.core.quotas.request import (
    AGAIN,
    InvalidRequest,
    RaiseRequest,
    Wish,
    end_asked,
    limit_asked,
    wish_of,
)
from quota_enforcer.core.usage.counts import Measure
from quota_enforcer.insight.self_service import MyStatus
from quota_enforcer.insight.status import StatusRow
from quota_enforcer.lambdas.self_service.caller import Refused

MOST: Final = 4_096
"""Bytes of a body; it needs no quarter of them."""
_BAD_REQUEST: Final = 400
_CONFLICT: Final = 409
_TOO_MANY: Final = 429


class RequestStore(Protocol):
    """Where requests are kept."""

    def ask(self, request: RaiseRequest) -> bool:
        """Keep it in place of the principal's last; False if that is not an hour old."""

    def request(self, principal: Principal) -> RaiseRequest | None:
        """The one that a principal made last."""


def body_of(event: Any) -> Any:
    """What was posted, from JSON; None if nothing was. Raises Refused if it is none."""
    if event["requestContext"]["http"]["method"] != "POST":
        return None
    try:
        body = json.loads(_posted(event))
    except (ValueError, RecursionError) as error:
        raise Refused(_BAD_REQUEST, f"a request is JSON of at most {MOST:,} bytes") from error
    return {} if body is None else body


def _posted(event: Any) -> str:
    """The body as text, empty where it is too long; raises ValueError if it is no text."""
    text = str(event.get("body") or "")[: 2 * MOST]
    raw = base64.b64decode(text, validate=True) if event.get("isBase64Encoded") else text.encode()
    return raw.decode() if len(raw) <= MOST else ""


def take(caller: Identity, body: Any, view: MyStatus, store: RequestStore) -> RaiseRequest:
    """Keep what the caller asks for; raises Refused with what was wrong."""
    now, zone = view.context.now, view.context.zone
    if view.state.closed:
        raise Refused(_CONFLICT, "the stack is being deleted: nobody is blocked any more")
    try:
        request = _request(caller, wish_of(body), view)
    except InvalidRequest as error:
        raise Refused(_BAD_REQUEST, str(error)) from error
    if not store.ask(request):
        last = store.request(caller.principal)
        asked = "a short while ago" if last is None else f"at {moment(last.at, zone)}"
        again = moment((now if last is None else last.at) + AGAIN, zone)
        raise Refused(_TOO_MANY, f"{caller.principal} asked {asked} and may ask again at {again}")
    return request


def _request(caller: Identity, wish: Wish, view: MyStatus) -> RaiseRequest:
    now, row = view.context.now, _own(wish.quota, caller, view)
    if row.limit is None:
        raise InvalidRequest(f"quota {wish.quota} does not limit you now")
    measure = Measure(row.measure)
    return RaiseRequest(
        caller.principal,
        Principal.parse(row.principal),
        row.quota,
        measure,
        limit_asked(wish, measure, row.limit),
        end_asked(wish, now, view.context.zone),
        wish.why,
        now,
        row.limit,
    )


def _own(name: str, caller: Identity, view: MyStatus) -> StatusRow:
    """The caller's own quota of this name."""
    own = {caller.principal, caller.session}
    rows = [
        quota.row
        for standing in view.standings
        if standing.principal in own
        for quota in standing.quotas
        if quota.row.quota
    ]
    for row in rows:
        if row.quota == name:
            return row
    known = ", ".join(sorted({row.quota for row in rows})) or "none"
    raise InvalidRequest(f"quota is {name!r}; these limit you: {known}")
