"""Everything the product itself refuses.

Each message names the thing, its value, what is allowed and the fix.
"""

from collections.abc import Collection, Sequence


def did_you_mean(word: str, known: Collection[str], cutoff: float = 0.6) -> str:
    """`did you mean NAME?`, or nothing if no known name is close; `cutoff` 1 is the same word."""
    from difflib import get_close_matches  # noqa: PLC0415 - a Lambda starts without it

    near = get_close_matches(word, known, n=1, cutoff=cutoff)
    return f"did you mean {near[0]}?" if near else ""


class EnforcerError(Exception):
    """Base of all errors that this product raises on purpose."""


class ConfigError(EnforcerError):
    """A deployment's settings are missing or wrong."""


class InvalidQuota(EnforcerError):
    """A quota item does not validate; `problems` has one sentence for each thing to fix."""

    def __init__(self, subject: str, name: str, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(f"quota {name!r} of {subject!r} is not valid: {'; '.join(problems)}")


class UnknownIdentity(EnforcerError):
    """An identity that names no principal, so its usage can be counted to nobody."""


class UnknownEvent(EnforcerError):
    """A function was invoked with an event it does not understand."""


class FutureTick(EnforcerError):
    """A scheduled event claims a moment that has not come yet."""


class InvalidPolicyInput(EnforcerError):
    """A policy document cannot be written for this name, model, account or partition."""


class CannotDeny(EnforcerError):
    """IAM will not let this principal be denied; the message says why and what would help."""


class PrincipalGone(EnforcerError):
    """The IAM user or role no longer exists, so there is nobody to deny."""


class Conflict(EnforcerError):
    """Somebody else wrote the record between our read and our write; gather again."""


class Closed(EnforcerError):
    """The stack is being deleted: nobody may be blocked any more."""


class SweepFailed(EnforcerError):
    """A sweep finished the rest in spite of failures; raised at its end so that alarms fire."""

    def __init__(self, failures: Sequence[str]) -> None:
        self.failures = tuple(failures)
        super().__init__(f"{len(failures)} failure(s) in this sweep: {'; '.join(failures)}")


class NotThere(EnforcerError):
    """What the command names is not there, so nothing was done."""
