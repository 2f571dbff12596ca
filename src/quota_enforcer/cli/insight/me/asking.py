"""`me ask`: a request for a higher limit, which gives nothing until an admin raises the limit."""

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from quota_enforcer.cli.deployment.target import Target
from quota_enforcer.cli.insight.me import question
from quota_enforcer.cli.insight.me.question import Url
from quota_enforcer.cli.terminal.options import AsJson, on_target
from quota_enforcer.cli.terminal.output import hint, say, say_json
from quota_enforcer.core.notices import wording
from quota_enforcer.core.quotas.form.ends import END_FORMS


@on_target
def ask(  # noqa: PLR0913 - one argument for each part of it
    where: Target,
    quota: Annotated[str, typer.Argument(metavar="NAME", help="Your quota, as `me` names it.")],
    limit: Annotated[
        str, typer.Argument(metavar="LIMIT", help="The limit you need: 5M, 5_000_000 or $50.")
    ],
    *,
    until: Annotated[
        str,
        typer.Option(metavar="WHEN", help=f"When it ends: {END_FORMS}; at most 31 days from now."),
    ],
    why: Annotated[
        str, typer.Option(metavar="TEXT", help="For whoever decides: at most 200 characters.")
    ],
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Ask administrators for a higher limit until a moment.

    They are told within minutes, with the command that grants it. Nothing
    changes until one of them runs it; you are told then, and `me` shows what
    became of it. You may ask once in an hour; what you ask takes the place of
    what you asked before.

    Examples:
      quota-enforcer me ask daily 5M --until 1d --why "release day"
      quota-enforcer me ask monthly '$50' --until 2026-12-31 --why "load test"
    """
    wish = {"quota": quota, "limit": limit, "until": until, "why": why}
    answer = question.ask(where, url, wish)
    if as_json:
        say_json(answer)
        return
    zone = ZoneInfo(answer["time_zone"])
    request = answer["request"]
    ends = wording.moment(datetime.fromisoformat(request["until"]), zone)
    say(f"Asked for {request['asked']} of quota {request['quota']} until {ends}.")
    hint("Administrators are told within minutes; `quota-enforcer me` shows what becomes of it.")
