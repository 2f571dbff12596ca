"""A notice as it is sent: the subject, the sentences about it, and what to do next."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from quota_enforcer.core.notices.amounts import lasting, limit_of, shortened, used_of
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.notices.wording import moment, moment_ahead, still_open

_HEADLINES = {
    NoticeKind.WARNING: "{who} has used {share} % of Bedrock quota {quota}",
    NoticeKind.BLOCKED: "Amazon Bedrock is blocked{part} for {who}: quota {quota} {why}",
    NoticeKind.CHANGED: "Amazon Bedrock is still blocked{part} for {who}: quota {quota} {why}",
    NoticeKind.RESTORED: "Amazon Bedrock is open again for {who}",
    NoticeKind.COULD_NOT_DENY: "{who} is over Bedrock quota {quota} but could not be blocked",
    NoticeKind.COULD_NOT_LIFT: "{who} is still blocked by a deny that cannot be lifted",
    NoticeKind.INVALID_QUOTA: "Bedrock quota {quota} of {who} is not valid",
    NoticeKind.BREAKER: "Bedrock quotas: an edit would block too many at once, so it waits",
    NoticeKind.PAUSED: "Bedrock quotas: nobody new is blocked for a while",
    NoticeKind.RESUMED: "Bedrock quotas: new blocks are made again",
    NoticeKind.TAMPERED: "Bedrock quotas: somebody else changed a deny of {who}",
    NoticeKind.GATE_NEARLY_FULL: "Bedrock quotas: a gate is nearly full",
    NoticeKind.PRICE_UNKNOWN: "Bedrock quotas: a price of {quota} is not known",
    NoticeKind.SERVICE_TIER: "Bedrock quotas: service tiers are in use that the log may not name",
    NoticeKind.METERING_GAP: "Bedrock quotas: calls were not metered",
    NoticeKind.METERING_HEALED: "Bedrock quotas: calls that were not metered count now",
    NoticeKind.OVER_METERED: "Bedrock quotas: more was metered than Bedrock counted",
    NoticeKind.WOULD_HAVE_BLOCKED: "{who} would have been blocked: Bedrock quota {quota}",
    NoticeKind.EDITED: "Bedrock quota {quota} of {who} was edited",
}

_SUBJECTS = {
    NoticeKind.WARNING: "{share} % used, {resets}",
    NoticeKind.BLOCKED: "Blocked{part} {until}",
    NoticeKind.CHANGED: "Still blocked{part} {until}",
    NoticeKind.RESTORED: "Open again",
    NoticeKind.COULD_NOT_DENY: "Over the limit, not blocked",
    NoticeKind.COULD_NOT_LIFT: "Still blocked, deny stays",
    NoticeKind.INVALID_QUOTA: "Quota item not valid",
    NoticeKind.BREAKER: "An edit would block too many, waits",
    NoticeKind.PAUSED: "New blocks are paused {until}",
    NoticeKind.RESUMED: "New blocks are made again",
    NoticeKind.TAMPERED: "Somebody else changed a deny",
    NoticeKind.GATE_NEARLY_FULL: "A gate is nearly full",
    NoticeKind.PRICE_UNKNOWN: "Price not known",
    NoticeKind.SERVICE_TIER: "Service tiers in use",
    NoticeKind.METERING_GAP: "Calls were not metered",
    NoticeKind.METERING_HEALED: "Calls not metered count now",
    NoticeKind.OVER_METERED: "More metered than Bedrock counted",
    NoticeKind.WOULD_HAVE_BLOCKED: "Would have been blocked",
    NoticeKind.EDITED: "Quota edited",
}
"""What happened and until when; the mail comes from the topic's name, `Bedrock quotas`."""

