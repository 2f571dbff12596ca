"""`explain`: every rule of every quota name, the sum, and why it does or does not deny."""

import io
from datetime import timedelta

import pytest
from rich.console import Console

from builders import NOON
from cli_world import Shell, a_shell
from quota_enforcer.cli.terminal import output
from quota_enforcer.core.deployment import Metering, Mode
from quota_enforcer.core.errors import CannotDeny
from world import arn, principal

USED = "1,200 of 1,000 total tokens used today"
EMPTIER = "when enough of the oldest hours have left the window, if nothing more is used"


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    return a_shell(monkeypatch)


def facts(printed: str, quota: str = "daily") -> dict[str, list[str]]:
    """What is said of a quota, by its label; a line without one goes on with that before."""
    block = printed.partition(f"Quota {quota}: ")[2].partition("\n\n")[0]
    found: dict[str, list[str]] = {}
    for line in block.splitlines()[1:]:
        label, _, text = line.strip().partition("  ")
        if not text:  # no label
            label, text = list(found)[-1], label
        found.setdefault(label, []).append(text.strip())
    return found


def tables(printed: str) -> list[list[str]]:
    """The rows of all sums; two spaces and more part the cells."""
    return [
        [cell.strip() for cell in line.split("  ") if cell.strip()]
        for line in printed.splitlines()
        if line.startswith("  ")
    ]


def blocked(shell: Shell) -> None:
    """Alice is over the default."""
    shell.world.quota(principal="default", warn_at=[50, 80])
    for hours, tokens in ((0, 500), (3, 700)):
        shell.world.call("alice", NOON - timedelta(hours=hours, minutes=10), tokens)
    shell.sweep()


def test_a_block_is_explained_from_the_rule_to_the_moment_it_frees(shell: Shell) -> None:
    blocked(shell)
    printed = shell.out("explain", "user/alice")
    assert printed.splitlines()[:2] == [
        "user/alice: blocked since 2026-11-24 12:00 UTC, until 2026-11-25 00:00 UTC",
        f"It is denied every model: {USED} (quota daily of default).",
    ]
    assert "Quota daily: blocked\n" in printed
    assert facts(printed) == {
        "Rule": ["default, for all people"],
        "Limit": ["1,000 total tokens per day"],
        "Window": ["day: 2026-11-24 00:00 UTC to 2026-11-25 00:00 UTC"],
        "Used": ["1,200 of 1,000 total tokens, 120 %"],
        "Warns at": ["50 % (500): passed, told; 80 % (800): passed, told"],
        "Result": ["used up, so it denies every model"],
        "Opens again": ["2026-11-25 00:00 UTC, in 12 h, when the window starts again from zero"],
    }


def test_the_sum_stands_bucket_by_bucket(shell: Shell) -> None:
    blocked(shell)
    rows = tables(shell.out("explain", "user/alice"))
    place = rows.index(["Hour", "Total tokens", "Sum"])
    assert rows[place + 1 : place + 3] == [
        ["2026-11-24 08:00 UTC", "700", "700"],
        ["2026-11-24 11:00 UTC", "500", "1,200"],
    ]


def test_every_rule_that_does_not_apply_is_there_with_why(shell: Shell) -> None:
    quota = shell.world.quota
    quota(principal="default", limit=9000)
    quota(principal="user/*", limit=5000)
    quota(principal="team/y", members=["user/alice"], limit=1, until="2026-11-20")
    quota(principal="team/x", members=["user/alice", "user/bob"])
    quota(principal="user/alice", enabled=False)
    quota(principal="user/bob", limit=3)
    assert facts(shell.out("explain", "user/alice")) | {"Limit": []} == {
        "Rule": ["team/x, for its team"],
        "Ended": [
            "daily of team/y: 1 total tokens per day; it ended 2026-11-20 00:00 UTC",
        ],
        "Replaces": [
            "daily of user/*: 5,000 total tokens per day; team/x is nearer",
            "daily of default: 9,000 total tokens per day; team/x is nearer",
        ],
        "Disabled": ["the item of user/alice"],
        "Limit": [],
        "Window": ["day: 2026-11-24 00:00 UTC to 2026-11-25 00:00 UTC"],
        "Used": ["0 of 1,000 total tokens, 0 %"],
        "Warns at": ["80 % (800): not reached"],
        "Result": ["it denies nothing: 1,000 total tokens left"],
        "Resets": ["2026-11-25 00:00 UTC, in 12 h"],
    }


