"""Where the command starts; `python -m quota_enforcer.cli` too, where it is not on the path."""

import gc
import io
import sys

OBJECTS = 1_000_000
"""New objects before Python looks for unreachable ones: a command ends before there are many,
`status` for 10,000 principals too."""
INTERRUPTED = 130
"""The exit code of a command that Ctrl-C ended, as shells have it."""


def run() -> None:
    """Run the command; Ctrl-C ends it without a traceback, also while it is still loading."""
    gc.set_threshold(OBJECTS)
    try:
        if "--line" in sys.argv and _said_from_memory():
            return
        from quota_enforcer.cli.main import build, meant  # noqa: PLC0415 - it takes a third of a second

        build(meant(sys.argv[1:]))(prog_name="quota-enforcer")
    except KeyboardInterrupt:
        sys.stderr.write("Aborted.\n")
        sys.exit(INTERRUPTED)


def _said_from_memory() -> bool:
    """Print the line of a prompt without loading anything else, if it is still known."""
    from quota_enforcer.cli.insight.me import cached  # noqa: PLC0415 - other commands need none of it

    line = cached.warm_line(sys.argv[1:])
    if line is None:
        return False
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    sys.stdout.write(f"{line}\n")
    return True


if __name__ == "__main__":
    run()
