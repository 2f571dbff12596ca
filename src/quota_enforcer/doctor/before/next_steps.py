"""The commands for the first deployment, with parameters that fit what was found."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from quota_enforcer.core.principal import Kind
from quota_enforcer.doctor.before.facts import RegionFound, Whereabouts
from quota_enforcer.doctor.before.grants import CallerByPolicy
from quota_enforcer.doctor.before.identities import chosen_by_callers, is_shared
from quota_enforcer.doctor.fixes import deploy
from quota_enforcer.gates.roles import permission_set
from quota_enforcer.satellites.names import OWN_REGIONS


@dataclass(frozen=True, slots=True)
class Step:
    """A command, and why."""

    command: str
    why: str


@dataclass(frozen=True, slots=True)
class AccountFound:
    """What the commands depend on; None is what could not be read."""

    where: Whereabouts
    stack: str
    callers: Sequence[CallerByPolicy] | None
    regions: Sequence[RegionFound] | None


_LIMIT: Final = "--measure cost_usd --limit 100 --window month --action notify"


def next_steps(found: AccountFound) -> list[Step]:
    """From the first deployment to quotas that only tell."""
    used = sorted(
        (each for each in found.regions or () if each.calls), key=lambda each: -each.calls
    )
    home = used[0].name if used else found.where.region
    return [
        Step("make package", "builds what is deployed"),
        *_deployments(found, home, used),
        Step(
            f"quota-enforcer doctor --stack {found.stack} --region {home}",
            "once it is deployed, and again after a day",
        ),
        *_quotas(found, home),
        *_locks(found),
        Step(
            f"quota-enforcer forecast --stack {found.stack} --region {home}",
            "after a week: who would have reached which limit; then choose limits that deny, and "
            "deploy with Mode=enforce",
        ),
    ]


def _deployments(found: AccountFound, home: str, used: Sequence[RegionFound]) -> Iterator[Step]:
    by_name = {each.name: each for each in found.regions or ()}
    others = [each for each in used if each.name != home and not each.stacks]
    region = by_name.get(home, RegionFound(home))
    if not region.stacks:
        parameters = {"Mode": "observe", "NoticeEmail": "YOUR_ADDRESS"}
        if _needs_gates(found.callers):
            parameters["Gates"] = "1"
        if others:
            parameters["Satellites"] = OWN_REGIONS
        if group := _logged_to(region):
            parameters["ExistingLogGroup"] = group
        command = deploy(found.stack, **parameters).replace(
            "sam deploy", f".venv-sam/bin/sam deploy --region {home}", 1
        )
        yield Step(command, "observe mode blocks nobody")
    if others:
        where = f"--stack {found.stack} --region {home}"
        names = ",".join(each.name for each in others)
        logged = [f"{each.name}: {group}" for each in others if (group := _logged_to(each))]
        there = f"; give those their ExistingLogGroup ({', '.join(logged)})" if logged else ""
        yield Step(
            f"quota-enforcer satellites plan --regions {names} {where}",
            "prints what makes a satellite in each of these Regions: one limit counts all of them"
            + there,
        )


def _logged_to(region: RegionFound) -> str:
    """The log group that calls there go to already."""
    return region.logging.log_group or "" if region.logging else ""


def _needs_gates(callers: Sequence[CallerByPolicy] | None) -> bool:
    """Whether people of Identity Center, or sessions that say who they are, are to be blocked."""
    return any(
        permission_set(each.identity.principal.name)
        or (is_shared(each) and not chosen_by_callers(each))
        for each in callers or ()
    )


def _quotas(found: AccountFound, home: str) -> Iterator[Step]:
    where = f"--stack {found.stack} --region {home}"
    callers = found.callers or ()
    people = [
        each
        for each in callers
        if each.identity.principal.kind is Kind.USER or permission_set(each.identity.principal.name)
    ]
    roles = [each for each in callers if each not in people]
    if people or not callers:
        yield Step(
            f"quota-enforcer quota set default monthly {_LIMIT} {where}",
            "each user and Identity Center person; it tells, and blocks nobody",
        )
    if roles:
        yield Step(
            f"quota-enforcer quota set 'role/*' monthly {_LIMIT} {where}",
            "each role with all its sessions; a default never covers roles",
        )
    for each in roles:
        if is_shared(each) and not chosen_by_callers(each):
            name = each.identity.principal.name
            yield Step(
                f"quota-enforcer quota set 'session/{name}/*' monthly {_LIMIT} {where}",
                "each session of it by itself, since its name says who it is",
            )


def _locks(found: AccountFound) -> Iterator[Step]:
    regions = found.regions or ()
    mantle, jobs = (any(each.mantle for each in regions), any(each.jobs for each in regions))
    ways = [*(["--mantle"] if mantle else []), *(["--batch"] if jobs else [])]
    if ways:
        yield Step(
            f"quota-enforcer policy lock {' '.join(ways)}",
            "closes what no invocation log records",
        )
