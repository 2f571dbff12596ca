"""Whether IAM denies whom the ledger says, and whether deny policies and gates are as written."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from quota_enforcer.core.deployment import SETTLING
from quota_enforcer.core.notices.amounts import count
from quota_enforcer.core.policies.deny import deny_documents
from quota_enforcer.core.policies.document import Document
from quota_enforcer.doctor.finding import Diagnosis, Finding, diagnosis, problem, warning
from quota_enforcer.doctor.fixes import deploy

_SWEEP = "quota-enforcer sweep"


@dataclass(frozen=True, slots=True)
class Denied:
    """A principal that is denied something, by the ledger or in IAM; all are model scopes.

    `recorded` is the ledger's last outcome, `really` what is attached. `unfinished` is an apply
    that did not end. `trouble` is why IAM did not let it deny. `indirect` says that no attachment
    that is looked at tells of it: a gate denies them, their members are denied, or they are of a
    member account.
    """

    principal: str
    recorded: frozenset[str] = frozenset()
    really: frozenset[str] = frozenset()
    unfinished: bool = False
    trouble: str = ""
    since: datetime | None = None
    indirect: bool = False


def denies(
    seen: Sequence[Denied],
    unmanaged_attachments: Sequence[str],
    now: datetime,
    members: Collection[str] = (),
) -> Diagnosis:
    """Whether each deny is where it should be.

    `unmanaged_attachments` are what only an admin can undo, and `members` the member accounts.
    """
    findings = [finding for each in seen for finding in _of(each, now)]
    blocked = sum(bool(each.recorded) and not each.trouble for each in seen)
    fine = f"IAM denies all whom the ledger says: {blocked}" if blocked else "nobody is denied"
    fine += _elsewhere(members, "the enforcer looks there, at the first sweep of each hour")
    return diagnosis(fine, [*findings, *map(_stray, unmanaged_attachments)])


def _elsewhere(members: Collection[str], who: str) -> str:
    """What is not looked at, and who does look: no admin may take the roles there."""
    several = count(len(members), "member account")
    return f"; not looked at: IAM of {several} ({who})" if members else ""


def _of(seen: Denied, now: datetime) -> Iterator[Finding]:
    if seen.since is not None and now - seen.since < SETTLING:
        return
    if seen.unfinished:
        yield warning(
            f"a change for {seen.principal} was begun and not finished",
            "the ledger has an intent and no outcome",
            _SWEEP,
        )
        return
    if seen.trouble:
        then = "once that reason is fixed"
        yield problem(
            f"{seen.principal} is over and could not be blocked", seen.trouble, _SWEEP, then
        )
        return
    if seen.indirect:
        return
    for scope in sorted(seen.recorded - seen.really):
        yield problem(
            f"the deny of {scope} is not attached to {seen.principal}, who goes on",
            "the ledger says that it is, and IAM does not list it",
            _SWEEP,
            "CloudTrail says who detached it: event DetachUserPolicy or DetachRolePolicy",
        )
    for scope in sorted(seen.really - seen.recorded):
        yield problem(
            f"the deny of {scope} is attached to {seen.principal}, who is not over",
            "IAM lists it, and the ledger does not say so",
            _SWEEP,
            "CloudTrail says who attached it: event AttachUserPolicy or AttachRolePolicy",
        )


def _stray(words: str) -> Finding:
    """Attached to a group; the words end in the command that undoes it."""
    what, _, command = words.partition(": aws ")
    return problem(what, "IAM lists it for a group", f"aws {command}")


@dataclass(frozen=True, slots=True)
class GateSeen:
    """A gate: how full it is, and how it differs from what the author would write.

    `made` is whether it exists. `missing` are user ids that it should list, `idle` those that it
    should not; `foreign` says that it differs. `holders` have it as an ordinary policy.
    """

    arn: str
    made: bool = True
    foreign: bool = False
    missing: frozenset[str] = frozenset()
    idle: frozenset[str] = frozenset()
    percent: int = 0
    nearly_full: bool = False
    holders: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """As the console has it."""
        return self.arn.rpartition("/")[2]


def deny_policies(
    installed: Mapping[str, str], found: Mapping[str, Document | None], *, agent_core: bool
) -> Diagnosis:
    """Whether the default version of each deny policy is what the template wrote.

    `installed` has each model scope's policy by ARN, `found` what it says by ARN, None if it is
    gone.
    """
    findings = [
        finding
        for scope, arn in sorted(installed.items())
        for finding in _deny(scope, arn, found[arn], agent_core=agent_core)
    ]
    return diagnosis(
        f"{count(len(installed), 'policy', 'policies')}, as the template wrote them", findings
    )


def _deny(scope: str, arn: str, found: Document | None, *, agent_core: bool) -> Iterator[Finding]:
    partition = arn.split(":")[1]
    [wanted] = deny_documents([scope], partition=partition, agent_core=agent_core)
    if found is not None and _normal(found) == _normal(wanted):
        return
    written = _command(scope, partition, agent_core=agent_core)
    if found is None:
        path, _, name = arn.partition(":policy")[2].rpartition("/")
        yield problem(
            f"the policy that denies {scope} is gone, so nobody can be denied it",
            f"IAM knows no {arn}",
            f"aws iam create-policy --path {path}/ --policy-name {name} "
            f'--policy-document "$({written})"',
        )
    else:
        yield problem(
            f"the policy that denies {scope} does not say what it should",
            f"the default version of {arn} was changed, or is by another version of this program",
            f"aws iam create-policy-version --set-as-default --policy-arn {arn} "
            f'--policy-document "$({written})"',
            "CloudTrail says who changed it; if there are five versions, delete one first",
        )


def _command(scope: str, partition: str, *, agent_core: bool) -> str:
    """The command that prints the document."""
    parts = ["quota-enforcer policy deny"]
    if scope != "*":
        parts.append(f"--model '{scope}'")
    elif not agent_core:
        parts.append("--no-agent-core")
    if partition != "aws":
        parts.append(f"--partition {partition}")
    return " ".join(parts)


def _normal(value: Any) -> list[str]:
    """Equal for documents that mean the same: IAM takes one value for a list, in any order."""
    several = value if isinstance(value, list) else [value]
    return sorted(repr(_one(each)) for each in several)


def _one(value: Any) -> Any:
    if isinstance(value, dict):
        return sorted((key, _normal(each)) for key, each in value.items())
    return value


def gates(seen: Sequence[GateSeen], stack: str, members: Collection[str] = ()) -> Diagnosis:
    """Whether each gate is as the author writes it, has room, and is only a boundary."""
    full = ", ".join(f"{each.name} is {each.percent} % full" for each in seen)
    full += _elsewhere(members, "the author writes the gates there")
    return diagnosis(full, [finding for each in seen for finding in _gate(each, len(seen), stack)])


def _gate(seen: GateSeen, number: int, stack: str) -> Iterator[Finding]:
    if not seen.made:
        yield warning(
            f"{seen.name} is not there yet", f"IAM knows no {seen.arn}", "quota-enforcer sweep"
        )
    elif seen.foreign:
        yield problem(
            f"{seen.name} is not what the author writes for those who are over",
            f"user ids missing: {len(seen.missing)}, and there without need: {len(seen.idle)}",
            "quota-enforcer sweep",
            "CloudTrail says who changed it: event CreatePolicyVersion or SetDefaultPolicyVersion",
            sorted(seen.missing | seen.idle),
        )
    if seen.nearly_full:
        yield warning(
            f"{seen.name} is nearly full, and who does not fit is not denied",
            f"{seen.percent} % of what a policy holds",
            deploy(stack, Gates=str(number + 1)),
            "then have some permission sets name the new gate",
        )
    for holder in seen.holders:
        kind, _, name = holder.partition("/")
        yield problem(
            f"{seen.name} is attached to {holder} as an ordinary policy, which allows everything",
            "IAM lists it as a permissions policy",
            f"aws iam detach-{kind}-policy --{kind}-name {name} --policy-arn {seen.arn}",
        )
