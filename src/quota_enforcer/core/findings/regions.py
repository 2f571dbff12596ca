"""Other Regions: whether Bedrock is used where nobody meters it.

A deny closes Bedrock in every Region, but a deployment meters only its own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from quota_enforcer.core.findings.finding import (
    Diagnosis,
    Finding,
    diagnosis,
    note,
    problem,
    unchecked,
)
from quota_enforcer.core.findings.fixes import ATTACH, count
from quota_enforcer.core.findings.invocation_logging import LoggingFound


@dataclass(frozen=True, slots=True)
class RegionSeen:
    """One enabled Region.

    `calls` are Bedrock's own count of the last days. Where there are any, `logging` is what is set
    there, and `stacks` are deployments of ours. `trouble` is what could not be asked, in words.
    """

    name: str
    calls: int = 0
    logging: LoggingFound | None = None
    stacks: tuple[str, ...] = ()
    trouble: str = ""


def other_regions(seen: Sequence[RegionSeen], days: int, stack: str, access: str) -> Diagnosis:
    """Whether each Region with traffic is metered; `access` is how to be allowed to ask."""
    used = [each for each in seen if each.calls and not each.trouble]
    fine = f"no calls in {days} days in the other enabled Regions ({len(seen)})"
    if used:
        names = ", ".join(each.name for each in used)
        fine = f"calls in {names} are metered there; the others ({len(seen) - len(used)}) have none"
    findings = [
        finding
        for each in seen
        for finding in (_unasked(each, access) if each.trouble else _of(each, days, stack))
    ]
    return diagnosis(fine, findings)


def _of(seen: RegionSeen, days: int, stack: str) -> Iterator[Finding]:
    if not seen.calls:
        return
    evidence = f"AWS/Bedrock Invocations counts {count(seen.calls, 'call')} there in {days} days"
    if not seen.stacks:
        yield problem(
            f"Bedrock is used in {seen.name}, where nothing meters it",
            f"{evidence}; no log group /bedrock-quota/STACK/enforcer is there",
            f"sam deploy --region {seen.name} --stack-name {stack}-{seen.name} --capabilities "
            "CAPABILITY_NAMED_IAM",
            "under another name, since IAM's names are for the whole account; or deny Bedrock in "
            f"{seen.name} with a service control policy",
        )
    elif seen.logging is None or not seen.logging.log_group:
        [first, *_] = seen.stacks
        yield problem(
            f"Bedrock is used in {seen.name}, and its calls are not logged to a log group there",
            f"{evidence}; stack {first} is deployed there",
            f"quota-enforcer doctor --region {seen.name} --stack {first}",
        )
    else:
        yield note(
            f"{count(seen.calls, 'call')} of {days} days in {seen.name} count to the stack there: "
            f"{', '.join(seen.stacks)}"
        )


def _unasked(seen: RegionSeen, access: str) -> Iterator[Finding]:
    yield unchecked(f"could not look into {seen.name}", seen.trouble, access, ATTACH)
