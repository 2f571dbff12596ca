"""Starting a sandbox, and staying until it is ended."""

import os
import signal
import time
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer

from quota_enforcer.cli.deployment.by_stack import find_by
from quota_enforcer.cli.offline.demo import STOPS, find_template, signals_end_it
from quota_enforcer.cli.terminal.output import console, hint, say, warn
from quota_enforcer.clock import SIMULATED
from quota_enforcer.core.errors import EnforcerError
from quota_enforcer.local.demo.account import STACK
from quota_enforcer.local.embedded import EmbeddedAws
from quota_enforcer.local.sandbox.account import furnish, start_of
from quota_enforcer.local.sandbox.home import Home, RunningSandbox
from quota_enforcer.local.sandbox.passing_time import Ticks

_ENDED = (128 + signal.SIGINT, 128 + signal.SIGTERM)


class SandboxStopped(EnforcerError):
    """The sandbox could not start; the message says at what, and why."""


def run(weeks: int, *, console: bool, open_: bool) -> None:
    """Until a signal ends it."""
    home = Home()
    template = find_template()
    began = time.monotonic()
    try:
        with signals_end_it(), home.occupied(), EmbeddedAws(start_of(weeks)) as aws:
            try:
                with _progress() as progress:
                    running = furnish(aws, template, weeks, progress)
            except STOPS as error:
                raise SandboxStopped(f"the sandbox did not start: {error}") from error
            with Ticks(aws, home, warn), _console(aws, home, running, wanted=console) as address:
                home.publish(running)
                _welcome(running, time.monotonic() - began)
                if address:
                    say(f"The console, for one browser:\n\n  {address}\n")
                if open_:
                    webbrowser.open(address)
                while True:
                    signal.pause()
    except SystemExit as ended:
        if ended.code not in _ENDED:
            raise
        hint("The sandbox has ended, and nothing of it remains.")
        raise typer.Exit from ended


@contextmanager
def _console(
    aws: EmbeddedAws, home: Home, running: RunningSandbox, *, wanted: bool
) -> Iterator[str]:
    """The address of its console; empty if none is wanted."""
    if not wanted:
        yield ""
        return
    from quota_enforcer.cli.offline.sandbox.play import playground  # noqa: PLC0415 - a framework
    from quota_enforcer.console.look import Look  # noqa: PLC0415 - likewise
    from quota_enforcer.console.page import Desk  # noqa: PLC0415 - likewise
    from quota_enforcer.console.serve import Serving  # noqa: PLC0415 - likewise

    os.environ[SIMULATED] = str(aws.clock_file)
    deployment = find_by(aws.session(), STACK)
    with Serving(Desk(Look(deployment), playground(aws, home, running))) as serving:
        yield serving.address


def _welcome(running: RunningSandbox, seconds: float) -> None:
    say(
        f"The sandbox is up after {seconds:.0f} s at {running.endpoint}, for you alone, until "
        "Ctrl-C. In another terminal:\n"
        '\n  eval "$(quota-enforcer sandbox env)"      every command, boto3 and the AWS CLI use it'
        "\n  quota-enforcer status                     where everybody is"
        "\n  quota-enforcer sandbox call alice 300k    a real call as alice; again, and IAM refuses"
        "\n  quota-enforcer sandbox mail               the notices that were sent"
        "\n  quota-enforcer sandbox clock +1h          time passes, and alice is free again\n"
    )


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """What it is doing: a line that changes on a terminal, a line each elsewhere."""
    shown = console(stderr=True)
    if not shown.is_terminal:
        hint("Starting the sandbox ...")
        yield lambda _: None
        return
    with shown.status("Starting the sandbox ...") as status:
        yield lambda text: status.update(f"Starting the sandbox: {text} ...")
