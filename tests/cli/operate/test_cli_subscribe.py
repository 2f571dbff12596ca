"""`subscribe` and `unsubscribe`: one subscription for each address, and nobody else's notices."""

import json

import pytest

from cli_world import Shell, a_shell
from quota_enforcer.core.notices.subscription import CannotSubscribe, Subscription, filter_for

ANN = "ann@example.com"


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    return a_shell(monkeypatch)


def gets(shell: Shell, email: str = ANN) -> list[str]:
    """Whose notices a confirmed address gets."""
    policy = json.loads(shell.subscriptions.known[email].filter or "{}")
    assert policy["audience"] == ["people"]
    names: list[str] = policy["principal"]
    return names


def refusal(shell: Shell, *args: str, code: int = 1) -> str:
    result = shell.run(*args)
    assert result.exit_code == code, result.output
    return " ".join(result.stderr.replace("│", " ").split())


class TestSubscribe:
    def test_an_address_is_asked_to_confirm_and_then_gets_that_principals_notices(
        self, shell: Shell
    ) -> None:
        result = shell.run("subscribe", "user/alice", ANN)
        assert result.stdout == "ann@example.com waits for confirmation: user/alice.\n"
        assert "a link to confirm" in result.stderr
        shell.subscriptions.confirm(ANN)
        assert gets(shell) == ["user/alice"]

    def test_several_principals_at_once(self, shell: Shell) -> None:
        shell.out("subscribe", "sso/Ann@Example.com", "team/research", "session/ci/42", ANN)
        shell.subscriptions.confirm(ANN)
        assert gets(shell) == ["session/ci/42", "sso/ann@example.com", "team/research"]

    def test_a_further_principal_goes_into_the_same_filter(self, shell: Shell) -> None:
        shell.out("subscribe", "user/alice", ANN)
        shell.subscriptions.confirm(ANN)
        assert shell.json("subscribe", "role/ci", "ANN@example.com") == {
            "email": ANN,
            "principals": ["role/ci", "user/alice"],
            "state": "is subscribed",
        }
        assert gets(shell) == ["role/ci", "user/alice"]
        assert len(shell.subscriptions.known) == 1

    def test_a_second_time_changes_nothing(self, shell: Shell) -> None:
        shell.out("subscribe", "user/alice", ANN)
        shell.subscriptions.confirm(ANN)
        before = dict(shell.subscriptions.known)
        assert "is subscribed already" in shell.out("subscribe", "user/alice", ANN)
        assert shell.subscriptions.known == before

    def test_an_address_that_has_not_confirmed_cannot_be_changed(self, shell: Shell) -> None:
        """SNS does not even say what it asked for."""
        shell.out("subscribe", "user/alice", ANN)
        said = refusal(shell, "subscribe", "role/ci", ANN)
        assert "ann@example.com has not confirmed its subscription yet" in said
        assert "goes by itself after two days" in said

    def test_who_gets_everything_needs_no_more(self, shell: Shell) -> None:
        shell.subscriptions.known[ANN] = Subscription(ANN, "arn", "")
        assert "gets every notice already" in shell.out("subscribe", "user/alice", ANN)
        assert shell.subscriptions.known[ANN].everything

    @pytest.mark.parametrize(
        "theirs",
        ['{"kind": ["blocked"]}', '{"principal": [{"prefix": "user/"}]}', '{"principal": 1}'],
    )
    def test_a_filter_that_somebody_else_wrote_is_left_alone(
        self, theirs: str, shell: Shell
    ) -> None:
        shell.subscriptions.known[ANN] = Subscription(ANN, "arn", theirs)
        assert "change it in the SNS console" in refusal(shell, "subscribe", "user/alice", ANN)
        assert shell.subscriptions.known[ANN].filter == theirs

    def test_a_principal_that_nobody_knows_may_be_a_typing_error(self, shell: Shell) -> None:
        result = shell.run("subscribe", "user/alcie", ANN)
        assert result.exit_code == 0
        assert "Nothing is known of user/alcie yet" in result.stderr

    def test_who_used_bedrock_or_has_a_quota_is_known(self, shell: Shell) -> None:
        shell.world.quota(principal="team/research", members=["user/bob"])
        shell.world.quota(principal="user/*")
        shell.used("alice", 1)
        shell.sweep()
        known = shell.run("subscribe", "user/alice", "team/research", ANN)
        assert "Nothing is known" not in known.stderr


