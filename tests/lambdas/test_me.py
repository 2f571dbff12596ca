"""The self-service function: whom it answers, about whom, and what."""

import copy
import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from logging import LogRecord
from typing import Any

import pytest

from builders import HAIKU, NOON
from cli_world import me_settings
from quota_enforcer import clock
from quota_enforcer.core.deployment import Mode, SelfServiceSettings
from quota_enforcer.core.errors import CannotDeny, ConfigError
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.stored import Bucket
from quota_enforcer.insight.self_service import SelfService
from quota_enforcer.lambdas.self_service import handler as me
from self_service_events import CONTEXT, an_event
from world import ACCOUNT, World, arn, principal

Asking = Callable[..., dict[str, Any]]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def answered(world: World, monkeypatch: pytest.MonkeyPatch) -> Asking:
    """The function's answer to an event, at noon."""
    monkeypatch.setattr(clock, "now", lambda: NOON)

    def wired() -> me.SelfServiceFunction:
        settings = me_settings(world)
        ledger = world.ledger
        look = SelfService(settings, ledger, world.quotas, ledger.request)
        return me.SelfServiceFunction(settings, look, ledger)

    monkeypatch.setattr(me, "self_service_function", wired)

    def ask(event: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = me.handler(event, CONTEXT)
        return answer

    return ask


@pytest.fixture
def asked(answered: Asking) -> Asking:
    """What somebody is told who may ask."""

    def ask(who: str = "alice") -> dict[str, Any]:
        answer = answered(an_event(who))
        assert answer["statusCode"] == 200, answer
        told: dict[str, Any] = json.loads(answer["body"])
        return told

    return ask


def quotas(told: dict[str, Any]) -> list[tuple[str, str, Any, Any]]:
    return [
        (standing["principal"], each["quota"], each["used"], each["limit"])
        for standing in told["standings"]
        for each in standing["quotas"]
    ]


class TestWhom:
    def test_everybody_is_told_about_themselves(self, world: World, asked: Asking) -> None:
        world.quota(principal="user/*")
        world.stream("alice", NOON, 600)
        world.stream("bob", NOON, 7)
        assert quotas(asked("alice")) == [("user/alice", "daily", 600, 1000)]
        assert quotas(asked("bob")) == [("user/bob", "daily", 7, 1000)]

    def test_a_person_of_identity_center_by_the_name_whatever_its_case(
        self, world: World, asked: Asking
    ) -> None:
        world.quota(principal="sso/ann@example.com")
        world.stream("sso:ann@example.com", NOON, 5)
        assert quotas(asked("sso:Ann@Example.com")) == [("sso/ann@example.com", "daily", 5, 1000)]

    def test_a_session_hears_of_its_role_and_of_itself_where_a_quota_watches_it(
        self, world: World, asked: Asking
    ) -> None:
        world.quota(principal="role/ci")
        world.stream("role:ci/42", NOON, 5)
        assert quotas(asked("role:ci/42")) == [("role/ci", "daily", 5, 1000)]
        world.quota(principal="session/ci/*", limit=100)
        assert quotas(asked("role:ci/42")) == [
            ("role/ci", "daily", 5, 1000),
            ("session/ci/42", "daily", 5, 100),
        ]

    def test_a_member_hears_of_the_pool_and_not_of_the_other_members(
        self, world: World, asked: Asking
    ) -> None:
        world.quota(
            principal="team/research", members=["user/alice", "user/bob"], share="pool", quota="pot"
        )
        world.stream("alice", NOON, 5)
        world.stream("bob", NOON, 7)
        told = asked("alice")
        assert [row[2:] for row in quotas(told) if row[1] == "pot"] == [(12, 1000)]
        assert "bob" not in json.dumps(told)

    def test_a_pool_of_a_kind_is_the_sum_of_everybody_known_of_it(
        self, world: World, asked: Asking
    ) -> None:
        world.quota(principal="team/all", members=["user/*"], share="pool", quota="pot")
        for who, tokens in (("alice", 5), ("bob", 7), ("role:ci/42", 11)):
            world.stream(who, NOON, tokens)
        world.wake(NOON, "user/alice", "user/bob", "role/ci")
        told = asked("alice")
        assert [row[2:] for row in quotas(told) if row[1] == "pot"] == [(12, 1000)]
        assert "bob" not in json.dumps(told)

    def test_quotas_of_kinds_teams_and_everybody_apply_as_in_a_sweep(
        self, world: World, asked: Asking
    ) -> None:
        """Whichever spelling an admin chose."""
        ann = "sso/Ann@Example.com"
        world.quota(principal=ann, quota="a")
        world.quota(principal="sso/*", quota="b")
        world.quota(principal="default", quota="c")
        world.quota(principal="team/x", quota="d", members=[ann])
        world.quota(principal="sso/bob@example.com", quota="e")
        world.quota(principal="user/ann@example.com", quota="f")
        told = quotas(asked("sso:ann@example.com"))
        assert [quota for _, quota, *_ in told] == ["a", "b", "c", "d"]

    def test_an_invalid_item_of_ones_own_keeps_its_last_valid_version(
        self, world: World, asked: Asking
    ) -> None:
        world.quota()
        world.sweep(NOON)
        world.quota(limit="lots")
        assert quotas(asked()) == [("user/alice", "daily", 0, 1000)]

    def test_who_has_no_quota_is_told_todays_usage(self, world: World, asked: Asking) -> None:
        world.stream("alice", NOON, 600)
        assert quotas(asked()) == [("user/alice", "", 600, None)]


class TestWhatCannotBeAsked:
    @pytest.mark.parametrize(
        "change",
        [
            {"rawQueryString": "principal=user/bob"},
            {"body": '{"principal": "user/bob"}'},
            {"rawPath": "/user/bob"},
        ],
        ids=str,
    )
    def test_no_parameter_names_anybody(self, change: dict[str, str], answered: Asking) -> None:
        answer = answered(an_event() | change)
        assert answer["statusCode"] == 400
        assert "only about who asks" in answer["body"]

    def test_nothing_but_get_is_answered(self, answered: Asking) -> None:
        posted = an_event(http={"method": "POST", "path": "/"})
        assert answered(posted)["statusCode"] == 400

    @pytest.mark.parametrize("said", [{"x-amz-user": "bob"}, {"x-forwarded-user": "user/bob"}])
    def test_headers_name_nobody(
        self, said: dict[str, str], world: World, answered: Asking
    ) -> None:
        world.quota(principal="user/*")
        event = an_event()
        event["headers"] |= said
        (standing,) = json.loads(answered(event)["body"])["standings"]
        assert standing["principal"] == "user/alice"

    def test_another_accounts_user_of_the_same_name_is_refused(self, answered: Asking) -> None:
        event = an_event()
        iam = event["requestContext"]["authorizer"]["iam"]
        iam |= {"accountId": "999999999999", "userArn": "arn:aws:iam::999999999999:user/alice"}
        assert answered(event)["statusCode"] == 403
        for half in ({"accountId": ACCOUNT}, {"userArn": arn("alice")}):
            lying = copy.deepcopy(event)
            lying["requestContext"]["authorizer"]["iam"] |= half
            assert answered(lying)["statusCode"] == 403

    @pytest.mark.parametrize("who", ["root", "federated-user/alice"])
    def test_whom_no_quota_can_cover_is_told_so(self, who: str, answered: Asking) -> None:
        event = an_event()
        service = "iam" if who == "root" else "sts"
        named = f"arn:aws:{service}::{ACCOUNT}:{who}"
        event["requestContext"]["authorizer"]["iam"]["userArn"] = named
        answer = answered(event)
        assert answer["statusCode"] == 403
        assert "has no quota" in answer["body"]

    @pytest.mark.parametrize(
        "context",
        [
            {"authorizer": None},
            {"authorizer": {}},
            {"authorizer": {"iam": {"userArn": None, "accountId": ACCOUNT}}},
            {"authorizer": {"jwt": {"userArn": "arn:aws:iam::111122223333:user/alice"}}},
        ],
        ids=str,
    )
    def test_a_request_that_iam_did_not_authorise_is_refused(
        self, context: dict[str, Any], answered: Asking
    ) -> None:
        assert answered(an_event(**context))["statusCode"] == 403

    @pytest.mark.parametrize("event", [{}, {"principal": "user/bob"}, {"requestContext": None}])
    def test_anything_else_is_refused(self, event: dict[str, Any], answered: Asking) -> None:
        assert answered(event)["statusCode"] == 403


class TestWhat:
    def test_who_is_blocked_hears_what_is_denied_since_and_until_when(
        self, world: World, asked: Asking
    ) -> None:
        world.quota()
        world.call("alice", NOON - timedelta(minutes=10), 1200)
        world.sweep(NOON)
        (standing,) = asked()["standings"]
        assert standing["denied"] == ["*"]
        assert (standing["since"], standing["until"]) == (
            "2026-11-24T12:00:00Z",
            "2026-11-25T00:00:00Z",
        )
        (quota,) = standing["quotas"]
        assert (quota["state"], quota["percent"]) == ("blocked", 120)

    def test_the_answer_says_how_new_it_is_and_whom_to_ask(
        self, world: World, asked: Asking
    ) -> None:
        world.quota()
        world.call("alice", NOON - timedelta(minutes=20), 1)
        world.sweep(NOON - timedelta(minutes=3))
        told = asked()
        assert told["data_age_seconds"] == 180
        assert told["contact"] == "the platform team"
        assert (told["stack"], told["mode"], told["time_zone"]) == (
            "bedrock-quota",
            "enforce",
            "UTC",
        )

    def test_it_decides_by_quotas_that_no_sweep_has_seen_yet(
        self, world: World, asked: Asking
    ) -> None:
        world.stream("alice", NOON, 1200)
        world.quota()
        (standing,) = asked()["standings"]
        assert standing["denied"] == []
        assert standing["quotas"][0]["state"] == "over"
        assert standing["quotas"][0]["why"] == "the next sweep blocks"

    def test_a_raise_is_told_with_its_end_and_what_comes_back(
        self, world: World, asked: Asking
    ) -> None:
        world.quota(raise_to=5000, raise_until="2026-11-26")
        (standing,) = asked()["standings"]
        (quota,) = standing["quotas"]
        assert (quota["limit"], quota["limit_after"]) == (5000, 1000)
        assert quota["raised_until"] == "2026-11-26T00:00:00Z"

    def test_money_is_exact_and_no_limit_is_null(self, world: World, asked: Asking) -> None:
        world.quota(measure="cost_usd", limit=Decimal("12.50"))
        world.quota(
            quota="calls", measure="requests", raise_to="unlimited", raise_until="2026-12-01"
        )
        world.stream("alice", NOON, 1, cost="0.0000004")
        budget = {each["quota"]: each for each in asked()["standings"][0]["quotas"]}
        assert (budget["daily"]["used"], budget["daily"]["limit"]) == ("0.0000004", "12.5")
        assert (budget["calls"]["limit"], budget["calls"]["limit_after"]) == (None, 1000)

    def test_cost_and_what_of_it_is_assumed_are_told_whatever_the_measure(
        self, world: World, asked: Asking
    ) -> None:
        """Exactly, and apart: what is certain is the first less the second."""
        world.quota()
        world.quota(quota="money", measure="cost_usd", limit=10)
        bucket = Bucket(Principal.parse("user/alice"), HAIKU, NOON.date())
        counts = Counts(1, cost_usd=Decimal("1.9367"), assumed_usd=Decimal("0.375"))
        world.ledger.set_hours(bucket, {NOON: counts})
        for quota in asked()["standings"][0]["quotas"]:
            assert (quota["cost_usd"], quota["assumed_usd"]) == ("1.9367", "0.375")

    def test_observe_mode_blocks_nobody_and_says_so(self, world: World, asked: Asking) -> None:
        world.mode(Mode.OBSERVE)
        world.quota()
        world.stream("alice", NOON, 1200)
        (standing,) = asked()["standings"]
        assert standing["denied"] == []
        assert standing["quotas"][0]["state"] == "would be blocked"

    def test_who_could_not_be_blocked_hears_why(self, world: World, asked: Asking) -> None:
        world.quota()
        world.denies.refuse[principal("user/alice")] = CannotDeny("no policy slot is left")
        world.call("alice", NOON - timedelta(minutes=10), 1200)
        world.sweep(NOON)
        (standing,) = asked()["standings"]
        assert (standing["denied"], standing["trouble"]) == ([], "no policy slot is left")

    def test_the_models_that_a_quota_closes_are_named(self, world: World, asked: Asking) -> None:
        world.quota(models=["*"])
        assert asked()["standings"][0]["quotas"][0]["models"] == ["*"]

    def test_asking_writes_nothing(self, world: World, asked: Asking) -> None:
        world.quota()
        world.stream("alice", NOON, 1200)
        asked()
        assert world.ledger.writes == []


def test_only_the_principal_is_logged(
    world: World, answered: Asking, kept_log: list[LogRecord]
) -> None:
    world.quota()
    world.stream("alice", NOON, 987_654_321)
    answered(an_event())
    answered(an_event() | {"rawQueryString": "secret=recipe"})
    logged = [(each.getMessage(), getattr(each, "principal", None)) for each in kept_log]
    assert logged == [("asked", "user/alice"), ("refused", None)]
    for private in ("987654321", "recipe", "AKIA", HAIKU):
        assert private not in str([vars(each) for each in kept_log])


COMPLETE = {
    "STACK_NAME": "bedrock-quota", "ACCOUNT_ID": ACCOUNT, "QUOTA_TABLE": "quotas",
    "LEDGER_TABLE": "ledger", "CONTACT": "us", "MODEL_SCOPES": '["*", "deepseek.r1-v1:0"]',
    "MODE": "observe", "TIME_ZONE": "Europe/Berlin", "GATED": "true",
}  # fmt: skip


def test_the_settings_are_read_from_the_environment() -> None:
    settings = SelfServiceSettings.from_environment(COMPLETE)
    assert settings.scopes == ("*", "deepseek.r1-v1:0")
    assert (settings.gated, str(settings.zone)) == (True, "Europe/Berlin")


@pytest.mark.parametrize("name", COMPLETE)
@pytest.mark.parametrize("value", ["", None])
def test_each_missing_setting_is_named(name: str, value: str | None) -> None:
    told = {key: each for key, each in COMPLETE.items() if key != name or value is not None}
    if value is not None:
        told[name] = value
    with pytest.raises(ConfigError, match=name):
        SelfServiceSettings.from_environment(told)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MODE", "block"), ("TIME_ZONE", "Mars/Olympus"), ("GATED", "1"), ("MODEL_SCOPES", "*"),
        ("MODEL_SCOPES", "[1]"), ("MODEL_SCOPES", "{}"),
    ],
)  # fmt: skip
def test_each_wrong_setting_is_named_with_its_value(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name) as refused:
        SelfServiceSettings.from_environment(COMPLETE | {name: value})
    assert repr(value) in str(refused.value)
