"""The calls of a deployment's own log, read without prompts and answers."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from quota_enforcer import clock
from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.files.exports import readings
from quota_enforcer.cli.files.items import QuotaFile, read_quota_file
from quota_enforcer.cli.terminal.errors import NotYet
from quota_enforcer.cli.terminal.output import hint, how_far, warn
from quota_enforcer.core.notices.amounts import count
from quota_enforcer.core.notices.wording import moment
from quota_enforcer.meter.log.record import Counted, Reading


def quotas_of(deployment: Deployment, file: Path | None, zone: ZoneInfo, home: str) -> QuotaFile:
    """What a file says, or what is in force; prices of the quota table where the file has none."""
    loaded = deployment.load(clock.now())
    if file is None:
        return QuotaFile(list(loaded.rules), dict(loaded.prices))
    found = read_quota_file(file, zone, home)
    found.prices = {**loaded.prices, **found.prices}
    return found


def readings_of_days(deployment: Deployment, days: int, home: str) -> Iterator[Reading]:
    """How the records of the last days read; what else is in the log is none."""
    now = clock.now()
    with how_far(f"Asking Logs Insights for the calls of {count(days, 'day')}") as told:
        for record in deployment.calls(now - timedelta(days=days), now, told):
            yield from readings(record, home)


def say_what_is_missing(deployment: Deployment, calls: Sequence[Counted], days: int) -> None:
    """What the calls that were found say nothing of. Raises NotYet if there are none."""
    if not calls:
        raise NotYet(
            f"the deployment's log has no calls of the last {count(days, 'day')}, so there is "
            "nothing to replay: look further back with --days, or name a file with --log; "
            "`quota-enforcer doctor` says whether records arrive"
        )
    zone = deployment.settings.zone
    first, last = (moment(pick(call.at for call in calls), zone) for pick in (min, max))
    hint(f"Calls from {first} to {last}; of earlier ones the log says nothing, or no longer.")
    incomplete = sum(call.counts.incomplete_requests for call in calls)
    if incomplete:
        warn(
            f"{incomplete:,} of the {count(len(calls), 'call')} lack a count of tokens and are "
            "taken for less than they used: Logs Insights knows the first 200 fields of a record, "
            "and a long prompt may have more. A file of the log with --log has them all"
        )
    if deployment.satellites.satellites():
        hint("Calls in the Regions and accounts of satellites are in their logs, and not in this.")
