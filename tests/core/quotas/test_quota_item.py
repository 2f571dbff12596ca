"""Quota items: what admins may write, and what they are told where they mistype it."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from builders import an_item
from quota_enforcer.core.errors import InvalidQuota
from quota_enforcer.core.quotas.item import ATTRIBUTES, read_quota
from quota_enforcer.core.quotas.quota import (
    UNLIMITED,
    Action,
    Exemption,
    Overshoot,
    Quota,
    Rule,
    Share,
    UnknownPrices,
)
from quota_enforcer.core.quotas.subject import Subject
from quota_enforcer.core.usage.counts import OBSERVED, Measure
from quota_enforcer.core.usage.model import EVERY_MODEL, ModelScope
from quota_enforcer.core.usage.place import PlaceScope
from quota_enforcer.core.usage.window import Unit, Window

BERLIN = ZoneInfo("Europe/Berlin")
OPUS = "anthropic.claude-3-opus*"
SCOPES = frozenset({"*", OPUS, "amazon.nova-lite-v1:0"})
SCOPES_ALLOWED = (
    f"installed model scopes: *, amazon.nova-lite-v1:0, {OPUS}; to install another, set one of the "
    "stack's parameters ModelScope1 to ModelScope5"
)

PRINCIPALS = (
    "user/NAME, role/NAME, sso/NAME, session/ROLE/NAME, team/NAME, session/ROLE/*, "
    "user/*, sso/*, role/*, default; of a member account "
    "444455556666/user/NAME, 444455556666/role/*, 444455556666/*"
)
PLAIN_NAME = "a name as IAM has it, without path and blanks, such as user/alice"
QUOTA_NAMES = "letters a to z or A to Z, digits, '.', '_' and '-', at most 64"
MEASURES = (
    "requests, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, "
    "incomplete_requests, total_tokens, weighted_tokens, cost_usd"
)
NUMBERS = "a whole number, 0 or more"
FRACTIONS = "a number, 0 or more, with at most 12 decimal places"
WEIGHTS = (
    "a map of requests, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, "
    "incomplete_requests to numbers from 0 to 1000000 with at most 6 decimal places, one of them "
    "above 0"
)
ONLY_WEIGHTED = "only with measure weighted_tokens"
ONLY_MONEY = "only with measure cost_usd"
WINDOWS = "hour, day, week, month, rolling N minutes, rolling N hours or rolling N days"
MOMENTS = "a date and time such as 2026-12-01T09:00, or a date"
REGIONS = (
    "a list of AWS Regions such as eu-west-1, those whose usage counts; without the attribute all "
    "count"
)
NEWER = "a Region that is newer than this version needs the newest one"
ACCOUNTS = (
    "a list of account numbers of 12 digits, as text, those whose usage counts; without the "
    "attribute all count"
)
PERCENTAGES = "percentages from 1 to 99, one or a list"
WEEK_DAYS = "a day of the week, such as monday"
MONTH_DAYS = "a day of the month from 1 to 31"
OF_TEAM = "the item 'members' of the team"
TIMES = "how many times the busy hours, from 1.5x to 1000x, such as 5x"
MEMBERS = "a list of principals and kinds, and of no teams"
SESSION = "arn:aws:sts::111122223333:assumed-role/ci/42"
ROOT = "arn:aws:iam::111122223333:root"
WHICH = f"instead of {SESSION} write session/ci/42, or role/ci for all of it"
NO_MEMBER = "no user, role or person of Identity Center"
POOL = "only where principal is team/NAME; for one limit of {} together write a team with member {}"
NO_TEAMS = f"{MEMBERS}: instead of team/y name the members, one by one"
BOOLEANS = "true or false"


def read(**but: Any) -> Rule | None:
    return read_quota(an_item(**but), BERLIN, SCOPES)


def a_quota(**but: Any) -> Quota:
    rule = read(**but)
    assert isinstance(rule, Quota)
    return rule


def without_nearest(problem: str) -> str:
    """What is wrong and allowed, without the nearest right form, which test_shorthand.py has."""
    return problem.partition("; write ")[0]


def problems(item: dict[str, Any]) -> tuple[str, ...]:
    with pytest.raises(InvalidQuota) as refused:
        read_quota(item, BERLIN, SCOPES)
    return refused.value.problems


class TestValid:
    def test_the_least_an_item_needs(self) -> None:
        assert read() == Quota(
            Subject("user/alice"),
            "daily",
            measure=Measure.TOTAL_TOKENS,
            limit=Decimal(1000),
            window=Window(Unit.DAY),
            models=(EVERY_MODEL,),
            warn_at=(80,),
            action=Action.DENY,
        )

    def test_everything_an_item_can_say(self) -> None:
        quota = read(
            principal="team/research",
            members=["user/alice", "sso/Bob@Example.com"],
            share="pool",
            measure="output_tokens",
            limit=Decimal(5000),
            window="month",
            resets_on=Decimal(31),
            models=[OPUS, "amazon.nova-lite-v1:0"],
            regions=["eu-west-1"],
            accounts=["444455556666"],
            warn_at=[Decimal(95), Decimal(50)],
            action="notify",
            enabled=True,
            exempt=False,
            raise_to="unlimited",
            raise_until="2026-12-01",
            until="2027-01-01T00:00:00+00:00",
            note="anything",
            edited_by="ops",
        )
        assert quota == Quota(
            Subject("team/research"),
            "daily",
            datetime(2027, 1, 1, tzinfo=UTC),
            ("user/alice", "sso/bob@example.com"),
            Share.POOL,
            measure=Measure.OUTPUT_TOKENS,
            limit=Decimal(5000),
            window=Window(Unit.MONTH, resets_on=31),
            models=(ModelScope(OPUS), ModelScope("amazon.nova-lite-v1:0")),
            places=PlaceScope(("444455556666",), ("eu-west-1",)),
            warn_at=(50, 95),
            action=Action.NOTIFY,
            raise_to=UNLIMITED,
            raise_until=datetime(2026, 11, 30, 23, tzinfo=UTC),
        )

    @pytest.mark.parametrize(
        ("principal", "subject"),
        [
            ("user/alice", "user/alice"),
            ("role/ci", "role/ci"),
            ("sso/Alice@Example.com", "sso/alice@example.com"),
            ("session/ci/run-42", "session/ci/run-42"),
            ("session/ci/*", "session/ci/*"),
            ("user/*", "user/*"),
            ("sso/*", "sso/*"),
            ("role/*", "role/*"),
            ("default", "default"),
        ],
    )
    def test_whom_it_can_cover(self, principal: str, subject: str) -> None:
        assert a_quota(principal=principal).subject == subject

    @pytest.mark.parametrize("limit", [0, 7, Decimal(7), "7", "1e3", Decimal("1E+3"), 10**18])
    def test_limits(self, limit: Any) -> None:
        assert str(a_quota(limit=limit).limit) == str(int(Decimal(limit)))

    @pytest.mark.parametrize(
        ("window", "resets_on", "expected"),
        [
            ("hour", None, Window(Unit.HOUR)),
            ("week", None, Window(Unit.WEEK)),
            ("week", "Sunday", Window(Unit.WEEK, resets_on=7)),
            ("month", "15", Window(Unit.MONTH, resets_on=15)),
            ("rolling 5 minutes", None, Window(Unit.MINUTE, 5)),
            ("rolling 60 minutes", None, Window(Unit.MINUTE, 60)),
            ("rolling 1 hour", None, Window(Unit.HOUR, 1)),
            ("rolling 24 hours", None, Window(Unit.HOUR, 24)),
            ("rolling 366 days", None, Window(Unit.DAY, 366)),
        ],
    )
    def test_windows(self, window: str, resets_on: str | None, expected: Window) -> None:
        assert a_quota(window=window, resets_on=resets_on).window == expected

    @pytest.mark.parametrize(
        ("warn_at", "expected"),
        [(50, (50,)), ("50", (50,)), ([], ()), ([90, 50, 90], (50, 90)), ({Decimal(7)}, (7,))],
    )
    def test_warnings(self, warn_at: Any, expected: tuple[int, ...]) -> None:
        assert a_quota(warn_at=warn_at).warn_at == expected

    @pytest.mark.parametrize(
        ("models", "expected"),
        [(OPUS, (OPUS,)), ([OPUS, OPUS], (OPUS,)), ({"*", OPUS}, ("*", OPUS))],
    )
    def test_models(self, models: Any, expected: tuple[str, ...]) -> None:
        assert tuple(map(str, a_quota(models=models).models)) == expected

    @pytest.mark.parametrize(
        ("regions", "expected"),
        [
            ("eu-west-1", ("eu-west-1",)),
            (["us-east-1", "eu-west-1", "us-east-1"], ("us-east-1", "eu-west-1")),
            ({"us-east-1", "eu-west-1"}, ("eu-west-1", "us-east-1")),
            (["us-gov-west-1", "eusc-de-east-1"], ("us-gov-west-1", "eusc-de-east-1")),
        ],
    )
    def test_regions(self, regions: Any, expected: tuple[str, ...]) -> None:
        assert a_quota(regions=regions).places == PlaceScope(regions=expected)

    @pytest.mark.parametrize(
        ("accounts", "expected"),
        [
            ("111122223333", ("111122223333",)),
            ("012345678901", ("012345678901",)),
            (Decimal(111122223333), ("111122223333",)),
            (["444455556666", 111122223333, "111122223333"], ("444455556666", "111122223333")),
            ({"444455556666", "111122223333"}, ("111122223333", "444455556666")),
            ({Decimal(444455556666)}, ("444455556666",)),
        ],
    )
    def test_accounts(self, accounts: Any, expected: tuple[str, ...]) -> None:
        assert a_quota(accounts=accounts).places == PlaceScope(accounts=expected)

    @pytest.mark.parametrize(
        ("until", "expected"),
        [
            pytest.param("2026-12-01", "2026-11-30T23:00", id="a date: its first instant here"),
            pytest.param("2026-12-01T09:00", "2026-12-01T08:00", id="by the deployment's clock"),
            pytest.param("2026-07-01T09:00", "2026-07-01T07:00", id="in summer"),
            pytest.param("2026-12-01T09:00Z", "2026-12-01T09:00", id="in UTC"),
            pytest.param("2026-12-01T09:00-05:00", "2026-12-01T14:00", id="with an offset"),
            pytest.param("9998-12-30", "9998-12-29T23:00", id="as good as forever"),
        ],
    )
    def test_moments(self, until: str, expected: str) -> None:
        assert a_quota(until=until).until == datetime.fromisoformat(f"{expected}+00:00")

    def test_members_in_several_spellings_are_one(self) -> None:
        quota = a_quota(principal="team/x", members=["sso/Ana", "sso/ana", "user/Ana"])
        assert quota.members == ("sso/ana", "user/Ana")

    @pytest.mark.parametrize(
        ("limit", "expected"),
        [
            ("12.50", "12.5"),
            (Decimal("12.50"), "12.5"),
            (Decimal("0.000000000001"), "1E-12"),
            ("9999999999999.999999999999", "9999999999999.999999999999"),
            ("1e-3", "0.001"),
            ("1.250e2", "125"),
            (Decimal("1E+3"), "1000"),
            (10**18, str(10**18)),
            ("-0.0", "0"),
            (7, "7"),
        ],
    )
    def test_limits_on_money_may_have_fractions(self, limit: Any, expected: str) -> None:
        quota = a_quota(measure="cost_usd", limit=limit, raise_to=limit, raise_until="2026-12-01")
        assert str(quota.limit) == str(quota.raise_to) == expected
        assert quota.unknown_prices is UnknownPrices.WARN

    def test_a_budget_may_deny_at_unknown_prices(self) -> None:
        quota = a_quota(measure="cost_usd", unknown_prices="deny")
        assert quota.unknown_prices is UnknownPrices.DENY

    def test_a_quota_may_close_before_its_limit(self) -> None:
        assert a_quota().overshoot is Overshoot.ALLOW
        assert a_quota(overshoot="allow", action="notify").overshoot is Overshoot.ALLOW
        assert a_quota(overshoot="avoid").overshoot is Overshoot.AVOID

    @pytest.mark.parametrize("said", ["5x", "5X", "5 x", 5, "5", Decimal(5), "5.0x"])
    def test_an_hour_may_be_held_against_what_is_usual(self, said: Any) -> None:
        """Then it only warns, and only at its limit, where the item does not say otherwise."""
        unusual = a_quota(unusual=said, window="hour")
        assert unusual.unusual == 5
        assert (unusual.action, unusual.warn_at) == (Action.NOTIFY, ())
        denying = a_quota(unusual=said, window="hour", action="deny", warn_at=50)
        assert (denying.action, denying.warn_at) == (Action.DENY, (50,))

    def test_weights_are_those_of_the_counters_in_their_order(self) -> None:
        weights = {"output_tokens": 5, "input_tokens": "1", "cache_read_tokens": Decimal("0.10"),
                   "requests": Decimal("1E+3")}  # fmt: skip
        quota = a_quota(measure="weighted_tokens", weights=weights, limit="0.5")
        assert quota.limit == Decimal("0.5")
        assert quota.weights == tuple(map(Decimal, ("1000", "1", "5", "0.1", "0", "0")))

    def test_an_exemption_needs_no_limit(self) -> None:
        item = {"principal": "user/alice", "quota": "daily", "exempt": True, "until": "2026-12-01"}
        assert read_quota(item, BERLIN, SCOPES) == Exemption(
            Subject("user/alice"), "daily", datetime(2026, 11, 30, 23, tzinfo=UTC)
        )

    def test_a_disabled_item_is_absent_whatever_else_it_says(self) -> None:
        assert read(enabled=False, limit="lots", principal="?") is None


class TestWrong:
    @pytest.mark.parametrize(
        ("attribute", "value", "shown", "allowed"),
        [
            ("principal", "alice", "'alice'", PRINCIPALS),
            ("principal", "", "''", PRINCIPALS),
            ("principal", "*", "'*'", PRINCIPALS),
            ("principal", "User/alice", "'User/alice'", PRINCIPALS),
            ("principal", "users/alice", "'users/alice'", PRINCIPALS),
            ("principal", "user/", "'user/'", PRINCIPALS),
            ("principal", "user/al*", "'user/al*'", PRINCIPALS),
            ("principal", "team/*", "'team/*'", PRINCIPALS),
            ("principal", "session/*", "'session/*'", PRINCIPALS),
            ("principal", "session/ci", "'session/ci'", PRINCIPALS),
            ("principal", "session/c*/*", "'session/c*/*'", PRINCIPALS),
            ("principal", "Default", "'Default'", PRINCIPALS),
            ("principal", "arn:aws:iam::123456789012:user/alice",
             "'arn:aws:iam::123456789012:user/alice'", "a principal by its name: write user/alice"),
            ("principal", "other/arn:aws:iam::123456789012:root",
             "'other/arn:aws:iam::123456789012:root'", PRINCIPALS),
            ("principal", Decimal(5), "5", PRINCIPALS),
            ("principal", "user/alice ", "'user/alice '", PLAIN_NAME),
            ("principal", "user/eng/alice", "'user/eng/alice'", PLAIN_NAME),
            ("principal", "role/service-role/ci", "'role/service-role/ci'", PLAIN_NAME),
            ("principal", "session/ci/run/42", "'session/ci/run/42'", PLAIN_NAME),
            ("principal", "session/a/b/*", "'session/a/b/*'", PLAIN_NAME),
            ("quota", "", "''", QUOTA_NAMES),
            ("quota", "daily limit", "'daily limit'", QUOTA_NAMES),
            ("quota", "-daily", "'-daily'", QUOTA_NAMES),
            ("quota", "daily#2", "'daily#2'", QUOTA_NAMES),
            ("quota", "d" * 65, repr("d" * 65), QUOTA_NAMES),
            ("measure", "tokens", "'tokens'", MEASURES),
            ("measure", "Requests", "'Requests'", MEASURES),
            ("measure", "requests ", "'requests '", MEASURES),
            ("measure", "", "''", MEASURES),
            ("measure", ["requests"], "['requests']", MEASURES),
            ("measure", Decimal(1), "1", MEASURES),
            ("limit", -1, "-1", NUMBERS),
            ("limit", Decimal(-5), "-5", NUMBERS),
            ("limit", Decimal("0.5"), "0.5", NUMBERS),
            ("limit", 1000.0, "1000.0", NUMBERS),
            ("limit", "1,000", "'1,000'", NUMBERS),
            ("limit", "ten", "'ten'", NUMBERS),
            ("limit", "", "''", NUMBERS),
            ("limit", "NaN", "'NaN'", NUMBERS),
            ("limit", "Infinity", "'Infinity'", NUMBERS),
            ("limit", "unlimited", "'unlimited'", NUMBERS),
            ("limit", "1E-9999999", "'1E-9999999'", NUMBERS),
            ("limit", "1E+9999999", "'1E+9999999'", f"{NUMBERS}, at most 10^18"),
            ("limit", Decimal(10**18 + 1), str(10**18 + 1), f"{NUMBERS}, at most 10^18"),
            ("limit", True, "True", NUMBERS),
            ("limit", [0, [5], 0], "[0, [5], 0]", NUMBERS),
            ("limit", {"N": "5"}, "{'N': '5'}", NUMBERS),
            ("window", "Day", "'Day'", WINDOWS),
            ("window", "daily", "'daily'", WINDOWS),
            ("window", "", "''", WINDOWS),
            ("window", "rolling 0 hours", "'rolling 0 hours'", WINDOWS),
            ("window", "rolling 24", "'rolling 24'", WINDOWS),
            *(("window", f"rolling {count} minutes", f"'rolling {count} minutes'",
               "rolling 5 minutes to rolling 60 minutes") for count in (1, 4, 61)),
            ("window", "rolling 2 weeks", "'rolling 2 weeks'", WINDOWS),
            ("window", "rolling -2 days", "'rolling -2 days'", WINDOWS),
            ("window", "rolling 1.5 days", "'rolling 1.5 days'", WINDOWS),
            ("window", "rolling 367 days", "'rolling 367 days'",
             "at most rolling 366 days, since usage is kept for 400"),
            ("window", Decimal(24), "24", WINDOWS),
            ("models", "claude", "'claude'", SCOPES_ALLOWED),
            ("models", [], "[]", SCOPES_ALLOWED),
            ("models", ["*", "claude"], "['*', 'claude']", SCOPES_ALLOWED),
            ("models", [Decimal(3)], "[3]", SCOPES_ALLOWED),
            ("models", {"b", "a"}, "{'a', 'b'}", SCOPES_ALLOWED),
            ("models", Decimal(3), "3", SCOPES_ALLOWED),
            ("regions", [], "[]", REGIONS),
            ("regions", "", "''", f"{REGIONS}: there is no ''; {NEWER}"),
            ("regions", "eu-west-9", "'eu-west-9'",
             f"{REGIONS}: there is no 'eu-west-9'; did you mean eu-west-3?"),
            ("regions", ["eu-west-1", "eu-west-1a"], "['eu-west-1', 'eu-west-1a']",
             f"{REGIONS}: there is no 'eu-west-1a'; did you mean eu-west-1?"),
            ("regions", "mars-north-1", "'mars-north-1'",
             f"{REGIONS}: there is no 'mars-north-1'; did you mean eu-north-1?"),
            ("regions", "*", "'*'", f"{REGIONS}: there is no '*'; {NEWER}"),
            ("regions", Decimal(1), "1", REGIONS),
            ("regions", [None], "[None]", REGIONS),
            ("regions", {"eu-west-1": True}, "{'eu-west-1': True}", REGIONS),
            ("regions", True, "True", REGIONS),
            ("accounts", [], "[]", ACCOUNTS),
            ("accounts", "", "''", ACCOUNTS),
            ("accounts", "11112222333", "'11112222333'", ACCOUNTS),
            ("accounts", "1111222233334", "'1111222233334'", ACCOUNTS),
            ("accounts", Decimal(12345678901), "12345678901", ACCOUNTS),
            ("accounts", Decimal("111122223333.5"), "111122223333.5", ACCOUNTS),
            ("accounts", Decimal(-111122223333), "-111122223333", ACCOUNTS),
            ("accounts", ["home"], "['home']", ACCOUNTS),
            ("accounts", "111122223333 ", "'111122223333 '", ACCOUNTS),
            ("accounts", "\u0661" * 12, repr("\u0661" * 12), ACCOUNTS),
            ("accounts", True, "True", ACCOUNTS),
            ("accounts", [["111122223333"]], "[['111122223333']]", ACCOUNTS),
            ("accounts", {"a": 1}, "{'a': 1}", ACCOUNTS),
            ("warn_at", 0, "0", PERCENTAGES),
            ("warn_at", 100, "100", PERCENTAGES),
            ("warn_at", "80%", "'80%'", PERCENTAGES),
            ("warn_at", Decimal("0.8"), "0.8", PERCENTAGES),
            ("warn_at", [50, 101], "[50, 101]", PERCENTAGES),
            ("warn_at", "50, 80", "'50, 80'", PERCENTAGES),
            ("warn_at", True, "True", PERCENTAGES),
            ("warn_at", {"a": 1}, "{'a': 1}", PERCENTAGES),
            ("action", "block", "'block'", "deny, notify"),
            ("action", "Deny", "'Deny'", "deny, notify"),
            ("enabled", "false", "'false'", BOOLEANS),
            ("enabled", Decimal(0), "0", BOOLEANS),
            ("exempt", "yes", "'yes'", BOOLEANS),
            ("until", "tomorrow", "'tomorrow'", MOMENTS),
            ("until", "2026-13-01", "'2026-13-01'", MOMENTS),
            ("until", "01.12.2026", "'01.12.2026'", MOMENTS),
            ("until", "2026-11-31", "'2026-11-31'", MOMENTS),
            ("until", Decimal(1764547200), "1764547200", MOMENTS),
            ("until", "0001-01-01", "'0001-01-01'", MOMENTS),
            ("until", "0026-12-01", "'0026-12-01'", f"{MOMENTS}, in the years 2000 to 9998"),
            ("until", "9999-12-31", "'9999-12-31'", f"{MOMENTS}, in the years 2000 to 9998"),
            ("resets_on", "monday", "'monday'", "only with window week or month"),
            ("weights", {"output_tokens": Decimal(5), "input_tokens": 1},
             "{'input_tokens': 1, 'output_tokens': 5}", ONLY_WEIGHTED),
            ("unknown_prices", "deny", "'deny'", ONLY_MONEY),
            ("overshoot", "never", "'never'", "allow, avoid"),
            *(("unusual", wrong, repr(wrong), TIMES)
              for wrong in ("1x", "0", "1001x", "5.25x", "-5", "often", "5xx", "", [5])),
            ("members", ["user/bob"], "['user/bob']", "only where principal is team/NAME"),
            ("share", "pool", "'pool'", "only where principal is team/NAME"),
        ],
    )  # fmt: skip
    def test_a_wrong_value_is_named_with_what_is_allowed(
        self, attribute: str, value: Any, shown: str, allowed: str
    ) -> None:
        item = {**an_item(), attribute: value}
        [said] = problems(item)
        assert without_nearest(said) == f"{attribute} is {shown}; allowed: {allowed}"

    @pytest.mark.parametrize(
        ("but", "problem"),
        [
            ({"window": "week", "resets_on": "mon"},
             f"resets_on is 'mon'; allowed: {WEEK_DAYS}"),
            ({"window": "week", "resets_on": Decimal(1)}, f"resets_on is 1; allowed: {WEEK_DAYS}"),
            ({"window": "month", "resets_on": "monday"},
             f"resets_on is 'monday'; allowed: {MONTH_DAYS}"),
            ({"window": "month", "resets_on": 0}, f"resets_on is 0; allowed: {MONTH_DAYS}"),
            ({"window": "month", "resets_on": 32}, f"resets_on is 32; allowed: {MONTH_DAYS}"),
            ({"window": "month", "resets_on": "1E+5000000"},
             f"resets_on is '1E+5000000'; allowed: {NUMBERS}, at most 10^18"),
            ({"window": "rolling 7 days", "resets_on": "monday"},
             "resets_on is 'monday'; allowed: only with window week or month"),
            ({"window": "weekly", "resets_on": "monday"},
             f"window is 'weekly'; allowed: {WINDOWS}"),
            ({"raise_to": 5}, "raise_to and raise_until go together: set both or neither"),
            ({"raise_until": "2026-12-01"},
             "raise_to and raise_until go together: set both or neither"),
            ({"raise_to": "lots", "raise_until": "2026-12-01"},
             f"raise_to is 'lots'; allowed: {NUMBERS}, or 'unlimited'"),
            ({"raise_to": -1, "raise_until": "2026-12-01"},
             f"raise_to is -1; allowed: {NUMBERS}, or 'unlimited'"),
            ({"raise_to": 5, "raise_until": "soon"}, f"raise_until is 'soon'; allowed: {MOMENTS}"),
            ({"raise_to": "1.5", "raise_until": "2026-12-01"},
             f"raise_to is '1.5'; allowed: {NUMBERS}, or 'unlimited'"),
            ({"measure": "cost_usd", "limit": Decimal("0.1234567890123")},
             f"limit is 0.1234567890123; allowed: {FRACTIONS}"),
            ({"measure": "cost_usd", "limit": "1E-9999999"},
             f"limit is '1E-9999999'; allowed: {FRACTIONS}"),
            ({"measure": "cost_usd", "limit": 12.5}, f"limit is 12.5; allowed: {FRACTIONS}"),
            ({"measure": "cost_usd", "limit": "$12"}, f"limit is '$12'; allowed: {FRACTIONS}"),
            ({"measure": "cost_usd", "limit": "-0.01"}, f"limit is '-0.01'; allowed: {FRACTIONS}"),
            ({"measure": "cost_usd", "limit": "10000000000000.1"},
             f"limit is '10000000000000.1'; allowed: {FRACTIONS}, and none above 10^13"),
            ({"measure": "cost_usd", "limit": 10**18 + 1},
             f"limit is {10**18 + 1}; allowed: {FRACTIONS}, at most 10^18"),
            ({"measure": "cost_usd", "raise_to": "NaN", "raise_until": "2026-12-01"},
             f"raise_to is 'NaN'; allowed: {FRACTIONS}, or 'unlimited'"),
            ({"measure": "cost_usd", "unknown_prices": "block"},
             "unknown_prices is 'block'; allowed: warn, deny"),
            ({"measure": "cost_usd", "weights": {"requests": 1}},
             f"weights is {{'requests': 1}}; allowed: {ONLY_WEIGHTED}"),
            ({"overshoot": "avoid", "action": "notify"},
             "overshoot is 'avoid'; allowed: allow, since action notify closes nothing"),
            ({"unusual": "5x"}, "window is 'day'; allowed: hour, with unusual"),
            ({"unusual": "5x", "window": "rolling 1 hours"},
             "window is 'rolling 1 hours'; allowed: hour, with unusual"),
            ({"unusual": "5x", "window": "hour", "limit": Decimal("0.0")},
             "limit is 0.0; allowed: above 0 with unusual: no hour below it is unusual"),
            ({"unusual": "5x", "window": "hour", "overshoot": "avoid"},
             "overshoot is 'avoid'; allowed: allow, since action notify closes nothing"),
            ({"unusual": "5x", "window": "hour", "principal": "team/x", "share": "pool",
              "members": ["user/a"]},
             "share is 'pool'; allowed: each, with unusual: what is usual is each member's own"),
            ({"measure": "weighted_tokens"}, f"weights is missing; allowed: {WEIGHTS}"),
            ({"measure": "weighted_tokens", "weights": {"requests": 1}, "unknown_prices": "warn"},
             f"unknown_prices is 'warn'; allowed: {ONLY_MONEY}"),
            ({"measure": "dollars", "unknown_prices": "deny", "weights": {}, "limit": "0.5"},
             f"measure is 'dollars'; allowed: {MEASURES}"),
            (
                {"principal": "team/x"},
                f"members is missing; allowed: {MEMBERS}, here or in {OF_TEAM}",
            ),
            ({"principal": "team/x", "members": []}, f"members is []; allowed: {MEMBERS}"),
            ({"principal": "team/x", "members": ["alice"]},
             f"members is ['alice']; allowed: {MEMBERS}"),
            ({"principal": "team/x", "members": ["team/y"]},
             f"members is ['team/y']; allowed: {NO_TEAMS}"),
            ({"principal": "team/x", "members": ["default"]},
             f"members is ['default']; allowed: {MEMBERS}: instead of default write user/*, sso/*"),
            ({"principal": "team/x", "members": ["444455556666/sso/*"]},
             f"members is ['444455556666/sso/*']; allowed: {MEMBERS}"),
            ({"principal": "team/x", "members": [SESSION]},
             f"members is ['{SESSION}']; allowed: {MEMBERS}; {WHICH}"),
            ({"principal": "team/x", "members": [ROOT]},
             f"members is ['{ROOT}']; allowed: {MEMBERS}; {ROOT} is {NO_MEMBER}"),
            ({"principal": SESSION}, f"principal is '{SESSION}'; allowed: {WHICH}"),
            ({"principal": "team/x", "members": ["arn:aws:s3:::bucket"]},
             f"members is ['arn:aws:s3:::bucket']; allowed: {MEMBERS}"),
            ({"principal": "444455556666/*", "share": "pool"},
             f"share is 'pool'; allowed: {POOL.format('444455556666/*', '444455556666/*')}"),
            ({"principal": "default", "share": "pool"},
             f"share is 'pool'; allowed: {POOL.format('default', 'user/* and sso/*')}"),
            ({"principal": "team/x", "members": ["user/eng/bob"]},
             f"members is ['user/eng/bob']; allowed: {PLAIN_NAME}"),
            ({"principal": "team/x", "members": "user/a, user/b"},
             f"members is 'user/a, user/b'; allowed: {PLAIN_NAME}"),
            ({"principal": "team/x", "members": ["user/a"], "share": "all"},
             "share is 'all'; allowed: each, pool"),
        ],
    )  # fmt: skip
    def test_what_goes_together(self, but: dict[str, Any], problem: str) -> None:
        """One mistake is one problem: what only follows from it is not said."""
        [said] = problems(an_item(**but))
        assert without_nearest(said) == problem

    @pytest.mark.parametrize(
        ("weights", "shown"),
        [
            ({}, "{}"),
            ({"output_tokens": 0}, "{'output_tokens': 0}"),
            ({"output_tokens": -1}, "{'output_tokens': -1}"),
            ({"output_tokens": 1.5}, "{'output_tokens': 1.5}"),
            ({"output_tokens": True}, "{'output_tokens': True}"),
            ({"output_tokens": "five"}, "{'output_tokens': 'five'}"),
            ({"output_tokens": "Infinity"}, "{'output_tokens': 'Infinity'}"),
            ({"output_tokens": 10**6 + 1}, "{'output_tokens': 1000001}"),
            ({"output_tokens": Decimal("1E-7")}, "{'output_tokens': 1E-7}"),
            ({"total_tokens": 1}, "{'total_tokens': 1}"),
            ({"cost_usd": 1, "input_tokens": 1}, "{'cost_usd': 1, 'input_tokens': 1}"),
            ({"input_tokens": 1, 5: 1}, "{'input_tokens': 1, 5: 1}"),
            ([5], "[5]"),
            ("output_tokens=5", "'output_tokens=5'"),
        ],
    )
    def test_weights_that_weigh_nothing_sensible(self, weights: Any, shown: str) -> None:
        assert problems(an_item(measure="weighted_tokens", weights=weights)) == (
            f"weights is {shown}; allowed: {WEIGHTS}",
        )

    @pytest.mark.parametrize(
        ("attribute", "allowed"),
        [
            ("principal", PRINCIPALS),
            ("quota", QUOTA_NAMES),
            ("measure", MEASURES),
            ("limit", NUMBERS),
            ("window", WINDOWS),
        ],
    )
    def test_what_is_missing_is_named(self, attribute: str, allowed: str) -> None:
        item = {name: value for name, value in an_item().items() if name != attribute}
        assert problems(item) == (f"{attribute} is missing; allowed: {allowed}",)

    @pytest.mark.parametrize(
        ("attribute", "meant"),
        [
            ("Limit", "limit"),
            ("warn", "warn_at"),
            ("warnat", "warn_at"),
            ("model", "models"),
            ("rase_to", "raise_to"),
            (" note", "note"),
            ("member", "members"),
        ],
    )
    def test_a_mistyped_attribute_is_told_what_it_may_mean(
        self, attribute: str, meant: str
    ) -> None:
        assert problems({**an_item(), attribute: "x"}) == (
            f"attribute {attribute!r} is unknown; did you mean {meant}?",
        )

    def test_an_attribute_like_none_is_told_all(self) -> None:
        (problem,) = problems({**an_item(), "colour": "red"})
        assert problem == f"attribute 'colour' is unknown; allowed: {', '.join(ATTRIBUTES)}"

    @pytest.mark.parametrize(
        "attribute", [a for a in ATTRIBUTES if a not in {"note", "edited_by", "edited_at"}]
    )
    def test_null_is_no_value(self, attribute: str) -> None:
        """The console writes NULL where somebody means absent; it is better said than guessed."""
        found = problems({**an_item(), attribute: None})
        assert any(each.startswith(f"{attribute} is None; allowed: ") for each in found)

    def test_everything_wrong_is_said_at_once(self) -> None:
        item = an_item(principal="alice", limit=-5, window="fortnight", colour="red")
        with pytest.raises(InvalidQuota) as refused:
            read_quota(item, BERLIN, SCOPES)
        assert len(refused.value.problems) == 4
        assert str(refused.value).startswith("quota 'daily' of 'alice' is not valid: attribute")
        assert all(problem in str(refused.value) for problem in refused.value.problems)

    def test_a_long_value_is_shown_in_part(self) -> None:
        (problem,) = problems(an_item(measure="x" * 100_000))
        assert len(problem) < 400

    def test_an_empty_item_is_told_what_it_needs(self) -> None:
        assert [each.partition(" ")[0] for each in problems({})] == [
            "principal", "quota", "measure", "limit", "window",
        ]  # fmt: skip

    def test_every_process_words_it_alike(self) -> None:
        """Else admins would be told of the same item again and again."""
        script = (
            "from zoneinfo import ZoneInfo\n"
            "from quota_enforcer.core.quotas.item import read_quota\n"
            "item = {'models': {'a', 'b', 'c', 'd', 'e'}}\n"
            "try: read_quota(item, ZoneInfo('UTC'), frozenset('vwxyz*'))\n"
            "except Exception as error: print(error)\n"
        )
        said = {
            subprocess.run(  # noqa: S603 - our own script
                [sys.executable, "-c", script],
                env={**os.environ, "PYTHONHASHSEED": seed},
                check=True,
                capture_output=True,
            ).stdout
            for seed in ("1", "2")
        }
        assert len(said) == 1
        assert b"models is {'a', 'b', 'c', 'd', 'e'}" in said.pop()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**20) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=5,
)
WORDS = st.sampled_from(
    ["user/alice", "team/x", "day", "week", "month", "monday", "requests", "*", OPUS, "pool",
     "deny", "notify", "unlimited", "2026-12-01", "7", "rolling 3 days", "cost_usd", "0.5",
     "weighted_tokens"],
)  # fmt: skip
LIKELY: dict[str, st.SearchStrategy[Any]] = {
    "principal": st.sampled_from(["user/alice", "sso/Ana", "user/*", "session/ci/*", "default"]),
    "quota": st.sampled_from(["daily", "a.b_c-1"]),
    "measure": st.sampled_from([each.value for each in Measure]),
    "limit": st.integers(0, 10**9),
    "weights": st.dictionaries(st.sampled_from(OBSERVED), st.integers(1, 9), min_size=1),
    "unknown_prices": st.sampled_from([each.value for each in UnknownPrices]),
    "window": st.sampled_from(
        ["hour", "day", "rolling 5 hours", "rolling 7 days", "rolling 15 minutes"]
    ),
}
OPTIONAL: dict[str, st.SearchStrategy[Any]] = {
    "models": st.lists(st.sampled_from(sorted(SCOPES)), min_size=1, max_size=2),
    "warn_at": st.lists(st.integers(1, 99), max_size=3) | st.integers(1, 99),
    "action": st.sampled_from(["deny", "notify"]),
    "overshoot": st.just("allow"),
    "exempt": st.booleans(),
    "until": st.sampled_from(["2026-12-01", "2026-12-01T09:00", "2026-12-01T09:00Z"]),
    "note": st.text(max_size=9),
}


def from_table(item: dict[str, Any]) -> dict[str, Any]:
    """The item as boto3 hands it back from DynamoDB: numbers are Decimal."""
    stored = {name: TypeSerializer().serialize(value) for name, value in item.items()}
    return {name: TypeDeserializer().deserialize(value) for name, value in stored.items()}


@given(st.fixed_dictionaries(LIKELY, optional=OPTIONAL))
def test_an_item_means_the_same_from_a_file_and_from_the_table(item: dict[str, Any]) -> None:
    if item["measure"] != "weighted_tokens":
        del item["weights"]
    if item["measure"] != "cost_usd":
        del item["unknown_prices"]
    from_file = json.loads(json.dumps(item))
    rule = read_quota(from_file, BERLIN, SCOPES)
    assert rule is not None
    assert rule == read_quota(from_table(item), BERLIN, SCOPES)


@given(
    st.dictionaries(st.sampled_from(ATTRIBUTES), JSON | WORDS)
    | st.dictionaries(st.text(max_size=6), JSON, max_size=3)
)
def test_whatever_is_in_an_item_it_is_read_or_refused_with_reasons(item: dict[str, Any]) -> None:
    """And from the table it is refused or read just so."""
    outcomes: list[object] = []
    for each in (item, from_table(item)):
        try:
            outcomes.append(read_quota(each, BERLIN, SCOPES))
        except InvalidQuota as refused:
            outcomes.append([problem.partition(" is ")[0] for problem in refused.problems])
    assert outcomes[0] or item.get("enabled") is False
    assert outcomes[0] == outcomes[1]
