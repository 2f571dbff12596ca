"""The meter function: adds each delivery of the invocation log, and sets hours from it when asked.

Nothing that somebody typed into a model is ever logged: only event ids, times, and reasons that
name fields of identity, model and time.
"""

import os
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, assert_never

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit

from quota_enforcer import clock
from quota_enforcer.lambdas.meter import wiring as meter_wiring
from quota_enforcer.lambdas.meter.events import DeliveryRequest, RecountRequest, read_event
from quota_enforcer.meter.recount import RecountRefused
from quota_enforcer.meter.settings import MeterSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from quota_enforcer.aws.cloudwatch.elsewhere import Elsewhere
    from quota_enforcer.meter.ports import EventPointer
    from quota_enforcer.meter.recount import Recounted, Recounter
    from quota_enforcer.meter.stream import DeliveryResult, Stream
    from quota_enforcer.meter.watch.watch import MeterWatch

NAMED = 20
"""How many events a line of the function's log names; the metrics count them all."""

LOOK_EVERY = 6
"""Hours between two looks at other Regions."""

logger = Logger()
metrics = Metrics()
tracer = Tracer()


class Meter(NamedTuple):
    """Both halves of the meter, and what looks where it does not reach."""

    stream: "Stream"
    recounter: "Recounter"
    elsewhere: "Callable[[datetime, timedelta], Elsewhere]"
    watch: "MeterWatch"
    unwired: "Callable[[str], tuple[str, ...]]"


@cache
def meter() -> Meter:
    """Wired once for each Lambda process, at its first event, so that errors reach the log."""
    settings = MeterSettings.from_environment(os.environ)
    session = boto3.Session()
    adapters = meter_wiring.outside(settings, session)
    return Meter(
        meter_wiring.stream(settings, adapters),
        meter_wiring.recounter(settings, adapters),
        meter_wiring.elsewhere(session),
        meter_wiring.watch(settings, session, adapters),
        meter_wiring.unwired(settings, session),
    )


# No response and no exception is captured: both could hold what a record says.
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """Answer one event."""
    request = read_event(event)
    now = clock.now()
    match request:
        case DeliveryRequest(data):
            return _told(meter().stream.deliver(data, now, context.aws_request_id))
        case RecountRequest(hour) if hour is not None:
            return _one(hour, now, request)
        case RecountRequest():
            _watch(now, context.invoked_function_arn)
            return _all(now)
        case _:
            assert_never(request)


def _told(metered: "DeliveryResult") -> dict[str, Any]:
    """Log and measure a delivery."""
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
    if metered.quarantined:
        logger.warning("quarantined", events=_named(metered.quarantined))
    if metered.failed:
        logger.error("not metered; pointers are in the queue", events=_named(metered.failed))
    answer: dict[str, Any] = {name.lower(): count for name, count in counts.items()}
    logger.info("metered", **answer, reasons=dict(metered.skipped), lag=metered.lag)
    for name, count in counts.items():
        metrics.add_metric(name, MetricUnit.Count, count)
    if metered.lag is not None:
        metrics.add_metric("Lag", MetricUnit.Seconds, metered.lag)
    if metered.counted:
        # For a picture of the spending; the ledger alone is exact, and knows what was recounted.
        metrics.add_metric("CostUsd", MetricUnit.NoUnit, float(metered.cost_usd))
    metrics.flush_metrics()
    return answer


def _named(pointers: "Sequence[EventPointer]") -> list[dict[str, Any]]:
    return [pointer._asdict() for pointer in pointers[:NAMED]]


def _one(hour: "datetime", now: "datetime", request: RecountRequest) -> dict[str, Any]:
    """Set an hour that an admin asks for; a refusal is an answer too."""
    try:
        return _recounted(
            meter().recounter.recount(
                hour, now, without=request.without, everything=request.everything
            )
        )
    except RecountRefused as refused:
        return _refused(hour, refused)


