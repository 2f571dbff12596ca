"""Above and below every status: the deployment, how fresh its usage is, and hints."""

from datetime import datetime
from typing import Any

from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.terminal.output import hint
from quota_enforcer.cli.terminal.when import freshness
from quota_enforcer.core.deployment import Context
from quota_enforcer.core.ledger import SweepState
from quota_enforcer.core.notices import wording
from quota_enforcer.core.notices.amounts import lasting


def header(deployment: Deployment, state: SweepState, context: Context) -> str:
    """`bedrock-quota, enforce mode, newest usage 3 min old, last sweep 2 min ago`."""
    fresh = freshness(_age(state, context.now))
    ago = "" if state.finished is None else lasting(context.now - state.finished)
    swept = f"last sweep {ago} ago" if ago else ""
    parts = [deployment.settings.stack, f"{context.mode} mode", fresh, swept or "not swept yet"]
    return ", ".join(parts)


def header_document(deployment: Deployment, state: SweepState, context: Context) -> dict[str, Any]:
    """The same for machines."""
    return {
        "stack": deployment.settings.stack,
        "mode": context.mode,
        "time_zone": str(context.zone),
        "now": context.now,
        "last_sweep": state.finished,
        "data_age_seconds": _age(state, context.now),
        "breaker_since": state.breaker_since,
        "paused_until": paused_until(state, context),
    }


def hints(state: SweepState, context: Context) -> None:
    """What else an admin should know now."""
    if state.closed:
        hint("The stack is being deleted: everybody is free, and nobody will be blocked.")
    if (until := paused_until(state, context)) is not None:
        ends = wording.moment(until, context.zone)
        hint(f"New blocks are paused until {ends}; `quota-enforcer resume` ends that at once.")
    if state.breaker_since is not None:
        since = wording.moment(state.breaker_since, context.zone)
        hint(
            f"The breaker holds new blocks since {since}, those of what was edited lately: "
            "see `quota-enforcer sweep --dry-run`, then `quota-enforcer sweep --confirm-blocks`."
        )


def paused_until(state: SweepState, context: Context) -> datetime | None:
    """The end of the pause that stands now."""
    until = state.paused_until
    return until if until is not None and until > context.now else None


def _age(state: SweepState, now: datetime) -> int | None:
    return None if state.fresh_at is None else int((now - state.fresh_at).total_seconds())
