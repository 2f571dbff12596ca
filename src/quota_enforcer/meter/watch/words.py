"""What the watch over the meter tells: what, since when, why, and the command."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from quota_enforcer.core.notices.amounts import and_more
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.meter.watch.compare import Difference, Differences, Volume
from quota_enforcer.meter.watch.ports import LogTraffic

_NAMED: Final = 5
"""So many models are named."""


def gap(found: Differences, traffic: LogTraffic, now: datetime, *, subscribed: bool) -> Notice:
    """Bedrock counted what was not metered."""
    why = (
        f"Bedrock counted what was not metered in {_hours(list(found))}: {_what(found)}. "
        f"{_cause(traffic, subscribed=subscribed)}. What the log has is being set from it by "
        f"itself; by hand: `{recount(list(found))}`"
    )
    return _notice(NoticeKind.METERING_GAP, found, now, why)


def lost(found: Differences, now: datetime) -> Notice:
    """A recount did not close a gap."""
    why = (
        f"Bedrock counted what the log does not have in {_hours(list(found))}: {_what(found)}. A "
        "recount could not close it: either logging was off or went elsewhere, or these were "
        "calls that are never logged, such as batch jobs. Nobody is limited by them; more of the "
        "same is told once a day, and the alarm MeteringGap tells each hour"
    )
    return _notice(NoticeKind.METERING_GAP, found, now, why)


def healed(hours: Sequence[datetime], now: datetime) -> Notice:
    """A recount closed a gap."""
    why = f"what was not metered in {_hours(hours)} was set from the log and counts now"
    return Notice(NoticeKind.METERING_HEALED, now, "", "", why, since=min(hours))


def excess(found: Differences, now: datetime) -> Notice:
    """More was metered than Bedrock counted."""
    why = (
        f"more was metered than Bedrock counted in {_hours(list(found))}: "
        f"{_what(found, too_many=True)}. "
        "Whoever may write the invocation log can forge usage, and so have somebody blocked"
    )
    return _notice(NoticeKind.OVER_METERED, found, now, why)


def recount(hours: Sequence[datetime]) -> str:
    """The command that sets these hours and those between."""
    first, last = min(hours), max(hours)
    several = _moment(first) if first == last else f"{_moment(first)}..{_moment(last)}"
    return f"quota-enforcer recount {several}"


def _notice(kind: NoticeKind, found: Differences, now: datetime, why: str) -> Notice:
    return Notice(kind, now, "", "", why, since=min(found))


def _hours(hours: Sequence[datetime]) -> str:
    if len(hours) == 1:
        return f"the hour from {_moment(hours[0])}"
    return f"{len(hours)} hours from {_moment(min(hours))} to that of {_moment(max(hours))}"


def _moment(hour: datetime) -> str:
    return f"{hour:%Y-%m-%dT%H:%M}Z"


def _what(found: Differences, *, too_many: bool = False) -> str:
    sums: defaultdict[str, Difference] = defaultdict(lambda: Difference("", Volume(), Volume()))
    for several in found.values():
        for each in several:
            known = sums[each.model]
            volume, counted = known.volume.plus(each.volume), known.counted.plus(each.counted)
            sums[each.model] = Difference(each.model, volume, counted)
    most = sorted(sums.values(), key=lambda each: (each.volume, each.model), reverse=True)
    named = [_words(each, too_many=too_many) for each in most[:_NAMED]]
    more = and_more(len(most), _NAMED, "models")
    return "; ".join([*named, more] if more else named)


def _words(each: Difference, *, too_many: bool) -> str:
    said = []
    requests, counted = each.volume.requests, each.counted.requests
    if requests and too_many:
        said.append(f"{requests:,} more than the {counted:,} calls that Bedrock counted")
    elif requests:
        said.append(f"{requests:,} of {counted:,} calls")
    tokens = each.volume.prompt + each.volume.output
    if tokens:
        said.append(f"{tokens:,} tokens{' more' if too_many else ''}")
    return f"{each.model}: {' with '.join(said)}"


def _cause(traffic: LogTraffic, *, subscribed: bool) -> str:
    if not traffic.arrived:
        return (
            "The log group got no record in that time: is invocation logging on, and does it go "
            "there? `quota-enforcer doctor` says what to do; what was not logged cannot be set "
            "later"
        )
    if subscribed and not traffic.handed_on:
        others = " to the meter, only to others" if traffic.to_others else ""
        return (
            f"The log group got records and handed none on{others}: the meter's "
            "subscription is gone or may not invoke it, and `quota-enforcer doctor` prints the "
            "command that puts it right"
        )
    if subscribed and traffic.handed_on < traffic.arrived:
        return (
            f"The log group got {traffic.arrived:,} records and handed on only "
            f"{traffic.handed_on:,} to the meter: its subscription was gone for a part of "
            "that time or leaves some out, and `quota-enforcer doctor` prints the command that "
            "puts it right"
        )
    return (
        "The log group got records, so the meter did not take them: see the alarms of the meter, "
        "its log and its dead letters"
    )
