"""`subscribe` and `unsubscribe`: e-mails of one's own notices, and of nobody else's."""

import re
from collections.abc import Iterable
from typing import Annotated, Any, Final

import typer

from quota_enforcer.cli.deployment.deployment import Deployment, Subscriptions
from quota_enforcer.cli.terminal.options import AsJson, on_deployment
from quota_enforcer.cli.terminal.output import hint, say, say_json
from quota_enforcer.cli.terminal.tables import say_table
from quota_enforcer.core.errors import NotThere, UnknownIdentity
from quota_enforcer.core.notices.subscription import (
    MOST_FILTERS,
    CannotSubscribe,
    Subscription,
    filter_for,
)
from quota_enforcer.core.principal import Kind, Principal, canonical

WAITS: Final = "waits for confirmation"

_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+")

_SLOW: Final = "A changed filter takes up to 15 minutes to work."

_Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="PRINCIPAL... EMAIL",
        help="user/NAME, role/NAME, sso/NAME, session/ROLE/NAME or team/NAME, or an ARN; "
        "the address last.",
    ),
]


@on_deployment
def subscribe(
    deployment: Deployment,
    words: _Words = None,
    *,
    show: Annotated[
        bool, typer.Option("--list", help="Show who is subscribed to what instead.")
    ] = False,
    filter_limit: Annotated[
        int, typer.Option(min=1, help="The topic's limit of filter policies, if AWS raised it.")
    ] = MOST_FILTERS,
    as_json: AsJson = False,
) -> None:
    """Send somebody an e-mail of each notice about a principal, and of no other.

    AWS asks the address to confirm first.
    One address has one subscription, so further principals are added to it.

    Examples:
      quota-enforcer subscribe user/alice alice@example.com
      quota-enforcer subscribe sso/ann@example.com team/research ann@example.com
      quota-enforcer subscribe --list
    """
    subscriptions = deployment.subscriptions()
    if show:
        show_all(subscriptions.by_email(), as_json=as_json)
        return
    names, email = _read(words, deployment.settings.account)
    _warn_of_strangers(deployment, names)
    found = subscriptions.find(email)
    if found is None:
        _check_room(subscriptions, filter_limit)
        subscriptions.add(email, filter_for(names))
        _told(email, names, WAITS, as_json=as_json)
        hint(
            f"AWS has sent {email} a link to confirm; until then, and for up to 15 minutes after, "
            "no notice comes. An unconfirmed subscription goes by itself after two days."
        )
    elif found.everything:
        _told(found.email, [], "gets every notice already", as_json=as_json)
    else:
        _extend(subscriptions, found, names, as_json=as_json)


@on_deployment
def unsubscribe(deployment: Deployment, words: _Words = None, *, as_json: AsJson = False) -> None:
    """End the e-mails about a principal; with its last principal the subscription goes.

    Examples:
      quota-enforcer unsubscribe user/alice alice@example.com
    """
    subscriptions = deployment.subscriptions()
    names, email = _read(words, deployment.settings.account)
    found = subscriptions.find(email)
    already = _ours(found) if found is not None else ()
    absent = names - set(already)
    if found is None or absent:
        raise NotThere(
            f"{email} is not subscribed to {', '.join(sorted(absent))}: "
            "`quota-enforcer subscribe --list` shows who is subscribed to what"
        )
    left = sorted(set(already) - names)
    if left:
        subscriptions.change(found, filter_for(left))
        _told(found.email, left, "is subscribed", as_json=as_json)
        hint(_SLOW)
        return
    subscriptions.remove(found)
    _told(found.email, [], "is subscribed to nothing any more", as_json=as_json)


def _extend(
    subscriptions: Subscriptions, found: Subscription, names: set[str], *, as_json: bool
) -> None:
    """Add principals to an address's filter; nothing if it has them."""
    already = _ours(found)
    if names <= set(already):
        _told(found.email, already, "is subscribed already", as_json=as_json)
        return
    wanted = sorted({*already, *names})
    subscriptions.change(found, filter_for(wanted))
    _told(found.email, wanted, "is subscribed", as_json=as_json)
    hint(_SLOW)


def _read(words: list[str] | None, home: str) -> tuple[set[str], str]:
    """Principals in their one spelling, and the address; typer.BadParameter or UnknownIdentity."""
    if not words or len(words) < 2:  # noqa: PLR2004 - one principal and the address
        raise typer.BadParameter("name at least one principal, and the e-mail address last")
    *names, email = words
    if not _EMAIL.fullmatch(email) or email.partition("/")[0] in set(Kind):
        raise typer.BadParameter(f"{email!r} is no e-mail address: it comes last")
    principals = {Principal.parse(canonical(name, home)) for name in names}
    if others := [str(each) for each in principals if each.kind is Kind.OTHER]:
        raise UnknownIdentity(f"{', '.join(others)} can have no quota, so there are no notices")
    return set(map(str, principals)), email


def _ours(found: Subscription) -> tuple[str, ...]:
    """The principals whose notices it gets; raises CannotSubscribe if it cannot be changed."""
    if found.waiting:
        raise CannotSubscribe(
            f"{found.email} has not confirmed its subscription yet, and SNS lets nobody change it "
            "before: have the link in AWS's e-mail followed, then repeat this; unconfirmed it goes "
            "by itself after two days"
        )
    if found.principals is None:
        why = "gets every notice" if found.everything else f"has the filter {found.filter}"
        raise CannotSubscribe(
            f"{found.email} {why}, which this command did not write: change it in the SNS console"
        )
    return found.principals


def _check_room(subscriptions: Subscriptions, limit: int) -> None:
    """Before anything is asked of SNS: a subscription without its filter would tell everything."""
    if subscriptions.count() < limit or subscriptions.filters() < limit:
        return
    raise CannotSubscribe(
        f"the notice topic has {limit} filter policies, and SNS takes no more for one topic: "
        "subscribe addresses that are subscribed already, since one filter serves several "
        "principals (a team's list, for instance), unsubscribe some, or have AWS raise the quota "
        "`Filter policies per topic` in Service Quotas and give the new one with --filter-limit"
    )


def _warn_of_strangers(deployment: Deployment, names: set[str]) -> None:
    """Who neither used Bedrock nor has a quota of their own may be a typing error."""
    records = deployment.ledger.records(map(Principal.parse, names))
    unknown = {str(each) for each, record in records.items() if not record.version}
    if unknown:
        unknown -= {str(item.get("principal")) for item in deployment.quotas.items()}
    if unknown:
        several = ", ".join(sorted(unknown))
        hint(f"Nothing is known of {several} yet: neither usage nor a quota of their own.")


def _told(email: str, principals: Any, state: str, *, as_json: bool) -> None:
    if as_json:
        say_json({"email": email, "principals": sorted(principals), "state": state})
        return
    whose = f": {', '.join(sorted(principals))}" if principals else ""
    say(f"{email} {state}{whose}.")


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
