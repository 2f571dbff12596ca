"""`sweep`: have the enforcer sweep now, and show what it did or would do."""

from typing import Annotated, Any

import typer
from rich.text import Text

from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.terminal.errors import FAILED
from quota_enforcer.cli.terminal.options import AsJson, on_deployment
from quota_enforcer.cli.terminal.output import fail, hint, say, say_json, waiting
from quota_enforcer.cli.terminal.tables import say_table, styled
from quota_enforcer.cli.terminal.when import freshness
from quota_enforcer.core.notices.amounts import count

_LISTS = {
    "held": "Held by the breaker or a pause, not blocked",
    "drift": "Drift: changed by somebody else, and fixed",
    "unattributed": "Usage that names no principal",
    "unreachable": "Member accounts that cannot be reached, where nobody is blocked or released",
}


@on_deployment
def sweep(
    deployment: Deployment,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would change; tell nobody.")
    ] = False,
    confirm_blocks: Annotated[
        bool, typer.Option("--confirm-blocks", help="Block those too whom the breaker holds.")
    ] = False,
    reopen: Annotated[
        bool,
        typer.Option(
            "--reopen", help="Open a deployment that was closed although its stack stays."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Meter, decide and apply now instead of at the next tick of the schedule.

    It runs the deployment's own function and shows its report.

    Examples:
      quota-enforcer sweep
      quota-enforcer sweep --dry-run
    """
    with waiting("Sweeping"):
        if reopen:
            deployment.ask({"action": "reopen"})
        report = deployment.sweep(dry_run=dry_run, confirm_blocks=confirm_blocks)
    if as_json:
        say_json(report)
    else:
        show(report)
    if report.get("failures"):
        raise typer.Exit(FAILED)


def show(report: dict[str, Any]) -> None:
    """A sweep's report for people."""
    if report.get("closed"):
        say("The deployment is closed: nothing was done, and nobody will be blocked.")
        hint("If the stack is not being deleted: quota-enforcer sweep --reopen")
        return
    say(_summary(report))
    events = report.get("events", [])
    if events:
        say_table(("What", "Principal", "Quota", "Why"), [_cells(event) for event in events])
    for name, title in _LISTS.items():
        if report.get(name):
            say(f"{title}:")
            for line in report[name]:
                say(f"  - {line}")
    for failure in report.get("failures", []):
        fail(failure)


def _summary(report: dict[str, Any]) -> str:
    would = "Dry run: nothing was changed. " if report.get("dry_run") else ""
    looked, events = report.get("looked_at", 0), len(report.get("events", []))
    fresh = freshness(report.get("data_age_seconds"))
    return (
        f"{would}Looked at {count(looked, 'principal')} "
        f"({report.get('mode')} mode, {fresh}): "
        f"{count(events, 'event') if events else 'no events'}."
    )


def _cells(event: dict[str, Any]) -> tuple[str | Text, ...]:
    return (
        styled(event["kind"]),
        event["principal"] or "-",
        event["quota"] or "-",
        event["reason"],
    )
