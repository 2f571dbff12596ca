"""What the pages show, and that they know when something has happened."""

import re

import pytest

from cli_world import Shell
from console_site import Site, a_site
from quota_enforcer.console import look


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/", ["Who is blocked", "user/alice", "What runs out next"]),
        ("/people", ["user/alice", "user/bob", "role/reporting", "no quota"]),
        ("/people?q=bob", ["1 principal", "user/bob"]),
        ("/people/user/alice", ["1,200 of 1,000", "for all people", "used up", "Release"]),
        ("/people/role/reporting", ["No quota covers"]),
        ("/quotas", ["default", "1,000 total tokens per day"]),
        ("/quotas/edit", ["Add a quota"]),
        ("/quotas/edit?principal=default&quota=daily", ['value="1,000"']),
        ("/activity", ["blocked", "user/alice", "warning", "user/bob"]),
        ("/activity?kind=warning", ["user/bob"]),
        ("/health", ["What doctor finds"]),
        ("/health/findings", ["checks"]),
    ],
)
def test_every_page_shows_what_the_commands_say(site: Site, path: str, words: list[str]) -> None:
    answer = site.get(path)
    assert answer.status == 200, answer.text
    text = " ".join(re.sub(r"<(?!input|option)[^>]*>", " ", answer.text).split())
    assert [each for each in words if each not in text] == []


def test_filters_leave_out_all_others(site: Site) -> None:
    assert "user/bob" not in site.get("/people?q=alice").text
    assert "user/alice" not in site.get("/activity?kind=warning").text


@pytest.mark.parametrize("path", ["/nothing", "/people/user/nobody", "/try", "/people/%20"])
def test_what_is_not_there_is_said_in_words(site: Site, path: str) -> None:
    answer = site.get(path)
    assert answer.status in {400, 404}
    assert "That did not work" in answer.text
    assert "Traceback" not in answer.text


def test_names_of_people_are_never_markup(site: Site, shell: Shell) -> None:
    shell.world.quota(note="<script>alert(1)</script>")
    answer = site.get("/quotas/edit?principal=user/alice&quota=daily")
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert" in answer.text
    assert "<b>" not in site.get("/people?q=%3Cb%3E").text


def mark_of(page: str) -> str:
    found = re.search(r"/live\?mark=(\w+)", page)
    assert found is not None
    return found[1]


def test_a_page_is_told_to_fetch_itself_again_once_something_has_happened(
    site: Site, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One look at the mark serves all open pages for a while."""
    seconds = [0.0]
    monkeypatch.setattr(look, "monotonic", lambda: seconds[0])
    mark = mark_of(site.get("/").text)
    assert "hx-trigger" not in site.get(f"/live?mark={mark}").headers
    shell.used("bob", 500)
    shell.sweep()
    assert "hx-trigger" not in site.get(f"/live?mark={mark}").headers
    seconds[0] += 1
    told = site.get(f"/live?mark={mark}")
    assert (told.status, told.headers["hx-trigger"]) == (204, "changed")
    page = site.get("/")
    assert mark_of(page.text) != mark
    assert page.text.count("user/bob</a>") > 1


def test_a_sandbox_can_be_tried(shell: Shell) -> None:
    with a_site(shell, sandbox=True) as site:
        site.enter()
        assert "Move the clock" in site.get("/try").text
        called = site.post("/try/call", name="user/alice", tokens="500k", model="sonnet")
        assert "IAM refused user/alice" in called.text
        wrong = site.post("/try/call", name="user/alice", tokens="lots", model="sonnet")
        assert "is no number of tokens" in wrong.text
        assert "It is now" in site.post("/try/clock", to="+1h").text
        assert site.calls[0] == ("user/alice", "500k", "sonnet")
        assert site.calls[-1] == ("+1h",)


def test_only_a_sandbox_can_be_tried(site: Site) -> None:
    assert site.post("/try/call", name="user/alice", tokens="1", model="sonnet").status == 404
    assert site.post("/try/clock", to="+1h").status == 404
