"""Errors of the command line: each in one sentence with its fix, and with its exit code.

EnforcerError
  NoDeployment      the stack is not there, not ready, or not ours
  NotThere          the command names something that does not exist
  NotYet            the command needs something that has not happened yet
  InvalidBill       the file is no report of AWS's billing that can be compared
  NobodyToAsk       the command must ask, and there is no terminal
  OperationFailed   AWS did what was asked, and it failed
  MissingExtra      the command needs packages that are not installed
"""

from collections.abc import Iterator
from contextlib import contextmanager

from quota_enforcer.core.errors import (
    EnforcerError,
    InvalidPolicyInput,
    InvalidQuota,
    UnknownIdentity,
)
from quota_enforcer.insight.quotas.teams.source import InvalidSource, UnreadableTeams

FAILED = 1
"""Exit code: the operation failed."""

REFUSED = 2
"""Exit code: wrong usage or invalid input; nothing was done."""


class NoDeployment(EnforcerError):
    """The stack is not there, not ready, or not ours."""


class InvalidBill(EnforcerError):
    """The file is no report that can be compared; the message says what to give instead."""


class NobodyToAsk(EnforcerError):
    """The command must ask somebody at a terminal, and there is none; nothing was done."""


class NotYet(EnforcerError):
    """The command needs something that has not happened yet, so nothing was done."""


class MissingExtra(EnforcerError):
    """The command needs packages that are not installed; the message says how to get them."""


@contextmanager
def needing(extra: str, what: str) -> Iterator[None]:
    """Around imports from packages of an extra: without them it raises MissingExtra."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"{what} needs {error.name}: pip install 'quota-enforcer[{extra}]'"
        ) from error


_INPUT = (
    InvalidBill,
    InvalidPolicyInput,
    InvalidQuota,
    InvalidSource,
    NobodyToAsk,
    UnknownIdentity,
    UnreadableTeams,
)


def exit_code(error: Exception) -> int:
    """REFUSED if the input is wrong, else FAILED."""
    return REFUSED if isinstance(error, _INPUT) else FAILED


def explain(error: Exception) -> str | None:
    """The error in words to act on; None for a defect of the product, which is shown in full."""
    match error:
        case InvalidQuota():
            problems = "".join(f"\n  - {problem}" for problem in error.problems)
            return f"{str(error).partition(': ')[0]}:{problems}" if problems else str(error)
        case EnforcerError():
            return str(error)
        case _:
            from quota_enforcer.aws.errors import in_words  # noqa: PLC0415 - botocore's, as yet unneeded

            return in_words(error)
