"""`recount`: have the meter set past hours from the invocation log."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from quota_enforcer import clock
from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.terminal.errors import FAILED, NotYet
from quota_enforcer.cli.terminal.options import AsJson, on_deployment
from quota_enforcer.cli.terminal.output import fail, hint, progress, say_json
from quota_enforcer.cli.terminal.tables import say_table
from quota_enforcer.core.usage.place import is_place
from quota_enforcer.core.usage.stored import USAGE_KEPT
from quota_enforcer.core.usage.window import hour_start, next_hour

_HOUR = re.compile(r"2\d{3}-\d\d-\d\dT\d\d(?::?\d\d){0,2}(?:Z|[+-]\d\d:\d\d)?", re.ASCII)
"""A date alone is none: it could mean its first hour or the whole day."""

_HEAD = (
    "Hour (UTC)",
    "Calls in the log",
    "Buckets changed",
    "Principals",
    "Quarantined",
    "Left out",
)
_PLACE = "Place"
_NUMBERS = ("records", "buckets", "principals", "quarantined", "left_out")


@on_deployment
def recount(
    deployment: Deployment,
    hours: Annotated[
        str,
        typer.Argument(
            metavar="HOUR..HOUR",
            help="The first and the last hour, both included, such as "
            "2026-11-24T10..2026-11-24T14; in the deployment's time zone, or in UTC with a Z. "
            "One hour alone is just that one.",
        ),
    ],
    *,
    without: Annotated[
        list[str] | None,
        typer.Option(
            metavar="EVENT",
            help="The id of a log event that is no usage of anybody, such as a forged record; it "
            "stays left out. For one hour; repeatable.",
        ),
    ] = None,
    everything: Annotated[
        bool,
        typer.Option("--everything", help="Count again what was left out of these hours."),
    ] = False,
    place: Annotated[
        str,
        typer.Option(
            metavar="ACCOUNT/REGION",
            help="Only what was used there, where a satellite stands. Otherwise it is home and "
            "every satellite, and with --without or --everything home alone.",
        ),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Set the usage of past hours from the invocation log.

    It repairs usage after calls that could not be metered, an outage, or a subscription that was
    switched off, at today's prices. An hour is closed 10 minutes after its end.

    Examples:
      quota-enforcer recount 2026-11-24T10
      quota-enforcer recount 2026-11-24T10..2026-11-24T14
      quota-enforcer recount 2026-11-24T10 --without 3928475601234567890123
      quota-enforcer recount 2026-11-24T10 --place 444455556666/eu-west-1
    """
    if place and not is_place(place):
        raise typer.BadParameter(f"{place!r} is no place: write 444455556666/eu-west-1")
    wanted = _hours(hours, deployment)
    if without and (len(wanted) > 1 or everything):
        raise typer.BadParameter(
            "--without goes with one hour, that of the event, and not with --everything"
        )
    said: dict[str, Any] = {"place": place} if place else {}
    said |= {"without": without} if without else {"everything": True} if everything else {}
    _check_told(deployment)
    answers: list[dict[str, Any]] = []
    try:
        for hour in progress(wanted, "Recounting", len(wanted)):
            event = {"action": "recount", "hour": f"{hour:%Y-%m-%dT%H:%M:%SZ}", **said}
            answers += _by_place(deployment.ask_meter(event))
    finally:  # also if one hour fails: those before it are done
        _show(answers, place, as_json=as_json)
    if any(_has_failed(answer, place) for answer in answers):
        raise typer.Exit(FAILED)


def _by_place(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Home's answer, then those of the satellites."""
    return [answer, *answer.pop("places", [])]


def _has_failed(answer: dict[str, Any], asked: str) -> bool:
    """A satellite that stands since later than the hour refuses it, which is no failure."""
    return "unread" in answer or ("refused" in answer and answer.get("place", "") == asked)


def _check_told(deployment: Deployment) -> None:
    """The meter takes prices and watched sessions from the last sweep, not from the quota table."""
    if deployment.load(clock.now()).meter_rules != deployment.ledger.meter_rules():
        raise NotYet(
            "the meter does not know the latest prices and quotas yet: run `quota-enforcer sweep` "
            "first, then this again"
        )


def _show(answers: list[dict[str, Any]], place: str, *, as_json: bool) -> None:
    if as_json:
        say_json({"hours": answers})
    elif done := [each for each in answers if not {"refused", "unread"} & each.keys()]:
        several = any("place" in answer for answer in done)
        say_table(
            (*_HEAD[:1], *([_PLACE] if several else []), *_HEAD[1:]),
            [
                (
                    answer["hour"],
                    *([answer.get("place", "home")] if several else []),
                    *(f"{answer.get(name, 0):,}" for name in _NUMBERS),
                )
                for answer in done
                if answer.get("place", "") == place or answer["records"] or answer["buckets"]
            ],
            numbers=_HEAD[1:],
        )
    for answer in answers:
        if "refused" in answer and answer.get("place", "") != place:
            hint(f"{answer['place']}: {answer['refused']}")
        elif "refused" in answer:
            fail(answer["refused"])
        elif "unread" in answer:
            fail(
                f"{answer['place']} cannot be read ({answer['unread']}), so nothing was set there; "
                f"the hour from {answer['hour']} stays asked for, and is tried again every hour: "
                "`quota-enforcer doctor` looks at each satellite"
            )


def _hours(text: str, deployment: Deployment) -> list[datetime]:
    """The starts in UTC of the hours that are meant."""
    zone = deployment.settings.zone
    first, dots, last = text.partition("..")
    hour = hour_start(_moment(first, deployment), zone)
    end = hour_start(_moment(last, deployment), zone) if dots else hour
    if end < hour:
        raise typer.BadParameter(f"{last!r} is before {first!r}: write the earlier hour first")
    if end - hour > USAGE_KEPT:
        raise typer.BadParameter(
            f"{text!r} is more than the {USAGE_KEPT.days} days that usage is kept"
        )
    found = []
    while hour <= end:
        found.append(hour)
        hour = next_hour(hour, zone)
    return found


def _moment(text: str, deployment: Deployment) -> datetime:
    try:
        moment = datetime.fromisoformat(text if _HOUR.fullmatch(text) else "")
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no hour: write 2026-11-24T10, or 2026-11-24T10..2026-11-24T14"
        ) from None
    local = moment if moment.tzinfo else moment.replace(tzinfo=deployment.settings.zone)
    return local.astimezone(UTC)
