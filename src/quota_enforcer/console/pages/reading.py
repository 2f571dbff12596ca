"""Pages that only show: overview, people, activity and health; and whether they are up to date."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from quota_enforcer.cli.insight.explain.command import explained
from quota_enforcer.cli.insight.explain.verdict import facts
from quota_enforcer.cli.insight.explain.words import other_facts, rule_facts
from quota_enforcer.cli.insight.history import why
from quota_enforcer.console.page import desk, refuse, show
from quota_enforcer.console.pages.paging import part
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.principal import Principal
from quota_enforcer.doctor.run import checks, examine, unmade_check
from quota_enforcer.insight.report.lines import lines, remarks, stopped
from quota_enforcer.insight.report.model import UsageReport, by_model, by_spender
from quota_enforcer.insight.report.model_names import model_names
from quota_enforcer.insight.report.summary.money import Money
from quota_enforcer.insight.report.summary.short import in_short

_NEWEST: Final = 200
_TOP: Final = 8
_DAYS_SHOWN: Final = 14
_NO_CONTENT: Final = 204
TO: Final = {
    "money": "#models", "blocked": "#stopped", "next": "#next", "who": "/people",
    "models": "#models",
}  # fmt: skip
"""Where each card of the first screen leads."""


def overview(request: Request) -> HTMLResponse:
    """How much, who, what is blocked, and what runs out next."""
    look = desk(request).look
    mark, report = look.mark(), look.report()
    every = lines(report)
    money, names = Money.of(report), _names(report)
    return show(
        request,
        "reading/overview.html.j2",
        mark=mark,
        report=report,
        money=money,
        remarks=list(remarks(report, money)),
        halted=stopped(every),
        running_out=[line for line in every if line.running_out][:_TOP],
        spenders=[(str(each.principal), used) for each, used in by_spender(report)[:_TOP]],
        models=by_model(report)[:_TOP],
        names=names,
        short=in_short(report, every, names),
        to=TO,
    )


def live(request: Request) -> Response:
    """Nothing if the page that asks is up to date; else it is told to fetch itself again."""
    if desk(request).look.mark() == request.query_params.get("mark"):
        return Response(status_code=_NO_CONTENT)
    return Response(status_code=_NO_CONTENT, headers={"HX-Trigger": "changed"})


def people(request: Request) -> HTMLResponse:
    """A row for each principal, with the quota that matters most."""
    look = desk(request).look
    mark, report = look.mark(), look.report()
    wanted = request.query_params.get("q", "").strip().lower()
    worst = {line.who: line for line in reversed(lines(report))}
    month = Money.of(report).month.first
    rows = [
        (str(each.principal), worst.get(str(each.principal)), each.total(month).cost_usd)
        for each in report.people
        if wanted in str(each.principal).lower()
    ]
    order = {who: place for place, who in enumerate(reversed(worst))}
    rows.sort(key=lambda row: (order.get(row[0], len(order)), row[0]))
    return show(
        request, "reading/people.html.j2", mark=mark, part=part(request, rows), wanted=wanted
    )


def person(request: Request) -> HTMLResponse:
    """One principal: quotas, days, models, history, and why it is where it is."""
    look = desk(request).look
    who = Principal.parse(request.path_params["principal"])
    mark, report = look.mark(), look.report()
    found = [each for each in report.people if each.principal == who]
    if not found:
        return refuse(request, 404, f"{who} is not known: it has not used Bedrock yet.")
    several = [line for line in lines(report) if line.who == str(who)]
    days = found[0].by_day(report.days[-_DAYS_SHOWN])
    return show(
        request,
        "reading/person.html.j2",
        mark=mark,
        principal=str(who),
        lines=several,
        blocked=bool(stopped(several)),
        days=sorted(days.items(), reverse=True),
        busiest=max((counts.tokens for counts in days.values()), default=0),
        models=sorted(found[0].used(report.days[0]).items(), key=lambda each: -each[1].cost_usd),
        names=_names(report),
        history=_entries(request, look.deployment.ledger.history(who)[-_NEWEST:][::-1]),
        explained=_explained(request, who),
    )


def activity(request: Request) -> HTMLResponse:
    """What happened, the newest first, by whom and kind."""
    look = desk(request).look
    asked = request.query_params
    wanted, kind = asked.get("q", "").strip().lower(), asked.get("kind", "")
    mark, history = look.mark(), look.history(_NEWEST)
    shown = [
        each
        for each in history
        if wanted in f"{each.principal} {each.quota}".lower() and kind in {"", each.kind}
    ]
    return show(
        request,
        "reading/activity.html.j2",
        mark=mark,
        entries=_entries(request, shown),
        kinds=[str(each) for each in NoticeKind],
        wanted=wanted,
        kind=kind,
    )


def health(request: Request) -> HTMLResponse:
    """At once; the findings follow, since they take some seconds."""
    return show(request, "reading/health.html.j2", findings=None)


def findings(request: Request) -> HTMLResponse:
    look = desk(request).look
    under_check = look.deployment.under_check(look.now)
    examined = examine(checks(under_check), partial(unmade_check, under_check), list)
    return show(request, "reading/findings.html.j2", examined=examined)


def _names(report: UsageReport) -> Mapping[str, str]:
    return model_names(model for each in report.people for model in each.models)


def _entries(request: Request, several: list[Notice]) -> list[dict[str, Any]]:
    context = desk(request).look.context
    return [
        {
            "at": each.at,
            "kind": str(each.kind).replace("-", " "),
            "principal": each.principal,
            "quota": each.quota,
            "why": why(each, context),
        }
        for each in several
    ]


def _explained(request: Request, who: Principal) -> list[dict[str, Any]]:
    """For each quota its state, and every fact that `explain` tells."""
    look = desk(request).look
    deployment, context = look.deployment, look.context
    record = deployment.ledger.records([who])[who]
    found = explained(deployment, record, deployment.load(context.now).book, context)
    told = []
    for name in found.names:
        told += [
            {
                "name": name.name,
                "state": str(summed.row.state),
                "facts": [
                    *rule_facts(summed, name, context),
                    *facts(summed, found.standing, context),
                ],
            }
            for summed in name.sums
        ]
        if not name.sums:
            state = "exempt: no limit" if name.exempt else "none in force"
            told.append(
                {"name": name.name, "state": state, "facts": list(other_facts(name, context))}
            )
    return told
