"""`doctor`: every check of a deployment, what is wrong, and how to fix it."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import typer
from rich.text import Text

from quota_enforcer import clock
from quota_enforcer.cli.deployment import Deployment
from quota_enforcer.cli.terminal.errors import FAILED
from quota_enforcer.cli.terminal.options import AsJson, on_deployment
from quota_enforcer.cli.terminal.output import console, echo, hint, progress, say_json
from quota_enforcer.cli.terminal.styles import styled
from quota_enforcer.core.notices.amounts import count, listed
from quota_enforcer.doctor.deployment import DeploymentUnderCheck
from quota_enforcer.doctor.finding import Finding, Severity
from quota_enforcer.doctor.run import Examined, checks, examine

_MANY = {Severity.PROBLEM: "problems", Severity.WARNING: "warnings",
         Severity.UNCHECKED: "unchecked", Severity.NOTE: "notes"}  # fmt: skip
_SHOWN = 10
"""How many of those concerned are named; --json names all."""


@on_deployment
def doctor(deployment: Deployment, *, as_json: AsJson = False) -> None:
    """Find what is wrong with the deployment, and how to fix it.

    It only reads. Exit code 1 says that something is wrong or could not be
    checked; notes are no harm. `quota-enforcer policy doctor` prints what it needs.

    Examples:
      quota-enforcer doctor
      quota-enforcer doctor --json
    """
    probe = deployment.probe()
    under_check = DeploymentUnderCheck(
        deployment.settings, deployment.ledger, deployment.quotas, probe, clock.now()
    )
    planned = checks(under_check)
    show = partial(progress, label="Checking", total=len(planned))
    examined = examine(planned, under_check, show)
    where = {"stack": deployment.settings.stack, "region": probe.region}
    if as_json:
        say_json(_document(where, examined))
    else:
        _show(where, examined)
    if not all(each.diagnosis.healthy for each in examined):
        raise typer.Exit(FAILED)


def _document(where: Mapping[str, str], examined: Sequence[Examined]) -> dict[str, Any]:
    return {
        **where,
        "at": clock.now(),
        "healthy": all(each.diagnosis.healthy for each in examined),
        "checks": [
            {
                "check": each.check.name,
                "healthy": each.diagnosis.healthy,
                "fine": each.diagnosis.fine if each.diagnosis.healthy else None,
                "findings": [_finding(found) for found in each.diagnosis.findings],
                "needs": list(each.check.needs),
            }
            for each in examined
        ],
    }


def _finding(found: Finding) -> dict[str, Any]:
    return {
        "severity": str(found.severity),
        "what": found.what,
        "evidence": found.evidence or None,
        "fix": found.fix or None,
        "then": found.then or None,
        "about": list(found.about),
    }


def _show(where: Mapping[str, str], examined: Sequence[Examined]) -> None:
    wide = max((len(each.check.name) for each in examined), default=0)
    for each in examined:
        if each.diagnosis.healthy:
            _line(Text("ok".ljust(9), "green"), each.check.name.ljust(wide), each.diagnosis.fine)
        for found in each.diagnosis.findings:
            name = each.check.name.ljust(wide)
            _line(styled(found.severity, found.severity.ljust(9)), name, found.what)
            _details(found)
    _sum_up(where, [found for each in examined for found in each.diagnosis.findings])


def _line(word: Text, name: str, what: str) -> None:
    line = Text.assemble(word, "  ", name, "  ", what)
    console().print(line, soft_wrap=True)


def _details(found: Finding) -> None:
    """Each on a line of its own, as it is, so that a command can be copied."""
    indent = " " * 11
    if found.about:
        echo(f"{indent}who   {listed(found.about, _SHOWN)}")
    if found.evidence:
        echo(f"{indent}seen  {found.evidence}")
    if found.fix:
        echo(f"{indent}fix   {found.fix}")
    if found.then:
        echo(f"{indent}then  {found.then}")


def _sum_up(where: Mapping[str, str], findings: Iterable[Finding]) -> None:
    found = [each.severity for each in findings if each.severity is not Severity.NOTE]
    if not found:
        hint("Nothing is wrong.")
        return
    counts = (
        count(found.count(each), str(each), _MANY[each]) for each in Severity if each in found
    )
    hint(f"Found: {', '.join(counts)}.")
    hint(
        "The commands are for this deployment after: "
        f"export QUOTA_ENFORCER_STACK={where['stack']} AWS_REGION={where['region']}"
    )
