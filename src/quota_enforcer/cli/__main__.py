"""Where the command starts; `python -m quota_enforcer.cli` too, where it is not on the path."""

import gc
import sys

OBJECTS = 100_000
"""New objects before Python looks for unreachable ones: a command ends before there are many."""
INTERRUPTED = 130
"""The exit code of a command that Ctrl-C ended, as shells have it."""


def run() -> None:
    """Run the command; Ctrl-C ends it without a traceback, also while it is still loading."""
    gc.set_threshold(OBJECTS)  # `status` for 10,000 principals computes a third less
    try:
        from quota_enforcer.cli.main import app  # noqa: PLC0415 - it takes most of a second

        app(prog_name="quota-enforcer")
    except KeyboardInterrupt:
        sys.stderr.write("Aborted.\n")
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    run()
