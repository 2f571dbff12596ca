"""Reading and checking single quota items, the same for every command that edits them."""

from quota_enforcer.cli.deployment import Deployment
from quota_enforcer.cli.quota_edit import canonical
from quota_enforcer.core.quota import Rule
from quota_enforcer.core.quota_item import Item, read_quota


def stored(deployment: Deployment, whom: str, name: str) -> tuple[str, Item | None]:
    """The item as spelled, if it is there, else under whom's canonical name."""
    found = deployment.quotas.get(whom, name)
    if found is not None:
        return whom, found
    key = canonical(whom, deployment.settings.account)
    return key, deployment.quotas.get(key, name) if key != whom else None


def check(deployment: Deployment, item: Item) -> Rule:
    """The rule that an item means, by the enforcer's own rules; raises InvalidQuota."""
    # A disabled item counts as absent and is not looked at; what we write must be right even so.
    asked = {name: value for name, value in item.items() if name != "enabled" or value is not False}
    rule = read_quota(asked, deployment.settings.zone, sorted(deployment.settings.denies))
    if rule is None:
        raise AssertionError("only a disabled item means no rule")
    return rule
