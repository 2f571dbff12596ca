"""What stands around every status: the deployment, how fresh it is, and what is special now."""

from datetime import datetime
from typing import Any

from quota_enforcer.cli.deployment import Deployment
from quota_enforcer.cli.terminal.output import hint
from quota_enforcer.core.deployment import Terms
from quota_enforcer.core.ledger import SweepState
from quota_enforcer.core.notices import wording


def header(deployment: Deployment, state: SweepState, terms: Terms) -> str:
    """`bedrock-quota, enforce mode, newest usage 3 min old, last sweep 2026-11-24 12:00 UTC`."""
    fresh = "no usage seen yet"
    age = _age(state, terms.now)
    if age is not None:
        fresh = f"newest usage {max(age, 0) // 60} min old"
    swept = f"last sweep {wording.moment(state.finished, terms.zone)}" if state.finished else ""
    parts = [deployment.settings.stack, f"{terms.mode} mode", fresh, swept or "not swept yet"]
    return ", ".join(parts)


def header_document(deployment: Deployment, state: SweepState, terms: Terms) -> dict[str, Any]:
    """The same for machines."""
    return {
        "stack": deployment.settings.stack,
        "mode": terms.mode,
        "time_zone": str(terms.zone),
        "now": terms.now,
        "last_sweep": state.finished,
        "data_age_seconds": _age(state, terms.now),
        "breaker_since": state.breaker_since,
    }


def hints(state: SweepState, terms: Terms) -> None:
    """What an admin should know besides."""
    if state.closed:
        hint("The stack is being deleted: everybody is free, and nobody will be blocked.")
    if state.breaker_since is not None:
        since = wording.moment(state.breaker_since, terms.zone)
        hint(
            f"The breaker holds new blocks since {since}: "
            "see `quota-enforcer sweep --dry-run`, then `quota-enforcer sweep --confirm-blocks`."
        )


def _age(state: SweepState, now: datetime) -> int | None:
    return None if state.fresh_at is None else int((now - state.fresh_at).total_seconds())
