"""Words that verdicts, notices and commands share: moments, periods, pools, what stays open."""

import shlex
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from quota_enforcer.core.notices.amounts import exact, lasting
from quota_enforcer.core.quotas.quota import Quota
from quota_enforcer.core.usage.window import Unit, Window

_THIS = {
    Unit.HOUR: "this hour",
    Unit.DAY: "today",
    Unit.WEEK: "this week",
    Unit.MONTH: "this month",
}


def moment(when: datetime | None, zone: ZoneInfo) -> str:
    """`2026-12-01 00:00 CET`; None is never."""
    if when is None:
        return "an admin changes the quota"
    return f"{when.astimezone(zone):%Y-%m-%d %H:%M %Z}"


def moment_ahead(when: datetime | None, now: datetime, zone: ZoneInfo) -> str:
    """`2026-11-25 00:00 CET, in 11 h`; None is when an admin changes the quota."""
    if when is None:
        return f"when {moment(None, zone)}"
    return f"{moment(when, zone)}, in {lasting(when - now)}"


def period(window: Window) -> str:
    """`today`, `this month`, `in the last 24 hours`."""
    if window.rolling:
        return f"in the last {window.rolling} {window.unit}s"
    return _THIS[window.unit]


def of_pool(quota: Quota) -> str:
    """` of the pool of team/research`; nothing if nobody shares the quota."""
    return f" of the pool of {quota.subject}" if quota.pooled else ""


def still_open(models: str) -> str:
    """What works while these model scopes are denied: `*`, several, or none."""
    if not models:
        return "everything; nothing is blocked."
    if models == "*":
        return "no model of Amazon Bedrock; everything else in AWS, as before."
    return (
        f"every model but {models}, as before, with API keys too. The bedrock-mantle endpoint is "
        "closed, since it knows models by other names and is not metered."
    )


def signed_call(url: str) -> str:
    """How `me` is asked without it: curl 7.87 or newer signs with the key of the environment.

    Of a user's own key the token is empty, and curl leaves the header out.
    """
    labels = url.partition("://")[2].split(".")
    region = labels[2] if labels[1:2] == ["lambda-url"] else "us-east-1"
    return (
        f'curl --aws-sigv4 "aws:amz:{region}:lambda" '
        '--user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" '
        f'--header "x-amz-security-token: $AWS_SESSION_TOKEN" {shlex.quote(url)}'
    )


def raise_command(subject: str, quota: str, limit: Decimal, until: datetime) -> str:
    """The command that raises a limit; no word of it can be more than a word to a shell."""
    ends_at = until.astimezone(UTC).isoformat(timespec="minutes")
    words = ("quota-enforcer", "quota", "raise", subject, quota, exact(limit), "--until", ends_at)
    return " ".join(map(shlex.quote, words))
