"""Whether this machine's clock is right, and the deployment has one time zone."""

from collections.abc import Iterator
from datetime import timedelta

from quota_enforcer.doctor.finding import Diagnosis, Finding, diagnosis, problem, warning
from quota_enforcer.doctor.fixes import deploy

OFF = timedelta(seconds=60)
"""AWS refuses requests that are signed five minutes or more off, and its header has whole seconds.

https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html
"""


def clocks(ahead: timedelta, zone: str, meter_zone: str, stack: str) -> Diagnosis:
    """How far this machine is `ahead` of AWS, and in which zones enforcer and meter count days."""
    seconds = int(abs(ahead).total_seconds())
    fine = f"this machine is right to {max(seconds, 1)} s; days begin in {zone}"
    return diagnosis(fine, _clocks(ahead, zone, meter_zone, stack))


def _clocks(ahead: timedelta, zone: str, meter_zone: str, stack: str) -> Iterator[Finding]:
    if abs(ahead) > OFF:
        which = "ahead of" if ahead > timedelta(0) else "behind"
        yield warning(
            f"this machine's clock is {int(abs(ahead).total_seconds())} s {which} AWS's",
            "the Date of an answer of AWS STS; windows shown here end that much off",
            "set this machine's clock, for instance with sudo timedatectl set-ntp true",
        )
    if meter_zone not in {zone, ""}:
        yield problem(
            "meter and enforcer count days in different time zones",
            f"TIME_ZONE is {meter_zone} in the meter's environment and {zone} in the enforcer's",
            deploy(stack, TimeZone=zone),
            "then quota-enforcer recount HOUR..HOUR for the days since it was so",
        )
