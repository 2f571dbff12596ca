"""The answer as a page: what is blocked until when, each quota, and whom to ask."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from rich.text import Text

from quota_enforcer import clock
from quota_enforcer.cli.terminal.output import hint, say
from quota_enforcer.cli.terminal.tables import bar, say_table, styled
from quota_enforcer.cli.terminal.when import freshness
from quota_enforcer.core.deployment import Mode
from quota_enforcer.core.notices import wording
from quota_enforcer.core.notices.amounts import dollars, lasting, limit_of, used_units
from quota_enforcer.core.quotas.describe import CLOSES
from quota_enforcer.core.quotas.quota import UNLIMITED
from quota_enforcer.core.quotas.request import RequestState
from quota_enforcer.core.quotas.stage import Stage
from quota_enforcer.core.usage.counts import Measure
from quota_enforcer.core.usage.model import ModelScope
from quota_enforcer.core.usage.place import EVERYWHERE, PlaceScope


def show(answer: dict[str, Any]) -> None:
    """All that the function said."""
    zone = ZoneInfo(answer["time_zone"])
    for place, standing in enumerate(answer["standings"]):
        if place:
            say("")
        _standing(standing, answer, zone)
    if answer.get("request"):
        say(f"\n{_asked(answer['request'], zone)}")
    say(f"\nTo get more: ask {answer['contact']}, or `quota-enforcer me ask`.")
    if answer["closed"]:
        hint("The stack is being deleted: everybody is free, and nobody will be blocked.")
    if answer["mode"] == Mode.OBSERVE:
        hint("In observe mode nobody is blocked.")


def _asked(request: dict[str, Any], zone: ZoneInfo) -> str:
    """What the caller asked for last, and what became of it."""
    asked = (
        f"You asked for {request['asked']} of {request['quota']} until "
        f"{_moment(request['until'], zone)}, at {_moment(request['asked_at'], zone)}"
    )
    why = f': "{request["refused_why"]}"' if request["refused_why"] else ""
    return f"{asked}: {_BECAME[RequestState(request['answer'])]}{why}."


_BECAME = {
    RequestState.WAITS: "no administrator has answered yet",
    RequestState.GRANTED: "granted, the limit was raised",
    RequestState.REFUSED: "refused",
    RequestState.LAPSED: "nobody answered before that",
}


def _standing(standing: dict[str, Any], answer: dict[str, Any], zone: ZoneInfo) -> None:
    fresh = freshness(answer["data_age_seconds"])
    say(f"{standing['principal']}, {answer['mode']} mode, {fresh}")
    for sentence in _denied(standing, zone):
        say(sentence)
    say_table(
        ("Quota", "Models", "Used", "", "%", "State", "Resets at"),
        [_cells(quota, zone) for quota in standing["quotas"]],
        numbers={"%"},
        narrow={"Models": 10, "Used": 13, "State": 10, "Resets at": 10},
    )
    for quota in standing["quotas"]:
        for sentence in _remarks(quota, zone):
            say(sentence)
    for sentence in _saved(standing["quotas"]):
        say(sentence)


def _denied(standing: dict[str, Any], zone: ZoneInfo) -> Iterator[str]:
    if standing["denied"]:
        what = ", ".join(standing["denied"])
        since, until, now = _read(standing["since"]), _read(standing["until"]), clock.now()
        closed = "Amazon Bedrock" if what == "*" else what
        lasted = f", for {lasting(now - since)}" if since else ""
        yield f"Blocked: {closed}, since {wording.moment(since, zone)}{lasted}."
        yield f"Opens again: {wording.moment_ahead(until, now, zone)}."
        yield f"What works: {wording.still_open(what)}"
    if standing["changing"]:
        yield "What is blocked is being changed just now: ask again in a minute."
    if standing["trouble"]:
        yield f"For your administrators: {standing['trouble']}."


def _saved(quotas: list[dict[str, Any]]) -> Iterator[str]:
    """What caching saved, of the quota that counts most of it."""
    most = max(quotas, key=lambda each: Decimal(each.get("saved_usd") or 0))
    if usd := Decimal(most.get("saved_usd") or 0):
        what = f"what {most['quota']} counts" if most["quota"] else "today's usage"
        yield f"Saved by caching: {dollars(usd)} of {what}."


def _cells(quota: dict[str, Any], zone: ZoneInfo) -> tuple[str | Text, ...]:
    percent = quota["percent"]
    return (
        quota["quota"] or "-",
        ", ".join(quota["models"]),
        _used(quota),
        bar(quota["state"], percent),
        "" if percent is None else str(percent),
        styled(quota["state"]),
        _resets(quota, zone),
    )


def _used(quota: dict[str, Any]) -> str:
    """How much of how much; `~` marks money that is partly assumed."""
    if not quota["measure"]:
        return ""
    used, limit = Decimal(quota["used"]), quota["limit"]
    shown = (UNLIMITED if limit is None else Decimal(limit)) if quota["quota"] else None
    return ("~" if _assumed(quota) else "") + used_units(
        used, shown, Measure(quota["measure"]).words
    )


def _assumed(quota: dict[str, Any]) -> Decimal:
    """The dollars of a quota on money that are at assumed prices."""
    return (
        Decimal(quota["assumed_usd"] or 0) if quota["measure"] == Measure.COST_USD else Decimal(0)
    )


def _resets(quota: dict[str, Any], zone: ZoneInfo) -> str:
    if quota["resets_at"] is None and quota["window"].startswith("rolling"):
        return str(quota["window"])
    return _moment(quota["resets_at"], zone)


def _remarks(quota: dict[str, Any], zone: ZoneInfo) -> Iterator[str]:
    """What has no room in a cell."""
    name = quota["quota"]
    if quota["why"]:
        yield f"{name}: {quota['why']}."
    if quota["raised_until"] is not None:
        after = quota["limit_after"]
        limit = limit_of(UNLIMITED if after is None else Decimal(after),
                         Measure(quota["measure"]).words)  # fmt: skip
        yield f"{name}: raised until {_moment(quota['raised_until'], zone)}, then {limit}."
    if quota.get("closes"):
        yield f"{name}: closes {_stages(quota['closes'])}."
    where = PlaceScope(tuple(quota.get("accounts", ())), tuple(quota.get("regions", ())))
    if where != EVERYWHERE:
        yield f"{name}: only what is used {where} counts; a block of it closes {CLOSES}."
    if assumed := _assumed(quota):
        models = ", ".join(quota["unpriced"])
        yield f"{name}: ~ holds {dollars(assumed)} at assumed prices, those of {models}."


def _stages(several: list[dict[str, Any]]) -> str:
    """`anthropic.claude-3-opus* at 80 %, everything at 100 %`."""
    stages = (Stage(each["percent"], tuple(map(ModelScope, each["models"]))) for each in several)
    return ", ".join(map(str, stages))


def _moment(text: str | None, zone: ZoneInfo) -> str:
    return wording.moment(_read(text), zone)


def _read(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
