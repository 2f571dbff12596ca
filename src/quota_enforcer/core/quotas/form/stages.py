"""What `closes` says: scopes that close at the limit, or a map of parts of the limit to scopes."""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from quota_enforcer.core.quotas.form import values
from quota_enforcer.core.quotas.quota import Quota
from quota_enforcer.core.quotas.stage import AT_LIMIT, Stage, closed_words, opened_again
from quota_enforcer.core.usage.model import MODEL_SCOPE, ModelScope

COUNTED = (
    "patterns of models such as anthropic.* or anthropic.claude-3-opus*, since `closes` says what "
    "is closed"
)
_STAGES = (
    "or a map of percentages of the limit, 1 to 100, to such, as in "
    '{"80": ["anthropic.claude-3-opus*"], "100": ["*"]}'
)
_PERCENT = re.compile(r"(\d{1,3}) ?%?")
_SCOPE = re.compile(MODEL_SCOPE)


class Closing(NamedTuple):
    """What an item closes, and when."""

    stages: tuple[Stage, ...] = ()
    at_limit: tuple[ModelScope, ...] = ()
    """Empty where it is what the quota counts."""


NOT_SAID = Closing()


def installed_words(scopes: Iterable[str]) -> str:
    """Which scopes can be closed, and how to install another."""
    return (
        f"installed model scopes: {', '.join(sorted(scopes))}; to install another, "
        "set one of the stack's parameters ModelScope1 to ModelScope5"
    )


def closes_words(scopes: Iterable[str]) -> str:
    return f"{installed_words(scopes)}; {_STAGES}"


def installed(value: Any, scopes: Collection[str]) -> tuple[ModelScope, ...]:
    """Scopes that can be closed; raises one of WRONG for others."""
    patterns = values.texts(value)
    if not patterns or not set(patterns) <= set(scopes):
        raise ValueError
    return tuple(map(ModelScope, patterns))


def counted(value: Any) -> tuple[ModelScope, ...]:
    """Scopes that are only counted, so that none need be installed; raises one of WRONG."""
    patterns = values.texts(value)
    if not patterns or not all(map(_can_count, patterns)):
        raise ValueError
    return tuple(map(ModelScope, patterns))


def closing(value: Any, scopes: Collection[str]) -> Closing:
    """Raises one of WRONG."""
    if not isinstance(value, Mapping):
        return Closing(at_limit=installed(value, scopes))
    if not value:
        raise ValueError
    by_percent: dict[int, tuple[ModelScope, ...]] = {}
    for key, several in value.items():
        percent = _percent(key)
        if percent in by_percent:
            raise values.NotAllowed(f"each percentage once; {percent} % stands twice")
        by_percent[percent] = installed(several, scopes)
    at_limit = by_percent.pop(AT_LIMIT, ())
    return Closing(tuple(Stage(each, by_percent[each]) for each in sorted(by_percent)), at_limit)


def out_of_order(quota: Quota) -> str:
    """What a later stage would open again, and how to put it right; empty if none does."""
    found = opened_again(quota.all_stages)
    if found is None:
        return ""
    later, earlier, scope = found
    return (
        f"every stage to close at least what the one before it does: {later.percent} % closes "
        f"{closed_words(later.closes)} and would open {scope} again, which {earlier.percent} % "
        f"closes; add it at {later.percent} %"
    )


def stated(quota: Quota) -> dict[str, Any]:
    """The attribute as an item has it; none where the quota closes what it counts."""
    if not quota.stages:
        return {"closes": list(map(str, quota.closes))} if quota.closes else {}
    last = [Stage(AT_LIMIT, quota.closes)] if quota.closes else []
    several = (*quota.stages, *last)
    return {"closes": {str(each.percent): list(map(str, each.closes)) for each in several}}


def _percent(key: Any) -> int:
    found = _PERCENT.fullmatch(values.text(key))
    percent = int(found[1]) if found else 0
    if not 1 <= percent <= AT_LIMIT:
        raise values.NotAllowed(f"percentages of the limit from 1 to 100, not {key!r}")
    return percent


def _can_count(pattern: str) -> bool:
    """Whether it may be meant: of no vendor that is known, it would count nothing."""
    return bool(_SCOPE.fullmatch(pattern)) and ModelScope(pattern).of_known_vendor
