"""`subscribe --list`: who is subscribed to the notices, and to whose."""

from collections.abc import Iterable
from typing import Final

from quota_enforcer.cli.terminal.output import say, say_json, say_table
from quota_enforcer.core.notices.subscription import Subscription

WAITS: Final = "waits for confirmation"


def show_all(subscriptions: Iterable[Subscription], *, as_json: bool) -> None:
    """One row for each address."""
    several = sorted(subscriptions, key=lambda each: each.email)
    if as_json:
        say_json([_document(each) for each in several])
    elif several:
        rows = [(each.email, _whose(each)) for each in several]
        say_table(("E-mail", "Gets the notices of"), rows)
    else:
        say("Nobody is subscribed by e-mail.")


def _document(each: Subscription) -> dict[str, object]:
    return {
        "email": each.email,
        "principals": each.principals,
        "waiting": each.waiting,
        "everything": each.everything,
    }


def _whose(each: Subscription) -> str:
    if each.waiting:
        return f"{WAITS}: shown once it is confirmed"
    if each.everything:
        return "everybody, and those for admins"
    if each.principals is None:
        return f"a filter of its own: {each.filter}"
    return ", ".join(each.principals)
