"""Words: what a verdict and a notice say to a person, in sentences they can act on."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from quota_enforcer.core.amounts import dollars, limit_of, used_of, used_units
from quota_enforcer.core.notice import Notice, NoticeKind
from quota_enforcer.core.quota import Quota
from quota_enforcer.core.verdict import Verdict
from quota_enforcer.core.window import Unit, Window

_THIS = {
    Unit.HOUR: "this hour",
    Unit.DAY: "today",
    Unit.WEEK: "this week",
    Unit.MONTH: "this month",
}
_OPEN = {
    NoticeKind.RESTORED: "Amazon Bedrock is open again. IAM needs a few seconds to know it.",
    NoticeKind.WARNING: "Nothing is blocked.",
}
_HEADLINES = {
    NoticeKind.WARNING: "Bedrock quota {quota} of {who} is at {percent} %",
    NoticeKind.BLOCKED: "Amazon Bedrock is blocked for {who}: quota {quota} is used up",
    NoticeKind.CHANGED: "The block of Amazon Bedrock for {who} has changed: quota {quota}",
    NoticeKind.RESTORED: "Amazon Bedrock is open again for {who}",
    NoticeKind.COULD_NOT_DENY: "{who} is over Bedrock quota {quota} but could not be blocked",
    NoticeKind.COULD_NOT_LIFT: "{who} is still blocked by a deny that cannot be lifted",
    NoticeKind.INVALID_QUOTA: "Bedrock quota {quota} of {who} is not valid",
    NoticeKind.BREAKER: "Bedrock quotas: too many blocks at once, so none was made",
    NoticeKind.TAMPERED: "Bedrock quotas: somebody else changed a deny of {who}",
    NoticeKind.GATE_NEARLY_FULL: "Bedrock quotas: a gate is nearly full",
    NoticeKind.PRICE_UNKNOWN: "Bedrock quotas: no price is known for {quota}",
    NoticeKind.EDITED: "Bedrock quota {quota} of {who} was edited",
}
_POOL_HEADLINES = {
    NoticeKind.BLOCKED: "Amazon Bedrock is blocked for {who}: the pool of {pool} is used up",
    NoticeKind.CHANGED: "The block of Amazon Bedrock for {who} has changed: the pool of {pool}",
    NoticeKind.COULD_NOT_DENY: "{who} could not be blocked, but the pool of {pool} is used up",
}
"""Where it is a member that is told."""
_SHOWN_MODELS = 3


@dataclass(frozen=True, slots=True)
class Message:
    """A notice as it is sent; the subject fits SNS: under 100 characters, one line of ASCII."""

    subject: str
    body: str


def unpriced(verdict: Verdict) -> str:
    """`no price is known for MODEL, MODEL and 2 more`."""
    named, more = verdict.unpriced[:_SHOWN_MODELS], len(verdict.unpriced) - _SHOWN_MODELS
    return f"no price is known for {', '.join(named)}{f' and {more} more' if more > 0 else ''}"


def moment(when: datetime | None, zone: ZoneInfo) -> str:
    """`2026-12-01 00:00 CET`; None is never."""
    if when is None:
        return "an admin changes the quota"
    return f"{when.astimezone(zone):%Y-%m-%d %H:%M %Z}"


def period(window: Window) -> str:
    """`today`, `this month`, `in the last 24 hours`."""
    if window.rolling:
        return f"in the last {window.rolling} {window.unit}s"
    return _THIS[window.unit]


def of_pool(quota: Quota) -> str:
    """` of the pool of team/research`; nothing where nobody shares the quota."""
    return f" of the pool of {quota.whom}" if quota.pooled else ""


def used(verdict: Verdict) -> str:
    """`1,200 of 1,000 total tokens used today (quota daily of user/*)`, or `$12 of $10.00 ...`.

    Of a pool `the pool of team/research is used up: ... used today by all members (quota daily)`.
    """
    quota = verdict.quota
    name = f"quota {quota.name}" if quota.pooled else f"quota {quota.name} of {quota.whom}"
    if not verdict.limit:
        return f"an admin set the limit{of_pool(quota)} to 0 ({name})"
    much = used_units(verdict.used, verdict.limit, quota.measure.words)
    assumed = f", {dollars(verdict.assumed)} of it at assumed prices" if verdict.assumed else ""
    if not quota.pooled:
        return f"{much} used {period(quota.window)}{assumed} ({name})"
    spent = f"the pool of {quota.whom}{' is used up' if verdict.used_up else ''}"
    return f"{spent}: {much} used {period(quota.window)} by all members{assumed} ({name})"


def reason(verdicts: Iterable[Verdict]) -> str:
    """Why a standing is as it is: the quotas that are used up, else those that warn."""
    several = list(verdicts)
    telling = [v for v in several if v.used_up] or [v for v in several if v.threshold]
    return "; ".join(used(verdict) for verdict in telling)


def message(notice: Notice, zone: ZoneInfo, contact: str) -> Message:
    """A notice as an e-mail: who, which quota, how much, since and until when, whom to ask."""
    lines = [f"{_headline(notice)}.", "", f"Why: {notice.reason}."]
    if notice.quota and notice.measure:
        lines += [
            f"Quota: {_quota(notice)} ({limit_of(notice.limit, notice.measure)}, {notice.window}).",
            f"Used: {used_of(notice.used, notice.limit, notice.measure)} ({_share(notice)} %).",
        ]
    if notice.since is not None:
        lines.append(f"Since: {moment(notice.since, zone)}.")
    if notice.kind in {NoticeKind.BLOCKED, NoticeKind.CHANGED}:
        lines.append(f"Until: {moment(notice.until, zone)}.")
    elif notice.kind is NoticeKind.WARNING:
        lines.append(f"The count begins anew: {moment(notice.until, zone)}.")
    if notice.kind in {NoticeKind.BLOCKED, NoticeKind.CHANGED}:
        lines.append(f"What works: {_still_open(notice.models)}")
    elif notice.kind in _OPEN:
        lines.append(f"What works: {_OPEN[notice.kind]}")
    lines += [f"Questions: {contact}.", "", f"Notice {notice.id}"]
    return Message(_subject(_headline(notice)), "\n".join(lines))


def _headline(notice: Notice) -> str:
    headline = _HEADLINES[notice.kind]
    if notice.pool not in {"", notice.principal}:
        headline = _POOL_HEADLINES.get(notice.kind, headline)
    return headline.format(
        who=notice.principal or "the gates",
        quota=notice.quota,
        percent=notice.percent,
        pool=notice.pool,
    )


def _quota(notice: Notice) -> str:
    return f"{notice.quota}, which {notice.pool} shares" if notice.pool else notice.quota


def _share(notice: Notice) -> int:
    """Percent of the limit used, rounded down; a warning's own percent is its threshold."""
    return int(notice.used * 100 / notice.limit) if notice.limit else 100


def _still_open(models: str) -> str:
    if models == "*":
        return "Everything else in AWS works as before; only Amazon Bedrock is closed."
    return (
        f"Every model but {models}, as before. API keys for Bedrock and its mantle endpoint are "
        "closed too, since they do not tell the models apart."
    )


def _subject(headline: str) -> str:
    plain = "".join(each if " " <= each <= "~" else "?" for each in headline)
    return plain if len(plain) < 100 else f"{plain[:96]}..."  # noqa: PLR2004 - the limit of SNS
