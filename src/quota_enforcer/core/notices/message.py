"""A notice as it is sent: the subject, the sentences about it, and what to do next."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from quota_enforcer.core.notices.amounts import lasting, limit_of, shortened, used_of
from quota_enforcer.core.notices.kinds import WORDS
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.notices.wording import (
    moment,
    moment_ahead,
    raise_command,
    signed_call,
    still_open,
)

_POOL_HEADLINES = {
    NoticeKind.BLOCKED: "Amazon Bedrock is blocked{part} for {who}: the pool of {pool} {why}",
    NoticeKind.CHANGED: (
        "Amazon Bedrock is still blocked{part} for {who}: the pool of {pool} {why}"
    ),
    NoticeKind.COULD_NOT_DENY: "{who} could not be blocked, but the pool of {pool} {why}",
}
"""Headlines for a member of the team whose pool it is."""

_BLOCKS = {NoticeKind.BLOCKED, NoticeKind.CHANGED}

_ABOUT_NO_QUOTA = {
    NoticeKind.ACCOUNT_UNREACHABLE,
    NoticeKind.PRICE_UNKNOWN,
    NoticeKind.SERVICE_TIER,
}
"""Notices whose `quota` names something else: an account, a model or service tiers."""

_AFTER_A_BLOCK = {NoticeKind.RESTORED, NoticeKind.COULD_NOT_LIFT}

_WHERE_TO_LOOK = (
    "`quota-enforcer me` shows your usage and limits; administrators run "
    "`quota-enforcer explain {who}`."
)

_SEEN_AT_ONCE = 60
"""Characters of a subject that mail programs and phones show in their lists."""

_MOST_OF_SNS = 100
"""A subject has fewer: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html"""

NEXT_STEPS: Final = {
    "Cheaper to use",
    "What to do",
    "To get more",
    "To grant it",
    "To refuse it",
    "Where to look",
    "Questions",
    "Without the command line",
}
"""Labels of facts that say what to do next, and no more of what happened."""

_MOST_OF_A_YEAR = timedelta(days=300)


@dataclass(frozen=True, slots=True)
class Message:
    """A notice as it is sent; the subject fits SNS: under 100 characters, one line of ASCII."""

    subject: str
    body: str
    headline: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    """Label and sentence; with the headline they make up the body in every form."""


def message(notice: Notice, zone: ZoneInfo, contact: str, me_url: str = "") -> Message:
    """A notice in words: why, how much, until when, what still works, and whom to ask.

    `me_url` is where people can ask for their own usage, if they can.
    """
    headline = _headline(notice)
    facts = (*_facts(notice, zone, contact), *_by_curl(notice, me_url))
    lines = (f"{label}: {sentence}" for label, sentence in facts)
    body = "\n".join([f"{headline}.", "", *lines, "", f"Notice {notice.id}"])
    return Message(_subject(notice, zone), body, headline, facts)


def _facts(notice: Notice, zone: ZoneInfo, contact: str) -> Iterator[tuple[str, str]]:
    if not notice.facts:
        yield "Why", f"{notice.reason}."
    yield from ((label, f"{words}.") for label, words in notice.facts)
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
    if notice.cheaper:
        yield "Cheaper to use", f"{notice.cheaper}."
    if to_do := WORDS[notice.kind].to_do:
        yield "What to do", to_do
    if notice.kind is NoticeKind.ASKED and notice.until is not None:
        grant = raise_command(notice.whom, notice.quota, notice.limit, notice.until)
        yield "To grant it", f"`{grant}`"
        yield "To refuse it", f"`quota-enforcer requests deny {shlex.quote(notice.principal)}`"
    if notice.kind in _BLOCKS | {NoticeKind.WARNING}:
        yield "To get more", f"ask {contact}."
        yield "Where to look", _WHERE_TO_LOOK.format(who=notice.principal)
    elif notice.kind.audience == "people":
        yield "Questions", f"ask {contact}."


def _by_curl(notice: Notice, me_url: str) -> Iterator[tuple[str, str]]:
    """For people who do not have the command line."""
    if me_url and notice.kind in _BLOCKS | {NoticeKind.WARNING}:
        yield "Without the command line", f"`{signed_call(me_url)}`"


def _headline(notice: Notice) -> str:
    headline = WORDS[notice.kind].headline
    if _is_of_member(notice):
        headline = _POOL_HEADLINES.get(notice.kind, headline)
    return headline.format(
        who=notice.principal or "the gates",
        quota=notice.quota,
        share=_share(notice),
        part=_part(notice),
        why=_why(notice),
        pool=notice.pool,
        reason=notice.reason,
    )


def _why(notice: Notice) -> str:
    if not notice.limit:
        return "has the limit 0"
    if notice.stage and notice.used < notice.limit:
        return f"has reached {notice.stage} %"
    return "is used up" if notice.used >= notice.limit else "is nearly used up"


def _is_of_member(notice: Notice) -> bool:
    """Whether it tells a member of a team about the team's pool."""
    return notice.pool not in {"", notice.principal}


def _part(notice: Notice) -> str:
    """` in part`, unless every model is closed."""
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
    """What is not closed; a notice of an earlier version knows the models of its own quota only."""
    if notice.kind is NoticeKind.RESTORED:
        return "Amazon Bedrock, all of it. IAM needs a few seconds to know."
    closed = notice.closed or (notice.models if notice.kind in _BLOCKS else "")
    return still_open(closed)


def _subject(notice: Notice, zone: ZoneInfo) -> str:
    """`Blocked until 25 Nov 00:00 CET: quota daily, user/alice`.

    What happened, until when and which quota come first, in at most 60 characters; who it is, which
    can be long, comes last.
    """
    what = WORDS[notice.kind].subject.format(
        share=_share(notice),
        part=_part(notice),
        until="until an admin acts" if notice.until is None else f"until {_day(notice, zone)}",
        resets=_short_reset(notice, zone),
        reason=notice.reason,
    )
    if notice.quota:
        room = _SEEN_AT_ONCE - len(f"{what}: ")
        about_none = notice.kind in _ABOUT_NO_QUOTA
        quota = notice.quota if about_none else f"quota {notice.quota}"
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