_TO_DO = {
    NoticeKind.COULD_NOT_DENY: (
        "See why. The usage goes on until then; the next sweep tries to block again."
    ),
    NoticeKind.COULD_NOT_LIFT: (
        "Administrators: see why. The block stays until then; the next sweep tries again."
    ),
    NoticeKind.INVALID_QUOTA: (
        "Correct the item in the quota table; `quota-enforcer quota list` shows what is in force. "
        "The next sweep reads it."
    ),
    NoticeKind.BREAKER: (
        "See `quota-enforcer sweep --dry-run` first. Until then these blocks are not made, nor "
        "warned of; all others are, and restores go on. Once the quota is mended the breaker lets "
        "go at once."
    ),
    NoticeKind.PAUSED: (
        "Find what the emergency was. Who is blocked stays so; whoever is over a limit goes on "
        "until the pause ends. `quota-enforcer resume` ends it at once."
    ),
    NoticeKind.RESUMED: (
        "Nothing: whoever is over a limit is blocked now. `quota-enforcer status --over` names "
        "them."
    ),
    NoticeKind.TAMPERED: (
        "Nothing, if somebody here meant to. Else find in CloudTrail who it was: whoever can "
        "change a deny can lift it."
    ),
    NoticeKind.GATE_NEARLY_FULL: "When it is full, nobody else can be blocked by it.",
    NoticeKind.PRICE_UNKNOWN: "Past usage keeps its assumed price unless it is recounted.",
    NoticeKind.METERING_GAP: (
        "Put right what `quota-enforcer doctor` finds. Until then nobody is warned or blocked for "
        "what is not metered."
    ),
    NoticeKind.METERING_HEALED: "Nothing. Who is over a limit by it is blocked as usual.",
    NoticeKind.OVER_METERED: (
        "`quota-enforcer doctor` names who may write the log. Compare the log's records of that "
        "time with CloudTrail; what nobody called is taken out with `quota-enforcer recount HOUR "
        "--without EVENT`."
    ),
    NoticeKind.SERVICE_TIER: (
        "Log the answers (the stack's parameter LogPromptsAndAnswers), which name the tier of "
        "Converse and of OpenAI's models; or close the tiers with `quota-enforcer policy guard "
        "--only-tier default`. You are told of a tier once."
    ),
}

_POOL_HEADLINES = {
    NoticeKind.BLOCKED: "Amazon Bedrock is blocked{part} for {who}: the pool of {pool} is used up",
    NoticeKind.CHANGED: (
        "Amazon Bedrock is still blocked{part} for {who}: the pool of {pool} is used up"
    ),
    NoticeKind.COULD_NOT_DENY: "{who} could not be blocked, but the pool of {pool} is used up",
}
"""Where it is a member that is told."""

_BLOCKS = {NoticeKind.BLOCKED, NoticeKind.CHANGED}

_AFTER_A_BLOCK = {NoticeKind.RESTORED, NoticeKind.COULD_NOT_LIFT}

_WHERE_TO_LOOK = (
    "`quota-enforcer me` shows your usage and limits; administrators run "
    "`quota-enforcer explain {who}`."
)

_SEEN_AT_ONCE = 60
"""Characters of a subject that mail programs and phones show in their lists."""

_MOST_OF_SNS = 100
"""A subject has fewer: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html"""

_MOST_OF_A_YEAR = timedelta(days=300)


@dataclass(frozen=True, slots=True)
class Message:
    """A notice as it is sent; the subject fits SNS: under 100 characters, one line of ASCII."""

    subject: str
    body: str
    headline: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    """Label and sentence; with the headline they make up the body in every form."""


def message(notice: Notice, zone: ZoneInfo, contact: str) -> Message:
    """A notice in words: why, how much, until when, what still works, and whom to ask."""
    headline = _headline(notice)
    facts = tuple(_facts(notice, zone, contact))
    lines = (f"{label}: {sentence}" for label, sentence in facts)
    body = "\n".join([f"{headline}.", "", *lines, "", f"Notice {notice.id}"])
    return Message(_subject(notice, zone), body, headline, facts)


def _facts(notice: Notice, zone: ZoneInfo, contact: str) -> Iterator[tuple[str, str]]:
    yield "Why", f"{notice.reason}."
    if notice.kind in _BLOCKS:
        yield "Opens again", f"{moment_ahead(notice.until, notice.at, zone)}."
    elif notice.kind is NoticeKind.WARNING:
        if notice.runs_out is not None:
            yield "At this pace", f"{_at_this_pace(notice, zone)}."
        yield "Resets", _resets(notice, zone)
    else:
        yield from _amounts(notice)
        if notice.kind in _AFTER_A_BLOCK and notice.since is not None:
            lasted = lasting(notice.at - notice.since)
            yield "Blocked since", f"{moment(notice.since, zone)}, for {lasted}."
    yield from _what_next(notice, contact)


def _amounts(notice: Notice) -> Iterator[tuple[str, str]]:
    """What the reason does not say of the quota."""
    if notice.quota and notice.measure and notice.limit:
        limit = limit_of(notice.limit, notice.measure)
        yield "Quota", f"{_quota(notice)} ({limit}, {notice.window})."
        used = used_of(notice.used, notice.limit, notice.measure)
        yield "Used", f"{used} ({_share(notice)} %)." if notice.limit.is_finite() else f"{used}."


