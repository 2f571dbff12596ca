"""`me`: where the caller stands, asked of the self-service function with the caller's own key."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Final
from zoneinfo import ZoneInfo

import typer
from rich.text import Text

from quota_enforcer import clock
from quota_enforcer.cli.deployment import stack_outputs
from quota_enforcer.cli.terminal.errors import NoDeployment
from quota_enforcer.cli.terminal.options import AsJson, Target, on_target
from quota_enforcer.cli.terminal.output import hint, say, say_json, say_table
from quota_enforcer.cli.terminal.styles import bar, styled
from quota_enforcer.core.deployment import Mode
from quota_enforcer.core.errors import NotThere
from quota_enforcer.core.notices import wording
from quota_enforcer.core.notices.amounts import dollars, lasting, limit_of, used_units
from quota_enforcer.core.policies.callers import asking
from quota_enforcer.core.policies.document import compact
from quota_enforcer.core.quotas.describe import CLOSES
from quota_enforcer.core.quotas.quota import UNLIMITED
from quota_enforcer.core.usage.counts import Measure
from quota_enforcer.core.usage.place import EVERYWHERE, PlaceScope

if TYPE_CHECKING:
    import boto3

URL: Final = "QUOTA_ENFORCER_URL"


@on_target
def me(
    where: Target,
    *,
    url: Annotated[
        str | None,
        typer.Option(envvar=URL, help="The stack's output MeUrl. Default: read it there."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show your own usage, limits and resets, and what is blocked until when.

    It is asked with your own AWS credentials, and answers about you alone.
    An admin lets you ask with the policy that `quota-enforcer policy me` prints.

    Examples:
      quota-enforcer me
      quota-enforcer me --url https://abcdefgh.lambda-url.eu-central-1.on.aws/
      quota-enforcer me --json
    """
    answer = ask(where, url)
    if as_json:
        say_json(answer)
        return
    zone = ZoneInfo(answer["time_zone"])
    for place, standing in enumerate(answer["standings"]):
        if place:
            say("")
        _show(standing, answer, zone)
    say(f"\nTo get more: ask {answer['contact']}.")
    if answer["closed"]:
        hint("The stack is being deleted: everybody is free, and nobody will be blocked.")
    if answer["mode"] == Mode.OBSERVE:
        hint("In observe mode nobody is blocked.")


def _show(standing: dict[str, Any], answer: dict[str, Any], zone: ZoneInfo) -> None:
    age = answer["data_age_seconds"]
    fresh = "no usage seen yet"
    if age is not None:
        fresh = f"newest usage {lasting(timedelta(seconds=max(age, 0)))} old"
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
    where = PlaceScope(tuple(quota.get("accounts", ())), tuple(quota.get("regions", ())))
    if where != EVERYWHERE:
        yield f"{name}: only what is used {where} counts; a block of it closes {CLOSES}."
    if assumed := _assumed(quota):
        models = ", ".join(quota["unpriced"])
        yield f"{name}: ~ holds {dollars(assumed)} at assumed prices, those of {models}."


def _moment(text: str | None, zone: ZoneInfo) -> str:
    return wording.moment(_read(text), zone)


def _read(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


OUTPUT: Final = "MeUrl"
"""The stack's output that says where to ask."""


def ask(where: Target, url: str | None) -> dict[str, Any]:
    """What the function says of the caller, at this URL or at the one that the stack names."""
    import boto3  # noqa: PLC0415 - help and completion must not wait for it
    from botocore.exceptions import NoCredentialsError  # noqa: PLC0415 - likewise

    from quota_enforcer.aws.functions import function_url  # noqa: PLC0415 - likewise

    session = boto3.Session(profile_name=where.profile, region_name=where.region)
    credentials = session.get_credentials()
    if credentials is None:
        raise NoCredentialsError
    try:
        return function_url.ask(url or _found(session, where), credentials, session.region_name)
    except function_url.MayNotAsk as refusal:
        raise function_url.MayNotAsk(
            f"you may not ask ({refusal}). Have an administrator give you this policy, as "
            f"`quota-enforcer policy me` prints it: {compact(asking(where.stack))}"
        ) from refusal


def _found(session: "boto3.Session", where: Target) -> str:
    """The URL that the stack's output names; raises NotThere with what to do otherwise."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 - as boto3 above

    instead = (
        "give it with --url or QUOTA_ENFORCER_URL; administrators find it in the output "
        f"{OUTPUT} of stack {where.stack}"
    )
    try:
        found = stack_outputs(session, where.stack)
    except NoDeployment as error:
        raise NotThere(f"where to ask is not known: {error}; or {instead}") from error
    except ClientError as error:
        if "AccessDenied" not in error.response["Error"].get("Code", ""):
            raise
        raise NotThere(
            f"where to ask is not known, and you may not read stack {where.stack}: {instead}"
        ) from error
    if OUTPUT not in found:
        raise NotThere(
            f"stack {where.stack} has no output {OUTPUT}, so nobody can ask for their own usage: "
            "set its parameter SelfService to true and deploy again"
        )
    return found[OUTPUT]