def test_an_exemption_replaces_the_limit(shell: Shell) -> None:
    shell.world.quota(principal="default")
    shell.world.quota(principal="user/alice", exempt=True, until="2026-12-01")
    printed = shell.out("explain", "user/alice")
    assert "Quota daily: exempt, so there is no limit" in printed
    assert facts(printed) == {
        "Rule": ["user/alice, for itself: exempt until 2026-12-01 00:00 UTC"],
        "Replaces": ["daily of default: 1,000 total tokens per day; user/alice is nearer"],
    }


def test_of_several_teams_all_count(shell: Shell) -> None:
    shell.world.quota(principal="team/x", members=["user/alice"], limit=10)
    shell.world.quota(principal="team/y", members=["user/alice"], limit=20)
    printed = shell.out("explain", "user/alice")
    assert "team/x, for its team; so does that of team/y: of several teams all count" in printed
    assert "team/y, for its team; so does that of team/x: of several teams all count" in printed


def test_an_invalid_item_is_named_with_what_holds_instead(shell: Shell) -> None:
    shell.world.quota(principal="user/alice")
    shell.sweep()
    shell.world.quota(principal="user/alice", limit="abc")
    shell.world.quota(principal="user/*", quota="other", limit="x")
    shell.world.quota(principal="usr/alice", quota="other")
    result = shell.run("explain", "user/alice")
    assert facts(result.stdout)["Not valid"] == [
        "the item of user/alice: limit is 'abc'; allowed: a whole number, 0 or more",
        "its last valid version stays in force: it is the one shown",
    ]
    assert facts(result.stdout)["Limit"] == ["1,000 total tokens per day"]
    assert "Quota other: none in force" in result.stdout
    assert facts(result.stdout, "other")["Not valid"] == [
        "the item of user/*: limit is 'x'; allowed: a whole number, 0 or more",
        "the next quota in precedence applies instead",
    ]
    assert "1 invalid item names nobody: see quota-enforcer quota list" in result.stderr


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (NOON, "5,000 until 2026-11-24 18:00 UTC"),
        (NOON + timedelta(hours=7), "5,000 until it ended 2026-11-24 18:00 UTC"),
    ],
)
def test_a_raise_is_shown_while_it_lasts_and_afterwards(
    shell: Shell, now: object, words: str
) -> None:
    shell.world.quota(raise_to=5000, raise_until="2026-11-24T18:00", until="2026-12-01")
    shell.now = now  # type: ignore[assignment]
    [limit] = facts(shell.out("explain", "user/alice"))["Limit"]
    assert limit == (
        f"1,000 total tokens per day; raised to {words}; the quota ends 2026-12-01 00:00 UTC"
    )


def test_a_warning_of_another_limit_is_not_said_to_be_told(shell: Shell) -> None:
    blocked(shell)
    shell.world.quota(principal="default", warn_at=[50, 80], limit=2000)
    assert facts(shell.out("explain", "user/alice"))["Warns at"] == [
        "50 % (1,000): passed; 80 % (1,600): not reached"
    ]


@pytest.mark.parametrize(
    ("item", "so"),
    [
        ({"action": "notify"}, "since this quota only notifies"),
        ({"measure": "requests", "limit": 1}, "so it denies every model; the next sweep blocks"),
        ({"raise_to": "unlimited", "raise_until": "2027-01-01"}, "there is no limit now"),
    ],
)
def test_why_it_denies_or_does_not(shell: Shell, item: dict[str, object], so: str) -> None:
    shell.used("alice", 1200)
    shell.sweep()
    shell.world.quota(**item)
    assert facts(shell.out("explain", "user/alice"))["Result"][0].endswith(so)


