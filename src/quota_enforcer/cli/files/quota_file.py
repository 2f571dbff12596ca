"""What the items of a file say: read as strictly as the quota table's items are."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from quota_enforcer.cli.files.items import FileItem, read_items
from quota_enforcer.core.errors import InvalidPolicyInput, InvalidQuota
from quota_enforcer.core.policies.names import checked_scopes
from quota_enforcer.core.pricing.item import is_price, read_price
from quota_enforcer.core.pricing.rate import Rate
from quota_enforcer.core.quotas.item import Item, read_quota
from quota_enforcer.core.quotas.quota import Rule
from quota_enforcer.core.usage.model import EVERY_MODEL


@dataclass(frozen=True, slots=True)
class ParsedItem:
    """An item of a file and what it says: a rule, or a price by what it is the price of.

    Neither where it is disabled, and where it has problems.
    """

    placed: FileItem
    problems: tuple[str, ...] = ()
    rule: Rule | None = None
    price: tuple[str, Rate] | None = None

    @property
    def words(self) -> str:
        """What is wrong and where: a line, then one for each problem."""
        subject, name = self.placed.key
        lines = [f"{self.placed.where}quota {name!r} of {subject!r} is not valid:"]
        return "\n  - ".join([*lines, *self.problems])

    def to_json(self) -> dict[str, Any]:
        """For machines, where it has problems."""
        subject, name = self.placed.key
        return {
            "item": self.placed.place,
            "line": self.placed.line or None,
            "principal": subject,
            "quota": name,
            "problems": list(self.problems),
        }


@dataclass(slots=True)
class QuotaFile:
    """What a file of items says; `invalid` are the items that do not validate."""

    rules: list[Rule] = field(default_factory=list)
    prices: dict[str, Rate] = field(default_factory=dict)
    invalid: list[ParsedItem] = field(default_factory=list)


def read_quota_file(file: Path, zone: ZoneInfo) -> QuotaFile:
    """Read every item but those that are disabled; `zone` is that of moments without an offset.

    Raises typer.BadParameter where the file is no list of items at all.
    """
    found = QuotaFile()
    for each in judge_offline(read_items(file), zone):
        if each.placed.item.get("enabled") is False:
            continue
        if each.problems:
            found.invalid.append(each)
        elif each.price is not None:
            key, rate = each.price
            found.prices[key] = rate
        elif each.rule is not None:
            found.rules.append(each.rule)
    return found


def judge_items(
    items: Iterable[FileItem], zone: ZoneInfo, scopes: Collection[str]
) -> list[ParsedItem]:
    """What each item says, and what is wrong with it; `scopes` are the installed ones."""
    several = list(items)
    lines: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for each in several:
        lines[each.key].append(each.line)
    return [_judge(each, lines[each.key], zone, scopes) for each in several]


def _judge(
    placed: FileItem, lines: list[int], zone: ZoneInfo, scopes: Collection[str]
) -> ParsedItem:
    problems = list(placed.problems)
    if len(lines) > 1 and "principal" in placed.item and "quota" in placed.item:
        problems.append(
            f"it stands {len(lines)} times, in lines {', '.join(map(str, lines))}; "
            "the quota table has it once"
        )
    rule, price = None, None
    try:
        if is_price(placed.item):
            price = read_price(placed.item)
        elif placed.item or not problems:
            rule = read_quota(asked(placed.item), zone, scopes)
    except InvalidQuota as error:
        problems += error.problems
    if problems:
        return ParsedItem(placed, tuple(problems))
    enabled = placed.item.get("enabled") is not False
    return ParsedItem(placed, rule=rule if enabled else None, price=price)


def asked(item: Item) -> Item:
    """The item as if it were enabled: one that is not counts as absent, but must be right too."""
    return {name: value for name, value in item.items() if name != "enabled" or value is not False}


def judge_offline(items: Iterable[FileItem], zone: ZoneInfo) -> list[ParsedItem]:
    """The same without a deployment: every model scope counts as installed, if it could be."""
    several = list(items)
    scopes = {str(EVERY_MODEL)}.union(*(_named_scopes(each.item) for each in several))
    return [_installable(each) for each in judge_items(several, zone, scopes)]


def _named_scopes(item: Item) -> list[str]:
    models = item.get("models")
    several = models if isinstance(models, (list, set)) else [models]
    return [scope for scope in several if isinstance(scope, str)]


def _installable(judged: ParsedItem) -> ParsedItem:
    """A scope that no deployment can install would count nothing."""
    problems = []
    for scope in _named_scopes(judged.placed.item):
        try:
            checked_scopes([scope])
        except InvalidPolicyInput as error:
            problems.append(f"models: {error}")
    if not problems:
        return judged
    return ParsedItem(judged.placed, (*judged.problems, *problems))