def _all(now: "datetime") -> dict[str, Any]:
    """Set the hours asked for; one that is refused or fails stops no other.

    What fails stays asked for; one failure is raised at the end, so that the alarm fires.
    """
    recounter = meter().recounter
    answers: list[dict[str, Any]] = []
    refusals = 0
    failed: dict[datetime, Exception] = {}
    for hour in recounter.due(now):
        try:
            answers.append(_recounted(recounter.settle(hour, now)))
        except RecountRefused as refused:
            refusals += 1
            answers.append(_refused(hour, refused))
        except Exception as error:  # noqa: BLE001 - whatever it is, the other hours go on
            failed[hour] = error
    elsewhere = _elsewhere(now) if now.hour % LOOK_EVERY == 0 else {}
    unread = sum(each.get("quarantined", 0) for each in answers)
    metrics.add_metric("Quarantined", MetricUnit.Count, unread)
    metrics.add_metric("Refused", MetricUnit.Count, refusals)
    metrics.flush_metrics()
    for hour, failure in failed.items():
        logger.error("recount failed", hour=_shown(hour), error=type(failure).__name__)
    if failed:
        raise failed[min(failed)]
    return {"hours": answers, "elsewhere": elsewhere}


def _watch(now: "datetime", function: str) -> None:
    """Whether all was metered, before the recounts, which then heal what was not.

    What cannot be asked is measured too: not knowing is no all-clear.
    """
    unseen = 0
    try:
        gone = meter().unwired(function)
        if gone:
            logger.error("the invocation log is not wired to the meter", gone=gone)
        metrics.add_metric("Unwired", MetricUnit.Count, len(gone))
    except Exception as error:  # noqa: BLE001 - whatever it is, the recounts go on
        logger.warning("the log's wires could not be looked at", error=type(error).__name__)
        unseen += 1
    try:
        found = meter().watch.look(now)
        if found.hours:
            logger.warning(
                "metered otherwise than Bedrock counted",
                unmetered=found.unmetered,
                overmetered=found.overmetered,
                hours=[_shown(hour) for hour in found.hours[:NAMED]],
            )
        metrics.add_metric("Unmetered", MetricUnit.Count, found.unmetered)
        metrics.add_metric("Overmetered", MetricUnit.Count, found.overmetered)
    except Exception as error:  # noqa: BLE001 - as above
        logger.warning("could not be held against AWS's totals", error=type(error).__name__)
        unseen += 1
    metrics.add_metric("Unseen", MetricUnit.Count, unseen)


def _elsewhere(now: "datetime") -> dict[str, int]:
    """The calls in other Regions, measured; if they cannot be asked, nothing else suffers."""
    try:
        found = meter().elsewhere(now, timedelta(hours=LOOK_EVERY + 1))
    except Exception as error:  # noqa: BLE001 - whatever it is, the recounts are done
        logger.warning("other Regions could not be asked", error=type(error).__name__)
        return {}
    if found.unasked:
        logger.info("Regions that did not answer", regions=found.unasked)
    if found.calls:
        logger.warning("Bedrock is used in Regions that are not metered", calls=dict(found.calls))
    metrics.add_metric("Elsewhere", MetricUnit.Count, sum(found.calls.values()))
    return dict(found.calls)


def _recounted(done: "Recounted") -> dict[str, Any]:
    answer: dict[str, Any] = {
        "hour": _shown(done.hour),
        "records": done.records,
        "buckets": done.buckets,
        "principals": done.principals,
        "quarantined": sum(done.unread.values()),
        "left_out": done.left_out,
    }
    logger.info("recounted", **answer, reasons=dict(done.unread.most_common(NAMED)))
    return answer


def _refused(hour: "datetime", refused: RecountRefused) -> dict[str, Any]:
    answer: dict[str, Any] = {"hour": _shown(hour), "refused": str(refused)}
    logger.warning("recount refused", **answer)
    return answer


def _shown(hour: "datetime") -> str:
    return f"{hour:%Y-%m-%dT%H:%M:%SZ}"
