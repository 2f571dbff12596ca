"""What counts as drift of one principal: IAM says otherwise than the ledger, and it was not us."""

from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

import pytest

from builders import NOON
from quota_enforcer.core.deployment import SETTLING
from quota_enforcer.core.ledger import Record, Standing
from quota_enforcer.core.policies.in_force import NO_SCOPES, ONLY_HOME, InForce
from world import principal

ALICE = principal("user/alice")
HAIKU, ALL = frozenset({"anthropic.haiku"}), frozenset({"*"})
OLD = NOON - SETTLING - timedelta(seconds=1)
BLOCKED = Record(ALICE, Standing(denied=ALL, since=OLD))
FREE = Record(ALICE, Standing(since=OLD))
DETACHED = "the deny of * was detached from user/alice"
ATTACHED = "the deny of * was attached to user/alice"


class Case(NamedTuple):
    """A record, what IAM denies, what we may have attached ourselves, and what is drift of it."""

    record: Record
    attached: frozenset[str]
    tried: frozenset[str]
    drift: tuple[str, ...]


CASES = {
    "as recorded": Case(BLOCKED, ALL, NO_SCOPES, ()),
    "detached": Case(BLOCKED, NO_SCOPES, NO_SCOPES, (DETACHED,)),
    "attached": Case(FREE, ALL, NO_SCOPES, (ATTACHED,)),
    "attached by ourselves": Case(FREE, ALL, ALL, ()),
    "attached by others beside ours": Case(FREE, ALL, HAIKU, (ATTACHED,)),
    "detached, whatever we attached": Case(BLOCKED, NO_SCOPES, ALL, (DETACHED,)),
    "another instead": Case(
        BLOCKED,
        HAIKU,
        NO_SCOPES,
        (DETACHED, "the deny of anthropic.haiku was attached to user/alice"),
    ),
    "too young to be listed": Case(
        replace(BLOCKED, standing=Standing(denied=ALL, since=NOON)), NO_SCOPES, NO_SCOPES, ()
    ),
    "under way": Case(replace(BLOCKED, intended=ALL), NO_SCOPES, NO_SCOPES, ()),
    "refused by IAM": Case(replace(BLOCKED, trouble="no"), NO_SCOPES, NO_SCOPES, ()),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_drift_is_what_neither_the_record_nor_we_ourselves_explain(case: Case) -> None:
    in_force = InForce({ALICE: case.attached}, ONLY_HOME)
    assert in_force.drift(case.record, NOON, case.tried) == case.drift


def test_a_young_deny_that_iam_was_asked_about_for_a_call_is_drift_if_it_is_not_there() -> None:
    young = replace(BLOCKED, standing=Standing(denied=ALL, since=NOON))
    in_force = InForce(asked=frozenset({ALICE}))
    assert in_force.drift(young, NOON) == (DETACHED,)
