"""When an edit of the quota table is in force: said in one place, for every command that edits."""

from quota_enforcer.cli.terminal.output import hint

WHEN = "It takes effect in seconds."


def say_when() -> None:
    """What the admin who has just edited should know, on stderr."""
    hint(WHEN)
