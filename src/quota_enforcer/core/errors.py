"""Everything the product itself refuses.

Each message names the thing, its value, what is allowed and the fix.
"""

import re
from collections.abc import Collection, Iterable, Sequence


def did_you_mean(word: str, known: Collection[str], cutoff: float = 0.6) -> str:
    """`did you mean NAME?`, or nothing if no known name is close; `cutoff` 1 is the same word."""
    from difflib import get_close_matches  # noqa: PLC0415 - a Lambda starts without it

    near = get_close_matches(word, known, n=1, cutoff=cutoff)
    return f"did you mean {near[0]}?" if near else ""


_SHORT, _LONG = 4, 6
"""Letters from which on a missing one, and a wrong one, is likelier a typing error than a name."""


def near_names(name: str, known: Iterable[str], most: int = 3) -> list[str]:
    """The known names, at most `most`, of which `name` may be a typing error: `alice` of `alcie`.

    They have the same kind and the same digits, and differ by one letter that is left out, doubled,
    swapped or (in longer names) wrong: `bob` is no `rob`, `dev-1` no `dev-2`, `paul` no `paula`.
    Last come those with the very name in another account.
    """
    kind, slash, own = name.rpartition("/")
    several = sorted(set(known))
    near = [
        each
        for each in several
        if each.startswith(f"{kind}{slash}") and _is_slip(own, each.removeprefix(f"{kind}{slash}"))
    ]
    bare = _ACCOUNT.sub("", name)
    near += [each for each in several if each not in near and _ACCOUNT.sub("", each) == bare]
    return near[:most]


_ACCOUNT = re.compile(r"^\d{12}/")
"""Before the principals of a member account."""


def _is_slip(one: str, other: str) -> bool:
    if one.lower() == other.lower():
        return True
    if abs(len(one) - len(other)) > 1 or _digits(one) != _digits(other):
        return False
    start = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    if start is None:  # one goes on where the other ends
        return min(len(one), len(other)) > _LONG
    a, b = one[start:], other[start:]
    while a and b and a[-1] == b[-1]:
        a, b = a[:-1], b[:-1]
    if len(a) + len(b) == 1:
        return min(len(one), len(other)) >= _SHORT
    if a == b[::-1]:
        return len(a) == len("ab") and len(one) >= _SHORT
    return len(a) == len(b) == 1 and len(one) >= _LONG


def _digits(name: str) -> list[str]:
    return [each for each in name if each.isdigit()]


def did_you_mean_any(names: Iterable[str]) -> str:
    """`did you mean user/a or user/b?`, or nothing if there are no names."""
    several = " or ".join(names)
    return f"did you mean {several}?" if several else ""


class EnforcerError(Exception):
    """Base of all errors that this product raises on purpose."""


class StackStays(EnforcerError):
    """A request to close or reopen a deployment is not what CloudFormation says of its stack."""


class ConfigError(EnforcerError):
    """A deployment's settings are missing or wrong."""


class NewerLedger(EnforcerError):
    """A newer version wrote the ledger, and this version might misread it."""


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


class AccountUnreachable(EnforcerError):
    """Nobody can be denied or released in a member account for now; the message says why."""

    def __init__(self, account: str, why: str) -> None:
        self.account, self.why = account, why
        super().__init__(f"account {account} cannot be reached: {why}")


class PrincipalGone(EnforcerError):
    """The IAM user or role no longer exists, so there is nobody to deny."""


class Conflict(EnforcerError):
    """Somebody else wrote the record between our read and our write; gather again."""


class DeploymentClosed(EnforcerError):
    """The stack is being deleted, so nobody may be blocked any more."""


class SweepFailed(EnforcerError):
    """A sweep finished the rest in spite of failures; raised at its end so that alarms fire."""

    def __init__(self, failures: Sequence[str]) -> None:
        self.failures = tuple(failures)
        super().__init__(f"{len(failures)} failure(s) in this sweep: {'; '.join(failures)}")


class NotThere(EnforcerError):
    """What the command names is not there, so nothing was done."""
