"""Money and weighted tokens on the command line: quotas set and listed, and the status table."""

from decimal import Decimal

import pytest

from builders import HAIKU, NOON, an_item
from cli_world import ADMIN, Shell, a_shell
from quota_enforcer.core.deployment import Mode
from quota_enforcer.core.ledger import Record
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.item import Item
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.stored import Bucket

A_BUDGET = ("--measure", "cost_usd", "--limit", "12.50", "--window", "day")
SONNET = "anthropic.claude-sonnet-4-20250514-v1:0"


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    return a_shell(monkeypatch)


def spent(shell: Shell, who: str, usd: str, assumed: str = "0", model: str = HAIKU) -> None:
    """Somebody called Bedrock in this hour, priced as the meter prices it."""
    principal = Principal.parse(who)
    counts = Counts(1, 7, cost_usd=Decimal(usd), assumed_usd=Decimal(assumed))
    shell.world.ledger.set_hours(Bucket(principal, model, NOON.date()), {NOON: counts})
    if shell.world.ledger.records([principal])[principal].version == 0:
        shell.world.ledger.put(Record(principal, version=1))


def a_budget(**but: object) -> Item:
    return an_item(**{"measure": "cost_usd", "limit": Decimal(10), **but})


class TestSet:
    def test_a_budget_is_set_in_dollars(self, shell: Shell) -> None:
        printed = shell.out(
            "quota", "set", "user/alice", "daily", *A_BUDGET, "--unknown-prices", "deny"
        )
        assert shell.item() == a_budget(
            limit=Decimal("12.5"), unknown_prices="deny", edited_by=ADMIN
        )
        assert "12.5" in printed

    def test_weights_are_set_together(self, shell: Shell) -> None:
        weighted = ("quota", "set", "user/alice", "daily", "--measure", "weighted_tokens",
                    "--limit", "1000", "--window", "day")  # fmt: skip
        shell.out(*weighted, "--weight", "output_tokens=5", "--weight", "cache-read-tokens=0.1")
        assert shell.item()["weights"] == {
            "output_tokens": Decimal(5),
            "cache_read_tokens": Decimal("0.1"),
        }
        changed = shell.out("quota", "set", "user/alice", "daily", "--weight", "requests=2")
        assert shell.item()["weights"] == {"requests": Decimal(2)}
        assert "cache_read_tokens x 0.1, output_tokens x 5" in changed

    @pytest.mark.parametrize(
        ("weights", "said"),
        [
            (["output_tokens"], "'output_tokens' is not a weight"),
            (["output_tokens=5", "output-tokens=6"], "'output-tokens=6' is given twice"),
            (["output_tokens=lots"], "weights is {'output_tokens': 'lots'}; allowed: a map of"),
            (["tokens=5"], "weights is {'tokens': 5}; allowed: a map of requests"),
        ],
    )
    def test_what_is_no_weight_is_refused(
        self, shell: Shell, weights: list[str], said: str
    ) -> None:
        options = [word for each in weights for word in ("--weight", each)]
        result = shell.run(
            *("quota", "set", "user/alice", "daily", "--measure", "weighted_tokens"),
            *("--limit", "1000", "--window", "day", *options),
        )
        assert result.exit_code != 0
        assert said in " ".join(result.stderr.replace("│", " ").split())
        assert shell.world.quotas.table == {}

    def test_weights_with_another_measure_are_refused(self, shell: Shell) -> None:
        result = shell.run(
            "quota", "set", "user/alice", "daily", *A_BUDGET, "--weight", "requests=1"
        )
        assert "allowed: only with measure weighted_tokens" in result.stderr

    def test_changing_the_measure_takes_unset(self, shell: Shell) -> None:
        shell.world.quotas.put(a_budget(unknown_prices="deny"))
        edit = ("quota", "set", "user/alice", "daily", "--measure", "requests")
        assert "unknown_prices is 'deny'; allowed: only with" in shell.run(*edit).stderr
        shell.out(*edit, "--unset", "unknown-prices")
        assert shell.item() == an_item(measure="requests", limit=Decimal(10), edited_by=ADMIN)


