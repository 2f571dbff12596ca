"""What brings the log's records to the ledger: a subscription, metric filters; what masks them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from quota_enforcer.core.notices.amounts import listed
from quota_enforcer.doctor.finding import Diagnosis, Finding, diagnosis, note, problem, warning
from quota_enforcer.doctor.fixes import deploy

CEILING = 1000
"""Different dimension values in an hour at which AWS may switch off a metric filter.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutMetricFilter.html
"""
NEAR_CEILING = 700
_OF_CALLERS = ("EmailAddress", "Name")
"""AWS's identifiers of what names callers: Identity Center's sessions are e-mail addresses."""
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class SubscriptionFound:
    """A subscription filter of the log group."""

    name: str
    pattern: str
    destination: str


@dataclass(frozen=True, slots=True)
class StreamMeter:
    """The subscription as the stack made it (`name`, to the `function` by ARN), and what is there.

    `allowed` says whether CloudWatch Logs may invoke the function.
    """

    group: str
    name: str
    function: str
    subscriptions: Sequence[SubscriptionFound]
    allowed: bool = True


@dataclass(frozen=True, slots=True)
class MetricsMeter:
    """The metrics that the stack's filters should write, and what is there.

    `written` are metrics that a filter of the log group writes into the stack's namespace, `values`
    counts the different dimension values of each metric in the last three hours.
    """

    stack: str
    group: str
    wanted: Sequence[str]
    written: Sequence[str]
    values: Mapping[str, int]


def subscription(seen: StreamMeter) -> Diagnosis:
    """Whether every record is handed to the meter."""
    ours = [each for each in seen.subscriptions if each.destination == seen.function]
    name = ours[0].name if ours else seen.name
    return diagnosis(f"subscription {name} hands every record to the meter", _stream(seen, ours))


def _stream(seen: StreamMeter, ours: Sequence[SubscriptionFound]) -> Iterator[Finding]:
    put = (
        f"aws logs put-subscription-filter --log-group-name {seen.group} "
        f"--filter-name {seen.name} --filter-pattern '' --destination-arn {seen.function}"
    )
    again = "then quota-enforcer recount HOUR..HOUR for the hours since"
    if not ours:
        others = ", ".join(f"{each.name} to {each.destination}" for each in seen.subscriptions)
        yield problem(
            "no subscription hands the log's records to the meter, so no call is metered",
            f"subscriptions of {seen.group}: {others or 'none'}",
            put,
            again,
        )
    elif all(each.pattern.strip() for each in ours):
        yield problem(
            "the subscription hands over only some of the records",
            f"{ours[0].name} has the filter pattern {ours[0].pattern!r}, and the stack's has none",
            put.replace(seen.name, ours[0].name),
            again,
        )
    if not seen.allowed:
        name = seen.function.rpartition(":")[2]
        account = seen.function.split(":")[4]
        source = seen.function.partition(":function:")[0].replace(":lambda:", ":logs:")
        yield problem(
            "CloudWatch Logs may not invoke the meter, so the log's records are dropped",
            f"the policy of function {name} does not allow it for {seen.group}",
            f"aws lambda add-permission --function-name {name} "
            "--statement-id invocation-log --action lambda:InvokeFunction --principal "
            f"logs.amazonaws.com --source-account {account} "
            f"--source-arn '{source}:log-group:{seen.group}:*'",
            again,
        )


def metric_filters(seen: MetricsMeter) -> Diagnosis:
    """Whether all metrics are written, and how near they are to AWS's ceiling."""
    most = max(seen.values.values(), default=0)
    fine = f"{len(seen.wanted)} metric filters; at most {most} different values of {CEILING:,}"
    return diagnosis(fine, _metrics(seen))


def _metrics(seen: MetricsMeter) -> Iterator[Finding]:
    stream = deploy(seen.stack, Metering="stream")
    missing = sorted(set(seen.wanted) - set(seen.written))
    if missing:
        yield problem(
            "metric filters are missing, so what they count is not metered",
            f"no filter of {seen.group} writes {', '.join(missing)}",
            stream,
            "which needs none; with Metering=cloudwatch after that they are made again",
        )
    near = {name: count for name, count in seen.values.items() if count >= NEAR_CEILING}
    if not near:
        return
    counts = ", ".join(f"{name} {count:,}" for name, count in sorted(near.items()))
    evidence = f"callers and models of the last three hours: {counts}"
    if max(near.values()) >= CEILING:
        what = f"more than {CEILING:,} different values: AWS may have switched metric filters off"
        yield problem(what, evidence, stream)
    else:
        what = f"near {CEILING:,} different values an hour AWS may switch metric filters off"
        yield warning(what, evidence, stream)


class MaskingFound(NamedTuple):
    """The data protection policies in force for a log group: its own, and the account's.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/mask-sensitive-log-data.html
    """

    own: Sequence[str] = ()
    """As JSON."""
    account: Sequence[str] = ()


def masking(group: str, found: MaskingFound) -> Diagnosis:
    """Whether callers are hidden from the meter: what it is handed is masked."""
    return diagnosis(f"nothing of {group} is masked", list(_masks(group, found)))


def _masks(group: str, found: MaskingFound) -> Iterator[Finding]:
    own = f"aws logs delete-data-protection-policy --log-group-identifier {group}"
    account = "aws logs describe-account-policies --policy-type DATA_PROTECTION_POLICY"
    for whose, policies, fix, then in (
        ("the log group's", found.own, own, "or take these kinds of data out of it"),
        ("the account's", found.account, account, "take these kinds of data out of what it shows"),
    ):
        hidden = list(dict.fromkeys(each for text in policies for each in _hidden(text)))
        if not hidden:
            continue
        what = listed([each.name for each in hidden], _SHOWN, "kinds of data")
        if any(each.of_callers for each in hidden):
            yield problem(
                f"{whose} data protection policy may mask who called: such calls are not metered",
                f"it masks {what}, in subscriptions and metric filters too; people of Identity "
                "Center are named by their e-mail address",
                fix,
                then,
            )
        else:
            yield note(f"{whose} data protection policy masks {what}, which names no caller")


class _Hidden(NamedTuple):
    name: str
    of_callers: bool


def _hidden(policy: str) -> Iterator[_Hidden]:
    """What a policy masks; statements that only audit mask nothing.

    A pattern of one's own, or a policy that cannot be read, may hide anything.
    """
    try:
        for statement in json.loads(policy)["Statement"]:
            if "Deidentify" in statement["Operation"]:
                for identifier in statement["DataIdentifier"]:
                    name = identifier.rpartition("/")[2]
                    of_aws = identifier.startswith("arn:")
                    yield _Hidden(name, not of_aws or name in _OF_CALLERS)
    except (ValueError, LookupError, TypeError, AttributeError):
        yield _Hidden("what cannot be read", of_callers=True)
