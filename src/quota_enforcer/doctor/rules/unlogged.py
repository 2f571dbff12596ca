"""Use of Bedrock that no invocation log records: the bedrock-mantle endpoint, and batch jobs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from quota_enforcer.core.notices.amounts import count
from quota_enforcer.doctor.finding import Diagnosis, Finding, diagnosis, problem
from quota_enforcer.doctor.fixes import at

LOCK = "it prints a policy: have the organisation attach it, or attach it to whom it is for"
MANTLE_LOCK = "quota-enforcer policy lock --mantle"
BATCH_LOCK = "quota-enforcer policy lock --batch"


@dataclass(frozen=True, slots=True)
class BatchJob:
    """A batch job as Bedrock lists it."""

    name: str
    model: str
    status: str
    submitted: datetime


def unlogged(mantle: int, jobs: Sequence[BatchJob], days: int) -> Diagnosis:
    """Whether calls of the last days went where they cannot be metered; `mantle` counts those."""
    fine = f"no call of bedrock-mantle and no batch job in {days} days"
    return diagnosis(fine, _findings(mantle, jobs, days))


def _findings(mantle: int, jobs: Sequence[BatchJob], days: int) -> Iterator[Finding]:
    if mantle:
        yield problem(
            "the bedrock-mantle endpoint is used, and nothing of it is metered",
            f"AWS/BedrockMantle Inferences counts {count(mantle, 'call')} in {days} days; no "
            "invocation log has them",
            MANTLE_LOCK,
            f"{LOCK}; CloudTrail's data events (CreateInference) say who it was: doctor --trail",
        )
    if jobs:
        newest = sorted(jobs, key=lambda job: job.submitted, reverse=True)
        yield problem(
            f"{count(len(jobs), 'batch job')} ran in {days} days, and none of it is metered",
            "Bedrock lists them; batch is not in the invocation log",
            BATCH_LOCK,
            f"{LOCK}; where they are meant, watch their price in the bill",
            [f"{job.name} ({job.model}, {job.status}, {at(job.submitted)})" for job in newest],
        )