def test_in_observe_mode_nothing_is_denied(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = a_shell(monkeypatch, Mode.OBSERVE)
    blocked(shell)
    printed = shell.out("explain", "user/alice")
    assert printed.splitlines()[0] == "user/alice: would be blocked"
    assert facts(printed)["Result"] == [
        "used up, but it denies nothing, since observe mode blocks nobody"
    ]


def test_that_no_deny_reaches_somebody_is_said_in_observe_mode_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shell = a_shell(monkeypatch, Mode.OBSERVE)
    shell.world.quota(principal="sso/ann")
    shell.used("sso:ann", 1200)
    shell.sweep()
    printed = shell.out("explain", "sso/ann")
    why = "Identity Center roles cannot be modified through IAM"
    assert printed.splitlines()[0] == "sso/ann: could not be blocked"
    [so] = facts(printed)["Result"]
    assert so.startswith(f"used up, but it denies nothing, since {why}")


def test_what_iam_refused_is_told(shell: Shell) -> None:
    shell.world.denies.refuse[principal("user/alice")] = CannotDeny("all policy slots are full")
    blocked(shell)
    printed = shell.out("explain", "user/alice")
    assert printed.splitlines()[0] == (
        "user/alice: could not be blocked: all policy slots are full"
    )
    assert "It is denied" not in printed


@pytest.mark.parametrize(
    ("window", "frees"),
    [
        (
            "rolling 4 hours",
            f"2026-11-24 15:00 UTC, in 3 h, {EMPTIER}",
        ),
        ("week", "2026-11-30 00:00 UTC, in 5 d 12 h, when the window starts again from zero"),
    ],
)
def test_when_it_frees(shell: Shell, window: str, frees: str) -> None:
    shell.world.quota(window=window)
    shell.world.call("alice", NOON - timedelta(minutes=10), 1200)
    shell.sweep()
    assert facts(shell.out("explain", "user/alice"))["Opens again"] == [frees]


def test_a_block_by_hand_frees_when_an_admin_says_so_or_when_it_ends(shell: Shell) -> None:
    shell.world.quota(limit=0)
    shell.world.quota(quota="hold", limit=0, until="2026-11-26")
    printed = shell.out("explain", "user/alice")
    assert facts(printed)["Opens again"] == [
        "when an admin changes the quota: with a limit of 0 no reset frees it"
    ]
    assert facts(printed, "hold")["Opens again"] == [
        "2026-11-26 00:00 UTC, in 1 d 12 h, when the quota ends"
    ]


def test_long_sums_are_folded_unless_all_is_asked_for(shell: Shell) -> None:
    shell.world.quota(window="month", limit=100_000)
    for days in range(15):
        shell.world.call("alice", NOON - timedelta(days=days, minutes=10), 100)
    shell.sweep()
    folded = tables(shell.out("explain", "user/alice"))
    assert ["3 earlier days (--all)", "300", "300"] in folded
    assert ["Tue 2026-11-24", "100", "1,500"] in folded
    assert ["Tue 2026-11-10", "100", "100"] not in folded
    everything = tables(shell.out("explain", "user/alice", "--all"))
    assert ["Tue 2026-11-10", "100", "100"] in everything
    assert len(everything) == len(folded) + 2


def test_a_pool_is_shown_by_member(shell: Shell) -> None:
    members = ["user/alice", "user/bob"]
    shell.world.quota(principal="team/pool", share="pool", members=members, window="month")
    shell.used("alice", 300)
    shell.used("bob", 400)
    shell.sweep()
    printed = shell.out("explain", "team/pool")
    assert (
        "Its members share daily of team/pool: 1,000 total tokens per month; "
        "they are user/alice, user/bob." in printed
    )
    assert facts(printed)["Used"] == ["700 of 1,000 total tokens, 70 %"]
    rows = tables(printed)
    place = rows.index(["Member", "Total tokens"])
    assert rows[place + 1 :] == [["user/bob", "400"], ["user/alice", "300"]]


def test_a_team_whose_members_each_have_the_quota_says_so(shell: Shell) -> None:
    shell.world.quota(principal="team/x", members=["user/alice"])
    assert shell.out("explain", "team/x").splitlines() == [
        "team/x: no pool, so each member by itself has the team's quotas",
        "Its members each have daily of team/x: 1,000 total tokens per day; they are user/alice.",
    ]


def test_a_session_is_told_of_its_role(shell: Shell) -> None:
    shell.world.quota(principal="session/ci/*", window="hour")
    shell.used("role:ci/42", 10)
    shell.sweep()
    printed = shell.out("explain", "session/ci/42")
    assert "Its calls count to role/ci too, whose quotas hold for it as well." in printed
    assert facts(printed)["Rule"] == ["session/ci/*, for its kind"]


def test_whom_no_quota_covers_nothing_can_block(shell: Shell) -> None:
    shell.used("role:ci/42", 10)
    shell.sweep()
    assert shell.out("explain", "role/ci").splitlines() == [
        "role/ci: no quota",
        "No quota covers it, so nothing can block it.",
    ]


@pytest.mark.parametrize("text", ["user/alice", arn("alice")])
def test_an_arn_will_do(shell: Shell, text: str) -> None:
    blocked(shell)
    assert shell.out("explain", text).startswith("user/alice: blocked")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("user/alcie", "has not used Bedrock yet, and no quota names it: did you mean user/alice?"),
        ("role/zzz", "`quota-enforcer status` shows who is known"),
        ("session/ci/1", "has not been metered by itself: that needs a quota for it"),
        ("team/x", "team/x has no members"),
    ],
)  # fmt: skip
def test_a_stranger_is_explained_all_the_same_with_a_hint(
    shell: Shell, text: str, words: str
) -> None:
    blocked(shell)
    result = shell.run("explain", text)
    assert result.exit_code == 0
    assert words in result.stderr


