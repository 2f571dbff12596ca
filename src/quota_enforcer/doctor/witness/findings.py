"""What comes of the comparison, as findings."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from quota_enforcer.core.notices.amounts import count
from quota_enforcer.core.usage.place import Place
from quota_enforcer.doctor.finding import (
    Diagnosis,
    Finding,
    diagnosis,
    note,
    problem,
    unchecked,
    warning,
)
from quota_enforcer.doctor.fixes import at, recount
from quota_enforcer.doctor.rules.unlogged import BATCH_LOCK, LOCK, MANTLE_LOCK
from quota_enforcer.doctor.witness.compare import (
    CallsApart,
    TrailCalls,
    Unlogged,
    WitnessCompared,
)
from quota_enforcer.doctor.witness.trail import UNLOGGED

_FIXES: Final = {
    "CreateInference": (MANTLE_LOCK, LOCK),
    "CreateModelInvocationJob": (BATCH_LOCK, LOCK),
}
_NO_LOCK: Final = (
    "in IAM: leave bedrock:InvokeModel of such models to roles that need them",
    "what they use stands on the bill alone: quota-enforcer bill reconcile",
)


@dataclass(frozen=True, slots=True)
class Heard:
    """What a trail says of a span, and what came of it."""

    group: str
    home: Place
    start: datetime
    end: datetime
    now: datetime
    said: TrailCalls
    compared: WitnessCompared
    complete: bool = True
    counted: int = 0
    """The calls of that time that Bedrock's own metric has in home's Region."""

    @property
    def span(self) -> str:
        return f"from {at(self.start)} to {at(self.end)}"


def witnessed(heard: Heard) -> Diagnosis:
    """What the trail knows and the ledger does not."""
    callers = len({caller.principal for caller in heard.said.calls})
    calls = count(heard.said.total, "call")
    fine = (
        f"CloudTrail and the ledger have the same {calls} of {count(callers, 'principal')} "
        f"{heard.span}"
    )
    return diagnosis(fine, _findings(heard))


def _findings(heard: Heard) -> Iterator[Finding]:
    said, compared = heard.said, heard.compared
    if not said.total and not said.unlogged and not said.nameless:
        if heard.counted:
            yield _silent(heard)
        return
    yield from _missing(heard, compared.missing)
    yield from _unlogged(heard, said.unlogged)
    if compared.tokens:
        yield problem(
            "the ledger has every call of these, and fewer tokens than CloudTrail",
            f"the Converse events of {heard.group} say how many tokens went in and out",
            recount(heard.start, heard.now),
            "if they stay fewer, the log's records lack counts: `doctor`'s check tokens says why",
            [
                f"{each.caller.words(heard.home)}: {each.ledger:,} of {each.trail:,}"
                for each in compared.tokens
            ],
        )
    if compared.surplus:
        calls = count(sum(each.calls for each in compared.surplus), "call")
        yield warning(
            f"the ledger has {calls} that CloudTrail has not",
            f"{heard.group} {heard.span}; a trail may deliver late, and Responses and Chat "
            "Completions may have events of other names",
            "quota-enforcer doctor",
            "if it stays so: `doctor`'s check keys names who may write the log and so forge "
            "records, and `recount HOUR --without EVENT` takes one out",
            _words(compared.surplus, heard.home),
        )
    if said.nameless:
        yield note(f"{count(said.nameless, 'call')} in {heard.group} name no caller: a service's")
    if not heard.complete:
        yield note(
            f"{heard.group} holds more callers than a query returns, so some were not compared"
        )


def _silent(heard: Heard) -> Finding:
    return unchecked(
        f"{heard.group} holds no call of Bedrock {heard.span}, and Bedrock counted "
        f"{heard.counted:,}",
        "a trail that logs management events, those that read included, has every call",
        f"aws logs filter-log-events --log-group-name {heard.group} --max-items 1",
        "see in the CloudTrail console which events the trail logs, and where to",
    )


def _missing(heard: Heard, several: tuple[CallsApart, ...]) -> Iterator[Finding]:
    if several:
        calls = count(sum(each.calls for each in several), "call")
        yield problem(
            f"CloudTrail has {calls} that the ledger has not, so they count for nobody",
            f"{heard.group} {heard.span}",
            recount(min(each.first for each in several), heard.now),
            "what stays missing no invocation log ever got: the checks logging, regions and "
            "records say why; a place without a satellite is not metered",
            _words(several, heard.home),
        )


def _words(several: Iterable[CallsApart], home: Place) -> list[str]:
    return [
        f"{each.caller.words(home)}: {each.calls:,} (CloudTrail has {each.of:,}) {at(each.first)}"
        for each in several
    ]


def _unlogged(heard: Heard, several: tuple[Unlogged, ...]) -> Iterator[Finding]:
    """One finding for each way, with who took it."""
    for event in dict.fromkeys(each.event for each in several):
        of_it = [each for each in several if each.event == event]
        calls = count(sum(each.calls for each in of_it), "call")
        yield problem(
            f"{UNLOGGED[event]}: {calls} that no invocation log has, so they count for nobody",
            f"{event} in {heard.group} {heard.span}",
            *_FIXES.get(event, _NO_LOCK),
            [
                f"{each.caller.words(heard.home) if each.caller else 'a service of AWS'}: "
                f"{each.calls:,}"
                for each in of_it
            ],
        )
