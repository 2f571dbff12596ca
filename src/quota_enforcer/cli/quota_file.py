"""A file of quota and price items, JSON or YAML, read as strictly as the quota table's items are.

Numbers stay exact and moments stay text, as DynamoDB has them.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import typer

from quota_enforcer.core.errors import InvalidPolicyInput, InvalidQuota
from quota_enforcer.core.model import EVERY_MODEL
from quota_enforcer.core.policies.names import checked_scopes
from quota_enforcer.core.price import Rate
from quota_enforcer.core.price_item import is_price, read_price
from quota_enforcer.core.quota import Quota, Rule
from quota_enforcer.core.quota_item import Item, read_quota

_NAMED = {".json": True, ".yaml": False, ".yml": False}
"""Whether a file of this suffix is JSON; of another one the text itself tells."""
_MERGE = "tag:yaml.org,2002:merge"
"""The tag of YAML's `<<`, which takes over what stands elsewhere."""
_FORM = "expected a list of items as they stand in the quota table, each with principal and quota"


@dataclass(slots=True)
class QuotaFile:
    """What a file of items says.

    `invalid` has one error for each item that does not validate, by its place, the first being 1.
    """

    rules: list[Rule] = field(default_factory=list)
    prices: dict[str, Rate] = field(default_factory=dict)
    invalid: dict[int, InvalidQuota] = field(default_factory=dict)


def read_quota_file(file: Path, zone: ZoneInfo) -> QuotaFile:
    """Read every item; `zone` is that of moments without an offset.

    Every model scope that an item names counts as installed, if it could be. Raises
    typer.BadParameter where the file is no list of items at all.
    """
    items = _items(file)
    scopes = {str(EVERY_MODEL)}.union(*map(_scopes, items))
    found = QuotaFile()
    keys = Counter(map(_key, items))
    for place, item in enumerate(items, start=1):
        try:
            _check_key(item, keys[_key(item)])
            if is_price(item):
                key, rate = read_price(item)
                found.prices[key] = rate
            elif (rule := read_quota(item, zone, scopes)) is not None:
                _check_scopes(rule)
                found.rules.append(rule)
        except InvalidQuota as error:
            found.invalid[place] = error
    return found


def _key(item: Item) -> tuple[str, str]:
    return str(item.get("principal")), str(item.get("quota"))


def _check_key(item: Item, times: int) -> None:
    if times > 1:
        raise InvalidQuota(*_key(item), [f"it stands {times} times; the quota table has it once"])


def _check_scopes(rule: Rule) -> None:
    """A scope that no deployment can install would count nothing."""
    problems = []
    for scope in rule.models if isinstance(rule, Quota) else ():
        try:
            checked_scopes([str(scope)])
        except InvalidPolicyInput as error:
            problems.append(f"models: {error}")
    if problems:
        raise InvalidQuota(rule.whom, rule.name, problems)


def _items(file: Path) -> list[Item]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise typer.BadParameter(f"cannot read {str(file)!r}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise typer.BadParameter(f"{str(file)!r} is not UTF-8: {error.reason}") from error
    try:
        items = _json(text) if _is_json(file, text) else _yaml(text)
    except _Twice as error:
        raise typer.BadParameter(f"{str(file)!r}: {error}") from error
    except (ValueError, RecursionError) as error:
        raise typer.BadParameter(f"cannot read {str(file)!r}: {error}; {_FORM}") from error
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise typer.BadParameter(f"{str(file)!r} holds no list of items: {_FORM}")
    return items


def _is_json(file: Path, text: str) -> bool:
    return _NAMED.get(file.suffix.lower(), text.lstrip()[:1] in {"[", "{"})


def _scopes(item: Item) -> list[str]:
    """The model scopes that an item names, installed or not."""
    models = item.get("models")
    several = models if isinstance(models, (list, set)) else [models]
    return [each for each in several if isinstance(each, str)]


class _Twice(ValueError):
    """An attribute stands twice in one item."""


def _once(pairs: Iterable[tuple[Any, Any]]) -> dict[Any, Any]:
    """An object whose attributes stand once each."""
    found: dict[Any, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _Twice(f"attribute {name!r} stands twice in one item: remove one")
        found[name] = value
    return found


def _json(text: str) -> Any:
    def refuse(word: str) -> Decimal:
        raise ValueError(f"{word} is no number")

    return json.loads(text, parse_float=Decimal, parse_constant=refuse, object_pairs_hook=_once)


def _exact(text: str) -> Decimal:
    """A number as it is written: YAML would read `1:30` as 90 and `010` as 8."""
    try:
        return Decimal(text.replace("_", ""))
    except ArithmeticError:
        raise ValueError(f"{text} is no number") from None


def _yaml(text: str) -> Any:
    import yaml  # noqa: PLC0415 - only who has YAML pays for it

    class Loader(yaml.SafeLoader):
        """As the quota table has values: exact numbers, moments as text, attributes once each."""

    def mapping(loader: Loader, node: yaml.MappingNode) -> dict[Any, Any]:
        own = [name for name, _ in node.value if name.tag != _MERGE]
        _once((loader.construct_object(name, deep=True), None) for name in own)
        loader.flatten_mapping(node)  # what `<<` brings in stands first, so its own come after
        return dict(loader.construct_pairs(node, deep=True))

    make: dict[str, Any] = {
        "map": mapping,
        "int": lambda loader, node: _exact(loader.construct_scalar(node)),
        "float": lambda loader, node: _exact(loader.construct_scalar(node)),
        "timestamp": lambda loader, node: loader.construct_scalar(node),
    }
    for tag, construct in make.items():
        Loader.add_constructor(f"tag:yaml.org,2002:{tag}", construct)
    try:
        return yaml.load(text, Loader)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, TypeError) as error:
        raise ValueError(" ".join(str(error).split())) from error