def test_what_is_no_principal_is_refused(shell: Shell) -> None:
    result = shell.run("explain", "user/*")
    assert result.exit_code == 2
    assert "'user/*' is no principal: write user/NAME" in result.stderr


def test_as_json_it_is_one_document(shell: Shell) -> None:
    blocked(shell)
    shell.world.quota(principal="user/*", quota="other", limit="x")
    document = shell.json("explain", "user/alice")
    assert {name: document[name] for name in ("principal", "known", "denied", "until")} == {
        "principal": "user/alice",
        "known": True,
        "denied": ["*"],
        "until": "2026-11-25T00:00:00Z",
    }
    daily, other = document["names"]
    assert daily["rules"] == [
        {"whom": "default", "nearness": "default", "fate": "applies", "exempt": False,
         "until": None},
    ]  # fmt: skip
    [applies] = daily["applies"]
    assert applies["denies"] is True
    assert applies["buckets"] == [
        {"start": "2026-11-24T08:00:00Z", "used": 700},
        {"start": "2026-11-24T11:00:00Z", "used": 500},
    ]
    assert applies["warns_at"][0] == {
        "percent": 50, "amount": 500, "passed": True, "told": True,
    }  # fmt: skip
    [item] = other["items_not_in_force"]
    assert item["problems"] == ["limit is 'x'; allowed: a whole number, 0 or more"]


