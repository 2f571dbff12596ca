"""Requests for a higher limit, as the self-service function takes them."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from logging import LogRecord
from typing import Any

import pytest

from builders import NOON
from cli_world import me_settings
from quota_enforcer import clock
from quota_enforcer.core.quotas.request import RequestState
from quota_enforcer.insight.self_service import SelfService
from quota_enforcer.lambdas.self_service import handler as me
from self_service_events import CONTEXT, an_event
from world import World, principal

Posting = Callable[..., dict[str, Any]]
DAILY = {"quota": "daily", "limit": "5M", "until": "1d", "why": "release day"}


@pytest.fixture
def world() -> World:
    world = World()
    world.quota(principal="user/*")
    return world


@pytest.fixture
def post(world: World, monkeypatch: pytest.MonkeyPatch) -> Posting:
    """What the function answers to a body that somebody posts."""

    def wired() -> me.SelfServiceFunction:
        settings, ledger = me_settings(world), world.ledger
        look = SelfService(settings, ledger, world.quotas, ledger.request)
        return me.SelfServiceFunction(settings, look, ledger)

    monkeypatch.setattr(me, "self_service_function", wired)
    monkeypatch.setattr(clock, "now", lambda: NOON)

    def ask(body: Any = None, who: str = "alice", **more: Any) -> dict[str, Any]:
        event = an_event(who, http={"method": "POST", "path": "/"})
        posted = body if isinstance(body, str) else json.dumps(DAILY if body is None else body)
        answer: dict[str, Any] = me.handler(event | {"body": posted} | more, CONTEXT)
        return answer | {"said": json.loads(answer["body"])}

    return ask


def refused(answer: dict[str, Any], status: int = 400) -> str:
    assert answer["statusCode"] == status, answer
    said: str = answer["said"]["error"]
    return said


def test_a_request_is_kept_of_whom_iam_names(world: World, post: Posting) -> None:
    answer = post()
    assert answer["statusCode"] == 200
    assert answer["said"]["request"] == {
        "quota": "daily",
        "asked": "5,000,000 total tokens",
        "limit": 5_000_000,
        "until": "2026-11-25T12:00:00Z",
        "why": "release day",
        "asked_at": "2026-11-24T12:00:00Z",
        "answer": "waits",
        "refused_why": None,
    }
    (kept,) = world.ledger.asked.values()
    assert (kept.principal, kept.subject) == (principal("user/alice"), principal("user/alice"))
    assert (kept.limit, kept.before) == (Decimal(5_000_000), Decimal(1000))
    assert not kept.told


def test_nothing_else_is_written_and_no_limit_changes(world: World, post: Posting) -> None:
    before = dict(world.quotas.table)
    post()
    assert world.ledger.writes == []
    assert world.quotas.table == before


def test_curl_may_send_it_as_bytes(post: Posting) -> None:
    """Lambda hands over what it does not know to be text in base64."""
    body = base64.b64encode(json.dumps(DAILY).encode()).decode()
    assert post(body, isBase64Encoded=True)["statusCode"] == 200


@pytest.mark.parametrize("named", ["principal", "subject", "userArn", "team", "at", "told"])
def test_nobody_is_named_by_what_is_posted(named: str, world: World, post: Posting) -> None:
    assert "is unknown" in refused(post({**DAILY, named: "user/bob"}))
    assert world.ledger.asked == {}


def test_a_session_asks_for_its_role_or_for_itself(world: World, post: Posting) -> None:
    world.quota(principal="role/ci")
    world.quota(principal="session/ci/*", quota="mine")
    assert post(who="role:ci/42")["statusCode"] == 200
    (kept,) = world.ledger.asked.values()
    assert (str(kept.principal), str(kept.subject)) == ("role/ci", "role/ci")
    world.ledger.asked.clear()
    assert post({**DAILY, "quota": "mine"}, who="role:ci/42")["statusCode"] == 200
    (kept,) = world.ledger.asked.values()
    assert (str(kept.principal), str(kept.subject)) == ("role/ci", "session/ci/42")


class TestOften:
    def test_once_in_an_hour(self, post: Posting, monkeypatch: pytest.MonkeyPatch) -> None:
        post()
        said = refused(post({**DAILY, "limit": "6M"}), 429)
        assert said == (
            "user/alice asked at 2026-11-24 12:00 UTC and may ask again at 2026-11-24 13:00 UTC"
        )
        monkeypatch.setattr(clock, "now", lambda: NOON + timedelta(hours=1))
        assert post({**DAILY, "limit": "6M"})["statusCode"] == 200

    def test_others_are_not_kept_from_it(self, post: Posting) -> None:
        post()
        assert post(who="bob")["statusCode"] == 200

    def test_another_session_name_is_no_other_principal(self, world: World, post: Posting) -> None:
        world.quota(principal="role/ci")
        post(who="role:ci/42")
        refused(post(who="role:ci/43"), 429)

    def test_what_was_refused_does_not_count(self, post: Posting) -> None:
        refused(post({**DAILY, "limit": "5"}))
        assert post()["statusCode"] == 200


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"quota": "weekly"}, "quota is 'weekly'; these limit you: daily"),
        ({"quota": "__proto__"}, "these limit you: daily"),
        ({"limit": "lots"}, "limit is 'lots'; allowed: a number of total tokens"),
        ({"limit": "$50"}, "limit is '$50'; allowed: a number of total tokens"),
        ({"limit": "unlimited"}, "allowed: a number"),
        ({"limit": "NaN"}, "allowed: a number"),
        ({"limit": "Infinity"}, "allowed: a number"),
        ({"limit": "-5"}, "allowed: a number"),
        ({"limit": "0"}, "allowed: a number"),
        ({"limit": "1e99"}, "allowed: a number"),
        ({"limit": "1" + "0" * 20}, "at most 15 digits"),
        ({"limit": "5000.5"}, "a whole number"),
        ({"limit": "1000"}, "lets you use 1,000 total tokens already"),
        ({"limit": "1" * 41}, "limit has 41 characters; allowed: at most 40"),
        ({"until": "tomorrow"}, "until is 'tomorrow'; allowed: a while such as 2h"),
        ({"until": "32d"}, "from now to 31 days from now"),
        ({"until": "2026-11-24"}, "from now to 31 days from now"),
        ({"until": "0h"}, "from now to 31 days from now"),
        ({"until": "9" * 30 + "d"}, "until is"),
        ({"why": ""}, "why is empty"),
        ({"why": " \n "}, "why has '\\n'"),
        ({"why": "x" * 201}, "why has 201 characters; allowed: at most 200"),
        ({"why": "a\nNotice: b"}, "why has '\\n'; allowed: plain words"),
        ({"why": "see https://evil.example"}, "why has a link"),
        ({"why": "<!channel>"}, "why has '<'"),
        ({"why": "`rm -rf /`"}, "why has '`'"),
        ({"why": "\u202egnp"}, "why has '\\u202e'"),
        ({"why": "\x1b[2J"}, "why has '\\x1b'"),
        ({"why": 5}, "why is no text"),
        ({"why": None}, "why is no text"),
        ({"why": ["a"]}, "why is no text"),
    ],
    ids=str,
)
def test_what_cannot_be_asked_is_named_with_what_is_allowed(
    change: dict[str, Any], words: str, world: World, post: Posting
) -> None:
    assert words in refused(post(DAILY | change))
    assert world.ledger.asked == {}


@pytest.mark.parametrize(
    "body",
    ["", "{", "[]", "null", "5", '"x"', "[" * 3000, '{"why": "' + "x" * 5000 + '"}'],
    ids=lambda body: str(body)[:9],
)
def test_what_is_no_request_is_refused(body: str, world: World, post: Posting) -> None:
    refused(post(body))
    refused(post(body, isBase64Encoded=True))
    assert world.ledger.asked == {}


@pytest.mark.parametrize("change", [{"rawPath": "/ask"}, {"rawQueryString": "principal=user/bob"}])
def test_it_is_posted_to_no_other_place(change: dict[str, str], post: Posting) -> None:
    assert "POST / takes a request" in refused(post(**change))


def test_whom_no_quota_limits_has_nothing_to_ask(world: World, post: Posting) -> None:
    world.quotas.table.clear()
    assert "these limit you: none" in refused(post())
    world.quota(raise_to="unlimited", raise_until="2026-12-01")
    assert "does not limit you now" in refused(post())


def test_money_has_decimal_places(world: World, post: Posting) -> None:
    world.quota(quota="money", measure="cost_usd", limit=Decimal("12.50"))
    answer = post({**DAILY, "quota": "money", "limit": "$20.50"})
    assert answer["said"]["request"]["asked"] == "$20.50"


def test_a_moment_without_an_offset_is_on_the_deployments_clock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(zone="Europe/Berlin")
    world.quota()
    settings, ledger = me_settings(world), world.ledger
    look = SelfService(settings, ledger, world.quotas, ledger.request)
    monkeypatch.setattr(
        me, "self_service_function", lambda: me.SelfServiceFunction(settings, look, ledger)
    )
    monkeypatch.setattr(clock, "now", lambda: NOON)
    event = an_event(http={"method": "POST", "path": "/"})
    body = json.dumps({**DAILY, "until": "2026-11-25T09:00"})
    me.handler(event | {"body": body}, CONTEXT)
    (kept,) = ledger.asked.values()
    assert kept.until.isoformat() == "2026-11-25T08:00:00+00:00"


def test_a_stack_that_goes_takes_none(world: World, post: Posting) -> None:
    world.ledger.close()
    assert "being deleted" in refused(post(), 409)


def test_what_is_asked_for_is_in_no_log(post: Posting, kept_log: list[LogRecord]) -> None:
    post({**DAILY, "why": "the merger"})
    logged = [(each.getMessage(), getattr(each, "principal", None)) for each in kept_log]
    assert logged == [("asked for more", "user/alice")]
    assert "merger" not in str([vars(each) for each in kept_log])


class TestWhatBecame:
    """Of a request, as whoever made it sees it."""

    def told(self, world: World, monkeypatch: pytest.MonkeyPatch, hours: int) -> Any:
        monkeypatch.setattr(clock, "now", lambda: NOON + timedelta(hours=hours))
        settings, ledger = me_settings(world), world.ledger
        look = SelfService(settings, ledger, world.quotas, ledger.request)
        monkeypatch.setattr(
            me, "self_service_function", lambda: me.SelfServiceFunction(settings, look, ledger)
        )
        return json.loads(me.handler(an_event(), CONTEXT)["body"])["request"]

    @pytest.mark.usefixtures("post")
    def test_who_asked_for_nothing_hears_of_none(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert self.told(world, monkeypatch, 0) is None

    def test_it_waits_until_its_end_and_lapses(
        self, world: World, post: Posting, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post()
        assert self.told(world, monkeypatch, 23)["answer"] == RequestState.WAITS
        assert self.told(world, monkeypatch, 24)["answer"] == RequestState.LAPSED

    def test_it_is_granted_at_once_when_the_limit_is_raised(
        self, world: World, post: Posting, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post()
        world.quota(limit=2000)
        assert self.told(world, monkeypatch, 1)["answer"] == RequestState.GRANTED
