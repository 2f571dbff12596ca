"""`me --line`: one short line for a prompt or a status line, which it never breaks.

Whatever goes wrong is said in two words, and the exit code is 0.
"""

import json
import os
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Thread
from typing import Any, Final

from quota_enforcer import clock
from quota_enforcer.cli.deployment.target import Target
from quota_enforcer.cli.insight.me import cached, question
from quota_enforcer.core.deployment import Mode
from quota_enforcer.insight.status import State

NAME: Final = "bedrock"
PATIENCE: Final = 10
"""Seconds that a prompt waits at most, once a minute."""
SILENT: Final = "no answer"
_WEEK: Final = timedelta(days=6)


def say_line(where: Target, url: str | None) -> None:
    """What is kept, or else what is told now; that it could not be told is kept as well."""
    asked = where.stack, where.profile, where.region, url
    kept = cached.read(asked)
    if kept is not None:
        _print(kept[0])
        return
    told: list[str] = []

    def ask() -> None:
        told.append(_told(lambda: question.ask(where, url), asked))

    asking = Thread(target=ask, daemon=True)
    asking.start()
    asking.join(PATIENCE)
    if told:
        _print(told[0])
        return
    line = f"{NAME}: {SILENT}"
    cached.keep(asked, line)
    _print(line)
    os._exit(0)  # the thread may still wait for AWS


def _told(ask: Callable[[], dict[str, Any]], asked: cached.Asked) -> str:
    try:
        answer = ask()
        line, said = line_of(answer, clock.now().astimezone()), json.dumps(answer)
    except Exception as error:  # noqa: BLE001 - nothing breaks a prompt
        line, said = f"{NAME}: {_amiss(error)}", ""
    cached.keep(asked, line, said)
    return line


def line_of(answer: dict[str, Any], now: datetime) -> str:
    """`bedrock 62 % · resets 18:00`, `bedrock 115 % · opens 18:00`; on the clock of `now`."""
    quotas = [each for standing in answer["standings"] for each in standing["quotas"]]
    full = max((each["percent"] for each in quotas if each["percent"] is not None), default=None)
    blocked = [each for each in answer["standings"] if each["denied"]]
    parts = [NAME if full is None else f"{NAME} {full} %"]
    if blocked:
        closed = sorted({model for each in blocked for model in each["denied"]})
        untils = [_moment(each["until"]) for each in blocked]
        what = "" if "*" in closed else f"{', '.join(map(_short, closed))} "
        parts.append(f"{what}{_opens(untils, now)}")
    elif full is None:
        return f"{NAME}: no limit"
    elif answer["mode"] == Mode.OBSERVE and any(
        each["state"] == State.WOULD_BE_BLOCKED for each in quotas
    ):
        parts.append("observe mode")
    else:
        fullest = next(each for each in quotas if each["percent"] == full)
        resets = _moment(fullest["resets_at"])
        parts += [] if resets is None else [f"resets {_when(resets, now)}"]
    return " · ".join(parts)


def _opens(untils: list[datetime | None], now: datetime) -> str:
    known = [each for each in untils if each is not None]
    if len(known) < len(untils):
        return "blocked until an admin acts"
    return f"opens {_when(max(known), now)}"


def _when(moment: datetime, now: datetime) -> str:
    """`18:00`, `Tue 00:00` within a week, `1 Dec` after it."""
    local = moment.astimezone(now.tzinfo)
    if local.date() == now.date():
        return f"{local:%H:%M}"
    if local - now < _WEEK:
        return f"{local:%a %H:%M}"
    return f"{local.day} {local:%b}"


def _short(scope: str) -> str:
    """`claude-3-opus*`: a model without its vendor."""
    return scope.partition(".")[2] or scope


def _amiss(error: Exception) -> str:
    """Two words; `quota-enforcer me` says the whole."""
    from botocore.exceptions import ClientError, NoCredentialsError, ProfileNotFound  # noqa: PLC0415 - see main

    from quota_enforcer.aws.functions.function_url import MayNotAsk, NoUrl  # noqa: PLC0415 - likewise
    from quota_enforcer.core.errors import NotThere  # noqa: PLC0415 - likewise

    match error:
        case NoCredentialsError() | ProfileNotFound():
            return "no credentials"
        case ClientError() if "Expired" in error.response["Error"].get("Code", ""):
            return "session expired"
        case MayNotAsk():
            return "may not ask"
        case NotThere() | NoUrl():
            return "not set up"
        case _:
            return SILENT


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
