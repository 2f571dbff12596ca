"""The run told afterwards, for people."""

import textwrap
from collections.abc import Iterator, Sequence
from decimal import Decimal
from statistics import median
from typing import Any, Final

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from quota_enforcer.core.notices.amounts import bare_limit, dollars, exact, number
from quota_enforcer.core.quotas.diff import shown
from quota_enforcer.core.usage.counts import Counts, Measure, Number
from quota_enforcer.local.demo import cast
from quota_enforcer.local.demo.account import SWEEP_MINUTES
from quota_enforcer.local.demo.progress import style
from quota_enforcer.local.demo.record import Letter, RunRecord

_WIDTH: Final = 100
"""Columns of the widest line, also where no terminal says how wide it is."""
_LAG_OF_AWS: Final = "3.5 to 15 s, as seen in a real export"
_STAND_INS: Final = f"""\
Real: template.yaml, the code of all functions under their own roles, IAM's policies, and every
call signed with its caller's own credentials. In place of AWS:
- AWS is ministack, an emulator in a local process, with IAM's decisions switched on.
- Bedrock answers with the trace's token counts; no model runs. Its invocation log comes at once,
  record by record; in AWS it takes {_LAG_OF_AWS}.
- Identity Center: the demo makes the role that it would make of a permission set with a gate.
- The log's subscription, the quota table's stream, retries and some of IAM's condition keys are
  this project's own.
- Scheduler and CloudFormation's transform: the demo fires the schedule and expands the template.
- Time is simulated. While nothing happens only the tick on the hour is fired, not one every
  {SWEEP_MINUTES} minutes.
- Traffic: the moments and tokens are real, from the Mooncake and TraceLab traces. Who calls, with
  which model and in which hour is made up, and so is how much of a chat's input is cached."""


def transcript(record: RunRecord, checked: dict[str, bool]) -> Iterator[RenderableType]:
    """The parts of the transcript, from top to bottom."""
    yield _summary(record)
    yield _heading("Quotas")
    yield _quotas()
    for item in cast.QUOTAS:
        if "closes" in item:
            stages = shown(item["closes"])
            yield f"Quota {item['quota']} of {item['principal']} closes in stages. {stages}"
    yield _heading("What happened")
    yield timeline(record)
    yield _heading("How soon a deny was in IAM, after the answer to the call that crossed the line")
    yield from _lags(record)
    yield _heading("Who used what, until the stack was deleted")
    yield _principals(record)
    yield _heading("What a blocked caller's program sees")
    yield from _refusal(record, *record.policies.values())
    yield _heading("What it sees behind a gate")
    yield from _refusal(record, record.gate)
    yield _heading(f"What {cast.ALICE} is told when she is blocked")
    yield from _notice(record.letters, "blocked", str(cast.ALICE))
    yield _heading(f"What {cast.KIM} is told when only the cheap model still works")
    yield from _notice(record.letters, "blocked", str(cast.KIM))
    yield _heading("What admins are told of the mistake in the console")
    yield from _notice(record.letters, "invalid-quota", str(cast.CAROL))
    yield _heading("Checked")
    for words, good in checked.items():
        yield Text.assemble(("  ✔ ", "green") if good else ("  ✘ ", "bold red"), words)
    yield from (Text(f"    still there: {each}", "red") for each in record.leftovers)
    yield _heading("What stands in for AWS here")
    yield _STAND_INS


def _heading(words: str) -> Text:
    return Text(f"\n{words}", "bold")


def _table(*columns: str, numbers: Sequence[str] = ()) -> Table:
    made = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    for column in columns:
        right = column in numbers
        made.add_column(column, justify="right" if right else "left", overflow="fold")
    return made


def _summary(record: RunRecord) -> str:
    return (
        f"{len(cast.CAST)} principals made {len(record.answers)} calls and IAM refused "
        f"{record.refused} of them. The log woke the enforcer {record.wakes} times, and the "
        f"schedule fired {record.sweeps} sweeps."
    )


