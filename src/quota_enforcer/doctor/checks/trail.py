"""The check of a second witness: CloudTrail, where somebody names a trail's log group."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Final

from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.buckets import Usage
from quota_enforcer.core.usage.place import Place
from quota_enforcer.core.usage.window import HOUR, hour_start, local_date
from quota_enforcer.doctor.deployment import DeploymentUnderCheck
from quota_enforcer.doctor.finding import Diagnosis
from quota_enforcer.doctor.witness.compare import compare, trail_calls
from quota_enforcer.doctor.witness.findings import Heard, witnessed

SPAN: Final = timedelta(days=1)
_SETTLED: Final = timedelta(minutes=30)
"""After an hour's end, when both have its calls: CloudTrail delivers within some 15 minutes."""
_READERS: Final = 8


def second_witness(deployment: DeploymentUnderCheck, group: str) -> Diagnosis:
    """CloudTrail's calls of the last day beside those of the ledger, hour by hour."""
    zone, settings = deployment.settings.zone, deployment.settings
    end = hour_start(deployment.now - _SETTLED, zone)
    start = hour_start(end - SPAN, zone)
    home = Place(settings.account, deployment.probe.region)
    read = deployment.probe.trail(group, zone, start, end)
    said = trail_calls(read.rows, home)
    first = local_date(start - HOUR, zone)

    def used(who: Principal) -> Usage:
        return deployment.ledger.usage(who, first)

    callers = sorted({caller.principal for caller in said.calls})
    with ThreadPoolExecutor(_READERS) as pool:
        usages = dict(zip(callers, pool.map(used, callers), strict=True))
    return witnessed(
        Heard(
            group,
            home,
            start,
            end,
            deployment.now,
            said,
            compare(said, usages, home, (start, end)),
            read.complete,
            sum(number for at, number in deployment.calls().items() if start <= at < end),
        )
    )
