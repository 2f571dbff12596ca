"""Quotas that count some Regions or accounts: what is used elsewhere never counts for them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import ALICE, HAIKU, NOON, UTC_ZONE, a_quota, kinds, tokens
from quota_enforcer.core.deployment import Context, Mode
from quota_enforcer.core.ledger import Standing
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.precedence import Applicable
from quota_enforcer.core.quotas.quota import Quota, Share
from quota_enforcer.core.usage.buckets import ModelUsage, Usage
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.place import Place, PlaceScope
from quota_enforcer.decide.decision import Decision, decide
from quota_enforcer.decide.evaluate import Evaluation
from quota_enforcer.decide.verdict import judge

HOME = Place("111122223333", "us-east-1")
NOW = Context(NOON, UTC_ZONE, Mode.ENFORCE, home=HOME)
HERE, DUBLIN, MEMBER = "", "111122223333/eu-west-1", "444455556666/eu-west-1"
IRELAND, OF_HOME = PlaceScope(regions=("eu-west-1",)), PlaceScope(accounts=("111122223333",))


def used(places: dict[str, int]) -> Usage:
    return Usage.of_places({place: tokens({NOON: n}).models for place, n in places.items()})


def look(usage: Usage, *quotas: Quota, context: Context = NOW) -> Decision:
    return decide(ALICE, Applicable(quotas), usage, Standing(), context)


@pytest.mark.parametrize(
    ("places", "number"),
    [
        (PlaceScope(), 1110),
        (IRELAND, 1100),
        (OF_HOME, 110),
        (PlaceScope(regions=("us-east-1",)), 10),
        (PlaceScope(("444455556666",), ("eu-west-1", "us-east-1")), 1000),
        (PlaceScope(("111122223333",), ("eu-west-3",)), 0),
        (PlaceScope(accounts=("999999999999",)), 0),
    ],
    ids=str,
)
def test_a_quota_counts_what_is_used_in_its_places(places: PlaceScope, number: int) -> None:
    """In the account and in the Region, if it names both; by default everywhere."""
    usage = used({HERE: 10, DUBLIN: 100, MEMBER: 1000})
    assert judge(a_quota(places=places), usage, NOW).used == number


def test_usage_from_before_there_were_satellites_is_homes() -> None:
    usage = tokens({NOON: 1000})
    at_home = PlaceScope(("111122223333",), ("us-east-1",))
    assert judge(a_quota(places=at_home), usage, NOW).used == 1000
    assert judge(a_quota(places=IRELAND), usage, NOW).used == 0


def test_where_home_is_not_known_its_usage_counts_for_every_quota() -> None:
    """Else whoever works there would be under no limit."""
    unknown = Context(NOON, UTC_ZONE, Mode.ENFORCE)
    assert judge(a_quota(places=IRELAND), used({HERE: 10, DUBLIN: 100}), unknown).used == 110
    region = Context(NOON, UTC_ZONE, Mode.ENFORCE, home=Place("111122223333", ""))
    assert judge(a_quota(places=IRELAND), used({HERE: 10}), region).used == 10
    other = PlaceScope(("444455556666",))
    assert judge(a_quota(places=other), used({HERE: 10}), region).used == 0


def test_it_blocks_what_it_is_for_and_says_where_it_was_used() -> None:
    """The deny closes everywhere, since IAM knows a principal, not where it calls."""
    decision = look(used({HERE: 900, DUBLIN: 1000}), a_quota(places=IRELAND))
    assert kinds(decision) == ["blocked"]
    assert decision.standing.denied == {"*"}
    assert decision.notices[0].reason == (
        "1,000 of 1,000 total tokens used today in eu-west-1 (quota daily of user/alice)"
    )


@pytest.mark.parametrize(("there", "known"), [(1, False), (10, True)])
def test_when_it_runs_out_goes_by_the_calls_that_count(there: int, known: bool) -> None:  # noqa: FBT001
    """Ten calls of another Region are no pace of this one's quota."""

    def calls(number: int, in_all: int) -> dict[str, ModelUsage]:
        counts = Counts(number, in_all)
        return {HAIKU: ModelUsage.of_hours({NOON: counts}, UTC_ZONE)}

    usage = Usage.of_places({HERE: calls(10, 9), DUBLIN: calls(there, 850)})
    [warning] = look(usage, a_quota(places=IRELAND)).notices
    assert (warning.runs_out is not None) is known


def test_usage_elsewhere_neither_warns_nor_blocks() -> None:
    assert kinds(look(used({HERE: 5000, DUBLIN: 10}), a_quota(places=IRELAND))) == []


def test_two_quotas_of_one_principal_each_count_their_own() -> None:
    decision = look(
        used({HERE: 900, DUBLIN: 1000}),
        a_quota(name="all", limit=10_000),
        a_quota(name="ireland", places=IRELAND),
        a_quota(name="virginia", places=PlaceScope(regions=("us-east-1",))),
    )
    assert {verdict.quota.name: verdict.used for verdict in decision.verdicts} == {
        "all": 1900, "ireland": 1000, "virginia": 900,
    }  # fmt: skip
    assert sorted(kinds(decision)) == ["blocked", "warning 80"]


def test_a_pool_counts_what_its_members_used_there() -> None:
    pool = a_quota(
        subject="team/x", members=("user/alice",), share=Share.POOL, places=OF_HOME, limit=10_000
    )
    together = used({HERE: 10, DUBLIN: 100, MEMBER: 1000})
    decision = decide(
        Principal.parse("team/x"),
        Applicable((pool,)),
        Usage(),
        Standing(),
        NOW,
        {pool.id: together},
    )
    assert decision.verdicts[0].used == 110
    looked = Evaluation(decision, Usage(), {pool.id: together})
    assert looked.behind(pool).models[HAIKU].hours[NOON].input_tokens == 110
    assert looked.whole(pool) == together


@given(
    st.dictionaries(st.sampled_from([HERE, DUBLIN, MEMBER]), st.integers(0, 10**6)),
    st.lists(st.sampled_from(["us-east-1", "eu-west-1"]), unique=True, min_size=1),
)
def test_what_counts_and_what_does_not_is_all_there_is(
    places: dict[str, int], regions: list[str]
) -> None:
    usage = used(places)
    rest = [each for each in ("us-east-1", "eu-west-1") if each not in regions]
    there = judge(a_quota(places=PlaceScope(regions=tuple(regions))), usage, NOW).used
    elsewhere = judge(a_quota(places=PlaceScope(regions=tuple(rest))), usage, NOW).used
    assert there + (elsewhere if rest else 0) == sum(places.values())
