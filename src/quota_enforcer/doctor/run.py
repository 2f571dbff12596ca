"""An examination: every check made, several at once, and none that fails stops another."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from quota_enforcer.doctor.access import unmade
from quota_enforcer.doctor.checks import Check
from quota_enforcer.doctor.deployment import DeploymentUnderCheck
from quota_enforcer.doctor.finding import Diagnosis

AT_ONCE = 8
"""Checks made side by side: they wait for the network."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A check and what it came to."""

    check: Check
    diagnosis: Diagnosis


def examine(
    checks: Sequence[Check],
    patient: DeploymentUnderCheck,
    progress: Callable[[Iterable[Examined]], Iterable[Examined]],
) -> list[Examined]:
    """Make them all; one that cannot be made is a finding, and says what to do."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(progress(pool.map(lambda check: _made(check, patient), checks)))


def _made(check: Check, patient: DeploymentUnderCheck) -> Examined:
    try:
        return Examined(check, check.look())
    except Exception as error:  # noqa: BLE001 - whatever it is, the other checks go on
        problem = patient.probe.problem(error)
        found = unmade(problem, check.needs, patient.settings)
        return Examined(check, Diagnosis("", (found,)))
