"""Quotas of some Regions or accounts, as admins and their people read them."""

from pathlib import Path

import pytest

from builders import NOON
from cli_world import Shell, a_shell

DUBLIN, MEMBER = "111122223333/eu-west-1", "444455556666/eu-west-1"
SSO = "sso:ann@example.com"
ANN = "sso/ann@example.com"


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    """One person in three places, under a quota of Ireland: 900 and 110 of its 1,000 tokens."""
    shell = a_shell(monkeypatch)
    shell.world.quota(principal=ANN, quota="ireland", regions=["eu-west-1"])
    for tokens, place in ((5000, ""), (900, DUBLIN), (110, MEMBER)):
        shell.world.stream(SSO, NOON, tokens, place=place)
    shell.world.wake(NOON, ANN)
    return shell


def squeezed(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


def test_explain_says_what_counts_where_and_what_does_not(shell: Shell) -> None:
    said = squeezed(shell.out("explain", ANN))
    for line in (
        "Counts what is used in eu-west-1; it closes in every Region and account",
        "Used 1,010 of 1,000 total tokens, 101 %",
        f"{DUBLIN} 900",
        f"{MEMBER} 110",
        "111122223333/us-east-1 (not counted) 5,000",
    ):
        assert line in said, "\n".join(said)
    [applies] = shell.json("explain", ANN)["names"][0]["applies"]
    assert applies["by_place"] == {DUBLIN: 900, MEMBER: 110}
    assert applies["not_counted_places"] == {"111122223333/us-east-1": 5000}
    assert (applies["regions"], applies["accounts"]) == (["eu-west-1"], [])
    assert sum(part["used"] for part in applies["buckets"]) == applies["used"] == 1010


def test_of_a_pool_each_members_part_is_what_they_used_there(shell: Shell) -> None:
    pool = {"principal": "team/x", "members": [ANN, "user/bob"], "share": "pool"}
    shell.world.quota(**pool, quota="member", accounts=["444455556666"])
    shell.world.stream("bob", NOON, 70)
    [name] = [each for each in shell.json("explain", ANN)["names"] if each["quota"] == "member"]
    assert name["applies"][0]["by_member"] == {ANN: 110, "user/bob": 0}


def test_where_all_is_at_home_explain_names_no_place(shell: Shell) -> None:
    shell.world.quota()
    shell.world.stream("alice", NOON, 5)
    assert "Place" not in shell.out("explain", "user/alice")


def test_status_and_forecast_count_only_what_the_quota_does(shell: Shell) -> None:
    [row] = shell.json("status", ANN)["standings"]
    assert (row["used"], row["state"], row["regions"]) == (
        1010,
        "could not be blocked",
        ["eu-west-1"],
    )
    [line] = shell.json("forecast", ANN)["forecasts"]
    assert line["used"] == 1010


def test_an_edit_says_whom_it_blocks_by_what_they_used_there(shell: Shell) -> None:
    shell.world.keep_gates()
    shell.world.stream("bob", NOON, 800)
    shell.world.stream("bob", NOON, 300, place=DUBLIN)
    shell.world.wake(NOON, "user/bob")
    rule = ("--measure", "total_tokens", "--limit", "500", "--window", "day", "--dry-run")
    for places, blocked in (
        (("--regions", "eu-west-1"), []),
        (("--regions", "EU-West-1,us-east-1"), ["user/bob"]),
        (("--accounts", "4444-5555-6666"), []),
        (("--accounts", "111122223333"), ["user/bob"]),
    ):
        edit = shell.json("quota", "set", "user/bob", "daily", *rule, *places)
        assert edit["would_block"] == blocked, places


def test_a_region_that_there_is_not_is_refused(shell: Shell) -> None:
    result = shell.run("quota", "set", ANN, "ireland", "--regions", "eu-west-11", "--yes")
    assert result.exit_code == 2
    assert "there is no 'eu-west-11'; did you mean eu-west-1?" in " ".join(result.stderr.split())


def test_places_where_nothing_is_metered_are_pointed_out(shell: Shell) -> None:
    words = (
        "counts what is used in ap-south-1, and nothing is metered there; metered are "
        "111122223333/us-east-1, 444455556666/eu-west-1"
    )
    shell.world.member("444455556666")
    rule = ("--measure", "requests", "--limit", "5", "--window", "day", "--regions", "ap-south-1")
    told = shell.run("quota", "set", "user/zoe", "daily", *rule)
    assert f"Note: it {words}" in " ".join(told.stderr.split())
    assert f"daily of user/zoe {words}" in " ".join(shell.out("quota", "check").split())
    assert "ireland" not in shell.out("quota", "check")


def test_the_person_reads_what_counts(shell: Shell) -> None:
    shell.world.quota(principal="user/alice", quota="ireland", regions=["eu-west-1"])
    shell.world.stream("alice", NOON, 5000)
    shell.world.stream("alice", NOON, 7, place=DUBLIN)
    said = " ".join(shell.out("me").split())
    assert (
        "ireland: only what is used in eu-west-1 counts; a block of it closes in every Region and "
        "account." in said
    )
    assert " 7 of 1,000" in said


def test_quotas_go_out_and_come_back_as_they_are(shell: Shell, tmp_path: Path) -> None:
    shell.world.quota(regions=["eu-west-1", "us-east-1"], accounts=["012345678901"])
    for name in ("quotas.yaml", "quotas.json"):
        file = str(tmp_path / name)
        shell.out("quota", "export", file)
        assert "0 added, 0 changed" in shell.run("quota", "import", file, "--yes").output
    shell.out("quota", "remove", "user/alice", "daily", "--yes")
    shell.out("quota", "import", file, "--yes")
    assert shell.item()["accounts"] == ["012345678901"]


class TestSeveralAccounts:
    """`status` has a part for each account, the one with the most urgent rows first."""

    @pytest.fixture(autouse=True)
    def elsewhere(self, shell: Shell) -> None:
        shell.world.quota(principal="role/*", limit=100)
        shell.world.stream("role:ci/42", NOON, 10)
        shell.world.stream("role:ci/42", NOON, 500, place=MEMBER)
        shell.world.wake(NOON, "role/ci", "444455556666/role/ci")

    @pytest.mark.parametrize("every", [(), ("--all",)])
    def test_a_part_for_each(self, shell: Shell, every: tuple[str, ...]) -> None:
        said = shell.out("status", *every).splitlines()
        heads = [line for line in said if line.startswith(("Account", "In all"))]
        assert sorted(heads) == [
            "Account 111122223333, home: 1 principal: 1 ok.",
            "Account 444455556666: 1 principal: 1 could not be blocked.",
            "In all accounts: 1 principal: 1 could not be blocked.",
        ]
        assert heads[-1].startswith("Account 111122223333")
        for head, who in zip(heads[-1:], ("role/ci",), strict=True):
            assert who in said[said.index(head) + 3]
        assert said[1] == "3 principals: 2 could not be blocked, 1 ok."

    def test_what_does_not_fit_is_left_out_of_the_calmest(self, shell: Shell) -> None:
        result = shell.run("status", "--limit", "2")
        assert "Account 111122223333" not in result.stdout
        assert "1 more lines, all ok" in result.stderr

    @pytest.mark.parametrize("kind", ["role", "sso"])
    def test_principals_of_a_kind_are_those_of_all_accounts(self, shell: Shell, kind: str) -> None:
        found = {row["principal"] for row in shell.json("status", "--kind", kind)["standings"]}
        assert found == ({ANN} if kind == "sso" else {"role/ci", "444455556666/role/ci"})


def test_with_one_account_status_is_not_parted(shell: Shell) -> None:
    shell.world.quota()
    shell.world.stream("alice", NOON, 10, place=DUBLIN)
    shell.world.wake(NOON, "user/alice")
    said = shell.out("status")
    assert "Account " not in said
    assert "In all" not in said
