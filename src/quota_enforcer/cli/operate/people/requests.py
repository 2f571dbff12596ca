"""`requests`: what people ask for, and what admins answer; `quota raise` grants it."""

from typing import Annotated, Any

import typer

from quota_enforcer import clock
from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.terminal.options import AsJson, PrincipalArg, on_deployment
from quota_enforcer.cli.terminal.output import hint, say, say_json
from quota_enforcer.cli.terminal.tables import say_table, styled
from quota_enforcer.core.errors import NotThere, UnknownIdentity
from quota_enforcer.core.notices import wording
from quota_enforcer.core.notices.amounts import exact
from quota_enforcer.core.principal import Principal, canonical, identify
from quota_enforcer.core.quotas.request import RaiseRequest, Refusal, RequestState, plain
from quota_enforcer.decide.rules.requests import answer

app = typer.Typer(no_args_is_help=True, help="What people ask for: see it, refuse it.")


@app.command("list")
@on_deployment
def list_(
    deployment: Deployment,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Answered ones too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show who waits for a higher limit, with the command that grants it.

    Examples:
      quota-enforcer requests list
      quota-enforcer requests list --all --json
    """
    now, zone = clock.now(), deployment.settings.zone
    book = deployment.load(now).book
    answers = {each: answer(each, book, now) for each in deployment.requests().requests()}
    shown = sorted(
        (each for each in answers if everything or answers[each] is RequestState.WAITS),
        key=lambda each: each.at,
    )
    if as_json:
        say_json([_document(each, answers[each]) for each in shown])
        return
    if not shown:
        say("Nobody waits for an answer." if not everything else "Nobody has asked.")
        return
    say_table(
        ("Who", "Quota", "Asks for", "Until", "Why", "State"),
        [
            (
                str(each.principal),
                each.quota,
                each.asked,
                wording.moment(each.until, zone),
                each.why,
                styled(answers[each]),
            )
            for each in shown
        ],
        narrow={"Why": 12, "Until": 10, "Asks for": 12},
    )
    for each in shown:
        if answers[each] is RequestState.WAITS:
            say(f"\nTo grant {each.principal}: {each.command}")
    hint("To refuse one: quota-enforcer requests deny PRINCIPAL --why TEXT")


@app.command(no_args_is_help=True)
@on_deployment
def deny(
    deployment: Deployment,
    principal: PrincipalArg,
    *,
    why: Annotated[
        str, typer.Option(metavar="TEXT", help="For whoever asked: at most 200 characters.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Refuse what somebody asked for; they are told within minutes, with the reason.

    It changes no quota. They may ask again an hour after they asked.

    Examples:
      quota-enforcer requests deny user/alice --why "use the cheaper model"
    """
    settings, now = deployment.settings, clock.now()
    whom = Principal.parse(canonical(principal, settings.account))
    table = deployment.requests()
    request = table.request(whom)
    if request is None:
        raise NotThere(
            f"{whom} has asked for nothing; `quota-enforcer requests list` shows who has"
        )
    became = answer(request, deployment.load(now).book, now)
    if became is not RequestState.WAITS or request.refusal is not None:
        raise NotThere(
            f"what {whom} asked for at {wording.moment(request.at, settings.zone)} is answered "
            f"already ({became}); `quota-enforcer requests list --all` shows it"
        )
    refusal = Refusal(now, _named(deployment.caller(), settings.account), plain(why))
    if not table.refuse(request, refusal):
        raise NotThere(f"what {whom} asked for has just changed: look at it again")
    if as_json:
        say_json(_document(request, RequestState.REFUSED) | {"refused_why": refusal.why})
        return
    say(f"Refused: {request.asked} of quota {request.quota} for {whom}.")
    hint("They are told by the next sweep, and see it with `quota-enforcer me`.")


def _named(arn: str, account: str) -> str:
    try:
        return str(identify(arn, account).principal)
    except UnknownIdentity:
        return arn


def _document(request: RaiseRequest, became: RequestState) -> dict[str, Any]:
    refusal = request.refusal
    return {
        "principal": str(request.principal),
        "subject": str(request.subject),
        "quota": request.quota,
        "measure": request.measure,
        "limit": exact(request.limit),
        "limit_before": exact(request.before),
        "until": request.until,
        "why": request.why,
        "asked_at": request.at,
        "answer": became,
        "refused_by": None if refusal is None else refusal.by,
        "refused_why": None if refusal is None else refusal.why,
        "command": request.command,
    }
