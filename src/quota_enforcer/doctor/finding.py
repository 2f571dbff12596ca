"""A finding: what is wrong, how one knows, and what to do about it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad it is.

    `problem`: somebody is not limited, or wrongly blocked, or gets no notice. `warning`: a
    problem may follow. `unchecked`: nobody knows. `note`: worth knowing, and nothing is wrong.
    """

    PROBLEM = "problem"
    WARNING = "warning"
    UNCHECKED = "unchecked"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence each; `about` names those it concerns, if they are many.

    `fix` is a command that can be run as it is, or a step in a console in words; only a note has
    none. `then` is what else to do or to know.
    """

    severity: Severity
    what: str
    evidence: str = ""
    fix: str = ""
    then: str = ""
    about: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The result of one check: `fine` is what to say if it found nothing wrong."""

    fine: str
    findings: tuple[Finding, ...] = ()

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong; a note is no harm."""
        return all(each.severity is Severity.NOTE for each in self.findings)


def diagnosis(fine: str, findings: Iterable[Finding] = ()) -> Diagnosis:
    return Diagnosis(fine, tuple(findings))


def problem(
    what: str, evidence: str, fix: str, then: str = "", about: Iterable[str] = ()
) -> Finding:
    return Finding(Severity.PROBLEM, what, evidence, fix, then, tuple(about))


def warning(
    what: str, evidence: str, fix: str, then: str = "", about: Iterable[str] = ()
) -> Finding:
    return Finding(Severity.WARNING, what, evidence, fix, then, tuple(about))


def unchecked(
    what: str, evidence: str, fix: str, then: str = "", about: Iterable[str] = ()
) -> Finding:
    return Finding(Severity.UNCHECKED, what, evidence, fix, then, tuple(about))


def note(what: str, about: Iterable[str] = ()) -> Finding:
    return Finding(Severity.NOTE, what, about=tuple(about))