class TestList:
    def test_budgets_are_listed_in_dollars(self, shell: Shell) -> None:
        shell.world.quotas.put(a_budget(unknown_prices="deny", limit="12.50"))
        shell.world.quotas.put(
            a_budget(quota="raised", raise_to=Decimal("20.5"), raise_until="2026-12-01")
        )
        printed = shell.out("quota", "list")
        assert "$12.50 per day" in printed
        assert "80 %; assumed prices deny too" in printed
        assert "in force, raised to $20.50 until 2026-12-01 00:00 UTC" in printed

    def test_weights_are_listed(self, shell: Shell) -> None:
        weights = {"input_tokens": Decimal(1), "output_tokens": Decimal(5)}
        shell.world.quotas.put(an_item(measure="weighted_tokens", weights=weights))
        printed = shell.out("quota", "list")
        assert "1,000 weighted tokens per day (input tokens x 1, output tokens x 5)" in printed
        [listed] = shell.json("quota", "list")["quotas"]
        assert listed["item"]["weights"] == {"input_tokens": 1, "output_tokens": 5}

    def test_an_item_as_json_can_be_read_back(self, shell: Shell) -> None:
        """Whole numbers as numbers, others as exact text, which an item may have too."""
        shell.world.quotas.put(a_budget(limit=Decimal("0.00000025")))
        [listed] = shell.json("quota", "list")["quotas"]
        assert listed["item"] == a_budget(limit="0.00000025")

    def test_prices_are_no_quotas(self, shell: Shell) -> None:
        shell.world.quotas.put({"principal": "price/my-model", "quota": "price", "input": 3})
        assert shell.json("quota", "list") == {"quotas": []}


class TestStatus:
    def test_money_is_shown_in_dollars(self, shell: Shell) -> None:
        shell.world.quotas.put(a_budget())
        spent(shell, "user/alice", "8.519")
        printed = shell.out("status", "--all")
        assert "$8.51 of $10.00" in printed
        assert "dollars" not in printed
        assert "~" not in printed
        document = shell.json("status")
        [row] = document["standings"]
        assert (row["used"], row["limit"], row["percent"], row["state"]) == (
            "8.519", "10", 85, "warned",
        )  # fmt: skip
        assert (row["cost_usd"], row["assumed_usd"]) == ("8.519", "0")
        assert (row["unpriced"], document["unpriced_models"]) == ([], [])

    def test_costs_at_assumed_prices_are_marked_with_what_to_do(self, shell: Shell) -> None:
        shell.world.quotas.put(a_budget(principal="default"))
        spent(shell, "user/alice", "8", assumed="3")
        spent(shell, "user/alice", "1", model=SONNET)
        spent(shell, "user/bob", "1")
        printed = shell.out("status", "--all")
        assert "~$9.00 of $10.00" in printed
        assert " $1.00 of $10.00" in printed
        note = printed.splitlines()[-1]
        assert note.startswith(f"~ holds costs at assumed prices: those of {HAIKU}. ")
        assert "quota-enforcer prices check" in note
        document = shell.json("status")
        assert document["unpriced_models"] == [HAIKU]
        alice, bob = document["standings"]
        assert (alice["assumed_usd"], alice["unpriced"]) == ("3", [HAIKU])
        assert (bob["assumed_usd"], bob["unpriced"]) == ("0", [])

    @pytest.mark.parametrize("mode", Mode)
    def test_over_by_assumed_prices_only_is_over_and_says_why(
        self, monkeypatch: pytest.MonkeyPatch, mode: Mode
    ) -> None:
        """In observe mode it would not be blocked either."""
        shell = a_shell(monkeypatch, mode)
        shell.world.quotas.put(a_budget())
        spent(shell, "user/alice", "12", assumed="3")
        [row] = shell.json("status")["standings"]
        assert (row["state"], row["percent"]) == ("over", 120)
        assert row["why"] == f"only assumed prices reach the limit: those of {HAIKU}"
        shell.sweep()
        assert shell.world.denied == set()

    def test_weighted_tokens_are_shown_with_their_fractions(self, shell: Shell) -> None:
        shell.world.quotas.put(an_item(measure="weighted_tokens", limit="100.5",
                                       weights={"input_tokens": "0.5"}))  # fmt: skip
        spent(shell, "user/alice", "1")
        assert "3.5 of 100.5 weighted tokens" in shell.out("status", "--all")
        [row] = shell.json("status")["standings"]
        assert (row["used"], row["limit"], row["cost_usd"]) == ("3.5", "100.5", "1")

    def test_without_a_limit_money_is_still_money(self, shell: Shell) -> None:
        shell.world.quotas.put(a_budget(raise_to="unlimited", raise_until="2026-12-01"))
        spent(shell, "user/alice", "8.5")
        assert "$8.50, no limit" in shell.out("status", "--all")
        [row] = shell.json("status")["standings"]
        assert (row["used"], row["limit"], row["percent"]) == ("8.5", None, None)


def test_who_only_assumed_prices_put_over_needs_no_pardon(shell: Shell) -> None:
    shell.world.quotas.put(a_budget())
    spent(shell, "user/alice", "12", assumed="3")
    assert "it is not blocked" in shell.out("release", "user/alice")
    assert shell.item() == a_budget()


def test_a_block_in_dollars_is_pardoned_like_any_other(shell: Shell) -> None:
    shell.world.quotas.put(a_budget())
    spent(shell, "user/alice", "12")
    shell.sweep()
    assert shell.world.denied == {"user/alice"}
    assert "then again daily of user/alice: $10.00 per day" in shell.out("release", "user/alice")
    assert shell.world.denied == set()
