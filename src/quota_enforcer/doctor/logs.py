"""The checks of metering: is everything logged, and does it arrive."""

from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Final

from quota_enforcer.core.deployment import Metering
from quota_enforcer.core.policies.callers import NEEDS
from quota_enforcer.core.principal import Kind
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.window import local_date
from quota_enforcer.doctor.access import access
from quota_enforcer.doctor.deployment import DeploymentUnderCheck
from quota_enforcer.doctor.finding import Diagnosis
from quota_enforcer.doctor.rules import metering as arrival
from quota_enforcer.doctor.rules import metering_metering as metering
from quota_enforcer.doctor.rules.logging import Logging, logging_here
from quota_enforcer.doctor.rules.metering import Arrival, Sampled
from quota_enforcer.doctor.rules.metering_metering import MetricsMeter, StreamMeter
from quota_enforcer.doctor.rules.regions import RegionSeen, other_regions
from quota_enforcer.meter.cloudwatch.series import METRIC_NAMES

DAYS: Final = 7
"""How far back other Regions are looked at."""
_DAY: Final = timedelta(days=1)
_PERIOD: Final = 86_400
_READERS: Final = 8
_SAMPLE: Final = 50
"""So many principals are enough to see whether tokens are counted at all."""


def logging(patient: DeploymentUnderCheck) -> Diagnosis:
    """Bedrock's invocation logging in this Region."""
    group = patient.meter().log_group
    return logging_here(
        Logging(
            patient.settings.stack,
            patient.probe.region,
            group,
            patient.role("InvocationLogRole"),
            patient.logging(),
            patient.probe.log_class(group),
            bodies=patient.parameters().get("LogPromptsAndAnswers") == "true",
        )
    )


def regions(patient: DeploymentUnderCheck) -> Diagnosis:
    """Bedrock in the other enabled Regions, several at once."""
    others = [each for each in patient.probe.regions() if each != patient.probe.region]
    with ThreadPoolExecutor(_READERS) as pool:
        seen = list(pool.map(lambda region: _region(patient, region), others))
    return other_regions(seen, DAYS, patient.settings.stack, access(patient.settings))


def _region(patient: DeploymentUnderCheck, region: str) -> RegionSeen:
    """One Region; that it cannot be asked says nothing of the others."""
    probe, now = patient.probe, patient.now
    try:
        calls = sum(probe.calls(region, now - DAYS * _DAY, now, _PERIOD).values())
        if not calls:
            return RegionSeen(region)
        return RegionSeen(region, calls, probe.logging(region), probe.stacks(region))
    except Exception as error:  # noqa: BLE001 - kept as the finding that it is
        problem = probe.problem(error)
        if problem.is_of_organization:
            return RegionSeen(region, closed=True)
        trouble = problem.why(NEEDS["regions"])
        return RegionSeen(region, trouble=trouble, refused=problem.is_refusal)


def records(patient: DeploymentUnderCheck) -> Diagnosis:
    """Whether Bedrock's records reach the log."""
    group = patient.meter().log_group
    return arrival.records_arrive(
        Arrival(
            patient.now,
            sorted(patient.calls()),
            record=patient.probe.newest_record(group),
            undelivered=patient.probe.undelivered(patient.now - _DAY, patient.now),
            group=group,
        )
    )


def ledger(patient: DeploymentUnderCheck) -> Diagnosis:
    """Whether usage reaches the ledger."""
    by_stream = patient.settings.metering is Metering.STREAM
    return arrival.usage_is_fresh(
        Arrival(
            patient.now,
            sorted(patient.calls()),
            fresh=patient.state().fresh_at,
            meter_log=patient.log_of("meter" if by_stream else "enforcer"),
        )
    )


def tokens(patient: DeploymentUnderCheck) -> Diagnosis:
    """Whether tokens are counted, by the latest usage of some principals."""
    since = local_date(patient.now, patient.settings.zone) - DAYS * _DAY
    known = [each for each in patient.everybody() if each.principal.kind is not Kind.TEAM]
    # Whoever has a level above the ground was seen with usage.
    known.sort(key=lambda each: (not each.standing.warned, each.principal))
    subject = [each.principal for each in known[:_SAMPLE]]
    with ThreadPoolExecutor(_READERS) as pool:
        found = list(pool.map(lambda who: patient.ledger.usage(who, since), subject))
    used = Counts.total(
        counts
        for usage in found
        for model in usage.models.values()
        for counts in model.days.values()
    )
    current, ours = patient.logging(), patient.role("InvocationLogRole")
    foreign = current is not None and current.role != ours
    return arrival.tokens_are_counted(
        Sampled(patient.settings.stack, len(subject), used.requests, used.tokens, foreign=foreign)
    )


def meter(patient: DeploymentUnderCheck) -> Diagnosis:
    """What hands the log's records to the ledger."""
    group = patient.meter().log_group
    if patient.settings.metering is Metering.CLOUDWATCH:
        return metering.metric_filters(
            MetricsMeter(
                patient.settings.stack,
                group,
                list(METRIC_NAMES.values()),
                patient.probe.metric_names(group),
                _values(patient),
            )
        )
    name = patient.part("MeterFunction")
    return metering.subscription(
        StreamMeter(
            group,
            patient.part("InvocationSubscription"),
            patient.arn("lambda", f"function:{name}"),
            patient.probe.subscriptions(group),
            allowed=patient.probe.logs_may_invoke(name),
        )
    )


def _values(patient: DeploymentUnderCheck) -> Mapping[str, int]:
    """How many different callers and models each metric has."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for series in patient.probe.series():
        found[METRIC_NAMES[series.counter]] |= {series.arn, series.model_id}
    return {metric: len(values) for metric, values in found.items()}
