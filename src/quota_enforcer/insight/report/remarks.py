"""Remarks: what whoever reads the report must know before trusting its numbers."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from quota_enforcer.core.deployment import Mode
from quota_enforcer.core.notices.amounts import lasting, listed
from quota_enforcer.insight.report import texts
from quota_enforcer.insight.report.model import Money, Report

STALE = timedelta(hours=1)
"""Twice the longest time between two sweeps."""
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Remark:
    """`urgent` where something is amiss, not only to be kept in mind."""

    title: str
    text: str
    urgent: bool = False


def remarks(report: Report, money: Money) -> Iterator[Remark]:
    """The urgent ones first."""
    yield from _amiss(report)
    if report.mode is Mode.OBSERVE:
        yield Remark(
            "Observe mode blocks nobody.",
            "“Would be blocked” is what enforce mode would do with the same quotas and usage.",
        )
    if money.recorded_from is not None and money.recorded_from > report.days[0]:
        yield Remark(
            f"Nothing is recorded before {texts.day(money.recorded_from)}.",
            "The days before are missing here, which does not mean that nothing was used.",
        )
    unpriced = sorted(
        {
            model
            for person in report.counted
            for model, counts in person.used(report.days[0]).items()
            if counts.assumed_usd
        }
    )
    if unpriced:
        yield Remark(
            f"No price is known for {listed(unpriced, _NAMED)}.",
            "Their cost is assumed: the dearest price that could apply. Such sums are marked "
            "“assumed”. Set a price: quota-enforcer prices set MODEL",
        )


def _amiss(report: Report) -> Iterator[Remark]:
    state = report.state
    swept = state.finished
    if state.closed:
        yield Remark("The stack is being deleted.", "Everybody is free.", urgent=True)
    if swept is None:
        yield Remark(
            "No sweep has finished yet.",
            "Usage may be missing, and nobody is blocked.",
            urgent=True,
        )
    elif report.now - swept > STALE:
        yield Remark(
            f"The last sweep was {lasting(report.now - swept)} ago, "
            f"at {texts.moment(swept, report.zone)}.",
            "Usage since then may be missing, and who is blocked may be out of date.",
            urgent=True,
        )
    if state.breaker_since is not None:
        yield Remark(
            f"The breaker holds new blocks since {texts.moment(state.breaker_since, report.zone)}.",
            "More people would have been blocked at once than it allows. See who: "
            "quota-enforcer sweep --dry-run",
            urgent=True,
        )