def _what_next(notice: Notice, contact: str) -> Iterator[tuple[str, str]]:
    if notice.kind in _BLOCKS | {NoticeKind.WARNING, NoticeKind.RESTORED}:
        yield "What works", _what_works(notice)
    if notice.kind in _TO_DO:
        yield "What to do", _TO_DO[notice.kind]
    if notice.kind in _BLOCKS | {NoticeKind.WARNING}:
        yield "To get more", f"ask {contact}."
        yield "Where to look", _WHERE_TO_LOOK.format(who=notice.principal)
    elif notice.kind.audience == "people":
        yield "Questions", f"ask {contact}."


def _headline(notice: Notice) -> str:
    headline = _HEADLINES[notice.kind]
    if _is_of_member(notice):
        headline = _POOL_HEADLINES.get(notice.kind, headline)
    return headline.format(
        who=notice.principal or "the gates",
        quota=notice.quota,
        share=_share(notice),
        part=_part(notice),
        why="is used up" if notice.limit else "has the limit 0",
        pool=notice.pool,
    )


def _is_of_member(notice: Notice) -> bool:
    """Whether it tells a member of a team about the team's pool."""
    return notice.pool not in {"", notice.principal}


def _part(notice: Notice) -> str:
    """Empty if every model is closed; an older notice knows no more than its own models."""
    return "" if "*" in (notice.closed or notice.models).split(", ") else " in part"


def _quota(notice: Notice) -> str:
    return f"{notice.quota}, which {notice.pool} shares" if notice.pool else notice.quota


def _share(notice: Notice) -> int:
    """Percent of the limit used, rounded down; a warning's own percent is its threshold."""
    return int(notice.used * 100 / notice.limit) if notice.limit else 100


def _at_this_pace(notice: Notice, zone: ZoneInfo) -> str:
    out = notice.runs_out
    if out is None or out == notice.until:
        return "it lasts until the reset"
    return f"it is used up at {moment_ahead(out, notice.at, zone)}"


def _resets(notice: Notice, zone: ZoneInfo) -> str:
    if notice.window.startswith("rolling"):
        return f"bit by bit, as usage gets older than {notice.window.removeprefix('rolling ')}."
    return f"{moment_ahead(notice.until, notice.at, zone)}, when the count starts again from zero."


def _what_works(notice: Notice) -> str:
    """What is open once this is told; older notices know no more than their own models."""
    if notice.kind is NoticeKind.RESTORED:
        return "Amazon Bedrock, all of it. IAM needs a few seconds to know."
    closed = notice.closed or (notice.models if notice.kind in _BLOCKS else "")
    return still_open(closed)


def _subject(notice: Notice, zone: ZoneInfo) -> str:
    """`Blocked until 25 Nov 00:00 CET: quota daily, user/alice`.

    What happened, until when and which quota come first, in at most 60 characters; who it is, which
    can be long, comes last.
    """
    what = _SUBJECTS[notice.kind].format(
        share=_share(notice),
        part=_part(notice),
        until="until an admin acts" if notice.until is None else f"until {_day(notice, zone)}",
        resets=_short_reset(notice, zone),
    )
    if notice.quota:
        room = _SEEN_AT_ONCE - len(f"{what}: ")
        of_itself = notice.kind in {NoticeKind.PRICE_UNKNOWN, NoticeKind.SERVICE_TIER}
        quota = notice.quota if of_itself else f"quota {notice.quota}"
        what = f"{what}: {quota if len(quota) <= room else shortened(notice.quota, room)}"
    several = [what, notice.pool if _is_of_member(notice) else "", notice.principal]
    words = ", ".join(each for each in several if each)
    plain = "".join(each if " " <= each <= "~" else "?" for each in words)
    return plain if len(plain) < _MOST_OF_SNS else f"{plain[: _MOST_OF_SNS - 4]}..."


def _short_reset(notice: Notice, zone: ZoneInfo) -> str:
    if notice.window.startswith("rolling") or notice.until is None:
        return notice.window or "no reset"
    return f"resets {_day(notice, zone)}"


def _day(notice: Notice, zone: ZoneInfo) -> str:
    """`25 Nov 00:00 CET`, with the year if the day could be of another one."""
    if notice.until is None:
        return ""
    local = notice.until.astimezone(zone)
    year = f" {local.year}" if notice.until - notice.at > _MOST_OF_A_YEAR else ""
    return f"{local.day} {local:%b}{year} {local:%H:%M %Z}"
