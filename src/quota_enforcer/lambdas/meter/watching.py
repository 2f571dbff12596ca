"""The hourly look whether all was metered, and whether the log still reaches the meter."""

from typing import TYPE_CHECKING

from aws_lambda_powertools.metrics import MetricUnit

from quota_enforcer.lambdas.meter.telemetry import NAMED, count, logger, metrics

if TYPE_CHECKING:
    from datetime import datetime

    from quota_enforcer.lambdas.meter.wiring import Meter


def watch(meter: "Meter", now: "datetime", function: str) -> None:
    """Whether all was metered, before the recounts, which then heal what was not.

    What cannot be asked is measured too: not knowing is no all-clear.
    """
    unseen = 0
    try:
        gone = meter.unwired(function)
        if gone:
            logger().error("the invocation log is not wired to the meter", gone=gone)
        count("Unwired", len(gone))
    except Exception as error:  # noqa: BLE001 - whatever it is, the recounts go on
        logger().warning("the log's wires could not be looked at", error=type(error).__name__)
        unseen += 1
    try:
        found = meter.watch.look(now)
        if found.hours:
            logger().warning(
                "metered otherwise than Bedrock counted",
                unmetered=found.unmetered,
                overmetered=found.overmetered,
                hours=[f"{hour:%Y-%m-%dT%H:%M:%SZ}" for hour in found.hours[:NAMED]],
            )
        count("Unmetered", found.unmetered)
        count("Overmetered", found.overmetered)
    except Exception as error:  # noqa: BLE001 - as above
        logger().warning("could not be held against AWS's totals", error=type(error).__name__)
        unseen += 1
    # Also if it is 0: the alarm MeterUnwatched hears by it that somebody looks.
    metrics().add_metric("Unseen", MetricUnit.Count, unseen)
