"""The check of the satellites: which there are, and whether each follows home and is heard of."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from quota_enforcer.core.usage.place import Place
from quota_enforcer.doctor.deployment import DeploymentUnderCheck
from quota_enforcer.doctor.finding import Diagnosis, Finding, diagnosis, note, problem
from quota_enforcer.doctor.fixes import age, deploy
from quota_enforcer.satellites.following import digest, followed
from quota_enforcer.satellites.health import SatelliteState, states
from quota_enforcer.satellites.names import NO_SATELLITES, OWN_REGIONS, VERSION
from quota_enforcer.satellites.registry import Satellite

URL: Final = "SatelliteUrl"
"""The output of home where satellites hand over."""
PLAN: Final = "quota-enforcer satellites plan"


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
        [
            (each, states(each, current, unreachable, deployment.now))
            for each in deployment.satellites()
        ],
    )


def satellites(deployment: DeploymentUnderCheck) -> Diagnosis:
    """Every satellite, as far as home knows it."""
    found = satellites_found(deployment)
    findings = [*_shut_out(found), *_outdated(found), *_lost(found), *_silent(deployment, found)]
    accounts = {each.place.account for each, _ in found.known}
    fine = f"{len(found.known)} in {len(accounts)} accounts follow home" if accounts else "none"
    return diagnosis(fine, findings)


def _shut_out(found: SatellitesFound) -> Iterator[Finding]:
    """Satellites that home's parameter does not let in any more."""
    members = [each for each, _ in found.known if each.place.account != found.home.account]
    if found.parameter == OWN_REGIONS and members:
        shut, wanted = members, "o-YOURS"
    elif found.parameter == NO_SATELLITES and found.known:
        shut, wanted = [each for each, _ in found.known], "o-YOURS" if members else OWN_REGIONS
    else:
        return
    yield problem(
        f"calls in {len(shut)} places are not metered: home refuses their satellites",
        f"its parameter Satellites is {found.parameter}",
        deploy(found.stack, Satellites=wanted),
        "or delete these satellites",
        [str(each.place) for each in shut],
    )


def _outdated(found: SatellitesFound) -> Iterator[Finding]:
    older = _places(found, SatelliteState.VERSION_DIFFERS)
    if older:
        yield problem(
            f"{len(older)} satellites are of another version than home",
            f"home's is {VERSION}",
            PLAN,
            "it prints the calls that update them",
            older,
        )
    others = _places(found, SatelliteState.PARAMETERS_DIFFER)
    if others:
        yield problem(
            f"{len(others)} satellites do not follow home: they deny and trust as before",
            "what home decides has changed since they announced themselves",
            PLAN,
            "it prints the calls that update them",
            others,
        )


def _lost(found: SatellitesFound) -> Iterator[Finding]:
    places = _places(found, SatelliteState.UNREACHABLE)
    for account in sorted({each.partition("/")[0] for each in places}):
        yield problem(
            f"nobody in account {account} can be blocked or released",
            "its satellite's role could not be taken, as home's last sweep told",
            f"aws cloudformation describe-stacks --region {_region(found, account)}",
            "with credentials of that account; docs/operating.md, heading SatelliteUnreachable",
        )


def _silent(deployment: DeploymentUnderCheck, found: SatellitesFound) -> Iterator[Finding]:
    for each, has in found.known:
        if SatelliteState.SILENT in has:
            heard = age(deployment.now - (each.last_delivery or each.announced))
            yield note(
                f"nothing came from {each.place} for {heard}: nobody calls Bedrock there, or its "
                f"log does not arrive; look at the alarms of stack {each.stack_id.split('/')[1]}"
            )


def _places(found: SatellitesFound, state: SatelliteState) -> list[str]:
    return [str(each.place) for each, has in found.known if state in has]


def _region(found: SatellitesFound, account: str) -> str:
    return next(each.place.region for each, _ in found.known if each.place.account == account)


def _unreachable(deployment: DeploymentUnderCheck) -> frozenset[str]:
    """The member accounts in which the last sweep could not deny."""
    return frozenset(filter(None, deployment.state().accounts_notified.split(",")))
