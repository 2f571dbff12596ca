"""Whether calls arrive: in the invocation log, and from there in the ledger."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from quota_enforcer.core.notices.amounts import count
from quota_enforcer.doctor.finding import Diagnosis, Finding, diagnosis, problem
from quota_enforcer.doctor.fixes import age, at, deploy, recount

LISTED_AFTER = timedelta(minutes=90)
"""CloudWatch Logs says when a stream got its newest event up to an hour late, rarely later.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_LogStream.html
"""
METERED_AFTER = timedelta(minutes=20)
"""By when a call should be in the ledger, with whichever meter, twice over."""
SLACK = timedelta(minutes=5)
"""The ledger notes once a minute that it changed, and metrics are counted by five minutes."""
FEW = 20
"""So few calls without tokens may just have been of models that have none."""
_CONSOLE = "Bedrock's console, Settings > Model invocation logging,"


@dataclass(frozen=True, slots=True)
class Arrival:
    """When Bedrock counted calls, and whether they arrived.

    `calls` are the beginnings of the periods with calls, by Bedrock's own metric. `record` is when
    its log stream got the newest event, `undelivered` how many records it could not write. `fresh`
    is when the ledger last changed.
    """

    now: datetime
    calls: Sequence[datetime] = ()
    record: datetime | None = None
    undelivered: int = 0
    fresh: datetime | None = None
    group: str = ""
    meter_log: str = ""


@dataclass(frozen=True, slots=True)
class Sampled:
    """What some principals used of late, together.

    `foreign` says that somebody else's logging configuration is in force.
    """

    stack: str
    principals: int
    requests: int
    tokens: int
    foreign: bool = False


def records_arrive(seen: Arrival) -> Diagnosis:
    """Whether Bedrock's stream holds what its metric counts."""
    fine = "Bedrock has written nothing yet, and no call was made lately"
    if seen.record is not None:
        fine = f"the newest record came {age(seen.now - seen.record)} ago"
    return diagnosis(fine, _records(seen))


def _records(seen: Arrival) -> Iterator[Finding]:
    if seen.undelivered:
        yield problem(
            f"Bedrock could not log {count(seen.undelivered, 'record')} of the last day",
            "AWS/Bedrock ModelInvocationLogsCloudWatchDeliveryFailure",
            f"IAM's console: let the role that {_CONSOLE} names logs:CreateLogStream and "
            f"logs:PutLogEvents on {seen.group}",
            "what was not logged cannot be metered later; a service control policy may forbid it",
        )
    last = _newest(seen.calls, seen.now - LISTED_AFTER)
    if last is not None and (seen.record is None or seen.record < last - SLACK):
        found = "no record" if seen.record is None else f"none since {at(seen.record)}"
        yield problem(
            "calls are made that do not reach the invocation log",
            f"AWS/Bedrock Invocations has calls at {at(last)}, and the stream has {found}",
            f"{_CONSOLE} shows where calls are logged to, and by which role",
            "what was not logged cannot be metered later",
        )


def usage_is_fresh(seen: Arrival) -> Diagnosis:
    """Whether the ledger holds what Bedrock counted."""
    fine = "the ledger has no usage yet, and no call was made lately"
    if seen.fresh is not None:
        fine = f"the newest usage in the ledger is {age(seen.now - seen.fresh)} old"
    due = [each for each in seen.calls if each <= seen.now - METERED_AFTER]
    missing = [each for each in due if seen.fresh is None or each > seen.fresh + SLACK]
    if not missing:
        return diagnosis(fine)
    has = "nothing" if seen.fresh is None else f"nothing since {at(seen.fresh)}"
    found = problem(
        "calls are made that do not reach the ledger, so nobody is limited by them",
        f"AWS/Bedrock Invocations has calls at {at(max(missing))}, and the ledger has {has} "
        "(calls that failed count there and not here)",
        f"aws logs tail {seen.meter_log} --since 1h",
        f"once that is fixed: {recount(min(missing), seen.now)}",
    )
    return diagnosis(fine, [found])


def tokens_are_counted(seen: Sampled) -> Diagnosis:
    """Whether records carry token counts.

    AWS's pages do not say whether records have them if bodies are not logged, hence this check.
    """
    calls = f"{count(seen.requests, 'call')} of {count(seen.principals, 'principal')}"
    fine = f"{count(seen.tokens, 'token')} in {calls}"
    if seen.tokens or not seen.requests:
        return diagnosis(fine if seen.requests else "no usage of late to look at")
    if seen.requests < FEW:
        return diagnosis(f"{count(seen.requests, 'call')} without tokens: too few to tell")
    switch_on = "Bedrock's console, Settings > Model invocation logging: switch on text"
    found = problem(
        "calls are counted but no tokens, so quotas on tokens and on cost never act",
        f"0 tokens in {calls}",
        switch_on if seen.foreign else deploy(seen.stack, LogPromptsAndAnswers="true"),
    )
    return diagnosis(fine, [found])


def _newest(moments: Sequence[datetime], until: datetime) -> datetime | None:
    return max((each for each in moments if each <= until), default=None)
