"""Only whoever was given the address may use the console, and no other site in their browser."""

import pytest

from console_site import Site

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
EDIT = "principal=user%2Falice&quota=daily&limit=1&measure=requests&window=day&seen="


def test_the_address_lets_one_browser_in_and_is_good_for_once(strange: Site) -> None:
    assert strange.get("/").status == 401
    entered = strange.enter()
    assert (entered.status, entered.headers["location"]) == (303, "/")
    assert strange.get("/").status == 200
    strange.cookie = ""
    again = strange.enter()
    assert again.status == 401
    assert "set-cookie" not in again.headers


def test_the_cookie_is_for_no_script_and_for_no_other_site(strange: Site) -> None:
    cookie = strange.enter().headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


@pytest.mark.parametrize("token", ["", "wrong", "%C3%A9", "token"])
def test_a_wrong_token_lets_nobody_in(strange: Site, token: str) -> None:
    assert strange.get(f"/?token={token}").status == 401
    assert strange.enter().status == 303  # nor does it use up the right one


def test_a_wrong_cookie_is_none(site: Site) -> None:
    site.cookie = site.cookie[:-1]
    assert site.get("/").status == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:80"},
        {"Host": "127.0.0.1"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://127.0.0.1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    ],
)
def test_what_another_site_asks_is_refused_with_the_cookie_too(
    site: Site, headers: dict[str, str]
) -> None:
    assert site.send("GET", "/", more=headers).status == 403
    before = dict(site.shell.world.quotas.table)
    posted = site.send("POST", "/quotas/save", EDIT, FORM | {"Origin": site.base} | headers)
    assert posted.status == 403
    assert site.shell.world.quotas.table == before


def test_a_change_without_an_origin_is_refused(site: Site) -> None:
    assert site.send("POST", "/quotas/save", EDIT, FORM).status == 403


def test_an_origin_of_another_port_of_this_machine_is_another_site(site: Site) -> None:
    more = FORM | {"Origin": "http://127.0.0.1:1"}
    assert site.send("POST", "/quotas/save", EDIT, more).status == 403


@pytest.mark.parametrize("path", ["/", "/static/htmx.min.js", "/nothing", "/people/user/alice"])
def test_every_answer_says_what_a_page_may_do(site: Site, path: str) -> None:
    answer = site.get(path)
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_no_file_beside_its_own_is_served(site: Site) -> None:
    for path in ("/shared/page.js", "/shared/..%2fpage.py", "/static/..%2fguard.py"):
        assert site.get(path).status == 404
