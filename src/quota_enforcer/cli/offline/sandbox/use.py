"""What is done in a sandbox that runs: a call, a move of its clock, its end."""

import os
import re
import signal
import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import typer

from quota_enforcer.cli.deployment.by_stack import find_by
from quota_enforcer.cli.insight.status.rows import row_document, say_rows
from quota_enforcer.cli.terminal.output import console, say, say_json
from quota_enforcer.core.deployment import Context
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.form import values
from quota_enforcer.core.quotas.form.ends import end_text
from quota_enforcer.core.quotas.form.shorthand import number
from quota_enforcer.decide.evaluate import decide_for_one
from quota_enforcer.insight.status import StatusRow, by_urgency, rows
from quota_enforcer.local.demo.account import STACK
from quota_enforcer.local.embedded import EmbeddedAws
from quota_enforcer.local.sandbox.account import callers_of
from quota_enforcer.local.sandbox.calls import MODELS, MOST, Called, call, member_named
from quota_enforcer.local.sandbox.home import Home, RunningSandbox

_PATIENCE = 20.0
"""Seconds that a sandbox may take to end."""
_PAUSE = 0.1
_UTC = ZoneInfo("UTC")
_AHEAD = re.compile(r"\+(.+)")


def say_call(
    aws: EmbeddedAws, running: RunningSandbox, given: tuple[str, str, str], *, as_json: bool
) -> None:
    """Make it, print IAM's answer, and where the caller is now; `given`: name, tokens, model."""
    name, tokens, model = given
    member = member_named(name)
    if model not in MODELS:
        raise typer.BadParameter(f"--model {model}: there are {', '.join(MODELS)}")
    called = call(aws, callers_of(aws, running), member, input_tokens(tokens), MODELS[model])
    answer, style = answered(called)
    table, context = _standing(aws, member.principal)
    if as_json:
        say_json(
            {
                "principal": str(member.principal),
                "model": called.model,
                "refused": bool(called.refusal),
                "answer": answer,
                "standings": [row_document(row) for row in table],
            }
        )
        return
    console().print(answer, style=style, soft_wrap=True)
    say("")
    say_rows(table, context)


def input_tokens(text: str) -> int:
    """How many; raises BadParameter."""
    wanted = number(text, "input_tokens")
    if isinstance(wanted, str) or wanted != int(wanted) or not 0 <= wanted < MOST:
        raise typer.BadParameter(f"{text!r} is no number of tokens: write 2000, 500k or 1.5M")
    return int(wanted)


def answered(called: Called) -> tuple[str, str]:
    """What came of it in words, and how it looks."""
    who = called.member.principal
    if called.refusal:
        return f"IAM refused {who}: {called.refusal}", "red"
    return f"Bedrock answered {who}: {called.tokens:,} input tokens of {called.model}.", "green"


def _standing(aws: EmbeddedAws, principal: Principal) -> tuple[list[StatusRow], Context]:
    """As `status` has it."""
    deployment = find_by(aws.session(), STACK)
    context = deployment.settings.context(aws.time)
    record = deployment.ledger.records([principal])[principal]
    decision = decide_for_one(record, deployment.load(context.now).book, deployment.ledger, context)
    return by_urgency(rows(record, decision, deployment.ledger.state())), context


def moment_of(text: str, now: datetime) -> datetime:
    """`+2h` from now, or a moment in UTC."""
    ahead = _AHEAD.fullmatch(text.strip())
    try:
        return values.moment(end_text(ahead[1], now, _UTC) if ahead else text, _UTC).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(
            f"{text!r} is no moment: write +2h, +1d12h or 2026-12-01T09:00"
        ) from error


def end(pid: int, home: Home) -> None:
    """End the sandbox, and wait until nothing of it is there."""
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _PATIENCE
    while home.folder.exists() and time.monotonic() < deadline:
        time.sleep(_PAUSE)
