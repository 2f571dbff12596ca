"""What a quota item says of its limit: what counts, over which window, and what happens at it."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from quota_enforcer.core.quotas.form import stages, values, whom
from quota_enforcer.core.quotas.form.reading import ItemReading
from quota_enforcer.core.quotas.quota import (
    DEFAULT_WARNING,
    UNLIMITED,
    Action,
    Overshoot,
    Quota,
    Share,
    UnknownPrices,
)
from quota_enforcer.core.quotas.subject import Subject
from quota_enforcer.core.usage.counts import Measure
from quota_enforcer.core.usage.model import EVERY_MODEL, ModelScope
from quota_enforcer.core.usage.place import PlaceScope
from quota_enforcer.core.usage.window import Unit, Window

_MEASURES, _ACTIONS, _OVERSHOOTS, _UNKNOWN = (
    ", ".join(each) for each in (Measure, Action, Overshoot, UnknownPrices)
)


def quota_of(
    reading: ItemReading,
    subject: Subject,
    name: str,
    until: datetime | None,
    members: tuple[str, ...],
    share: Share,
) -> Quota:
    """A quota, but for whom it covers; what is wrong is told to the reading."""
    measure = reading.required("measure", Measure, _MEASURES, None)
    number, numbers = values.limit, values.NUMBERS
    if measure is None or measure.fractional:
        number, numbers = values.fraction, values.FRACTIONS
    raise_to = reading.optional(
        "raise_to", lambda value: UNLIMITED if value == "unlimited" else number(value),
        f"{numbers}, or 'unlimited'", None,
    )  # fmt: skip
    raise_until = reading.optional("raise_until", reading.moment, values.MOMENT, None)
    unusual = _unusual(reading, share)
    only_warns = unusual is not None
    if ("raise_to" in reading.item) != ("raise_until" in reading.item):
        reading.problems.append("raise_to and raise_until go together: set both or neither")
    closing = _closing(reading, only_warns=only_warns)
    return _in_order(reading, Quota(
        subject,
        name,
        until,
        members,
        share,
        measure=measure or Measure.REQUESTS,
        limit=_limit(reading, number, numbers, unusual),
        window=_window(reading),
        models=_models(reading, closing),
        stages=closing.stages,
        closes=closing.at_limit,
        places=_places(reading),
        warn_at=reading.optional(
            "warn_at", values.thresholds, "percentages from 1 to 99, one or a list",
            () if only_warns else (DEFAULT_WARNING,),
        ),
        action=reading.optional(
            "action", Action, _ACTIONS, Action.NOTIFY if only_warns else Action.DENY
        ),
        overshoot=_overshoot(reading, only_warns=only_warns),
        unusual=unusual,
        weights=_weights(reading, measure),
        unknown_prices=_unknown_prices(reading, measure),
        raise_to=raise_to,
        raise_until=raise_until,
        leads_raise_to=_leads_raise_to(reading, number, numbers, subject, share),
    ))  # fmt: skip


def _leads_raise_to(
    reading: ItemReading,
    number: Callable[[Any], Decimal],
    numbers: str,
    subject: Subject,
    share: Share,
) -> Decimal | None:
    found = reading.optional("leads_raise_to", number, numbers, None)
    if found is None:
        return None
    if not subject.is_team or share is Share.POOL or "unusual" in reading.item:
        reading.refuse(
            "leads_raise_to",
            "only of a team whose members each have the quota, without unusual",
        )
    return found


def _closing(reading: ItemReading, *, only_warns: bool) -> stages.Closing:
    """With `only_warns` the action is notify, unless the item says another one."""
    scopes = reading.scopes
    found = reading.optional(
        "closes",
        lambda value: stages.closing(value, scopes),
        stages.closes_words(scopes),
        stages.NOT_SAID,
    )
    action = reading.item.get("action", Action.NOTIFY if only_warns else Action.DENY)
    if found != stages.NOT_SAID and action == Action.NOTIFY:
        reading.refuse("closes", "only with action deny, since action notify closes nothing")
    elif found.stages and only_warns:
        reading.refuse("closes", "model scopes, with unusual: it closes in no stages")
    return found


def _models(reading: ItemReading, closing: stages.Closing) -> tuple[ModelScope, ...]:
    """What is counted; where it is what is closed too, it must be installed."""
    every = (EVERY_MODEL,)
    if closing.at_limit:
        return reading.optional("models", stages.counted, stages.COUNTED, every)
    scopes = reading.scopes
    return reading.optional(
        "models",
        lambda value: stages.installed(value, scopes),
        stages.installed_words(scopes),
        every,
    )


def _in_order(reading: ItemReading, quota: Quota) -> Quota:
    problem = stages.out_of_order(quota)
    if problem and not reading.problems:
        reading.refuse("closes", problem)
    return quota


def _places(reading: ItemReading) -> PlaceScope:
    none: tuple[str, ...] = ()
    return PlaceScope(
        reading.optional("accounts", whom.accounts, whom.ACCOUNTS, none),
        reading.optional("regions", whom.regions, whom.REGIONS, none),
    )


def _window(reading: ItemReading) -> Window:
    window = reading.required(
        "window",
        values.window,
        "hour, day, week, month, rolling N minutes, rolling N hours or rolling N days",
        None,
    )
    if window is None:
        return Window(Unit.DAY)  # never used, and what resets_on should be is not known
    if window.unit is Unit.WEEK:
        day = reading.optional("resets_on", values.week_day, "a day of the week, such as monday", 1)
    elif window.unit is Unit.MONTH:
        day = reading.optional("resets_on", values.month_day, "a day of the month from 1 to 31", 1)
    else:
        day = 1
        if "resets_on" in reading.item:
            reading.refuse("resets_on", "only with window week or month")
    return Window(window.unit, window.rolling, day)


def _weights(reading: ItemReading, measure: Measure | None) -> tuple[Decimal, ...]:
    none: tuple[Decimal, ...] = ()
    if measure is Measure.WEIGHTED_TOKENS:
        return reading.required("weights", values.weights, values.WEIGHTS, none)
    if measure is not None:
        _only_with(reading, Measure.WEIGHTED_TOKENS, "weights")
    return none


def _overshoot(reading: ItemReading, *, only_warns: bool) -> Overshoot:
    """With `only_warns` the action is notify, unless the item says another one."""
    found = reading.optional("overshoot", Overshoot, _OVERSHOOTS, Overshoot.ALLOW)
    action = reading.item.get("action", Action.NOTIFY if only_warns else Action.DENY)
    if found is Overshoot.AVOID and action == Action.NOTIFY:
        reading.refuse("overshoot", "allow, since action notify closes nothing")
    return found


def _unusual(reading: ItemReading, share: Share) -> Decimal | None:
    found = reading.optional("unusual", values.times, values.TIMES, None)
    if found is None:
        return None
    if reading.item.get("window", Unit.HOUR) != Unit.HOUR:
        reading.refuse("window", "hour, with unusual")
    if share is Share.POOL:
        reading.refuse("share", "each, with unusual: what is usual is each member's own")
    return found


def _limit(
    reading: ItemReading, number: Callable[[Any], Decimal], numbers: str, unusual: object
) -> Decimal:
    told = len(reading.problems)
    limit = reading.required("limit", number, numbers, Decimal(0))
    if unusual is not None and not limit and len(reading.problems) == told:
        reading.refuse("limit", "above 0 with unusual: no hour below it is unusual")
    return limit


def _unknown_prices(reading: ItemReading, measure: Measure | None) -> UnknownPrices:
    if measure is Measure.COST_USD:
        return reading.optional("unknown_prices", UnknownPrices, _UNKNOWN, UnknownPrices.WARN)
    if measure is not None:
        _only_with(reading, Measure.COST_USD, "unknown_prices")
    return UnknownPrices.WARN


def _only_with(reading: ItemReading, measure: Measure, attribute: str) -> None:
    if attribute in reading.item:
        reading.refuse(attribute, f"only with measure {measure}")
