"""Deliveries: what CloudWatch Logs hands over at home, and what satellites post to the URL."""

import json
from typing import TYPE_CHECKING, Any, Final, assert_never

from aws_lambda_powertools.metrics import MetricUnit

from quota_enforcer.lambdas.meter.telemetry import NAMED, logger, metrics
from quota_enforcer.satellites.intake import (
    BAD_REQUEST,
    FORBIDDEN,
    AnnounceRequest,
    ForwardRequest,
    IntakeRefused,
    LeaveRequest,
    take,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from quota_enforcer.core.usage.place import Place
    from quota_enforcer.lambdas.meter.events import UrlRequest
    from quota_enforcer.lambdas.meter.places import SatellitePlaces
    from quota_enforcer.meter.ports import EventPointer
    from quota_enforcer.meter.stream import DeliveryResult

_OK: Final = 200
_OF_HOMES_LOG: Final = {"Counted", "Skipped"}
"""The metrics that say that home's own log arrives."""


def measured(metered: "DeliveryResult", place: "Place | None" = None) -> dict[str, Any]:
    """Measure a delivery, from a satellite in `place` or at home.

    One line says all of it, with no more metrics than there is something to count: it is written
    for each delivery, and a log costs by the byte.
    """
    counts = {
        "Counted": metered.counted,
        "Duplicates": metered.duplicates,
        "Quarantined": len(metered.quarantined),
        "Skipped": sum(metered.skipped.values()),
        "Unattributed": metered.unattributed,
        "Incomplete": metered.incomplete,
        "Late": metered.late,
        "Failed": len(metered.failed),
        "Control": int(metered.control),
    }
    where: dict[str, Any] = {"place": str(place)} if place else {}
    if metered.quarantined:
        logger().warning("quarantined", events=_named(metered.quarantined), **where)
    if metered.failed:
        events = _named(metered.failed)
        logger().error("not metered; pointers are in the queue", events=events, **where)
    answer: dict[str, Any] = {name.lower(): count for name, count in counts.items()}
    reasons: dict[str, Any] = {"reasons": dict(metered.skipped)} if metered.skipped else {}
    for name, said in (where | reasons).items():
        metrics().add_metadata(name, said)
    if place:
        # Apart: they would hide from the alarm CallsNotMetered that home's own log is cut off.
        metrics().add_metric("Forwarded", MetricUnit.Count, metered.counted)
    for name, count in counts.items():
        if (count or name == "Counted") and not (place and name in _OF_HOMES_LOG):
            metrics().add_metric(name, MetricUnit.Count, count)
    if metered.lag is not None:
        metrics().add_metric("Lag", MetricUnit.Seconds, metered.lag)
    if metered.counted:
        # For a picture of the spending; the ledger alone is exact, and knows what was recounted.
        metrics().add_metric("CostUsd", MetricUnit.NoUnit, float(metered.cost_usd))
    metrics().flush_metrics()
    return answer


def answer_of(
    request: "UrlRequest", places: "SatellitePlaces | None", now: "datetime", request_id: str
) -> dict[str, Any]:
    """What the function URL answers a satellite.

    Raises where the same has to come again: the URL then answers 502, and a satellite tries again.
    """
    try:
        body = _taken(request, places, now, request_id)
    except IntakeRefused as refused:
        logger().warning("refused to a satellite", status=refused.status, reason=str(refused))
        metrics().add_metric("SatelliteRefused", MetricUnit.Count, 1)
        metrics().flush_metrics()
        return _http(refused.status, {"error": str(refused)})
    return _http(_OK, body)


def _taken(
    request: "UrlRequest", places: "SatellitePlaces | None", now: "datetime", request_id: str
) -> dict[str, Any]:
    if places is None:
        raise IntakeRefused(
            FORBIDDEN,
            "this stack takes no satellites: set its parameter Satellites to regions, or to the id "
            "of your organisation (o-...)",
        )
    if request.caller is None:
        raise IntakeRefused(FORBIDDEN, "this answers only requests that IAM has authorised")
    if (request.method, request.path) != ("POST", "/"):
        raise IntakeRefused(BAD_REQUEST, "this answers POST / of satellites, and nothing else")
    asked = take(request.caller, request.body, places.home, now)
    match asked:
        case ForwardRequest(place, data):
            return _forwarded(places, place, data, now, request_id)
        case AnnounceRequest(satellite):
            places.registry.announce(satellite)
            logger().info("announced", place=str(satellite.place), stack=satellite.stack_id)
            return {"announced": str(satellite.place)}
        case LeaveRequest(place, stack_id):
            left = places.registry.leave(place, stack_id)
            logger().info("left", place=str(place), stack=stack_id, was_there=left)
            return {"left": left}
        case _:
            assert_never(asked)


def _forwarded(
    places: "SatellitePlaces", place: "Place", data: str, now: "datetime", request_id: str
) -> dict[str, Any]:
    metered = places.deliver(place, data, now, request_id)
    if metered.foreign:
        raise IntakeRefused(
            FORBIDDEN,
            f"the batch is of {metered.foreign}: {place} may hand over what Bedrock's own stream "
            f"of a log group of account {place.account} holds, and nothing else",
        )
    try:
        if not metered.control:
            places.registry.delivered(place, metered.newest, now)
    except Exception as error:  # noqa: BLE001 - it is metered; the next delivery notes it
        logger().warning("not noted", place=str(place), error=type(error).__name__)
    return measured(metered, place)


def _http(status: int, body: dict[str, Any]) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json"},
        "body": json.dumps(body),
    }


def _named(pointers: "Sequence[EventPointer]") -> list[dict[str, Any]]:
    return [pointer._asdict() for pointer in pointers[:NAMED]]
