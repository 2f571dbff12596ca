"""The check of the satellites: which there are, and whether each follows home and is heard of."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from quota_enforcer.core.usage.place import Place
from quota_enforcer.doctor.deployment import DeploymentUnderCheck
from quota_enforcer.doctor.finding import Diagnosis, Finding, Severity
from quota_enforcer.doctor.fixes import age, deploy
from quota_enforcer.satellites.following import digest, followed
from quota_enforcer.satellites.health import SILENT_AFTER, SatelliteState, states
from quota_enforcer.satellites.names import NO_SATELLITES, OWN_REGIONS, VERSION
from quota_enforcer.satellites.registry import Satellite

URL: Final = "SatelliteUrl"
"""The output of home where satellites hand over."""
PLAN: Final = "quota-enforcer satellites plan"
_OUTDATED: Final = (SatelliteState.VERSION_DIFFERS, SatelliteState.PARAMETERS_DIFFER)


@dataclass(frozen=True, slots=True)
class SatellitesFound:
    """What home says of its satellites, and each with how it is."""

    stack: str
    stack_id: str
    home: Place
    parameter: str
    """Home's parameter Satellites."""
    followed: Mapping[str, str]
    known: Sequence[tuple[Satellite, tuple[SatelliteState, ...]]]


def satellites_found(deployment: DeploymentUnderCheck) -> SatellitesFound:
    settings, probe = deployment.settings, deployment.probe
    said = followed(deployment.parameters(), probe.outputs().get(URL, ""), deployment.role)
    current, unreachable = digest(said), _unreachable(deployment)
    return SatellitesFound(
        settings.stack,
        settings.stack_id,
        Place(settings.account, probe.region),
        deployment.parameters().get("Satellites") or NO_SATELLITES,
        said,
        [(each, states(each, current, unreachable, deployment.now)) for each in probe.satellites()],
    )


def satellites(deployment: DeploymentUnderCheck) -> Diagnosis:
    """Every satellite, as far as home knows it."""
    found = satellites_found(deployment)
    findings = [*_closed(found), *_outdated(found), *_others(deployment, found)]
    accounts = {each.place.account for each, _ in found.known}
    if not found.known:
        return Diagnosis("there are none", tuple(findings))
    return Diagnosis(
        f"{len(found.known)} in {len(accounts)} accounts, which follow home", tuple(findings)
    )


def _closed(found: SatellitesFound) -> Iterator[Finding]:
    """Satellites that home's parameter does not let in any more."""
    members = {each.place.account for each, _ in found.known} - {found.home.account}
    if found.parameter == NO_SATELLITES and found.known:
        wanted = "the id of your organisation" if members else OWN_REGIONS
    elif found.parameter == OWN_REGIONS and members:
        wanted = "the id of your organisation"
    else:
        return
    yield Finding(
        Severity.PROBLEM,
        f"home refuses what {len(found.known)} satellites hand over, since its parameter "
        f"Satellites is {found.parameter}: calls there are not metered",
        f"set Satellites to {wanted} ({deploy(found.stack, Satellites='VALUE')}), or delete the "
        "satellites",
    )


def _outdated(found: SatellitesFound) -> Iterator[Finding]:
    for state in _OUTDATED:
        places = [str(each.place) for each, has in found.known if state in has]
        if not places:
            continue
        what = (
            f"of another version than home's, which is {VERSION}"
            if state is SatelliteState.VERSION_DIFFERS
            else "set to other parameters than home's are now"
        )
        yield Finding(
            Severity.PROBLEM,
            f"{len(places)} satellites are {what}: {', '.join(places[:5])}"
            f"{', ...' if len(places) > 5 else ''}",  # noqa: PLR2004 - enough to look at
            f"run what `{PLAN}` prints",
        )


def _others(deployment: DeploymentUnderCheck, found: SatellitesFound) -> Iterator[Finding]:
    unreachable = sorted({e.place.account for e, h in found.known if _is_lost(h)})
    for account in unreachable:
        yield Finding(
            Severity.PROBLEM,
            f"home cannot deny anybody in account {account}: its satellite's role does not answer",
            f"see docs/operating.md, heading SatelliteUnreachable, and `{PLAN}`",
        )
    for each, has in found.known:
        if SatelliteState.SILENT in has:
            heard = each.last_delivery or each.announced
            yield Finding(
                Severity.NOTE,
                f"nothing came from {each.place} for {age(deployment.now - heard)} (more than "
                f"{age(SILENT_AFTER)}): nobody calls Bedrock there, or its log does not arrive",
                f"look at the stack {each.stack_id.split('/')[1]} there: its two alarms, and "
                "whether Bedrock's invocation logging is on",
            )


def _is_lost(has: Sequence[SatelliteState]) -> bool:
    return SatelliteState.UNREACHABLE in has


def _unreachable(deployment: DeploymentUnderCheck) -> frozenset[str]:
    """The member accounts in which the last sweep could not deny."""
    del deployment
    return frozenset()
