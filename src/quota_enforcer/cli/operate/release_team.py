"""What a team's quotas block of its members, so that the team can be released as a whole."""

from collections.abc import Iterable

from quota_enforcer.cli.operate.pardon import lasts_until, to_pardon
from quota_enforcer.core.deployment import Context
from quota_enforcer.core.errors import NotThere
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.quota import Rule
from quota_enforcer.decide.evaluate import decide_for_one
from quota_enforcer.decide.rules import RuleSet
from quota_enforcer.decide.verdict import Verdict
from quota_enforcer.enforce.ports import Ledger


def members_of(rules: Iterable[Rule], team: Principal) -> list[Principal]:
    """Who is in a team by any of its quotas; raises NotThere where it has none."""
    teams = [rule for rule in rules if rule.members]
    named = {member for rule in teams if rule.subject == str(team) for member in rule.members}
    if not named:
        known = ", ".join(sorted({rule.subject for rule in teams}))
        raise NotThere(f"there is no {team} with a quota that is valid; teams: {known or 'none'}")
    return sorted(map(Principal.parse, named))


def of_team(loaded: RuleSet, team: Principal, ledger: Ledger, context: Context) -> list[Verdict]:
    """The quotas of the team itself that block a member, or would: each as it lasts longest."""
    everybody = [team, *members_of(loaded.rules, team)]
    found: dict[str, Verdict] = {}
    for record in ledger.records(everybody).values():
        for verdict in to_pardon(decide_for_one(record, loaded.book, ledger, context).verdicts):
            quota = verdict.quota
            if quota.subject == str(team):
                before = found.setdefault(quota.id, verdict)
                found[quota.id] = max(before, verdict, key=lasts_until)
    return list(found.values())
