"""The commands: start one, point a shell to it, call, read the mail, move the clock, end it."""

import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quota_enforcer.cli.terminal.errors import needing
from quota_enforcer.cli.terminal.options import AsJson, OpenIt
from quota_enforcer.cli.terminal.output import echo, hint, say, say_json
from quota_enforcer.local.sandbox.home import Home, RunningSandbox

if TYPE_CHECKING:
    from quota_enforcer.local.demo.record import Letter
    from quota_enforcer.local.embedded import EmbeddedAws

app = typer.Typer()

MOST_WEEKS = 12
Who = Annotated[str, typer.Argument(metavar="NAME", help="Such as alice; or user/alice.")]


@dataclass(frozen=True, slots=True)
class _Here:
    """The sandbox that runs, and the AWS in it."""

    home: Home
    running: RunningSandbox
    aws: "EmbeddedAws"


@app.callback(invoke_without_command=True)
def start(
    ctx: typer.Context,
    *,
    weeks: Annotated[
        int, typer.Option(min=0, max=MOST_WEEKS, help="Weeks of history to begin with.")
    ] = 0,
    console: Annotated[
        bool, typer.Option("--console", help="Show it in a browser too; prints the address.")
    ] = False,
    open_: OpenIt = False,
) -> None:
    """Start a sandbox: the stack on an embedded AWS, people with keys, and a clock that runs.

    It runs until Ctrl-C, needs no AWS account, is reachable from this machine only, and leaves
    nothing behind.

    Examples:
      quota-enforcer sandbox
      quota-enforcer sandbox --weeks 3
      quota-enforcer sandbox --console --open
    """
    if ctx.invoked_subcommand is None:
        with needing("local", "the sandbox"):
            from quota_enforcer.cli.offline.sandbox.start import run  # noqa: PLC0415 - a whole AWS
        if console or open_:  # before the minutes that the weeks take
            with needing("console", "the console"):
                import_module("quota_enforcer.console.serve")
        run(weeks, console=console or open_, open_=open_)


@app.command()
def env(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="A user to be, such as alice.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Print what points a shell to the sandbox, as its admin or as one of its users.

    Every command, boto3 and the AWS CLI then work on it unchanged.

    Examples:
      eval "$(quota-enforcer sandbox env)"
      eval "$(quota-enforcer sandbox env alice)"
    """
    running = Home().running()
    found = running.environment
    if name is not None:
        found |= _key_of(running, name)
    if as_json:
        say_json(found)
        return
    for each in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "QUOTA_ENFORCER_STACK"):
        echo(f"unset {each}")
    for variable, value in found.items():
        echo(f"export {variable}={shlex.quote(value)}")


def _key_of(running: RunningSandbox, name: str) -> dict[str, str]:
    from quota_enforcer.local.sandbox.calls import member_named  # noqa: PLC0415 - loads an AWS

    principal = str(member_named(name).principal)
    if principal not in running.keys:
        users = ", ".join(sorted(running.keys))
        raise typer.BadParameter(f"{principal} has no key of its own; who has: {users}")
    id_, secret = running.keys[principal]
    return {"AWS_ACCESS_KEY_ID": id_, "AWS_SECRET_ACCESS_KEY": secret}


@app.command(no_args_is_help=True)
def call(
    name: Who,
    tokens: Annotated[
        str, typer.Argument(metavar="[TOKENS]", help="How many input tokens: 2000, 500k, 1.5M.")
    ] = "1k",
    *,
    model: Annotated[str, typer.Option(help="sonnet or haiku.")] = "sonnet",
    as_json: AsJson = False,
) -> None:
    """Call a model as somebody, with a real signed request, and print what IAM says.

    Examples:
      quota-enforcer sandbox call alice 500k
      quota-enforcer sandbox call role/batch --model haiku
    """
    from quota_enforcer.cli.offline.sandbox.use import say_call  # noqa: PLC0415 - loads an AWS

    with _here() as here:
        say_call(here.aws, here.running, (name, tokens, model), as_json=as_json)


@app.command()
def mail(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Only what is about this one.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show the notices that were sent, the newest last.

    Examples:
      quota-enforcer sandbox mail
      quota-enforcer sandbox mail alice
    """
    from quota_enforcer.local.sandbox.calls import member_named  # noqa: PLC0415 - loads an AWS
    from quota_enforcer.local.sandbox.mail import letters  # noqa: PLC0415 - likewise

    about = str(member_named(name).principal) if name else None
    with _here() as here:
        found = letters(here.aws, here.home, here.running.notices)
    shown = [letter for letter in found if about in {None, letter.principal}]
    if as_json:
        say_json([letter._asdict() for letter in shown])
        return
    if not shown:
        hint(f"No notice was sent{f' about {about}' if about else ''} so far.")
    for letter in shown:
        echo(f"Subject: {letter.subject}\n\n{_body(letter)}\n\n{'-' * 72}")


def _body(letter: "Letter") -> str:
    """A notice as it is; an alarm of CloudWatch is JSON, in which one text is for people."""
    if letter.kind:
        return letter.text.rstrip()
    return str(json.loads(letter.text).get("AlarmDescription", letter.text))


@app.command()
def clock(
    to: Annotated[
        str | None,
        typer.Argument(metavar="[TO]", help="+2h, +1d12h, or a moment: 2026-12-01T09:00 (UTC)."),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show the sandbox's time, or move it ahead: the schedules on the way are fired.

    Examples:
      quota-enforcer sandbox clock
      quota-enforcer sandbox clock +2h
    """
    from quota_enforcer.cli.offline.sandbox.use import moment_of  # noqa: PLC0415 - loads an AWS
    from quota_enforcer.local.sandbox.passing_time import move  # noqa: PLC0415 - likewise

    with _here() as here:
        if to is not None:
            move(here.aws, here.home, moment_of(to, here.aws.time), lambda _: None)
        if as_json:
            say_json({"now": here.aws.time})
            return
        say(f"{here.aws.time:%a %Y-%m-%d %H:%M:%S} UTC")


@app.command()
def stop() -> None:
    """End the sandbox that runs; nothing of it remains.

    Examples:
      quota-enforcer sandbox stop
    """
    from quota_enforcer.cli.offline.sandbox.use import end  # noqa: PLC0415 - loads an AWS

    with _here() as here:
        end(here.running.pid, here.home)
    hint("The sandbox has ended.")


@contextmanager
def _here() -> Iterator[_Here]:
    from quota_enforcer.local.embedded import EmbeddedAws  # noqa: PLC0415 - loads boto3

    home = Home()
    running = home.running()
    with EmbeddedAws.attached(running.endpoint, Path(running.clock_file)) as aws:
        yield _Here(home, running, aws)
