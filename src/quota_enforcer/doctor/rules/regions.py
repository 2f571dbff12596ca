"""Other Regions: whether Bedrock is used where nobody meters it.

A deny closes Bedrock in every Region, but a deployment meters only its own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from quota_enforcer.doctor.finding import Diagnosis, Finding, diagnosis, note, problem, unchecked
from quota_enforcer.doctor.fixes import ATTACH, count
from quota_enforcer.doctor.rules.logging import LoggingFound


@dataclass(frozen=True, slots=True)
class RegionSeen:
    """One enabled Region.

    `calls` are Bedrock's own count of the last days. Where there are any, `logging` is what is set
    there, and `stacks` are deployments of ours. `trouble` is why it could not be asked, in words;
    `closed` says that a service control policy is, as where an organization closes Regions.
    """

    name: str
    calls: int = 0
    logging: LoggingFound | None = None
    stacks: tuple[str, ...] = ()
    trouble: str = ""
    refused: bool = False
    """Whether it is a permission that is missing."""
    closed: bool = False


def other_regions(seen: Sequence[RegionSeen], days: int, stack: str, access: str) -> Diagnosis:
    """Whether each Region with traffic is metered; `access` is how to be allowed to ask."""
    used = [each for each in seen if each.calls]
    fine = f"no calls in {days} days in the other enabled Regions ({len(seen)})"
    if used:
        names = ", ".join(each.name for each in used)
        fine = f"calls in {names} are metered there; the others ({len(seen) - len(used)}) have none"
    findings = [finding for each in used for finding in _of(each, days, stack)]
    return diagnosis(fine, [*findings, *_unasked(seen, access)])


def _of(seen: RegionSeen, days: int, stack: str) -> Iterator[Finding]:
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


def _unasked(seen: Sequence[RegionSeen], access: str) -> Iterator[Finding]:
    """Once for each trouble, since all Regions may have the same."""
    closed = [each.name for each in seen if each.closed]
    if closed:
        yield note(
            "a service control policy keeps you out of these: see that it closes Bedrock there too",
            closed,
        )
    troubles = {each.trouble: each.refused for each in seen if each.trouble}
    for trouble, refused in troubles.items():
        names = [each.name for each in seen if each.trouble == trouble]
        what = f"could not look into {count(len(names), 'Region')}: {trouble}"
        fix, then = (access, ATTACH) if refused else ("quota-enforcer doctor", "once it answers")
        yield unchecked(what, "CloudWatch or Bedrock did not say there", fix, then, names)
