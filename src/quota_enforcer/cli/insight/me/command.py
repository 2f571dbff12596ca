"""`me`: where the caller stands, asked of the self-service function with the caller's own key."""

from typing import Annotated

import typer

from quota_enforcer.cli.deployment.target import Target
from quota_enforcer.cli.insight.me import page, question
from quota_enforcer.cli.insight.me.asking import ask
from quota_enforcer.cli.insight.me.credentials import say_credentials
from quota_enforcer.cli.insight.me.line import say_line
from quota_enforcer.cli.insight.me.question import Url
from quota_enforcer.cli.terminal.options import AsJson, on_target
from quota_enforcer.cli.terminal.output import say_json

app = typer.Typer(invoke_without_command=True)


@app.callback(invoke_without_command=True)
@on_target
def me(
    where: Target,
    ctx: typer.Context,
    *,
    url: Url = None,
    as_line: Annotated[
        bool,
        typer.Option(
            "--line", help="Print one short line for a prompt; kept for a minute, always exit 0."
        ),
    ] = False,
    as_credentials: Annotated[
        bool,
        typer.Option(
            "--credential-process",
            help="Print your credentials for AWS tools, or refuse while you are blocked.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show your own usage, limits and resets, and what is blocked until when.

    It is asked with your own AWS credentials, and answers about you alone.
    An admin lets you ask with the policy that `quota-enforcer policy me` prints.

    Examples:
      quota-enforcer me
      quota-enforcer me --url https://abcdefgh.lambda-url.eu-central-1.on.aws/
      quota-enforcer me --json
      quota-enforcer me --line
      quota-enforcer me --credential-process --profile work
    """
    if ctx.invoked_subcommand:
        _refuse_options(ctx)
        return
    if as_line + as_credentials + as_json > 1:
        raise typer.BadParameter("give one of --line, --credential-process and --json")
    if as_line:
        say_line(where, url)
    elif as_credentials:
        say_credentials(where, url)
    elif as_json:
        say_json(question.ask(where, url))
    else:
        page.show(question.ask(where, url))


def _refuse_options(ctx: typer.Context) -> None:
    """Those before `ask` would be lost on it."""
    for parameter in ctx.command.params:
        source = ctx.get_parameter_source(parameter.name or "")
        if source is not None and source.name == "COMMANDLINE":
            words = f"write {parameter.opts[0]} after `me {ctx.invoked_subcommand}`"
            raise typer.BadParameter(words)


app.command(no_args_is_help=True)(ask)
