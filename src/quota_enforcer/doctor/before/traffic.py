"""Where Bedrock is used, where that is logged already, and what part of it quotas could count."""

from collections.abc import Iterator, Sequence
from typing import Final

from quota_enforcer.core.notices.amounts import count
from quota_enforcer.doctor.before.facts import OtherAccount, RegionFound
from quota_enforcer.doctor.finding import (
    Diagnosis,
    Finding,
    diagnosis,
    note,
    problem,
    unchecked,
    warning,
)
from quota_enforcer.doctor.fixes import ATTACH
from quota_enforcer.doctor.rules.logging import LoggingFound
from quota_enforcer.doctor.rules.unlogged import LOCK

ACCESS: Final = "quota-enforcer policy doctor --before"
"""What prints the policy that allows every check."""
AGAIN: Final = "quota-enforcer doctor --before"


def traffic_found(regions: Sequence[RegionFound], days: int) -> Diagnosis:
    """Which Regions have traffic; `days` is how far back was looked."""
    used = sorted((each for each in regions if _uses(each)), key=lambda each: -each.calls)
    enabled = count(len(regions), "enabled Region")
    fine = f"no call in {days} days in {enabled}"
    if used:
        fine = f"Bedrock was used in {days} days in {len(used)} of {enabled}"
    about = [f"{each.name} ({', '.join(_amounts(each))}{_deployed(each)})" for each in used]
    found = [note("the Regions with traffic, the busiest first", about)] if used else []
    return diagnosis(fine, [*found, *unasked(regions)])


def _uses(region: RegionFound) -> bool:
    return bool(region.calls or region.mantle or region.jobs)


def _amounts(region: RegionFound) -> Iterator[str]:
    if region.calls:
        yield count(region.calls, "call")
    if region.mantle:
        yield f"{count(region.mantle, 'call')} of bedrock-mantle"
    if region.jobs:
        yield count(region.jobs, "batch job")


def _deployed(region: RegionFound) -> str:
    return f"; deployed there: {', '.join(region.stacks)}" if region.stacks else ""


def unasked(regions: Sequence[RegionFound]) -> Iterator[Finding]:
    """Once for each trouble, since all Regions may have the same."""
    closed = [each.name for each in regions if each.closed]
    if closed:
        yield note("a service control policy keeps you out of these, so it may close them", closed)
    for trouble, refused in {each.trouble: each.refused for each in regions}.items():
        names = [each.name for each in regions if each.trouble == trouble and trouble]
        if names:
            what = f"could not look into {count(len(names), 'Region')}: {trouble}"
            fix, then = (ACCESS, ATTACH) if refused else (AGAIN, "once it answers")
            yield unchecked(what, "CloudWatch or Bedrock did not say there", fix, then, names)


def logging_found_in(regions: Sequence[RegionFound]) -> Diagnosis:
    """Where invocation logging is on already, and to what."""
    off = [each.name for each in regions if each.logging is None and each.calls]
    on = sum(each.logging is not None for each in regions)
    fine = "it is on nowhere; set-up switches it on, without prompts and answers"
    if on:
        fine = f"it is on in {count(on, 'Region')}"
    return diagnosis(fine, [*_logged(regions), *_off(off), *unasked(regions)])


def _logged(regions: Sequence[RegionFound]) -> Iterator[Finding]:
    on = [(each.name, each.logging) for each in regions if each.logging is not None]
    if groups := [f"{name} ({_words(found)})" for name, found in on if found.log_group]:
        yield note(
            "logging is on in these; a deployment there reads that log group, by its parameter "
            "ExistingLogGroup",
            groups,
        )
    if buckets := [f"{name} ({_words(found)})" for name, found in on if not found.log_group]:
        yield warning(
            "logging goes to a bucket only in these, where no deployment could meter it",
            "the configuration in force names no log group",
            "Bedrock's console there, Settings > Model invocation logging: choose S3 and "
            "CloudWatch Logs, with a log group of the Standard class",
            "then deploy with ExistingLogGroup=ITS_NAME",
            buckets,
        )


