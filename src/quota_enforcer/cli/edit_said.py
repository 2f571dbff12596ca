"""What an edit of one item changed, told to people and to machines alike by every command."""

from collections.abc import Iterable
from typing import Any

from quota_enforcer.cli.output import say, say_table
from quota_enforcer.cli.quota_edit import Change, shown
from quota_enforcer.core.quota_item import Item


def say_changes(key: str, name: str, old: Item | None, made: Iterable[Change]) -> None:
    """A table of the attributes that an edit of this quota item set or changed."""
    if old is None:
        say(f"Added quota {name} of {key}:")
        say_table(("Attribute", "Value"), [(c.attribute, shown(c.new)) for c in made])
        return
    rows = [(c.attribute, shown(c.old), shown(c.new)) for c in made]
    if not rows:
        say(f"No change: quota {name} of {key} is like that already.")
        return
    say(f"Changed quota {name} of {key}:")
    say_table(("Attribute", "Old", "New"), rows)


def as_json(made: Iterable[Change]) -> list[dict[str, Any]]:
    """The same for machines."""
    return [{"attribute": c.attribute, "old": c.old, "new": c.new} for c in made]