class TestLimits:
    def test_the_topics_limit_is_checked_before_anything_is_asked(self, shell: Shell) -> None:
        shell.subscriptions.others = 200
        said = refusal(shell, "subscribe", "user/alice", ANN)
        assert "has 200 filter policies" in said
        assert "one filter serves several principals" in said
        assert "Service Quotas" in said
        assert shell.subscriptions.known == {}

    def test_who_is_subscribed_already_follows_more_even_there(self, shell: Shell) -> None:
        shell.out("subscribe", "user/alice", ANN)
        shell.subscriptions.confirm(ANN)
        shell.subscriptions.others = 199
        shell.out("subscribe", "role/ci", ANN)
        assert gets(shell) == ["role/ci", "user/alice"]

    def test_subscriptions_without_a_filter_do_not_count(self, shell: Shell) -> None:
        shell.subscriptions.others = 199
        shell.subscriptions.known["all@example.com"] = Subscription("all@example.com", "arn", "")
        shell.out("subscribe", "user/alice", ANN)
        assert shell.subscriptions.known[ANN].waiting

    def test_a_limit_that_aws_raised_can_be_given(self, shell: Shell) -> None:
        shell.subscriptions.others = 200
        shell.out("subscribe", "user/alice", ANN, "--filter-limit", "500")
        assert shell.subscriptions.known[ANN].waiting

    def test_one_address_follows_no_more_than_one_filter_can_name(self, shell: Shell) -> None:
        everybody = [f"user/u{number}" for number in range(150)]
        shell.out("subscribe", *everybody, ANN)
        shell.subscriptions.confirm(ANN)
        assert "at most 150 principals" in refusal(shell, "subscribe", "user/one-more", ANN)
        assert len(gets(shell)) == 150

    def test_a_filter_names_each_once(self) -> None:
        assert filter_for(["user/b", "user/a", "user/b"]) == (
            '{"principal":["user/a","user/b"],"audience":["people"]}'
        )
        with pytest.raises(CannotSubscribe, match="these would be 151"):
            filter_for(f"user/{number}" for number in range(151))


class TestUnsubscribe:
    def subscribed(self, shell: Shell, *names: str) -> None:
        shell.out("subscribe", *names, ANN)
        shell.subscriptions.confirm(ANN)

    def test_the_others_stay(self, shell: Shell) -> None:
        self.subscribed(shell, "user/alice", "role/ci")
        assert shell.out("unsubscribe", "role/ci", ANN) == (
            "ann@example.com is subscribed: user/alice.\n"
        )
        assert gets(shell) == ["user/alice"]

    def test_with_the_last_principal_the_subscription_goes(self, shell: Shell) -> None:
        """An empty filter would be one that lets everything through, or nothing."""
        self.subscribed(shell, "user/alice")
        assert shell.json("unsubscribe", "user/alice", ANN)["principals"] == []
        assert shell.subscriptions.known == {}

    @pytest.mark.parametrize("name", ["user/bob", "role/ci"])
    def test_what_is_not_subscribed_is_an_error(self, name: str, shell: Shell) -> None:
        self.subscribed(shell, "user/alice")
        said = refusal(shell, "unsubscribe", "user/alice", name, ANN)
        assert f"ann@example.com is not subscribed to {name}:" in said
        assert gets(shell) == ["user/alice"]
        assert "is not subscribed to user/alice" in refusal(
            shell, "unsubscribe", "user/alice", "bob@example.com"
        )

    def test_what_waits_for_confirmation_cannot_be_ended(self, shell: Shell) -> None:
        shell.out("subscribe", "user/alice", ANN)
        assert "has not confirmed" in refusal(shell, "unsubscribe", "user/alice", ANN)

    def test_who_gets_everything_is_not_ended_by_the_way(self, shell: Shell) -> None:
        shell.subscriptions.known[ANN] = Subscription(ANN, "arn", "")
        assert "gets every notice" in refusal(shell, "unsubscribe", "user/alice", ANN)


class TestList:
    def test_it_says_who_gets_whose_notices(self, shell: Shell) -> None:
        shell.subscriptions.known = {
            "ops@example.com": Subscription("ops@example.com", "arn", ""),
            "own@example.com": Subscription("own@example.com", "arn", '{"kind": ["breaker"]}'),
            ANN: Subscription(ANN, "arn", filter_for(["user/alice", "role/ci"])),
            "bob@example.com": Subscription("bob@example.com"),
        }
        table = [" ".join(line.split()) for line in shell.out("subscribe", "--list").splitlines()]
        assert table[2:] == [
            "ann@example.com role/ci, user/alice",
            "bob@example.com waits for confirmation: shown once it is confirmed",
            "ops@example.com everybody, and those for admins",
            'own@example.com a filter of its own: {"kind": ["breaker"]}',
        ]
        assert shell.json("subscribe", "--list")[0] == {
            "email": ANN,
            "principals": ["role/ci", "user/alice"],
            "waiting": False,
            "everything": False,
        }

    def test_nobody_is_said_too(self, shell: Shell) -> None:
        assert shell.out("subscribe", "--list") == "Nobody is subscribed by e-mail.\n"
        assert shell.json("subscribe", "--list") == []


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["user/alice"], "the e-mail address last"),
        ([ANN, "user/alice"], "'user/alice' is no e-mail address: it comes last"),
        (["user/alice", "sso/ann@example.com"], "is no e-mail address"),
        (["user/*", ANN], "is no principal"),
        (["default", ANN], "is no principal"),
        (["other/arn:aws:iam::1:root", ANN], "can have no quota"),
        ([], "the e-mail address last"),
    ],
    ids=str,
)
@pytest.mark.parametrize("command", ["subscribe", "unsubscribe"])
def test_what_cannot_be_meant_is_refused(
    command: str, args: list[str], words: str, shell: Shell
) -> None:
    assert words in refusal(shell, command, *args, "--json", code=2)
    assert shell.subscriptions.known == {}