@pytest.mark.parametrize("width", [80, 120])
def test_it_fits_a_terminal(shell: Shell, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    screen = Console(file=io.StringIO(), width=width, markup=False)
    monkeypatch.setattr(output, "console", lambda **_: screen)
    blocked(shell)
    shell.world.quota(principal="user/alice", quota="x" * 60, window="month", limit=10**15)
    shell.out("explain", "user/alice")
    lines = screen.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert max(map(len, lines)) <= width


def test_a_member_of_a_pool_sees_the_pools_sum_with_each_role_once(shell: Shell) -> None:
    members = ["user/alice", "role/ci", "session/ci/42"]
    shell.world.quota(principal="team/pool", share="pool", members=members)
    shell.used("alice", 300)
    shell.used("role:ci/42", 400)
    shell.sweep()
    printed = shell.out("explain", "user/alice")
    assert facts(printed)["Rule"] == ["team/pool, for its team"]
    assert facts(printed)["Used"] == ["700 of 1,000 total tokens, 70 %"]
    rows = tables(printed)
    assert rows[rows.index(["Member", "Total tokens"]) + 1 :] == [
        ["role/ci", "400"],
        ["user/alice", "300"],
    ]


def test_who_is_of_a_member_account_can_be_denied_where_a_satellite_stands(shell: Shell) -> None:
    there, who = "444455556666", "444455556666/user/bob"
    shell.world.quota(principal=who, limit=0)
    shell.world.member(there)
    reached = shell.out("explain", who)
    shell.world.satellites.places.clear()
    apart = shell.out("explain", who)
    assert "has no satellite of this deployment" not in " ".join(reached.split())
    assert "has no satellite of this deployment" in " ".join(apart.split())
    assert shell.world.satellites.reads >= 2


def test_a_quota_that_closes_before_its_limit_says_by_which_pace(shell: Shell) -> None:
    """The same words before the block, in the notice, and while it lasts."""
    world = shell.world
    world.metering(Metering.STREAM)
    world.quota(limit=100_000, overshoot="avoid")
    shell.sweep()
    for number in range(490):
        world.stream("alice", NOON - timedelta(seconds=300 - 0.6 * number), 200)
    why = "at 367 total tokens a second the limit is 5 s away, and a deny takes 17 s to hold"
    before = facts(shell.out("explain", "user/alice"))
    assert before["Result"] == [
        f"closed before its limit: {why}; so it denies every model; the next sweep blocks"
    ]
    world.wake(NOON, "user/alice")
    assert why in world.topic.sent[-1][0].reason
    after = facts(shell.out("explain", "user/alice"))
    assert after["Result"] == [f"closed before its limit: {why}; so it denies every model"]
    assert after["Opens again"] == [
        "2026-11-25 00:00 UTC, in 12 h, when the window starts again from zero"
    ]
    document = shell.json("explain", "user/alice")
    [summed] = document["names"][0]["applies"]
    assert (summed["state"], summed["closed_early"]) == ("blocked", why)


def test_an_unusual_hour_is_explained_by_what_is_usual(shell: Shell) -> None:
    world = shell.world
    world.metering(Metering.STREAM)
    world.quota(limit=1000, window="hour", unusual="5x")
    for day in range(1, 5):
        world.stream("alice", NOON - timedelta(days=day), 400)
    world.stream("alice", NOON, 2_100)
    shell.sweep()
    before = facts(shell.out("explain", "user/alice"))
    assert before["Limit"] == ["5 times what is usual, at least 1,000 total tokens per hour"]
    [usual] = before["Usual"]
    assert usual.startswith("nothing yet: 4 days with usage in the last 3 weeks, and it takes 5;")
    assert before["Result"] == ["it denies nothing: there is no limit now"]
    world.stream("alice", NOON - timedelta(days=5), 500)
    after = facts(shell.out("explain", "user/alice"))
    [usual] = after["Usual"]
    assert usual == (
        "this hour is 5.2 times what is usual: in the last 3 weeks the busiest hour of a day came "
        "to 400 total tokens in the median of 5 days, and to 500 total tokens at most; so its "
        "limit is 2,000"
    )
    assert after["Used"] == ["2,100 of 2,000 total tokens, 105 %"]
    [summed] = shell.json("explain", "user/alice")["names"][0]["applies"]
    assert summed["usual"] == {"times": "5", "days": 5, "busiest_hour": 400, "most": 500}
    assert (summed["limit"], summed["limit_without_raise"]) == (2000, 1000)


def test_status_of_many_knows_what_is_usual_of_each(shell: Shell) -> None:
    world = shell.world
    world.metering(Metering.STREAM)
    world.quota(principal="user/*", limit=10, window="hour", unusual="5x")
    for who, usual in (("alice", 100), ("bob", 300)):
        for day in range(1, 7):
            world.stream(who, NOON - timedelta(days=day), usual)
        world.stream(who, NOON, 600)
    shell.sweep()
    world.wake(NOON, "user/alice", "user/bob")
    rows = shell.json("status")["standings"]
    assert {each["principal"]: each["limit"] for each in rows} == {
        "user/alice": 500, "user/bob": 1500,
    }  # fmt: skip


def test_a_pool_of_an_account_names_whoever_is_known_of_it(shell: Shell) -> None:
    guests = "444455556666"
    shell.world.metering(Metering.STREAM)
    shell.world.member(guests)
    shell.world.quota(principal="team/guests", members=[f"{guests}/*"], share="pool")
    for who, tokens in (("ben", 300), ("role:job/1", 800)):
        shell.world.stream(who, NOON, tokens, place=f"{guests}/eu-west-1")
    shell.world.wake(NOON, f"{guests}/user/ben", f"{guests}/role/job")
    team = shell.out("explain", "team/guests")
    assert f"they are everybody of {guests}/*, so far {guests}/role/job, {guests}/user/ben." in team
    assert tables(team)[-2:] == [[f"{guests}/role/job", "800"], [f"{guests}/user/ben", "300"]]
    assert "blocked since" in shell.out("explain", f"{guests}/user/ben")
    unknown = shell.out("explain", f"{guests}/user/eve")
    assert facts(unknown)["Used"] == ["1,100 of 1,000 total tokens, 110 %"]
    used = {row["principal"]: row["used"] for row in shell.json("status")["standings"]}
    assert used["team/guests"] == 1100


def test_a_window_of_minutes_is_explained_by_the_minute_and_since_when(shell: Shell) -> None:
    world = shell.world
    world.metering(Metering.STREAM)
    world.quota(window="rolling 15 minutes")
    shell.sweep()
    for minutes in (2, 0):
        world.stream("alice", NOON - timedelta(minutes=minutes), 300)
    world.wake(NOON, "user/alice")
    printed = shell.out("explain", "user/alice")
    said = facts(printed)
    assert said["Window"] == ["rolling 15 minutes: since 2026-11-24 11:46 UTC"]
    assert said["Used"] == ["600 of 1,000 total tokens, 60 %"]
    assert said["Counted"] == [
        "by the minute since 2026-11-24 12:02 UTC at the latest; what was used before is not in it"
    ]
    assert ["2026-11-24 12:00 UTC", "300", "600"] in tables(printed)
    [summed] = shell.json("explain", "user/alice")["names"][0]["applies"]
    assert (summed["bucket"], summed["counted_from"]) == ("minute", "2026-11-24T12:02:00Z")
    [row] = shell.json("status")["standings"]
    assert row["why"] == "counted by the minute since 2026-11-24 12:02 UTC at the latest"
