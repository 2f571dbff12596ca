"""Words: what a verdict and a notice say to a person, in sentences they can act on."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from quota_enforcer.core.notices.amounts import limit_of, used_of
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.quotas.quota import Quota
from quota_enforcer.core.usage.window import Unit, Window

_THIS = {
    Unit.HOUR: "this hour",
    Unit.DAY: "today",
    Unit.WEEK: "this week",
    Unit.MONTH: "this month",
}

_HEADLINES = {
    NoticeKind.WARNING: "Bedrock quota {quota} of {who} is at {percent} %",
    NoticeKind.BLOCKED: "Amazon Bedrock is blocked{part} for {who}: quota {quota} {why}",
    NoticeKind.CHANGED: "The block of Amazon Bedrock for {who} has changed: quota {quota}",
    NoticeKind.RESTORED: "Amazon Bedrock is open again for {who}",
    NoticeKind.COULD_NOT_DENY: "{who} is over Bedrock quota {quota} but could not be blocked",
    NoticeKind.COULD_NOT_LIFT: "{who} is still blocked by a deny that cannot be lifted",
    NoticeKind.INVALID_QUOTA: "Bedrock quota {quota} of {who} is not valid",
    NoticeKind.BREAKER: "Bedrock quotas: too many blocks at once, so none was made",
    NoticeKind.TAMPERED: "Bedrock quotas: somebody else changed a deny of {who}",
    NoticeKind.GATE_NEARLY_FULL: "Bedrock quotas: a gate is nearly full",
    NoticeKind.PRICE_UNKNOWN: "Bedrock quotas: no price is known for {quota}",
    NoticeKind.WOULD_HAVE_BLOCKED: "{who} would have been blocked: Bedrock quota {quota}",
    NoticeKind.EDITED: "Bedrock quota {quota} of {who} was edited",
}

_TO_DO = {
    NoticeKind.COULD_NOT_DENY: (
        "See why. The usage goes on until then; the next sweep tries to block again."
    ),
    NoticeKind.COULD_NOT_LIFT: (
        "Administrators: see why. The block stays until then; the next sweep tries again."
    ),
    NoticeKind.INVALID_QUOTA: (
        "Mend the item in the quota table; `quota-enforcer quota list` shows what is in force. "
        "The next sweep reads it."
    ),
    NoticeKind.BREAKER: (
        "See `quota-enforcer sweep --dry-run` first. Until then nobody new is blocked, nor warned "
        "of such a block; restores go on. Once the quota is mended the breaker lets go at once."
    ),
    NoticeKind.TAMPERED: (
        "Nothing, if somebody here meant to. Else find in CloudTrail who it was: whoever can "
        "change a deny can lift it."
    ),
    NoticeKind.GATE_NEARLY_FULL: "When it is full, nobody else can be blocked by it.",
    NoticeKind.PRICE_UNKNOWN: "Past usage keeps its assumed price unless it is recounted.",
}

_POOL_HEADLINES = {
    NoticeKind.BLOCKED: "Amazon Bedrock is blocked for {who}: the pool of {pool} is used up",
    NoticeKind.CHANGED: "The block of Amazon Bedrock for {who} has changed: the pool of {pool}",
    NoticeKind.COULD_NOT_DENY: "{who} could not be blocked, but the pool of {pool} is used up",
}
"""Where it is a member that is told."""


@dataclass(frozen=True, slots=True)
class Message:
    """A notice as it is sent; the subject fits SNS: under 100 characters, one line of ASCII."""

    subject: str
    body: str
    headline: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    """Label and sentence; with the headline they make up the body in every form."""


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
    """` of the pool of team/research`; nothing if nobody shares the quota."""
    return f" of the pool of {quota.subject}" if quota.pooled else ""


def message(notice: Notice, zone: ZoneInfo, contact: str) -> Message:
    """A notice in words: why, how much, until when, what still works, and whom to ask."""
    headline = _headline(notice)
    facts = tuple(_facts(notice, zone, contact))
    lines = (f"{label}: {sentence}" for label, sentence in facts)
    body = "\n".join([f"{headline}.", "", *lines, "", f"Notice {notice.id}"])
    return Message(_subject(headline), body, headline, facts)


def _facts(notice: Notice, zone: ZoneInfo, contact: str) -> Iterator[tuple[str, str]]:
    blocks = notice.kind in {NoticeKind.BLOCKED, NoticeKind.CHANGED}
    yield "Why", f"{notice.reason}."
    if notice.quota and notice.measure and notice.limit:
        limit = limit_of(notice.limit, notice.measure)
        yield "Quota", f"{_quota(notice)} ({limit}, {notice.window})."
        used = used_of(notice.used, notice.limit, notice.measure)
        yield "Used", f"{used} ({_share(notice)} %)."
    if notice.since is not None:
        over = notice.kind in {NoticeKind.RESTORED, NoticeKind.COULD_NOT_LIFT}
        yield "Blocked since" if over else "Since", f"{moment(notice.since, zone)}."
    if blocks:
        yield "Until", f"{moment(notice.until, zone)}."
        if notice.after:
            yield "After that", f"{notice.after}."
    elif notice.kind is NoticeKind.WARNING:
        yield "Resets", _resets(notice, zone)
    if blocks or notice.kind in {NoticeKind.WARNING, NoticeKind.RESTORED}:
        yield "What works", _what_works(notice)
    if notice.kind in _TO_DO:
        yield "What to do", _TO_DO[notice.kind]
    if notice.kind.audience == "people":
        yield "Questions", f"{contact}."


def _headline(notice: Notice) -> str:
    headline = _HEADLINES[notice.kind]
    if notice.pool not in {"", notice.principal}:
        headline = _POOL_HEADLINES.get(notice.kind, headline)
    return headline.format(
        who=notice.principal or "the gates",
        quota=notice.quota,
        percent=notice.percent,
        part="" if notice.models == "*" else " in part",
        why="is used up" if notice.limit else "has the limit 0",
        pool=notice.pool,
    )


def _quota(notice: Notice) -> str:
    return f"{notice.quota}, which {notice.pool} shares" if notice.pool else notice.quota


def _share(notice: Notice) -> int:
    """Percent of the limit used, rounded down; a warning's own percent is its threshold."""
    return int(notice.used * 100 / notice.limit) if notice.limit else 100


def _resets(notice: Notice, zone: ZoneInfo) -> str:
    if notice.window.startswith("rolling"):
        return f"bit by bit, as usage gets older than {notice.window.removeprefix('rolling ')}."
    return f"{moment(notice.until, zone)}, when the count starts again from zero."


def _what_works(notice: Notice) -> str:
    """What is open once this is told; older notices know no more than their own models."""
    if notice.kind is NoticeKind.RESTORED:
        return "Amazon Bedrock, all of it. IAM needs a few seconds to know."
    blocks = notice.kind in {NoticeKind.BLOCKED, NoticeKind.CHANGED}
    closed = notice.closed or (notice.models if blocks else "")
    return still_open(closed)


def still_open(models: str) -> str:
    """What works while these model scopes are denied: `*`, several, or none."""
    if not models:
        return "everything; nothing is blocked."
    if models == "*":
        return "no model of Amazon Bedrock; everything else in AWS, as before."
    return (
        f"every model but {models}, as before. API keys for Bedrock and its mantle endpoint are "
        "closed too, since they do not tell the models apart."
    )


def _subject(headline: str) -> str:
    plain = "".join(each if " " <= each <= "~" else "?" for each in headline)
    return plain if len(plain) < 100 else f"{plain[:96]}..."  # noqa: PLR2004 - the limit of SNS
