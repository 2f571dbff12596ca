"""The checks of metering: is everything logged, and does it arrive."""

from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Final

from quota_enforcer.core.deployment import Metering
from quota_enforcer.core.policies.callers.doctor import NEEDS
from quota_enforcer.core.principal import Kind
from quota_enforcer.core.usage.counts import METRIC_NAMES, Counts
from quota_enforcer.core.usage.window import local_date
from quota_enforcer.doctor.access import access
from quota_enforcer.doctor.deployment import DeploymentUnderCheck
from quota_enforcer.doctor.finding import Diagnosis
from quota_enforcer.doctor.rules import arrival, metering
from quota_enforcer.doctor.rules import unlogged as unlogged_rules
from quota_enforcer.doctor.rules.arrival import Arrival, Sampled
from quota_enforcer.doctor.rules.logging import Logging, RegionSeen, logging_here, other_regions
from quota_enforcer.doctor.rules.metering import MetricsMeter, StreamMeter

DAYS: Final = 7
"""How far back other Regions are looked at."""
_DAY: Final = timedelta(days=1)
_PERIOD: Final = 86_400
_READERS: Final = 8
_SAMPLE: Final = 50
"""So many principals are enough to see whether tokens are counted at all."""


def logging(deployment: DeploymentUnderCheck) -> Diagnosis:
    """Bedrock's invocation logging in this Region."""
    group = deployment.meter().log_group
    return logging_here(
        Logging(
            deployment.settings.stack,
            deployment.probe.region,
            group,
            deployment.role("InvocationLogRole"),
            deployment.logging(),
            deployment.probe.log_class(group),
            bodies=deployment.parameters().get("LogPromptsAndAnswers") == "true",
        )
    )


def masked(deployment: DeploymentUnderCheck) -> Diagnosis:
    """Whether something hides who called."""
    group = deployment.meter().log_group
    return metering.masking(group, deployment.probe.masking(group))


def regions(deployment: DeploymentUnderCheck) -> Diagnosis:
    """Bedrock in the other enabled Regions, several at once."""
    others = [each for each in deployment.probe.regions() if each != deployment.probe.region]
    with ThreadPoolExecutor(_READERS) as pool:
        seen = list(pool.map(lambda region: _region(deployment, region), others))
    return other_regions(seen, DAYS, access(deployment.settings))


def _region(deployment: DeploymentUnderCheck, region: str) -> RegionSeen:
    """One Region; if it cannot be asked, the others still are."""
    probe, now = deployment.probe, deployment.now
    satellite = region in deployment.satellite_regions()
    try:
        calls = sum(probe.calls(region, now - DAYS * _DAY, now, _PERIOD).values())
        mantle = probe.mantle(region, now - DAYS * _DAY, now, _PERIOD)
        if not calls or satellite:
            return RegionSeen(region, calls, mantle=mantle, satellite=satellite)
        return RegionSeen(region, calls, probe.logging(region), probe.stacks(region), mantle=mantle)
    except Exception as error:  # noqa: BLE001 - kept as the finding that it is
        problem = probe.problem(error)
        if problem.is_of_organization:
            return RegionSeen(region, closed=True)
        trouble = problem.why(NEEDS["regions"])
        return RegionSeen(region, trouble=trouble, refused=problem.is_refusal)


def unlogged(deployment: DeploymentUnderCheck) -> Diagnosis:
    """What is used that no invocation log records, in this Region."""
    probe, now = deployment.probe, deployment.now
    mantle = probe.mantle(probe.region, now - DAYS * _DAY, now, _PERIOD)
    return unlogged_rules.unlogged(mantle, probe.batch_jobs(now - DAYS * _DAY), DAYS)


def records(deployment: DeploymentUnderCheck) -> Diagnosis:
    """Whether Bedrock's records reach the log."""
    group = deployment.meter().log_group
    return arrival.records_arrive(
        Arrival(
            deployment.now,
            sorted(deployment.calls()),
            record=deployment.probe.newest_record(group),
            undelivered=deployment.probe.undelivered(deployment.now - _DAY, deployment.now),
            group=group,
        )
    )


def ledger(deployment: DeploymentUnderCheck) -> Diagnosis:
    """Whether usage reaches the ledger."""
    by_stream = deployment.settings.metering is Metering.STREAM
    return arrival.usage_is_fresh(
        Arrival(
            deployment.now,
            sorted(deployment.calls()),
            fresh=deployment.state().fresh_at,
            meter_log=deployment.log_of("meter" if by_stream else "enforcer"),
        )
    )


def tokens(deployment: DeploymentUnderCheck) -> Diagnosis:
    """Whether tokens are counted, by the latest usage of some principals."""
    since = local_date(deployment.now, deployment.settings.zone) - DAYS * _DAY
    known = [each for each in deployment.everybody() if each.principal.kind is not Kind.TEAM]
    # A warned level above 0 means that the principal has usage.
    known.sort(key=lambda each: (not each.standing.warned, each.principal))
    principals = [each.principal for each in known[:_SAMPLE]]
    with ThreadPoolExecutor(_READERS) as pool:
        found = list(pool.map(lambda who: deployment.ledger.usage(who, since), principals))
    used = Counts.total(
        counts
        for usage in found
        for model in usage.models.values()
        for counts in model.days.values()
    )
    current, ours = deployment.logging(), deployment.role("InvocationLogRole")
    foreign = current is not None and current.role != ours
    return arrival.tokens_are_counted(
        Sampled(
            deployment.settings.stack, len(principals), used.requests, used.tokens, foreign=foreign
        )
    )


def meter(deployment: DeploymentUnderCheck) -> Diagnosis:
    """What brings the log's records to the ledger."""
    group = deployment.meter().log_group
    if deployment.settings.metering is Metering.CLOUDWATCH:
        return metering.metric_filters(
            MetricsMeter(
                deployment.settings.stack,
                group,
                list(METRIC_NAMES.values()),
                deployment.probe.metric_names(group),
                _values(deployment),
            )
        )
    name = deployment.part("MeterFunction")
    return metering.subscription(
        StreamMeter(
            group,
            deployment.part("InvocationSubscription"),
            deployment.arn("lambda", f"function:{name}"),
            deployment.probe.subscriptions(group),
            allowed=deployment.probe.logs_may_invoke(name),
        )
    )


def _values(deployment: DeploymentUnderCheck) -> Mapping[str, int]:
    """How many different callers and models each metric has."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for series in deployment.probe.series():
        found[METRIC_NAMES[series.counter]] |= {series.arn, series.model_id}
    return {metric: len(values) for metric, values in found.items()}
