"""`me`: where the caller stands, asked of the self-service function with the caller's own key."""

from typing import Annotated, Final

import typer

from quota_enforcer.cli.insight.me import page, question
from quota_enforcer.cli.insight.me.credentials import say_credentials
from quota_enforcer.cli.insight.me.line import say_line
from quota_enforcer.cli.terminal.options import AsJson, Target, on_target
from quota_enforcer.cli.terminal.output import say_json

URL: Final = "QUOTA_ENFORCER_URL"
Url = Annotated[
    str | None,
    typer.Option(envvar=URL, help="The stack's output MeUrl. Default: read it there."),
]


@on_target
def me(
    where: Target,
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
