"""What a run must have shown; each check looks only at what really happened."""

from collections.abc import Callable
from typing import Final

from quota_enforcer.core.principal import Kind
from quota_enforcer.local.demo import cast
from quota_enforcer.local.demo.checks import blocking, restoring, telling
from quota_enforcer.local.demo.record import RunRecord

_CHECKS: Final[dict[str, Callable[[RunRecord], bool]]] = {
    "a warning came before the limit was reached": blocking.warned_first,
    "the first block came from the log, seconds after the call that crossed the line": (
        blocking.first_from_stream
    ),
    "a budget in dollars blocked somebody whose tokens were mostly cached": (
        blocking.budget_on_cached_tokens
    ),
    "its dollars are the tokens at Bedrock's list price": telling.dollars_are_the_list_price,
    "IAM refused every call of who was blocked, naming the deny policy": (
        blocking.refused_while_blocked
    ),
    "meanwhile every call of everyone else went through": blocking.others_go_on,
    "a blocked role was blocked in all its sessions": blocking.role_in_all_sessions,
    "one of two people behind a permission set was blocked, the other went on": (
        blocking.colleague_goes_on(Kind.SSO)
    ),
    "one of two sessions of a shared role was blocked, the other went on": (
        blocking.colleague_goes_on(Kind.SESSION)
    ),
    "one model was closed to somebody while another stayed open": blocking.sibling_stays_open,
    "at 80 % of the dollars the expensive model closed, and the cheap one at all of them": (
        blocking.expensive_model_first
    ),
    "the default quota for people stopped no role": blocking.default_spares_roles,
    "a raised limit brought access back": restoring.raise_restores,
    "the end of the hour brought access back": restoring.window_restores(cast.ALICE, "hourly"),
    "the end of the day brought access back": restoring.window_restores(cast.DAVE, "daily"),
    "a rolling window brought access back": restoring.window_restores(cast.BATCH, "pace"),
    "an admin blocked somebody by hand": blocking.blocked_by_hand,
    "a quota that became invalid kept its limit": telling.invalid_keeps_limit,
    "admins were told what is wrong with it": telling.admins_told,
    "refused calls were not metered": telling.refused_not_metered,
    "the ledger equals the calls that went through, once each, to the token and the dollar": (
        telling.ledger_is_exact
    ),
    "everyone concerned was sent a notice": telling.everyone_told,
    "a filtered subscription got its own notices only": telling.subscription_filtered,
    "deleting the stack released who was blocked": restoring.deletion_releases,
    "deleting the stack left nothing of it behind": restoring.nothing_left,
    "but the gate, which roles still name: it denies nobody any more": restoring.gate_is_empty,
}


def results(record: RunRecord) -> dict[str, bool]:
    """What was checked, in words, and whether it is so."""
    return {words: check(record) for words, check in _CHECKS.items()}
