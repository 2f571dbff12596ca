"""Recounts: the hour that an admin asks for, and on the hour all that were asked for anywhere."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from quota_enforcer.lambdas.meter.telemetry import NAMED, count, logger, metrics
from quota_enforcer.meter.recount.recounter import RecountRefused

if TYPE_CHECKING:
    from quota_enforcer.lambdas.meter.events import RecountRequest
    from quota_enforcer.lambdas.meter.places import SatellitePlaces
    from quota_enforcer.lambdas.meter.wiring import Meter
    from quota_enforcer.meter.recount.recounter import Recounted, Recounter
    from quota_enforcer.satellites.registry import Satellite

LOOK_EVERY: Final = 6
"""Hours between two looks at other Regions."""


def recount_one(
    meter: "Meter", hour: datetime, request: "RecountRequest", now: datetime
) -> dict[str, Any]:
    """Set an hour that an admin asks for; a refusal is an answer too."""
    places = meter.places
    if request.place is not None:
        place = request.place
        for satellite in places.satellites() if places else ():
            if places and satellite.place == place:
                return _there(places, satellite, hour, request, now)
        refused = RecountRefused(
            f"no satellite has announced itself from {place}: `quota-enforcer satellites list` "
            "shows those that have"
        )
        return _refused(hour, refused, place=str(place))
    answer = _asked(meter.recounter, hour, request, now)
    if request.of_all_places and places is not None:
        answer["places"] = [
            _there(places, satellite, hour, request, now) for satellite in places.satellites()
        ]
    return answer


def recount_all(meter: "Meter", now: datetime) -> dict[str, Any]:
    """Set the hours asked for; one that is refused or fails stops no other.

    What fails stays asked for; one failure at home is raised at the end, so that the alarm fires. A
    satellite that cannot be read is measured by itself.
    """
    answers, failed = _settled(meter.recounter, now)
    places = _satellites_settled(meter.places, now) if meter.places else {}
    elsewhere = _elsewhere(meter, now) if now.hour % LOOK_EVERY == 0 else {}
    every = [*answers, *(each for several in places.values() for each in several)]
    unread = sum(each.get("quarantined", 0) for each in every)
    count("Quarantined", unread)
    count("Refused", sum("refused" in each for each in every))
    metrics().flush_metrics()
    for hour, failure in failed.items():
        logger().error("recount failed", hour=_shown(hour), error=type(failure).__name__)
    if failed:
        raise failed[min(failed)]
    return {"hours": answers, "elsewhere": elsewhere, **({"places": places} if places else {})}


def _settled(
    recounter: "Recounter", now: datetime, place: str = ""
) -> tuple[list[dict[str, Any]], dict[datetime, Exception]]:
    answers: list[dict[str, Any]] = []
    failed: dict[datetime, Exception] = {}
    for hour in recounter.due(now):
        try:
            answers.append(_recounted(recounter.settle(hour, now), place))
        except RecountRefused as refused:
            answers.append(_refused(hour, refused, place))
        except Exception as error:  # noqa: BLE001 - whatever it is, the other hours go on
            failed[hour] = error
    return answers, failed


def _satellites_settled(
    places: "SatellitePlaces", now: datetime
) -> dict[str, list[dict[str, Any]]]:
    """Set the hours asked for in each satellite, also by its queue; a silent one stops no other.

    Not always the same comes first: a run may end before all had their turn.
    """
    several = places.satellites()
    first = int(now.timestamp()) // 3600 % max(len(several), 1)
    answers: dict[str, list[dict[str, Any]]] = {}
    silent = 0
    for satellite in [*several[first:], *several[:first]]:
        place = str(satellite.place)
        failed: dict[datetime, Exception] = {}
        try:
            asked = places.ask_undelivered(satellite, now)
            if asked:
                logger().info("not handed over, so recounted", place=place, hours=asked)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other places go on
            failed[now] = error
        done, unread = _settled(places.recounter(satellite), now, place)
        failed |= unread
        if done:
            answers[place] = done
        if failed:
            silent += 1
            reasons = sorted({_words(error) for error in failed.values()})
            logger().error("a satellite cannot be read", place=place, reasons=reasons[:NAMED])
    count("SatelliteUnread", silent)
    return answers


def _there(
    places: "SatellitePlaces",
    satellite: "Satellite",
    hour: datetime,
    request: "RecountRequest",
    now: datetime,
) -> dict[str, Any]:
    """One hour of a satellite; one that cannot be read is told, and the hour stays asked for."""
    place = str(satellite.place)
    try:
        return _asked(places.recounter(satellite), hour, request, now, place)
    except Exception as error:  # noqa: BLE001 - whatever it is, the other places go on
        places.ask(satellite, [hour], now)
        logger().error("a satellite cannot be read", place=place, reasons=[_words(error)])
        return {"place": place, "hour": _shown(hour), "unread": _words(error)}


def _asked(
    recounter: "Recounter",
    hour: datetime,
    request: "RecountRequest",
    now: datetime,
    place: str = "",
) -> dict[str, Any]:
    try:
        done = recounter.recount(hour, now, without=request.without, everything=request.everything)
    except RecountRefused as refused:
        return _refused(hour, refused, place)
    return _recounted(done, place)


def _elsewhere(meter: "Meter", now: datetime) -> dict[str, int]:
    """The calls in other Regions, measured; if they cannot be asked, nothing else suffers."""
    try:
        found = meter.elsewhere(now, timedelta(hours=LOOK_EVERY + 1))
    except Exception as error:  # noqa: BLE001 - whatever it is, the recounts are done
        logger().warning("other Regions could not be asked", error=type(error).__name__)
        return {}
    if found.unasked:
        logger().info("Regions that did not answer", regions=found.unasked)
    if found.calls:
        logger().warning("Bedrock is used in Regions that are not metered", calls=dict(found.calls))
    count("Elsewhere", sum(found.calls.values()))
    return dict(found.calls)


def _recounted(done: "Recounted", place: str) -> dict[str, Any]:
    answer: dict[str, Any] = {
        **_place(place),
        "hour": _shown(done.hour),
        "records": done.records,
        "buckets": done.buckets,
        "principals": done.principals,
        "quarantined": sum(done.unread.values()),
        "left_out": done.left_out,
    }
    logger().info("recounted", **answer, reasons=dict(done.unread.most_common(NAMED)))
    return answer


def _refused(hour: datetime, refused: RecountRefused, place: str = "") -> dict[str, Any]:
    answer: dict[str, Any] = {**_place(place), "hour": _shown(hour), "refused": str(refused)}
    logger().warning("recount refused", **answer)
    return answer


def _place(place: str) -> dict[str, str]:
    return {"place": place} if place else {}


def _words(error: Exception) -> str:
    """The kind of an error, and what AWS calls it; never its text."""
    response = getattr(error, "response", None)
    code = response["Error"]["Code"] if isinstance(response, dict) else ""
    return f"{type(error).__name__} {code}".strip()


def _shown(hour: datetime) -> str:
    return f"{hour:%Y-%m-%dT%H:%M:%SZ}"