def _words(found: LoggingFound) -> str:
    bodies = "with" if found.bodies else "without"
    to = [each for each in (found.log_group, found.bucket and f"bucket {found.bucket}") if each]
    return f"{' and '.join(to)}, {bodies} prompts and answers"


def _off(regions: Sequence[str]) -> Iterator[Finding]:
    if regions:
        yield note(
            "logging is off in these with traffic, so nobody can say who called; set-up switches "
            "it on, and what was called before stays unknown",
            regions,
        )


def coverage_found(regions: Sequence[RegionFound], days: int) -> Diagnosis:
    """What share of the traffic an invocation log would have, as far as metrics say."""
    calls, mantle = (sum(each.calls for each in regions), sum(each.mantle for each in regions))
    jobs = sum(each.jobs for each in regions)
    if not calls + mantle:
        found = [*_uncounted(0, 0, jobs, regions), *unasked(regions)]
        return diagnosis(f"no call in {days} days", found)
    share = 100 * calls / (calls + mantle)
    fine = f"quotas would count all {count(calls, 'call')} of {days} days"
    what = (
        f"quotas would count {calls:,} of {count(calls + mantle, 'call')} of {days} days "
        f"({share:.1f} %), if every Region with traffic has a deployment"
    )
    partial = bool(mantle or jobs)
    findings = [note(what)] if partial else []
    findings += [*_uncounted(mantle, calls, jobs, regions), *unasked(regions)]
    return diagnosis(fine, findings)


def _uncounted(
    mantle: int, calls: int, jobs: int, regions: Sequence[RegionFound]
) -> Iterator[Finding]:
    if mantle:
        yield problem(
            f"{count(mantle, 'call')} of the bedrock-mantle endpoint would not be metered",
            f"AWS/BedrockMantle Inferences, beside {calls:,} of AWS/Bedrock Invocations; no "
            "invocation log has them",
            "quota-enforcer policy lock --mantle",
            f"{LOCK}; CloudTrail's data events (CreateInference) say who it was",
            [f"{each.name} ({each.mantle:,})" for each in regions if each.mantle],
        )
    if jobs:
        yield problem(
            f"{count(jobs, 'batch job')} would not be metered",
            "Bedrock lists them; batch is in no invocation log, and no metric counts its calls",
            "quota-enforcer policy lock --batch",
            f"{LOCK}; where they are meant, watch their price in the bill",
            [f"{each.name} ({each.jobs:,})" for each in regions if each.jobs],
        )


def accounts_found(others: Sequence[OtherAccount], linked: frozenset[str], days: int) -> Diagnosis:
    """Which other accounts of the organisation use Bedrock, as far as it can be seen from here."""
    names = {each.id: each.name for each in others}
    using = sorted(linked)
    fine = "no other account is in the organisation"
    if others:
        fine = f"{count(len(others), 'other account')} in the organisation"
    findings: list[Finding] = []
    if using:
        what = f"their metrics, which this account is shown, have calls of the last {days} days"
        about = [f"{each} ({names[each]})" if each in names else each for each in using]
        findings.append(note(what, about))
    unseen = [each for each in others if each.id not in linked]
    if unseen:
        findings.append(
            note(
                f"of {count(len(unseen), 'other account')} of the organisation nothing is seen "
                f"from here: run `{AGAIN}` there, or have them share their metrics with this "
                "account (CloudWatch cross-account observability)",
                [f"{each.id} ({each.name})" for each in unseen],
            )
        )
    return diagnosis(fine, findings)


def accounts_unknown(why: str, linked: frozenset[str]) -> Diagnosis:
    """The same where the organisation may not be asked, which is so in most member accounts."""
    seen = [note("their metrics, which this account is shown, have calls", sorted(linked))]
    what = (
        f"whether other accounts use Bedrock cannot be asked from here ({why}): only the "
        "management account and delegated administrators may list an organisation's accounts"
    )
    return diagnosis("only this account", [*(seen if linked else []), note(what)])
