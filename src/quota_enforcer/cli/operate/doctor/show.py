"""How checks and their findings look, for people and for machines."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.text import Text

from quota_enforcer import clock
from quota_enforcer.cli.terminal.output import console, echo, hint
from quota_enforcer.cli.terminal.tables import styled
from quota_enforcer.core.notices.amounts import count, listed
from quota_enforcer.doctor.finding import Finding, Severity
from quota_enforcer.doctor.run import Examined

_MANY = {Severity.PROBLEM: "problems", Severity.WARNING: "warnings",
         Severity.UNCHECKED: "unchecked", Severity.NOTE: "notes"}  # fmt: skip
_SHOWN = 10
"""How many of those concerned are named; --json names all."""


def examined_document(where: Mapping[str, str], examined: Sequence[Examined]) -> dict[str, Any]:
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


def show_examined(examined: Sequence[Examined]) -> list[Finding]:
    """Shows each check; returns what was found."""
    wide = max((len(each.check.name) for each in examined), default=0)
    for each in examined:
        if each.diagnosis.healthy:
            _line(Text("ok".ljust(9), "green"), each.check.name.ljust(wide), each.diagnosis.fine)
        for found in each.diagnosis.findings:
            name = each.check.name.ljust(wide)
            _line(styled(found.severity, found.severity.ljust(9)), name, found.what)
            _details(found)
    return [found for each in examined for found in each.diagnosis.findings]


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


def sum_up(findings: Iterable[Finding]) -> bool:
    """Says how many of each severity there are; returns whether anything is wrong."""
    found = [each.severity for each in findings if each.severity is not Severity.NOTE]
    if not found:
        hint("Nothing is wrong.")
        return False
    counts = (
        count(found.count(each), str(each), _MANY[each]) for each in Severity if each in found
    )
    hint(f"Found: {', '.join(counts)}.")
    return True