def _lags(record: RunRecord) -> Iterator[str]:
    """In real seconds on this machine."""
    if not record.lags:
        yield "No block came from the log."
        return
    seconds = [lag.seconds for lag in record.lags]
    first = record.lags[0]
    yield (
        f"First block, {first.principal} by quota {first.quota}: {first.seconds:.2f} s. "
        f"All {len(seconds)}: median {median(seconds):.2f} s, longest {max(seconds):.2f} s."
    )
    yield (
        "Measured here, in real seconds, from the answer until all was done. In AWS the log's own "
        f"lag comes on top, {_LAG_OF_AWS},"
    )
    yield "and IAM takes a few seconds to make a deny known everywhere."


def _quotas() -> Table:
    made = _table("Subject", "Name", "Limit", "Measure", "Window", numbers=["Limit"])
    for item in cast.QUOTAS:
        measure = Measure(item.get("measure", cast.MEASURE)).words
        limit = bare_limit(Decimal(item["limit"]), measure)
        made.add_row(item["principal"], item["quota"], limit, measure, item["window"])
    return made


def timeline(record: RunRecord) -> Table:
    made = _table("Time (UTC)", "Who", "What", "Used / limit", numbers=["Used / limit"])
    made.columns[2].max_width = 46
    for row in record.rows:
        made.add_row(f"{row.at:%a %H:%M}", row.who, Text(row.what, style(row)), row.figures)
    return made


def _principals(record: RunRecord) -> Table:
    counts = ("Calls", "Refused", "Tokens used", "In the ledger", "Dollars")
    made = _table("Principal", *counts, "At the end", numbers=counts)
    for member in cast.CAST:
        answers = record.until_closed(member.principal)
        refused = sum(bool(answer.refusal) for answer in answers)
        standing = record.standings.get(member.principal, "")
        ledger = record.ledger.get(member.principal, Counts())
        made.add_row(
            str(member.principal),
            str(len(answers)),
            str(refused or "-"),
            number(record.went_through(member.principal).tokens),
            number(ledger.tokens),
            dollars(ledger.cost_usd),
            Text(standing, "bold red" if standing == "blocked" else ""),
        )
    return made


def _refusal(record: RunRecord, *policies: str) -> Iterator[Text]:
    """The first refusal that one of these policies made, in IAM's words."""
    made = (a.refusal for a in record.answers if any(each in a.refusal for each in policies))
    return _lines(next(made, "nothing: no such call was refused"))


def _notice(letters: Sequence[Letter], kind: str, subject: str) -> Iterator[RenderableType]:
    """The first notice of a kind to somebody, in full."""
    texts = (each.text for each in letters if (each.kind, each.principal) == (kind, subject))
    return _lines(next(texts, "nothing: there was no such notice"))


def _lines(text: str) -> Iterator[Text]:
    for paragraph in text.splitlines():
        wrapped = textwrap.wrap(paragraph, _WIDTH - 4)
        yield from (Text(f"  | {line}".rstrip()) for line in wrapped or [""])


def as_json(record: RunRecord, checked: dict[str, bool]) -> dict[str, Any]:
    """The run for machines."""
    return {
        "principals": len(cast.CAST),
        "calls": len(record.answers),
        "refused": record.refused,
        "sweeps": record.sweeps,
        "wakes": record.wakes,
        "lags": [lag._asdict() for lag in record.lags],
        "dollars": {str(who): exact(used.cost_usd) for who, used in record.ledger.items()},
        "events": [
            {
                "at": f"{event.at:%Y-%m-%dT%H:%M:%SZ}",
                "kind": event.kind,
                "principal": event.principal,
                "quota": event.quota,
                "used": _plain(event.used),
                "limit": None if event.limit is None else _plain(event.limit),
            }
            for event in record.events
        ],
        "checks": checked,
    }


def _plain(amount: Number) -> int | str:
    """Money as text, exact to the last place."""
    return exact(amount) if isinstance(amount, Decimal) else amount
