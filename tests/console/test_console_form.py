"""The form has a field for every attribute of an item, and writes what its command would."""

import html
import re
from typing import Any

import pytest

from cli_world import Shell
from console_site import Site
from quota_enforcer.console.pages import paging
from quota_enforcer.console.pages.fields import ASKED, form_fields, texts
from quota_enforcer.core.quotas import item

TEAM = {"principal": "team/x", "quota": "daily", "measure": "total_tokens", "limit": "5M",
        "window": "week", "members": "user/alice, user/bob", "seen": ""}  # fmt: skip


def saved(site: Site, shell: Shell, **said: str) -> dict[str, Any]:
    """The item that the form has written."""
    form = {**TEAM, **said}
    answer = site.post("/quotas/save", **form)
    if answer.status == 200:  # it asks first
        asked = re.search(r'name="agreed" value="([^"]*)"', answer.text)
        assert asked, answer.text
        answer = site.post("/quotas/save", **form, agreed=html.unescape(asked[1]))
    assert answer.status == 303, answer.text
    stored = shell.table.get(form["principal"], form["quota"])
    assert stored is not None
    return dict(stored)


def test_every_attribute_that_an_item_may_have_is_asked_for(site: Site) -> None:
    page = site.get("/quotas/edit").text
    kept = {"edited_by", "edited_at", "kept_in", "schema"}
    for attribute in set(item.ATTRIBUTES) - kept:
        assert f'id="f-{attribute}"' in page
    for attribute in kept:
        assert f'id="f-{attribute}"' not in page


def test_what_is_to_be_chosen_from_comes_from_what_judges_items() -> None:
    choices = {each.name: each.choices for each in form_fields(["*"])}
    assert choices["action"] == ("deny", "notify")
    assert choices["share"] == ("each", "pool")
    assert choices["enabled"] == choices["exempt"] == ("true", "false")
    assert "cost_usd" in choices["measure"]
    assert choices["limit"] == choices["note"] == ()


def test_an_attribute_that_is_not_known_has_a_field_and_the_words_of_its_rule(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from quota_enforcer.console.pages import fields  # noqa: PLC0415 - it is changed here

    monkeypatch.setattr(fields, "_WORDS", {})
    found = {each.name: each for each in form_fields(["*"])}
    assert found["raise_until"].words == "Raise until"
    assert found["raise_until"].hint.startswith("a date and time such as")
    assert found["weights"].hint.startswith("a map of requests")


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        ({"resets_on": "wed"}, {"resets_on": "wednesday"}),
        ({"window": "month", "resets_on": "15"}, {"window": "month", "resets_on": 15}),
        ({"enabled": "false"}, {"enabled": False}),
        ({"exempt": "true"}, {"exempt": True}),
        ({"overshoot": "avoid"}, {"overshoot": "avoid"}),
        ({"regions": "eu-west-1, EU-central-1"}, {"regions": ["eu-west-1", "eu-central-1"]}),
        ({"accounts": "444455556666"}, {"accounts": ["444455556666"]}),
        ({"warn_at": "50, 80"}, {"warn_at": [50, 80]}),
        ({"measure": "cost_usd", "limit": "$5", "unknown_prices": "deny"},
         {"unknown_prices": "deny", "limit": 5}),
        ({"measure": "weighted_tokens", "weights": "input_tokens=1, output_tokens=5"},
         {"weights": {"input_tokens": 1, "output_tokens": 5}}),
        ({"raise_to": "unlimited", "raise_until": "2d"},
         {"raise_to": "unlimited", "raise_until": "2026-11-26T12:00:00+00:00"}),
        ({"closes": "80 %: *"},
         {"closes": {"80": ["*"]}}),
        ({"share": "pool", "note": "5"}, {"share": "pool", "note": "5"}),
    ],
)  # fmt: skip
def test_each_field_is_written_as_the_item_has_it_and_read_back_the_same(
    site: Site, shell: Shell, said: dict[str, str], stored: dict[str, Any]
) -> None:
    written = saved(site, shell, **said)
    assert {name: written[name] for name in stored} == stored
    again = site.post("/quotas/preview", **{**texts(written), "seen": "x"}).text
    assert "nothing changes" in again, again


def test_an_emptied_field_takes_the_attribute_away(site: Site, shell: Shell) -> None:
    first = saved(site, shell, regions="eu-west-1", enabled="false")
    page = site.get("/quotas/edit?principal=team/x&quota=daily").text
    assert "<details open>" in page
    seen = html.unescape(re.findall(r'name="seen" value="([^"]*)"', page)[0])
    second = saved(site, shell, regions="", enabled="", seen=seen)
    assert first.keys() - second.keys() == {"regions", "enabled"}


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("weights", "much", "weights"),
        ("raise_until", "2d", "and raise_until go together"),
        ("regions", "Europe", "AWS Regions"),
        ("resets_on", "someday", "a day of the week"),
        ("overshoot", "perhaps", "allow, avoid"),
    ],
)
def test_what_is_wrong_stands_at_its_field(site: Site, field: str, text: str, words: str) -> None:
    answer = site.post("/quotas/save", **{**TEAM, field: text})
    assert answer.status == 422
    assert words in html.unescape(answer.text)
    assert html.unescape(answer.text).count("<details open>") == (field in ASKED)


def test_a_thousand_people_are_read_a_hundred_at_a_time(
    site: Site, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert paging.ROWS == 100
    monkeypatch.setattr(paging, "ROWS", 10)  # and so it is with ten
    for place in range(25):
        shell.used(f"p{place:03}", 1)
    shell.sweep()
    first = site.get("/people?q=user/p").text
    assert first.count('role="rowheader"') == 10
    assert "1 to 10 of 25 principals" in first
    follow = html.unescape(re.findall(r'<a href="([^"]*)" rel="next"', first)[0])
    assert follow == "/people?q=user%2Fp&part=2"
    last = site.get("/people?q=user/p&part=3").text
    assert last.count('role="rowheader"') == 5
    assert 'rel="next"' not in last
    assert site.get("/people?q=user/p&part=99").text.count('role="rowheader"') == 5
    assert site.get("/people?q=user/p&part=-1").text.count('role="rowheader"') == 10
    names = {
        name
        for part in (1, 2, 3)
        for name in re.findall(r"/people/(user/p\d+)", site.get(f"/people?q=p&part={part}").text)
    }
    assert len(names) == 25


def test_nothing_chosen_says_what_it_means(site: Site) -> None:
    defaults = {each.name: each.default for each in form_fields(["*"]) if each.choices}
    assert defaults == {
        "measure": "", "action": "deny, or notify if unusual", "share": "each",
        "overshoot": "allow", "unknown_prices": "warn", "enabled": "yes", "exempt": "no",
    }  # fmt: skip
    page = site.get("/quotas/edit").text
    assert '<option value="" selected>by default: each</option>' in page
    assert '<option value="" selected>choose, or let the limit say it</option>' in page
