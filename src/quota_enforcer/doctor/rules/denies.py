"""Whether IAM denies whom the ledger says it denies."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from quota_enforcer.doctor.finding import Diagnosis, Finding, diagnosis, problem, warning

SETTLING = timedelta(minutes=10)
"""A change this young may still be under way, or not yet listed by IAM; as the sweep has it."""
_SWEEP = "quota-enforcer sweep"


@dataclass(frozen=True, slots=True)
class Denied:
    """Somebody whom the ledger or IAM denies something: model scopes, by whom.

    `recorded` is the ledger's last outcome, `really` what is attached. `unfinished` is an apply
    that did not end. `trouble` is why IAM did not let it deny. `indirect` says that no attachment
    tells of it: a gate denies them, or, of a team, its members are denied.
    """

    principal: str
    recorded: frozenset[str] = frozenset()
    really: frozenset[str] = frozenset()
    unfinished: bool = False
    trouble: str = ""
    since: datetime | None = None
    indirect: bool = False


def denies(
    seen: Sequence[Denied], unmanaged_attachments: Sequence[str], now: datetime
) -> Diagnosis:
    """Whether each deny is where it should be.

    `unmanaged_attachments` are what only an admin can undo.
    """
    findings = [finding for each in seen for finding in _of(each, now)]
    blocked = sum(bool(each.recorded) and not each.trouble for each in seen)
    fine = f"IAM denies all whom the ledger says: {blocked}" if blocked else "nobody is denied"
    return diagnosis(fine, [*findings, *map(_stray, unmanaged_attachments)])


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
        then = "once what is said there is put right"
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
