"""Writing the steps of a plan: several at once, and none over what somebody else has written."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event

from quota_enforcer.cli.deployment import QuotaTable
from quota_enforcer.cli.quotas.quota_plan import Kind, Step
from quota_enforcer.cli.terminal.output import progress
from quota_enforcer.core.errors import Conflict
from quota_enforcer.core.quotas.diff import AUTHOR, changes

WRITERS = 10
"""Items written side by side: as many as a client of boto3 keeps connections."""


@dataclass(slots=True)
class Written:
    """What became of the steps so far; `overtaken` somebody else has edited since the plan."""

    done: list[Step] = field(default_factory=list)
    overtaken: list[Step] = field(default_factory=list)


def write(table: QuotaTable, steps: Iterable[Step], author: str, written: Written) -> None:
    """Take every step; what is removed goes last, so that nobody is without a quota meanwhile.

    An error of AWS stops it: what is done by then is in `written`, and no more is begun.
    """
    several, stopped = list(steps), Event()

    def take(step: Step) -> None:
        if stopped.is_set():
            return
        try:
            _take(table, step, author, written)
        except BaseException:
            stopped.set()
            raise

    for removing in (False, True):
        due = [step for step in several if (step.kind is Kind.REMOVED) is removing]
        pool = ThreadPoolExecutor(WRITERS)
        try:
            label = "Removing quotas" if removing else "Writing quotas"
            for _ in progress(pool.map(take, due), label, total=len(due)):
                pass
        except BaseException:
            stopped.set()
            raise
        finally:
            pool.shutdown(cancel_futures=True)


def _take(table: QuotaTable, step: Step, author: str, written: Written) -> None:
    try:
        if step.item is not None:
            table.put({**step.item, AUTHOR: author}, step.stored)
        else:
            table.remove(*step.key, step.stored)
    except Conflict:
        # Our own write may have got through although its answer was lost, or theirs was the same.
        if not _stands(table, step):
            written.overtaken.append(step)
            return
    written.done.append(step)


def _stands(table: QuotaTable, step: Step) -> bool:
    """Whether the table is as this step wants it."""
    now = table.get(*step.key)
    if now is None or step.item is None:
        return now is step.item
    return not changes(now, step.item)
