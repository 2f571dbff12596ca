"""What an edit of one item changed, told to people and to machines alike by every command."""

from quota_enforcer.cli.quotas.in_force import say_when
from quota_enforcer.cli.quotas.quota_store import Edit
from quota_enforcer.cli.terminal.output import say, say_json, say_table
from quota_enforcer.core.quotas.diff import shown


def say_edit(edit: Edit, *, as_json: bool) -> None:
    """What was set or changed; to people also when it is in force."""
    if as_json:
        said = [{"attribute": c.attribute, "old": c.old, "new": c.new} for c in edit.changes]
        say_json(
            {"principal": edit.key, "quota": edit.name, "changes": said, "item": dict(edit.new)}
        )
        return
    if not edit.made:
        say(f"No change: quota {edit.name} of {edit.key} is like that already.")
        return
    if edit.old is None:
        say(f"Added quota {edit.name} of {edit.key}:")
        say_table(("Attribute", "Value"), [(c.attribute, shown(c.new)) for c in edit.changes])
    else:
        say(f"Changed quota {edit.name} of {edit.key}:")
        rows = [(c.attribute, shown(c.old), shown(c.new)) for c in edit.changes]
        say_table(("Attribute", "Old", "New"), rows)
    say_when()
