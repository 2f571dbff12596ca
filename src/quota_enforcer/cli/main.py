"""The command line: its commands, and how it reports their errors."""

import os
from collections.abc import Callable
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from quota_enforcer.cli.insight.bill import command as bill
from quota_enforcer.cli.insight.console import console
from quota_enforcer.cli.insight.explain.command import explain as explain_
from quota_enforcer.cli.insight.forecast import forecast
from quota_enforcer.cli.insight.history import history
from quota_enforcer.cli.insight.me import command as me
from quota_enforcer.cli.insight.report import report
from quota_enforcer.cli.insight.status.command import status
from quota_enforcer.cli.insight.suggest import suggest
from quota_enforcer.cli.insight.usage import usage
from quota_enforcer.cli.offline import policy
from quota_enforcer.cli.offline.read_log import read_log
from quota_enforcer.cli.offline.sandbox import command as sandbox
from quota_enforcer.cli.offline.simulate.command import simulate
from quota_enforcer.cli.operate import satellites, scopes
from quota_enforcer.cli.operate.doctor.command import doctor
from quota_enforcer.cli.operate.gates import commands as gates
from quota_enforcer.cli.operate.pause import pause, resume
from quota_enforcer.cli.operate.people import requests, teams
from quota_enforcer.cli.operate.people.subscribe import subscribe, unsubscribe
from quota_enforcer.cli.operate.recount import recount
from quota_enforcer.cli.operate.release import release
from quota_enforcer.cli.operate.sweep import sweep
from quota_enforcer.cli.prices import commands as prices
from quota_enforcer.cli.quotas import commands as quota
from quota_enforcer.cli.terminal.completion.values import offer_values
from quota_enforcer.cli.terminal.errors import FAILED, exit_code, explain
from quota_enforcer.cli.terminal.escaping import survive_encodings
from quota_enforcer.cli.terminal.options import AsJson
from quota_enforcer.cli.terminal.output import fail, say

DEBUG = "QUOTA_ENFORCER_DEBUG"


class ErrorsInWords(TyperGroup):
    """Commands whose errors end in one sentence and an exit code, not in a traceback."""

    def main(self, *args: Any, **options: Any) -> Any:
        """Everything that is printed comes after this, help and wrong usage too."""
        survive_encodings()
        return super().main(*args, **options)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; a traceback is only for --debug and for defects of the product."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            words = explain(error)
            if words is None or ctx.params.get("debug"):
                raise
            fail(words)
            raise typer.Exit(exit_code(error)) from error


app = typer.Typer(
    cls=ErrorsInWords,
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    help="Cap how much of Amazon Bedrock each IAM principal uses.",
    epilog="Exit codes: 0 done, 1 it failed, 2 wrong usage or invalid input.",
)


class Panel(StrEnum):
    """The groups in which the help shows the commands, in their order."""

    SEE = "See"
    QUOTAS = "Quotas"
    ACT = "Act"
    MONEY = "Money"
    SET_UP = "Set up"


def _add(panel: Panel, *commands: Callable[..., None], **more: Any) -> None:
    for each in commands:
        app.command(rich_help_panel=panel, **more)(each)


def _add_group(panel: Panel, **groups: typer.Typer) -> None:
    for name, each in groups.items():
        app.add_typer(each, name=name, rich_help_panel=panel)


_add(Panel.SEE, status)
app.command("explain", no_args_is_help=True, rich_help_panel=Panel.SEE)(explain_)
_add(Panel.SEE, history, forecast, report, console)
_add_group(Panel.SEE, me=me.app)
_add_group(Panel.QUOTAS, quota=quota.app, requests=requests.app, teams=teams.app, scopes=scopes.app)
_add(Panel.QUOTAS, suggest, simulate, read_log, no_args_is_help=True)
_add(Panel.ACT, release, pause, no_args_is_help=True)
_add(Panel.ACT, resume, sweep)
_add(Panel.ACT, recount, no_args_is_help=True)
_add(Panel.MONEY, usage)
_add_group(Panel.MONEY, prices=prices.app, bill=bill.app)
_add(Panel.SET_UP, doctor)
_add_group(Panel.SET_UP, policy=policy.app, gates=gates.app, satellites=satellites.app)
_add(Panel.SET_UP, subscribe, unsubscribe, no_args_is_help=True)
_add_group(Panel.SET_UP, sandbox=sandbox.app)


@app.command(rich_help_panel=Panel.SET_UP)
def demo(*, as_json: AsJson = False) -> None:
    """Run the whole product on an embedded AWS, with simulated time and real traffic.

    It needs no AWS account and leaves nothing behind.

    Examples:
      quota-enforcer demo
      quota-enforcer demo --json
    """
    try:
        from quota_enforcer.cli.offline.demo import demo as run  # noqa: PLC0415 - it loads a whole AWS
    except ModuleNotFoundError as error:
        fail(f"the demo needs {error.name}: pip install 'quota-enforcer[local]'")
        raise typer.Exit(FAILED) from error
    run(as_json=as_json)


if "_QUOTA_ENFORCER_COMPLETE" in os.environ:  # a command that runs needs none of it
    offer_values(app)


def _say_version(asked: bool) -> None:  # noqa: FBT001 - so Typer passes the value of a flag
    if not asked:
        return
    try:
        say(f"quota-enforcer {version('quota-enforcer')}")
    except PackageNotFoundError:
        say("quota-enforcer, from a source tree that is not installed")
    raise typer.Exit


@app.callback()
def main(
    *,
    debug: Annotated[
        bool, typer.Option("--debug", envvar=DEBUG, help="Show errors in full.")
    ] = False,
    show_version: Annotated[
        bool,
        typer.Option("--version", callback=_say_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Options that come before the command; ErrorsInWords reads `debug`."""
    del debug, show_version


if __name__ == "__main__":
    app()
