"""The enforcer function: a sweep for each tick, a wake when usage came in or quotas changed."""

import os
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, assert_never

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit

from quota_enforcer import clock
from quota_enforcer.core.deployment import STACK_ENDS, Metering, Settings
from quota_enforcer.core.errors import StackStays, SweepFailed
from quota_enforcer.core.notices.notice import NoticeKind
from quota_enforcer.lambdas.enforcer import wiring
from quota_enforcer.lambdas.enforcer.events import (
    CloseRequest,
    EditRequest,
    ReopenRequest,
    StaleTick,
    SweepRequest,
    WakeRequest,
    read_event,
)
from quota_enforcer.lambdas.session import LazySession

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from quota_enforcer.enforce.report import Report
    from quota_enforcer.enforce.sweep import Sweep

logger = Logger()
metrics = Metrics()
tracer = Tracer()


@cache
def enforcer() -> "Sweep":
    """Wired once for each Lambda process, at its first event, so that errors reach the log."""
    return wiring.sweep(Settings.from_environment(os.environ), LazySession())


def closer() -> "Sweep":
    """Wired to close the deployment, for which only some of the settings must be right."""
    return wiring.sweep(Settings.from_environment(os.environ, closing=True), LazySession())


def stack_goes() -> bool:
    """Whether CloudFormation says that this stack is being deleted; nobody else is believed."""
    settings = Settings.from_environment(os.environ, closing=True)
    return wiring.own_stack(settings, LazySession()).status() in STACK_ENDS


@tracer.capture_lambda_handler(capture_response=False)
@logger.inject_lambda_context(correlation_id_path="correlation_id", clear_state=True)
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """Answer one event; raises SweepFailed at the end of a sweep in which something failed."""
    logger.set_correlation_id(context.aws_request_id)
    request = read_event(event, clock.now())
    match request:
        case SweepRequest():
            return _swept(request)
        case WakeRequest():
            report = enforcer().wake(request.principals, request.now, request.woken)
            report = replace(report, failures=[*report.failures, *request.refused])
            _measure(report)
            return _told("wake", report)
        case EditRequest():
            report = enforcer().edited(request.now)
            _measure(report)
            return _told("edit", report)
        case CloseRequest():
            return _closed(request)
        case ReopenRequest():
            if stack_goes():
                raise StackStays("CloudFormation is deleting this stack: it stays closed")
            enforcer().reopen()
            return {"reopened": True}
        case StaleTick():
            logger.warning("dropped a stale tick", scheduled=request.scheduled.isoformat())
            metrics.add_metric("StaleTicks", MetricUnit.Count, 1)
            metrics.flush_metrics()
            return {"dropped": "stale", "scheduled": request.scheduled.isoformat()}
        case _:
            assert_never(request)


def _closed(request: CloseRequest) -> dict[str, Any]:
    if not stack_goes():
        raise StackStays(
            "asked to release everybody and block nobody any more, but CloudFormation "
            "does not delete this stack: nothing was done; find in CloudTrail who asked"
        )
    ended = closer().close(request.now)
    logger.info("closed", released=ended.released)
    if ended.unsent:
        logger.error("notices that nobody sends any more", unsent=ended.unsent)
    if ended.unreachable:
        logger.error("accounts in which nobody was released", accounts=ended.unreachable)
    return ended._asdict()


def _swept(request: SweepRequest) -> dict[str, Any]:
    report = enforcer().run(
        request.now, dry_run=request.dry_run, confirm_blocks=request.confirm_blocks
    )
    _measure(report)
    took = (clock.now() - request.now).total_seconds()
    metrics.add_metric("Duration", MetricUnit.Seconds, took)
    if report.unreachable:
        metrics.add_metric("SatelliteUnreachable", MetricUnit.Count, len(report.unreachable))
    if report.closed and not stack_goes():
        metrics.add_metric("ClosedThoughDeployed", MetricUnit.Count, 1)
    # By the stream the meter measures each delivery, and by that how old the newest usage is.
    if report.metering == Metering.CLOUDWATCH and report.data_age_seconds is not None:
        metrics.add_metric("DataAge", MetricUnit.Seconds, report.data_age_seconds)
    return _told("sweep", report)


def _measure(report: "Report") -> None:
    counts = {
        "LookedAt": report.looked_at,
        "Warned": report.count(NoticeKind.WARNING),
        "Blocked": report.count(NoticeKind.BLOCKED),
        "Restored": report.count(NoticeKind.RESTORED),
        "Failed": len(report.failures),
        "Held": len(report.held),
        "Unattributed": len(report.unattributed),
        "Edits": report.edits,
    }
    for name, count in counts.items():
        if count:
            metrics.add_metric(name, MetricUnit.Count, count)


def _told(what: str, report: "Report") -> dict[str, Any]:
    """Log what was done; failures come last, so that nothing else is lost for them.

    A wake that found nothing leaves no line: there is one for each delivery, and a log costs by
    the byte. A dry run answers its failures instead of raising them: it is what an admin asked to
    see.
    """
    answer = report.to_json()
    if what != "wake" or report.says_something:
        logger.info(what, **answer)
    if metrics.metric_set:
        metrics.flush_metrics()
    if report.failures and not report.dry_run:
        raise SweepFailed(report.failures)
    return answer
