"""A file of quota and price items, JSON or YAML: each item, its line, its rule or its problems.

Numbers stay exact and moments stay text, as DynamoDB has them.
"""

import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import typer

from quota_enforcer.cli.files.json import entries as json_entries
from quota_enforcer.cli.files.logs import STDIN
from quota_enforcer.cli.files.values import unstorable
from quota_enforcer.core.errors import InvalidPolicyInput, InvalidQuota
from quota_enforcer.core.policies.names import checked_scopes
from quota_enforcer.core.pricing.item import is_price, read_price
from quota_enforcer.core.pricing.rate import Rate
from quota_enforcer.core.quotas.form.shorthand import item_form
from quota_enforcer.core.quotas.form.values import WRONG
from quota_enforcer.core.quotas.form.whom import named_by
from quota_enforcer.core.quotas.item import Item, read_rule
from quota_enforcer.core.quotas.quota import Rule
from quota_enforcer.core.quotas.stage import AT_LIMIT
from quota_enforcer.core.quotas.subject import members_by_team, with_members
from quota_enforcer.core.usage.model import EVERY_MODEL

JSON_SUFFIX = ".json"
_NAMED = {JSON_SUFFIX: True, ".yaml": False, ".yml": False}
"""Whether a file of this suffix is JSON; for another suffix the text decides."""
_FORM = "expected a list of items as they stand in the quota table, each with principal and quota"


@dataclass(frozen=True, slots=True)
class FileItem:
    """An item, its place in the file (from 1), its line, and why it could not be read.

    An item of the quota table has line 0.
    """

    item: Item
    place: int
    line: int
    problems: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """Subject and name, as written."""
        return str(self.item.get("principal")), str(self.item.get("quota"))

    @property
    def where(self) -> str:
        """`item 3 (line 12): `; empty for an item of the table."""
        return f"item {self.place} (line {self.line}): " if self.line else ""


def read_items(file: Path) -> list[FileItem]:
    """The items of a file or of stdin; raises typer.BadParameter if it is not a list of items."""
    named = "stdin" if file == STDIN else repr(str(file))
    text = _text(file, named)
    try:
        return list(_items(file, text, named))
    except (ValueError, RecursionError) as error:
        raise typer.BadParameter(f"cannot read {named}: {error}; {_FORM}") from error


def table_items(items: Iterable[Item]) -> list[FileItem]:
    """The items of the quota table, for `judge_items`."""
    return [FileItem(item, place, 0) for place, item in enumerate(items, start=1)]


def _text(file: Path, named: str) -> str:
    try:
        raw = sys.stdin.buffer.read() if file == STDIN else file.read_bytes()
        return raw.decode("utf-8-sig")
    except OSError as error:
        raise typer.BadParameter(f"cannot read {named}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise typer.BadParameter(
            f"{named} is not UTF-8: {error.reason} at byte {error.start}"
        ) from error


def _items(file: Path, text: str, named: str) -> Iterator[FileItem]:
    for place, (entry, line, problems) in enumerate(_entries(file, text), start=1):
        if not line:
            raise typer.BadParameter(f"{named} holds no list of items: {_FORM}")
        if not isinstance(entry, dict):
            raise typer.BadParameter(
                f"{named} holds no list of items: entry {place} (line {line}) is "
                f"{str(entry)[:60]!r}; {_FORM}"
            )
        yield FileItem(entry, place, line, (*problems, *unstorable(entry)))


def _entries(file: Path, text: str) -> Iterator[tuple[Any, int, list[str]]]:
    if _NAMED.get(file.suffix.lower(), text.lstrip()[:1] in {"[", "{"}):
        return json_entries(text)
    from quota_enforcer.cli.files.yaml import entries  # noqa: PLC0415 - only YAML pays for it

    return entries(text)


@dataclass(frozen=True, slots=True)
class ParsedItem:
    """An item of a file and its rule, or its price with the price's key.

    A disabled item, or one with problems, has neither.
    """

    placed: FileItem
    problems: tuple[str, ...] = ()
    rule: Rule | None = None
    price: tuple[str, Rate] | None = None

    @property
    def words(self) -> str:
        """A line that names the item, then a line for each problem."""
        subject, name = self.placed.key
        lines = [f"{self.placed.where}quota {name!r} of {subject!r} is not valid:"]
        return "\n  - ".join([*lines, *self.problems])

    def to_json(self) -> dict[str, Any]:
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
    """The rules and prices of a file; `invalid` are the items that have problems."""

    rules: list[Rule] = field(default_factory=list)
    prices: dict[str, Rate] = field(default_factory=dict)
    invalid: list[ParsedItem] = field(default_factory=list)


