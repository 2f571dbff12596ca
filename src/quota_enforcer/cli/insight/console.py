"""`console`: the deployment in a browser, for whoever runs the command."""

import signal
import webbrowser
from contextlib import suppress
from typing import Annotated

import typer

from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.terminal.errors import FAILED, needing
from quota_enforcer.cli.terminal.options import OpenIt, on_deployment
from quota_enforcer.cli.terminal.output import echo, fail, hint

Port = Annotated[
    int, typer.Option(min=0, max=65_535, help="The port on this machine; 0 takes a free one.")
]


@on_deployment
def console(deployment: Deployment, *, port: Port = 0, open_: OpenIt = False) -> None:
    """Show the deployment in a browser of this machine, until Ctrl-C.

    The pages are of this machine only, and read and write with your own AWS
    credentials. The address that it prints lets one browser in; no other site can use it.

    Examples:
      quota-enforcer console --open
      quota-enforcer console --port 8020
    """
    with needing("console", "the console"):
        from quota_enforcer.console.look import Look  # noqa: PLC0415 - it loads a web framework
        from quota_enforcer.console.page import Desk  # noqa: PLC0415 - likewise
        from quota_enforcer.console.serve import Serving  # noqa: PLC0415 - likewise

    try:
        serving = Serving(Desk(Look(deployment)), port)
    except OSError as error:
        fail(f"cannot answer on port {port}: {error.strerror}; give another one with --port")
        raise typer.Exit(FAILED) from error
    with serving:
        echo(serving.address)
        hint("Open this address, once, in a browser of this machine; Ctrl-C ends it.")
        if open_:
            webbrowser.open(serving.address)
        with suppress(KeyboardInterrupt):
            signal.pause()
