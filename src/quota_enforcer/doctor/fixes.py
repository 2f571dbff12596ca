"""The words that findings share: moments, and the commands that fix things."""

from datetime import datetime, timedelta

from quota_enforcer.meter.recount.recounter import CLOSED_AFTER

ATTACH = "attach the policy that it prints to yourself"
"""What to do with `policy doctor`."""
_CLOSED = timedelta(hours=1) + CLOSED_AFTER
"""From its start, when an hour can be recounted."""
_UNITS = (("s", 1, 120), ("min", 60, 120 * 60), ("h", 3600, 48 * 3600))
"""Each with its seconds, and from how many seconds on the next one is used."""
_DAY = 86_400


def deploy(stack: str, **parameters: str) -> str:
    """A deployment of the stack with these parameters; the others stay."""
    overrides = " ".join(f"{name}={value}" for name, value in parameters.items())
    command = f"sam deploy --stack-name {stack} --capabilities CAPABILITY_NAMED_IAM"
    return f"{command} --parameter-overrides {overrides}" if overrides else command


def recount(start: datetime, now: datetime) -> str:
    """A recount of the hours from `start` up to the last that can be recounted."""
    first, last = f"{start:%Y-%m-%dT%H}Z", f"{now - _CLOSED:%Y-%m-%dT%H}Z"
    if first < last:
        return f"quota-enforcer recount {first}..{last}"
    wait = "" if first == last else " (ten minutes after that hour is over)"
    return f"quota-enforcer recount {first}{wait}"


def at(moment: datetime) -> str:
    """`2026-12-01 09:05Z`."""
    return f"{moment:%Y-%m-%d %H:%M}Z"


def age(span: timedelta) -> str:
    """`40 s`, `12 min`, `5 h`, `3 days`: how old something is."""
    seconds = max(int(span.total_seconds()), 0)
    for unit, size, most in _UNITS:
        if seconds < most:
            return f"{seconds // size} {unit}"
    return f"{seconds // _DAY} days"
