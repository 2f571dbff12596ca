"""Every check, in the order of the data: from the log to the denies and the quotas.

Several are made at once, and none that fails stops another.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final

from quota_enforcer.core.policies.callers.doctor import FINDING, NEEDS, WITNESS_NEEDS
from quota_enforcer.doctor.access import access, unmade
from quota_enforcer.doctor.checks import coverage, keys, machinery, metering, satellites
from quota_enforcer.doctor.checks.trail import second_witness
from quota_enforcer.doctor.deployment import DeploymentUnderCheck
from quota_enforcer.doctor.finding import Diagnosis, Finding

AT_ONCE: Final = 8
"""Checks made side by side: they wait for the network."""
CHECKS: Final[dict[str, Callable[[DeploymentUnderCheck], Diagnosis]]] = {
    "logging": metering.logging,
    "masking": metering.masked,
    "regions": metering.regions,
    "unlogged use": metering.unlogged,
    "records": metering.records,
    "meter": metering.meter,
    "ledger": metering.ledger,
    "tokens": metering.tokens,
    "satellites": satellites.satellites,
    "dead letters": machinery.dead_letters,
    "recounts": machinery.recounts,
    "sweep": machinery.sweep,
    "schedules": machinery.schedules,
    "functions": machinery.functions,
    "event sources": machinery.event_sources,
    "alarms": machinery.alarms,
    "notices": machinery.notices,
    "users and roles": coverage.users_and_roles,
    "shared roles": coverage.shared,
    "session names": coverage.session_names,
    "keys": keys.held,
    "denies": coverage.denies,
    "deny policies": coverage.deny_policies,
    "gates": coverage.gates,
    "quotas": coverage.quotas,
    "prices": coverage.prices,
    "mode": coverage.mode,
    "clock": machinery.clock_and_zone,
}
WITNESS: Final = "second witness"
"""The check that is made only where somebody names a trail."""


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """`needs` are the IAM actions that `look` takes.

    `options` are those of `doctor` that ask for it, and of `policy doctor` that grant it.
    """

    name: str
    look: Callable[[], Diagnosis]
    needs: Sequence[str]
    options: str = ""


@dataclass(frozen=True, slots=True)
class Examined:
    """A check and its result."""

    check: HealthCheck
    diagnosis: Diagnosis


def checks(deployment: DeploymentUnderCheck, trail: str = "") -> list[HealthCheck]:
    """`trail` is the name or ARN of a CloudTrail trail's log group, if one is to be asked."""
    every = [
        HealthCheck(name, partial(look, deployment), (*FINDING, *NEEDS[name]))
        for name, look in CHECKS.items()
    ]
    if trail:
        look = partial(second_witness, deployment, trail)
        needs = (*FINDING, *WITNESS_NEEDS)
        every.append(HealthCheck(WITNESS, look, needs, f" --trail {trail}"))
    return every


def unmade_check(deployment: DeploymentUnderCheck, check: HealthCheck, error: Exception) -> Finding:
    """The finding that a check could not be made."""
    problem = deployment.probe.problem(error)
    grant = f"{access(deployment.settings)}{check.options}"
    return unmade(problem, check.needs, grant, f"quota-enforcer doctor{check.options}")


def examine(
    checks: Sequence[HealthCheck],
    unmade: Callable[[HealthCheck, Exception], Finding],
    progress: Callable[[Iterable[Examined]], Iterable[Examined]],
) -> list[Examined]:
    """A check that cannot be made is a finding, which says what to do."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(progress(pool.map(lambda check: _made(check, unmade), checks)))


def _made(check: HealthCheck, unmade: Callable[[HealthCheck, Exception], Finding]) -> Examined:
    try:
        return Examined(check, check.look())
    except Exception as error:  # noqa: BLE001 - whatever it is, the other checks go on
        return Examined(check, Diagnosis("", (unmade(check, error),)))
