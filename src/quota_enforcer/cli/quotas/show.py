"""`quota show`: one item, how it reads, whether it is in force, and to whom it applies."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from quota_enforcer import clock
from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.quotas.edit import no_such_item, stored_item
from quota_enforcer.cli.terminal.options import AsJson, Name, SubjectArg, on_deployment
from quota_enforcer.cli.terminal.output import say, say_json
from quota_enforcer.cli.terminal.tables import say_table
from quota_enforcer.core.errors import NotThere
from quota_enforcer.core.notices.amounts import listed
from quota_enforcer.core.pricing.item import is_price
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.describe import in_full
from quota_enforcer.core.quotas.diff import AUTHOR, content, shown
from quota_enforcer.core.quotas.item import Item
from quota_enforcer.core.quotas.precedence import QuotaBook, covers
from quota_enforcer.core.quotas.quota import Quota, Rule
from quota_enforcer.core.quotas.subject import covering
from quota_enforcer.insight.quotas.items import ItemState, states

_NAMED = 3


@dataclass(frozen=True, slots=True)
class Reach:
    """The rule applies to `applies`; a nearer rule of the same name applies to `nearer` instead.

    `unseen` are members who have not used Bedrock yet.
    """

    applies: tuple[str, ...]
    nearer: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """`2 known principals (user/a, user/b); 1 more has a nearer one (user/c)`."""
        if not (self.applies or self.nearer):
            words = "nobody who has used Bedrock yet"
        else:
            words = _principals(self.applies)
        if self.nearer:
            words += f"; a nearer one of that name counts for {_principals(self.nearer)}"
        if self.unseen and self.applies:
            words += f"; not seen yet: {listed(self.unseen, _NAMED)}"
        return words

    def to_json(self) -> dict[str, Any]:
        return {"applies": self.applies, "nearer": self.nearer, "unseen": self.unseen}


def reach(rule: Rule, book: QuotaBook, known: Iterable[Principal], now: datetime) -> Reach:
    """The principals that a rule covers; an exemption applies if no limit of its name is left."""
    everybody = set(known)
    covered = sorted(each for each in everybody if covers(rule.subject, rule.members, each))
    applies = [each for each in covered if _applies(rule, book, each, now)]
    seen = {subject for each in everybody for subject in covering(each)}
    unseen = set(rule.members) - seen
    return Reach(_texts(applies), _texts(set(covered) - set(applies)), tuple(sorted(unseen)))


def _applies(rule: Rule, book: QuotaBook, principal: Principal, now: datetime) -> bool:
    limits = [each for each in book.applicable_to(principal, now).quotas if each.name == rule.name]
    return rule.id in {each.id for each in limits} if isinstance(rule, Quota) else not limits


def _texts(principals: Iterable[Principal]) -> tuple[str, ...]:
    return tuple(map(str, sorted(principals)))


def _principals(names: Collection[str]) -> str:
    if not names:
        return "nobody"
    if len(names) == 1:
        return next(iter(names))
    return f"{len(names):,} known principals ({listed(names, _NAMED)})"


_OTHERWISE = "somebody without quota-enforcer: see CloudTrail"


@dataclass(frozen=True, slots=True)
class Shown:
    """One item, and what follows from it.

    `rule` is what is in force for it, which of an invalid one is `last_valid`.
    """

    state: ItemState
    last_valid: Item | None
    rule: Rule | None
    reaches: Reach | None

    def to_json(self) -> dict[str, Any]:
        return {
            **self.state.to_json(),
            "reads": None if self.rule is None else in_full(self.rule),
            "covers": None if self.reaches is None else self.reaches.to_json(),
            "last_valid": self.last_valid,
            "edited_by": self.state.item.get(AUTHOR),
        }


@on_deployment
def show(
    deployment: Deployment, subject: SubjectArg, name: Name, *, as_json: AsJson = False
) -> None:
    """Show one quota: what it says, whether it is in force, to whom it applies, who edited it.

    Of one that is not valid it shows what is wrong, and the version in force.

    Examples:
      quota-enforcer quota show default daily
      quota-enforcer quota show user/alice daily --json
    """
    key, item = stored_item(deployment, subject, name)
    if item is None:
        raise no_such_item(deployment, key, name, to="show")
    if is_price(item):
        raise NotThere(f"{key} is a price: `quota-enforcer prices list` shows those")
    found = _look(deployment, item)
    if as_json:
        say_json(found.to_json())
        return
    say(f"Quota {name} of {key}:")
    for label, words in _facts(found):
        say(f"  {label:<10}  {words}")
    for problem in found.state.problems:
        say(f"  - {problem}")
    say("")
    say_table(("Attribute", "Value"), _said(item))
    if found.last_valid is not None:
        say("\nThe last valid version, which is in force:")
        say_table(("Attribute", "Value"), _said(found.last_valid))


def _look(deployment: Deployment, item: Item) -> Shown:
    now, settings = clock.now(), deployment.settings
    memories = deployment.ledger.quota_memories()
    table = deployment.quotas.items()
    [state] = states([item], memories, settings, now, table)
    last_valid, rule = None, state.rule
    if state.problems:
        valid = (
            each.item
            for each in memories
            if (each.subject, each.name) == (state.subject, state.name)
        )
        last_valid = next(valid, None)
        rule = None if last_valid is None else states([last_valid], (), settings, now)[0].rule
    if rule is None or not rule.stands(now):
        return Shown(state, last_valid, rule, None)
    known = [record.principal for record in deployment.ledger.everybody()]
    book = deployment.load(now).book
    return Shown(state, last_valid, rule, reach(rule, book, known, now))


def _facts(found: Shown) -> Iterator[tuple[str, str]]:
    state = found.state
    yield "State", f"{state.words}; {state.instead}" if state.problems else state.words
    if found.rule is not None:
        yield "Reads", in_full(found.rule)
    if found.reaches is not None:
        yield "Applies to", found.reaches.words
    yield "Edited by", str(state.item.get(AUTHOR, _OTHERWISE))


def _said(item: Item) -> list[tuple[str, str]]:
    return [(name, shown(value)) for name, value in content(item).items()]
