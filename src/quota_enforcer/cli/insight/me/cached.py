"""What was last told to somebody, on disk for a minute, so that a prompt does not wait for AWS.

A warm line comes from here before anything heavy is loaded: only the standard library, and of that
little. A file has three lines: until when it holds in seconds of Unix time, the line, and the whole
answer as JSON, if there was one. It is its owner's alone, as is its folder; whatever is not is
neither read nor written.
"""

import os
import stat
import time
from collections.abc import Sequence
from hashlib import sha256

HOLDS = 60
"""Seconds."""
FOLDER = "quota-enforcer"
DEFAULT_STACK = "bedrock-quota"
"""As in `cli.deployment`, which would load too much."""
LONGEST = 1_000_000
"""Bytes of a file that is read."""
_SWEPT = 24 * 3600
"""Seconds after which a file of credentials that changed goes."""
_SECRETS = {"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}
_OPTIONS = {"--stack": 0, "--profile": 1, "--region": 2, "--url": 3}

Asked = tuple[str | None, str | None, str | None, str | None]
"""Stack, profile, Region and URL."""


def warm_line(arguments: Sequence[str]) -> str | None:
    """The line that `me --line` prints, if it is known; None for every other command."""
    asked = _line_asked(arguments)
    if asked is None:
        return None
    kept = read(asked)
    return None if kept is None else kept[0]


def read(asked: Asked, now: float | None = None) -> tuple[str, str] | None:
    """The line and the JSON of the answer, if they still hold."""
    now = time.time() if now is None else now
    try:
        handle = os.open(path_of(asked), os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        with open(handle, encoding="utf-8") as file:
            if not _is_ours(os.fstat(handle)):
                return None
            until, line, answer = file.read(LONGEST).split("\n", 2)
        return (line, answer.strip()) if 0 <= float(until) - now <= HOLDS else None
    except (OSError, ValueError):  # ValueError: somebody else's contents
        return None


def keep(asked: Asked, line: str, answer: str = "", now: float | None = None) -> None:
    """Write it whole or not at all; what cannot be kept is asked again."""
    now = time.time() if now is None else now
    path = path_of(asked)
    folder = os.path.dirname(path)
    beside = f"{path}.{os.getpid()}"
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        if not _is_ours(os.stat(folder)):
            return
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(handle, "w", encoding="utf-8") as file:
            file.write(f"{now + HOLDS}\n{line}\n{answer}\n")
        os.replace(beside, path)
        _sweep(folder, now)
    except OSError:
        return


def path_of(asked: Asked) -> str:
    """The file for whoever asks this, with these credentials, as far as that can be told quickly.

    The environment and the files of the AWS CLI say who it is; no secret is among what is hashed.
    """
    stack, profile, region, url = asked
    environment = sorted(
        (name, value)
        for name, value in os.environ.items()
        if name.startswith("AWS_") and name not in _SECRETS
    )
    who = repr(((stack or DEFAULT_STACK, profile, region, url), environment, _files()))
    home = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    base = home or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, FOLDER, f"me-{sha256(who.encode()).hexdigest()[:32]}")


def _files() -> list[tuple[str, int]]:
    """The AWS CLI's files and when they changed: another login is another person."""
    found = []
    files = {"AWS_CONFIG_FILE": "config", "AWS_SHARED_CREDENTIALS_FILE": "credentials"}
    for name, usual in files.items():
        path = os.path.expanduser(os.environ.get(name) or f"~/.aws/{usual}")
        try:
            found.append((path, os.stat(path).st_mtime_ns))
        except OSError:
            found.append((path, 0))
    return found


def _line_asked(arguments: Sequence[str]) -> Asked | None:
    """What these arguments ask, if they ask for a line and say nothing that is not known here."""
    if arguments[:1] != ["me"] or "--line" not in arguments:
        return None
    said: list[str | None] = [
        os.environ.get("QUOTA_ENFORCER_STACK") or None,
        None,
        os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or None,
        os.environ.get("QUOTA_ENFORCER_URL") or None,
    ]
    rest = iter(each for each in arguments[1:] if each != "--line")
    for each in rest:
        option, equals, value = each.partition("=")
        if option not in _OPTIONS:
            return None
        given = value if equals else next(rest, None)
        if given is None:
            return None
        said[_OPTIONS[option]] = given
    stack, profile, region, url = said
    return stack, profile, region, url


def _is_ours(found: os.stat_result) -> bool:
    """Nobody else may read a file, or write into the folder."""
    if os.name == "nt":
        return True  # Windows has no such modes: the profile's folder is its user's
    wrong = 0o022 if stat.S_ISDIR(found.st_mode) else 0o077
    return found.st_uid == os.getuid() and not found.st_mode & wrong


def _sweep(folder: str, now: float) -> None:
    """What nobody has written for a day is of credentials that are no more."""
    with os.scandir(folder) as several:
        for each in several:
            if each.name.startswith("me-") and now - each.stat().st_mtime > _SWEPT:
                os.unlink(each.path)
