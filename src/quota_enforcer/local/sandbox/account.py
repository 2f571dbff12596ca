"""The sandbox's account: the real stack, people with keys and quotas, and a queue of notices."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from quota_enforcer.core.principal import Principal
from quota_enforcer.local.demo import cast
from quota_enforcer.local.demo.account import STACK, Account
from quota_enforcer.local.demo.callers import Callers
from quota_enforcer.local.embedded import EmbeddedAws
from quota_enforcer.local.sandbox.history import History
from quota_enforcer.local.sandbox.home import RunningSandbox

TEAM: Final[dict[str, Any]] = {
    "principal": "team/research", "quota": "monthly", "measure": "cost_usd", "limit": 150,
    "window": "month", "share": "pool", "members": "user/carol",
}  # fmt: skip
MEMBERS: Final = ("user/carol", "user/dave", "role/reporting")
DOLLARS: Final = "120"
"""A month, of the stack's AWS budget."""
BUDGET: Final[dict[str, Any]] = {
    "principal": "default", "quota": "monthly", "measure": "cost_usd", "limit": 60,
    "window": "month",
}  # fmt: skip


def start_of(weeks: int) -> datetime:
    """The simulated time to begin with, so that so many weeks later it is now."""
    return datetime.now(UTC).replace(microsecond=0) - timedelta(weeks=weeks)


def furnish(
    aws: EmbeddedAws, template: Path, weeks: int, progress: Callable[[str], None]
) -> RunningSandbox:
    """Deploy, let people move in, live through the weeks, and let the clock run."""
    progress("deploying template.yaml")
    account = Account(aws, template, BudgetDollars=DOLLARS)
    notices = account.subscribe("all-notices")
    for item in (*cast.QUOTAS, BUDGET):
        account.write_quota({"measure": cast.MEASURE} | item)
    account.write_quota(TEAM | {"members": list(MEMBERS)})
    progress("letting people move in")
    aws.fire_schedule(STACK, "EnforcerSchedule")  # it makes the gate
    callers = Callers(aws)
    callers.make_shared_roles(account.gate)
    for member in cast.CAST:
        callers.join(member)
    if weeks:
        History(aws, account, callers.roles).live_through(
            aws.time + timedelta(weeks=weeks), progress
        )
    aws.settle()
    aws.set_time(aws.time, running=True)
    aws.fire_schedule(STACK, "EnforcerSchedule")
    return RunningSandbox(
        pid=os.getpid(),
        since=datetime.now(UTC).isoformat(),
        endpoint=aws.endpoint,
        clock_file=str(aws.clock_file),
        folder=str(aws.folder),
        environment={name: value for name, value in aws.environment().items() if "_" in name},
        notices=notices,
        keys={str(who): list(key) for who, key in callers.keys.items()},
    )


def callers_of(aws: EmbeddedAws, sandbox: RunningSandbox) -> Callers:
    """Everybody who is in it, not signed in yet."""
    return Callers(
        aws, {Principal.parse(who): (id_, secret) for who, (id_, secret) in sandbox.keys.items()}
    )
