"""What went wrong, in one sentence with its fix, and the exit code for it.

EnforcerError
  NoDeployment      the stack is not there, not ready, or not ours
  NotThere          what the command names is not there
  NotYet            what the command rests on has not happened yet
  OperationFailed   AWS did what was asked, and it failed
"""

from quota_enforcer.aws.errors import in_words
from quota_enforcer.core.errors import (
    EnforcerError,
    InvalidPolicyInput,
    InvalidQuota,
    UnknownIdentity,
)

FAILED = 1
"""Exit code: the operation failed."""

REFUSED = 2
"""Exit code: wrong usage or invalid input; nothing was done."""


class NoDeployment(EnforcerError):
    """The stack is not there, not ready, or not ours."""


class NotYet(EnforcerError):
    """What the command rests on has not happened yet, so nothing was done."""


def exit_code(error: Exception) -> int:
    """REFUSED where the input was at fault, else FAILED."""
    return (
        REFUSED
        if isinstance(error, (InvalidPolicyInput, InvalidQuota, UnknownIdentity))
        else FAILED
    )


def explain(error: Exception) -> str | None:
    """The error in words to act on; None where it is a defect of ours, to be shown in full."""
    match error:
        case InvalidQuota():
            problems = "".join(f"\n  - {problem}" for problem in error.problems)
            return f"{str(error).partition(': ')[0]}:{problems}" if problems else str(error)
        case EnforcerError():
            return str(error)
        case _:
            return in_words(error)