def read_quota_file(file: Path, zone: ZoneInfo, home: str = "") -> QuotaFile:
    """Read every item that is not disabled; `zone` is for moments without an offset.

    Raises typer.BadParameter if the file is not a list of items.
    """
    found = QuotaFile()
    for each in judge_offline(read_items(file), zone, home):
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
    items: Iterable[FileItem],
    zone: ZoneInfo,
    scopes: Collection[str],
    table: Iterable[Item] = (),
    home: str = "",
) -> list[ParsedItem]:
    """Each item with its rule or its problems; `scopes` are the installed model scopes.

    Teams that the items do not tell of are as in `table`. An ARN is whom it names; principals of
    the account `home` have no number.
    """
    several = [_named(each, home) if each.line else each for each in items]
    told = (item_form(each.item) if each.line else each.item for each in several)
    teams = members_by_team(table) | members_by_team(told)
    lines: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for each in several:
        lines[each.key].append(each.line)
    reading = _ReadingItems(teams, zone, scopes, home)
    return [_judge(each, lines[each.key], reading) for each in several]


def _named(placed: FileItem, home: str) -> FileItem:
    """The item with its principal by name."""
    subject = placed.item.get("principal")
    if not isinstance(subject, str) or not subject.startswith("arn:"):
        return placed
    try:
        return replace(placed, item={**placed.item, "principal": named_by(subject, home)})
    except WRONG:  # as the reading of the item says
        return placed


@dataclass(frozen=True, slots=True)
class _ReadingItems:
    """What the rules of several items are read by."""

    teams: Mapping[str, Any]
    zone: ZoneInfo
    scopes: Collection[str]
    home: str

    def rule(self, item: Item) -> Rule:
        return read_rule(with_members(item, self.teams), self.zone, self.scopes, self.home)


def _judge(placed: FileItem, lines: list[int], reading: _ReadingItems) -> ParsedItem:
    problems = list(placed.problems)
    if len(lines) > 1 and "principal" in placed.item and "quota" in placed.item:
        problems.append(
            f"it is there {len(lines)} times, in lines {', '.join(map(str, lines))}; "
            "the quota table has it once"
        )
    rule, price = None, None
    try:
        if is_price(placed.item):
            price = read_price(placed.item)
        elif placed.item or not problems:
            placed, rule = _rule(placed, reading)
    except InvalidQuota as error:
        problems += error.problems
    if problems:
        return ParsedItem(placed, tuple(problems))
    enabled = placed.item.get("enabled") is not False
    return ParsedItem(placed, rule=rule if enabled else None, price=price)


def _rule(placed: FileItem, reading: _ReadingItems) -> tuple[FileItem, Rule]:
    """Its rule; of a file, also if people wrote it as the table does not: `limit: 2M`."""
    try:
        return placed, reading.rule(placed.item)
    except InvalidQuota as error:
        form = item_form(placed.item)
        if not placed.line or form == placed.item:
            raise
        try:
            return replace(placed, item=form), reading.rule(form)
        except InvalidQuota:
            raise error from None


def judge_offline(items: Iterable[FileItem], zone: ZoneInfo, home: str = "") -> list[ParsedItem]:
    """The same without a deployment: every model scope that is possible counts as installed."""
    several = list(items)
    scopes = {str(EVERY_MODEL)}.union(*(_named_scopes(each.item) for each in several))
    return [_installable(each) for each in judge_items(several, zone, scopes, home=home)]


def _named_scopes(item: Item) -> dict[str, str]:
    """The scopes that it closes, each with the attribute that says so."""
    form = item_form(item)
    closes, models = form.get("closes"), form.get("models")
    stages = closes if isinstance(closes, Mapping) else {AT_LIMIT: closes}
    found = {scope: "closes" for scopes in stages.values() for scope in _texts(scopes)}
    if not any(_texts(stages.get(at)) for at in (AT_LIMIT, str(AT_LIMIT))):
        found |= dict.fromkeys(_texts(models), "models")
    return found


def _texts(value: Any) -> list[str]:
    several = value if isinstance(value, (list, set)) else [value]
    return [each for each in several if isinstance(each, str)]


def _installable(judged: ParsedItem) -> ParsedItem:
    """Adds the problem of a scope that no deployment can install."""
    problems = []
    for scope, attribute in _named_scopes(judged.placed.item).items():
        try:
            checked_scopes([scope])
        except InvalidPolicyInput as error:
            problems.append(f"{attribute}: {error}")
    if not problems:
        return judged
    return ParsedItem(judged.placed, (*judged.problems, *problems))
