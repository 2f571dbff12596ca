"""The meter function: adds each delivery of the invocation log, and sets hours from it when asked.

Nothing that somebody typed into a model is ever logged: only event ids, times, and reasons that
name fields of identity, model and time.
"""

import os
from functools import cache
from typing import TYPE_CHECKING, Any, assert_never

from quota_enforcer import clock
from quota_enforcer.lambdas.meter import wiring as meter_wiring
from quota_enforcer.lambdas.meter.deliveries import answer_of, measured
from quota_enforcer.lambdas.meter.events import (
    DeliveryRequest,
    RecountRequest,
    UrlRequest,
    read_event,
)
from quota_enforcer.lambdas.meter.recounts import recount_all, recount_one
from quota_enforcer.lambdas.meter.telemetry import logger, tracer
from quota_enforcer.lambdas.meter.watching import watch
from quota_enforcer.lambdas.session import LazySession
from quota_enforcer.meter.settings import MeterSettings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@cache
def meter() -> meter_wiring.Meter:
    """Wired once for each Lambda process, at its first event, so that errors reach the log."""
    return meter_wiring.wired(MeterSettings.from_environment(os.environ), LazySession())


# No response and no exception is captured: both could hold what a record says.
@tracer().capture_lambda_handler(capture_response=False, capture_error=False)
@logger().inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """Answer one event."""
    request = read_event(event)
    now = clock.now()
    match request:
        case DeliveryRequest(data):
            return measured(meter().stream.deliver(data, now, context.aws_request_id))
        case UrlRequest():
            return answer_of(request, meter().places, now, context.aws_request_id)
        case RecountRequest(hour) if hour is not None:
            return recount_one(meter(), hour, request, now)
        case RecountRequest():
            watch(meter(), now, context.invoked_function_arn)
            return recount_all(meter(), now)
        case _:
            assert_never(request)
