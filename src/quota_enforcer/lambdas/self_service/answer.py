"""What the self-service function answers, as JSON, in the terms of `status --json`.

Moments are in UTC, money and weighted tokens are exact texts, and no limit is null.
"""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from quota_enforcer.core.deployment import SelfServiceSettings
from quota_enforcer.core.notices.amounts import exact
from quota_enforcer.core.quotas.request import RaiseRequest, RequestState
from quota_enforcer.insight.self_service import MyStanding, MyStatus, OwnQuota


def document(view: MyStatus, settings: SelfServiceSettings) -> dict[str, Any]:
    """The whole answer, as plain JSON types."""
    fresh_at, now = view.state.fresh_at, view.context.now
    age = None if fresh_at is None else int((now - fresh_at).total_seconds())
    answer = {
        "stack": settings.stack,
        "mode": view.context.mode,
        "time_zone": str(view.context.zone),
        "now": now,
        "data_age_seconds": age,
        "contact": settings.contact,
        "closed": view.state.closed,
        "standings": [_standing(each) for each in view.standings],
        "request": None if view.request is None else _request(view.request, view.answer),
    }
    return _plainly(answer)


def taken(request: RaiseRequest, settings: SelfServiceSettings) -> dict[str, Any]:
    """What somebody is told whose request was taken."""
    said = _request(request, RequestState.WAITS)
    return _plainly({"stack": settings.stack, "time_zone": str(settings.zone), "request": said})


def _request(request: RaiseRequest, became: RequestState | None) -> dict[str, Any]:
    refusal = request.refusal if became is RequestState.REFUSED else None
    return {
        "quota": request.quota,
        "asked": request.asked,
        "limit": _limit(request.limit, whole=not request.measure.fractional),
        "until": request.until,
        "why": request.why,
        "asked_at": request.at,
        "answer": became,
        "refused_why": None if refusal is None else refusal.why,
    }


def _plainly(answer: dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(answer, default=_plain))
    return plain


def _standing(standing: MyStanding) -> dict[str, Any]:
    return asdict(standing) | {
        "principal": str(standing.principal),
        "quotas": [_quota(each) for each in standing.quotas],
    }


def _quota(quota: OwnQuota) -> dict[str, Any]:
    """The row and what goes with it, side by side."""
    row = quota.row._asdict()
    del row["principal"]
    whole = isinstance(quota.row.used, int)
    return row | {
        "limit": _limit(quota.row.limit, whole=whole),
        "models": quota.models,
        "closes": [
            {"percent": each.percent, "models": list(map(str, each.closes))}
            for each in quota.stages
        ],
        "raised_until": quota.raised_until,
        "limit_after": _limit(quota.limit_after, whole=whole),
    }


def _limit(value: Decimal | None, *, whole: bool) -> int | str | None:
    if value is None or not value.is_finite():
        return None
    return int(value) if whole else exact(value)


def _plain(value: Any) -> Any:
    match value:
        case Decimal():
            return exact(value)
        case datetime():
            return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        case _:
            return str(value)
