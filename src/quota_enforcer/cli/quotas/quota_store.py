"""Reading and checking single quota items, the same for every command that edits them."""

from dataclasses import dataclass, replace

from quota_enforcer.cli.deployment import Deployment
from quota_enforcer.core.errors import NotThere
from quota_enforcer.core.principal import Principal, cannot_be_denied, canonical
from quota_enforcer.core.quotas.diff import AUTHOR, Change, changes
from quota_enforcer.core.quotas.item import GROUPS, Item, read_quota
from quota_enforcer.core.quotas.quota import Rule


def stored(deployment: Deployment, subject: str, name: str) -> tuple[str, Item | None]:
    """The item as spelled, if it is there, else under whom's canonical name, and its key."""
    found = deployment.quotas.get(subject, name)
    if found is not None:
        return subject, found
    key = canonical(subject, deployment.settings.account)
    if key != subject and (found := deployment.quotas.get(key, name)) is not None:
        return key, found
    if key.startswith("sso/"):  # only theirs has several spellings
        for item in deployment.quotas.items():
            if item["quota"] == name and str(item["principal"]).lower() == key:
                return item["principal"], item
    return key, None


def not_there(deployment: Deployment, key: str, name: str, *, to: str) -> NotThere:
    """There is no such item to show, remove and so on; says which there are."""
    theirs = sorted(
        str(item.get("quota")) for item in deployment.quotas.items() if item.get("principal") == key
    )
    has = f"they have: {', '.join(theirs)}" if theirs else "they have none of their own"
    return NotThere(f"there is no quota {name!r} of {key!r} to {to}; {has}")


@dataclass(frozen=True, slots=True)
class Edit:
    """An edit of one item, as it was written; nothing was where nothing is other than before."""

    key: str
    name: str
    old: Item | None
    new: Item
    rule: Rule

    @property
    def changes(self) -> list[Change]:
        """Attribute by attribute."""
        return changes(self.old, self.new)

    @property
    def made(self) -> bool:
        """Whether there was anything to write."""
        return self.old is None or bool(self.changes)


def written(deployment: Deployment, key: str, old: Item | None, new: Item) -> Edit:
    """Check an item and write it over the old one, unless it is like that already.

    Raises InvalidQuota, or Conflict where somebody else was first.
    """
    rule = check(deployment, new)
    edit = Edit(key, str(new["quota"]), old, new, rule)
    if not edit.made:
        return edit
    signed = {**new, AUTHOR: deployment.caller()}
    deployment.quotas.put(signed, old)
    return replace(edit, new=signed)


def cannot_deny(deployment: Deployment, rule: Rule) -> str | None:
    """Why a rule cannot deny somebody whom it names; None where it can deny them all."""
    if rule.subject in GROUPS or "*" in rule.subject:
        return None
    gated = bool(deployment.settings.author)
    subject = map(Principal.parse, rule.members or (rule.subject,))
    reasons = dict.fromkeys(cannot_be_denied(each, gated=gated) for each in subject)
    return "; ".join(why for why in reasons if why) or None


def check(deployment: Deployment, item: Item) -> Rule:
    """The rule that an item means, by the enforcer's own rules; raises InvalidQuota."""
    # A disabled item counts as absent and is not looked at; what we write must be right even so.
    asked = {name: value for name, value in item.items() if name != "enabled" or value is not False}
    rule = read_quota(asked, deployment.settings.zone, sorted(deployment.settings.denies))
    if rule is None:
        raise AssertionError("only a disabled item means no rule")
    return rule
