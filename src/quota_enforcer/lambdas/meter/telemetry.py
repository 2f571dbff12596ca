"""The meter's log, metrics and traces: one of each for the whole function.

Nothing that somebody typed into a model is ever logged: only event ids, times, and reasons that
name fields of identity, model and time.

They read the function's environment, so they are made when the handler is imported, and not before.
"""

from functools import cache
from typing import Final

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit

NAMED: Final = 20
"""How many events a line of the function's log names; the metrics count them all."""


@cache
def logger() -> Logger:
    return Logger()


@cache
def metrics() -> Metrics:
    return Metrics()


def count(name: str, number: int) -> None:
    """Measure what there is: a metric that only says 0 costs as much as any other."""
    if number:
        metrics().add_metric(name, MetricUnit.Count, number)


@cache
def tracer() -> Tracer:
    return Tracer()
