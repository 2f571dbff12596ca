"""The command line: its commands, and how it reports their errors.

A command that runs loads itself and no other, which takes half as long as loading them all.
"""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from importlib import import_module
from inspect import cleandoc
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from quota_enforcer.cli.terminal.errors import exit_code, explain, needing
from quota_enforcer.cli.terminal.escaping import survive_encodings
from quota_enforcer.cli.terminal.options import AsJson
from quota_enforcer.cli.terminal.output import fail, say

DEBUG: Final = "QUOTA_ENFORCER_DEBUG"
COMPLETES: Final = "_QUOTA_ENFORCER_COMPLETE"
"""What a shell sets that asks how a command goes on."""


class ErrorsInWords(TyperGroup):
    """Commands whose errors end in one sentence and an exit code, not in a traceback."""

    def __init__(self, **described: Any) -> None:
        super().__init__(**described)
        _flow(self)

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


_BREAK: Final = re.compile(r"(?<=\S)\n(?=\S)")
"""Between two lines of one paragraph; examples are indented, so each keeps its line."""


def _flow(command: Any) -> None:
    """A terminal breaks a help's lines by its own width, not by that of the docstring."""
    command.help = _BREAK.sub(" ", cleandoc(command.help or ""))
    for each in getattr(command, "commands", {}).values():
        _flow(each)


class Panel(StrEnum):
    """The groups in which the help shows the commands, in their order."""

    SEE = "See"
    QUOTAS = "Quotas"
    ACT = "Act"
    MONEY = "Money"
    SET_UP = "Set up"


COMMANDS: Final[Mapping[str, tuple[Panel, str]]] = {
    "status": (Panel.SEE, "insight.status.command:status"),
    "explain": (Panel.SEE, "insight.explain.command:explain"),
    "history": (Panel.SEE, "insight.history:history"),
    "forecast": (Panel.SEE, "insight.forecast:forecast"),
    "report": (Panel.SEE, "insight.report:report"),
    "console": (Panel.SEE, "insight.console:console"),
    "me": (Panel.SEE, "insight.me.command:app"),
    "quota": (Panel.QUOTAS, "quotas.commands:app"),
    "requests": (Panel.QUOTAS, "operate.people.requests:app"),
    "teams": (Panel.QUOTAS, "operate.people.teams:app"),
    "scopes": (Panel.QUOTAS, "operate.scopes:app"),
    "suggest": (Panel.QUOTAS, "insight.suggest:suggest"),
    "simulate": (Panel.QUOTAS, "offline.simulate.command:simulate"),
    "read-log": (Panel.QUOTAS, "offline.read_log:read_log"),
    "release": (Panel.ACT, "operate.release:release"),
    "pause": (Panel.ACT, "operate.pause:pause"),
    "resume": (Panel.ACT, "operate.pause:resume"),
    "sweep": (Panel.ACT, "operate.sweep:sweep"),
    "recount": (Panel.ACT, "operate.recount:recount"),
    "usage": (Panel.MONEY, "insight.usage:usage"),
    "prices": (Panel.MONEY, "prices.commands:app"),
    "bill": (Panel.MONEY, "insight.bill.command:app"),
    "doctor": (Panel.SET_UP, "operate.doctor.command:doctor"),
    "policy": (Panel.SET_UP, "offline.policy.command:app"),
    "gates": (Panel.SET_UP, "operate.gates.commands:app"),
    "satellites": (Panel.SET_UP, "operate.satellites:app"),
    "subscribe": (Panel.SET_UP, "operate.people.subscribe:subscribe"),
    "unsubscribe": (Panel.SET_UP, "operate.people.subscribe:unsubscribe"),
    "sandbox": (Panel.SET_UP, "offline.sandbox.command:app"),
    "demo": (Panel.SET_UP, "main:demo"),
}
"""Where the help shows each, and where it is: below this package, a command or a group of them."""
NEEDS_MORE: Final = frozenset({
    "explain", "suggest", "simulate", "read-log", "release", "pause", "recount", "subscribe",
    "unsubscribe",
})  # fmt: skip
"""Without any argument these show their help."""


def meant(words: Sequence[str]) -> Iterable[str]:
    """The command that these words begin with; all, where they ask for help or name none."""
    if COMPLETES in os.environ:
        words = _finished()
    first = next((each for each in words if each != "--debug"), "")
    return (first,) if first in COMMANDS else COMMANDS


def _finished() -> Sequence[str]:
    """The words before the one that is being typed: Bash says which that is; others end there."""
    if "COMP_CWORD" in os.environ:
        return os.environ.get("COMP_WORDS", "").split(" ")[1 : int(os.environ["COMP_CWORD"])]
    return os.environ.get("_TYPER_COMPLETE_ARGS", "").split(" ")[1:-1]


def build(names: Iterable[str]) -> typer.Typer:
    """The command line with these commands only."""
    made = typer.Typer(
        cls=ErrorsInWords,
        no_args_is_help=True,
        pretty_exceptions_show_locals=False,
        help="Cap how much of Amazon Bedrock each IAM principal uses.",
        epilog="Exit codes: 0 done, 1 it failed, 2 wrong usage or invalid input.",
    )
    made.callback()(main)
    for name in names:
        panel, place = COMMANDS[name]
        module, _, attribute = place.partition(":")
        found = getattr(import_module(f"quota_enforcer.cli.{module}"), attribute)
        if isinstance(found, typer.Typer):
            made.add_typer(found, name=name, rich_help_panel=panel)
        else:
            needs_more = name in NEEDS_MORE
            made.command(name, no_args_is_help=needs_more, rich_help_panel=panel)(found)
    if COMPLETES in os.environ:
        from quota_enforcer.cli.terminal.completion.values import offer_values  # noqa: PLC0415 - a command that runs needs none of it

        offer_values(made)
    return made


def __getattr__(name: str) -> typer.Typer:
    """`app`, with every command; made when somebody asks, since a command that runs does not."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    made = globals()["app"] = build(COMMANDS)
    return made


def demo(*, as_json: AsJson = False) -> None:
    """Run the whole product on an embedded AWS, with simulated time and real traffic.

    It needs no AWS account and leaves nothing behind.

    Examples:
      quota-enforcer demo
      quota-enforcer demo --json
    """
    with needing("local", "the demo"):
        from quota_enforcer.cli.offline.demo import demo as run  # noqa: PLC0415 - it loads a whole AWS
    run(as_json=as_json)


def _say_version(asked: bool) -> None:  # noqa: FBT001 - so Typer passes the value of a flag
    if not asked:
        return
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - who runs a command does not wait for it

    try:
        say(f"quota-enforcer {version('quota-enforcer')}")
    except PackageNotFoundError:
        say("quota-enforcer, from a source tree that is not installed")
    raise typer.Exit


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
