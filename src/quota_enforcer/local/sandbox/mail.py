"""The notices that the sandbox has sent, kept after they were read from their queue."""

import json
from typing import Final

from quota_enforcer.local.demo.account import unread
from quota_enforcer.local.demo.record import Letter
from quota_enforcer.local.embedded import EmbeddedAws
from quota_enforcer.local.sandbox.home import Home

_FIRST_OK: Final = {"NewStateValue": "OK", "OldStateValue": "INSUFFICIENT_DATA"}


def letters(aws: EmbeddedAws, home: Home, queue: str) -> list[Letter]:
    """All of them, the oldest first, but for alarms that have only begun to watch."""
    with home.alone("mail"):
        with home.letters.open("a", encoding="utf-8") as kept:
            for letter in unread(aws, queue):
                kept.write(json.dumps(letter._asdict()) + "\n")
        lines = home.letters.read_text(encoding="utf-8").splitlines()
    found = [Letter(**json.loads(line)) for line in lines]
    return [letter for letter in found if not is_first_ok(letter)]


def is_first_ok(letter: Letter) -> bool:
    """Whether an alarm that has never rung says that all is well, as each does when it is new.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
    """
    if letter.kind:
        return False
    try:
        said = json.loads(letter.text)
    except ValueError:
        return False
    return isinstance(said, dict) and _FIRST_OK.items() <= said.items()
