"""The notices that the sandbox has sent, kept after they were read from their queue."""

import json

from quota_enforcer.local.demo.account import unread
from quota_enforcer.local.demo.record import Letter
from quota_enforcer.local.embedded import EmbeddedAws
from quota_enforcer.local.sandbox.home import Home


def letters(aws: EmbeddedAws, home: Home, queue: str) -> list[Letter]:
    """All of them, the oldest first."""
    with home.alone("mail"):
        with home.letters.open("a", encoding="utf-8") as kept:
            for letter in unread(aws, queue):
                kept.write(json.dumps(letter._asdict()) + "\n")
        lines = home.letters.read_text(encoding="utf-8").splitlines()
    return [Letter(**json.loads(line)) for line in lines]
