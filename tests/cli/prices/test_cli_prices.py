"""`quota-enforcer prices`: what it lists, writes, takes over and checks."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from builders import HAIKU, NOON
from cli_world import ADMIN, Shell, a_shell
from quota_enforcer.core.ledger import Record
from quota_enforcer.core.pricing.catalog.shipped import as_listed, shipped_rates
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.item import Item
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.stored import Bucket
from quota_enforcer.core.usage.window import local_date

SONNET = "anthropic.claude-sonnet-4-5-20250929-v1:0"
OPUS = "anthropic.claude-opus-4-7"
PROFILES_ONLY = "openai.gpt-5.4"
"""The table has prices of its `us.` and `global.` profiles only."""
CHAT = '"litellm_provider": "bedrock", "mode": "chat", "input_cost_per_token":'
ONE_CALL = Counts(1, 7)
TODAY = local_date(NOON, ZoneInfo("Europe/Berlin"))
OFFERS = Path(__file__).parents[2] / "data" / "pricing"


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    return a_shell(monkeypatch)


def words(text: str) -> str:
    """On one line, whatever was folded or framed."""
    return " ".join(text.replace("│", " ").split())


def stored(shell: Shell, key: str) -> Item | None:
    item: Item | None = shell.world.quotas.table.get((f"price/{key}", "price"))
    return item


class TestList:
    def test_every_price_says_where_it_comes_from_and_own_ones_come_first(
        self, shell: Shell
    ) -> None:
        shell.out("prices", "set", SONNET, "--input", "2.5", "--note", "contract 7")
        first, *others = shell.json("prices", "list", SONNET)["prices"]
        assert (first["model"], first["input"], first["output"]) == (SONNET, "2.5", "15")
        assert (first["source"], first["in_force"]) == ("admin: contract 7", True)
        assert {each["model"]: each["in_force"] for each in others}[SONNET] is False
        assert {each["source"] for each in others} == {"litellm 1.110.2"}

    def test_a_part_of_a_name_or_a_pattern_chooses(self, shell: Shell) -> None:
        def named(pattern: str) -> set[str]:
            return {each["model"] for each in shell.json("prices", "list", pattern)["prices"]}

        assert f"eu.{SONNET}" in named("sonnet-4-5")
        assert all(each.startswith("eu.anthropic.") for each in named("eu.anthropic.*"))

    def test_the_shipped_ones_need_no_deployment(
        self, shell: Shell, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shell, "find", None)
        assert shell.json("prices", "list", SONNET, "--shipped")["prices"]

    def test_an_item_that_is_not_valid_is_named_with_its_problems(self, shell: Shell) -> None:
        shell.world.quotas.put({"principal": "price/a.b", "quota": "price", "input": "free"})
        assert "input is 'free'" in shell.out("prices", "list", "a.b")
        [broken] = shell.json("prices", "list", "a.b")["not_valid"]
        assert broken["model"] == "a.b"

    def test_no_match_says_what_to_do(self, shell: Shell) -> None:
        result = shell.run("prices", "list", "nonesuch")
        assert result.exit_code == 1
        assert "no price is about 'nonesuch'" in result.stderr


class TestSet:
    def test_a_price_is_written_exactly_and_shown_whole(self, shell: Shell) -> None:
        result = shell.run("prices", "set", SONNET, "--input", "2.55", "--output", "12.5")
        assert stored(shell, SONNET) == {
            "principal": f"price/{SONNET}", "quota": "price", "edited_by": ADMIN,
            "input": Decimal("2.55"), "output": Decimal("12.5"),
        }  # fmt: skip
        assert f"Added price {SONNET}:" in words(result.stdout)
        assert "2.55 12.5 0.3 3.75 6 admin" in words(result.stdout)
        assert "prompts over 200,000 tokens 6 22.5" in words(result.stdout)
        assert f"These keep prices of their own: au.{SONNET}" in words(result.stderr)
        assert "It counts within a minute" in words(result.stderr)

    def test_only_what_is_given_changes(self, shell: Shell) -> None:
        shell.out("prices", "set", SONNET, "--input", "2.5", "--output", "12")
        document = shell.json("prices", "set", SONNET, "--output", "11", "--unset", "input")
        assert document["changes"] == [
            {"attribute": "input", "old": "2.5", "new": None},
            {"attribute": "output", "old": 12, "new": 11},
        ]
        assert (document["price"]["input"], document["price"]["output"]) == ("3", "11")
        assert "is like that already" in shell.out("prices", "set", SONNET, "--output", "11")

    def test_a_likely_slip_is_pointed_out(self, shell: Shell) -> None:
        slip = SONNET.replace("sonnet", "sonet")
        stderr = words(shell.run("prices", "set", slip, "--input", "3").stderr)
        assert f"The product knows no model {slip!r}; did you mean {SONNET}?" in stderr

    @pytest.mark.parametrize(
        "options",
        [("--input", "3,5"), ("--input", "-1"), ("--input", "nan"), ("--long-over", "5"), ()],
    )
    def test_what_is_no_price_is_refused(self, shell: Shell, options: tuple[str, ...]) -> None:
        assert shell.run("prices", "set", SONNET, *options).exit_code == 2
        assert shell.world.quotas.table == {}


class TestDates:
    def test_a_price_from_a_day_starts_with_what_holds_until_then(self, shell: Shell) -> None:
        shell.out("prices", "set", "acme.big-v1", "--input", "2", "--output", "3")
        shell.out("prices", "set", "acme.big-v1", "--input", "1", "--from", "2027-01-01")
        item = shell.world.quotas.table["price/acme.big-v1", "price from 2027-01-01"]
        assert (item["input"], item["output"]) == (1, 3)
        now, later = shell.json("prices", "list", "acme")["prices"]
        assert (now["input"], now["in_force"], now["from"]) == ("2", True, None)
        assert (later["input"], later["in_force"], later["from"]) == ("1", False, "2027-01-01")

    def test_it_is_removed_by_its_day(self, shell: Shell) -> None:
        shell.out("prices", "set", "acme.big-v1", "--input", "2")
        shell.out("prices", "set", "acme.big-v1", "--input", "1", "--from", "2027-01-01")
        shell.out("prices", "remove", "acme.big-v1", "--from", "2027-01-01")
        assert list(shell.world.quotas.table) == [("price/acme.big-v1", "price")]
        result = shell.run("prices", "remove", "acme.big-v1", "--from", "2027-01-01")
        assert result.exit_code == 1
        assert "no price from 2027-01-01 'acme.big-v1'" in result.stderr

    def test_a_day_that_is_none_is_refused(self, shell: Shell) -> None:
        assert shell.run("prices", "set", "a.b", "--input", "2", "--from", "soon").exit_code == 2
        assert shell.world.quotas.table == {}

    def test_a_recount_of_hours_before_keeps_what_held_then(self, shell: Shell) -> None:
        said = shell.run("prices", "set", "a.b", "--input", "2", "--from", "2027-01-01").output
        assert "keeps what held then" in said


class TestDiscount:
    def test_it_is_taken_off_the_prices_that_are_listed(self, shell: Shell) -> None:
        shell.out("prices", "discount", "anthropic", "12%", "--until", "2027-12-01")
        listed = shell.json("prices", "list", SONNET)["prices"]
        found = {each["model"]: each for each in listed}[SONNET]
        assert (found["input"], found["output"]) == ("2.64", "13.2")
        assert found["discount"] == {"percent": "12", "of": "anthropic", "until": "2027-12-01"}
        assert "12 % off anthropic until 2027-12-01" in words(shell.out("prices", "list", SONNET))

    def test_the_item_is_readable(self, shell: Shell) -> None:
        shell.out("prices", "discount", "Anthropic", "12.5 %", "--from", "2026-12-01")
        item = shell.world.quotas.table["price/anthropic", "discount from 2026-12-01"]
        assert item["percent"] == Decimal("12.5")
        assert item["edited_by"] == ADMIN

    def test_all_of_them_are_shown(self, shell: Shell) -> None:
        assert "no discount" in shell.out("prices", "discount")
        shell.out("prices", "discount", "anthropic", "12%", "--from", "2030-01-01")
        shell.out("prices", "discount", "all", "3")
        shown = shell.json("prices", "discount")["discounts"]
        again = shell.out("prices", "discount", "anthropic", "12", "--from", "2030-01-01")
        assert "No change: 12 % off anthropic from 2030-01-01 already." in again
        assert [(each["of"], each["percent"], each["holds"]) for each in shown] == [
            ("all", "3", True), ("anthropic", "12", False),
        ]  # fmt: skip
        assert "2030-01-01" in shell.out("prices", "discount")

    def test_it_is_removed(self, shell: Shell) -> None:
        shell.out("prices", "discount", SONNET, "12%")
        shell.out("prices", "discount", SONNET, "--remove")
        assert shell.world.quotas.table == {}
        result = shell.run("prices", "discount", SONNET, "--remove")
        assert result.exit_code == 1
        assert "there are: none" in result.stderr

    def test_a_vendor_that_nobody_knows_is_refused_with_the_nearest(self, shell: Shell) -> None:
        result = shell.run("prices", "discount", "antropic", "12%")
        assert result.exit_code == 1
        assert "did you mean anthropic" in words(result.stderr)

    @pytest.mark.parametrize(
        "args",
        [
            ("anthropic",),
            ("anthropic", "101%"),
            ("anthropic", "a lot"),
            ("anthropic", "1", "--until", "soon"),
            ("anthropic", "1", "--from", "2027-01-01", "--until", "2027-01-01"),
        ],
    )
    def test_what_is_no_discount_is_refused(self, shell: Shell, args: tuple[str, ...]) -> None:
        assert shell.run("prices", "discount", *args).exit_code != 0
        assert shell.world.quotas.table == {}

    def test_what_is_set_by_hand_is_not_in_the_way(self, shell: Shell) -> None:
        """An item that is not valid is shown, and named among the discounts."""
        shell.world.quotas.put({"principal": "price/x", "quota": "discount", "percent": "much"})
        assert "not valid" in shell.out("prices", "discount")
        assert "percent is" in shell.out("prices", "list")


class TestRemove:
    def applies(self, shell: Shell, key: str) -> Any:
        return shell.json("prices", "remove", key)["applies_instead"]

    def test_the_products_own_applies_again(self, shell: Shell) -> None:
        shell.out("prices", "set", SONNET, "--input", "2.5")
        assert self.applies(shell, SONNET)["input"] == "3"
        assert stored(shell, SONNET) is None

    def test_where_a_region_had_one_that_of_its_geography_applies(self, shell: Shell) -> None:
        shell.out("prices", "set", f"eu-central-1/{SONNET}", "--input", "2.5")
        applies = self.applies(shell, f"eu-central-1/{SONNET}")
        assert (applies["model"], applies["input"]) == (f"eu.{SONNET}", "3.3")

    def test_where_a_prefix_had_one_an_own_one_of_the_model_applies(self, shell: Shell) -> None:
        shell.out("prices", "set", SONNET, "--input", "2", "--output", "3")
        shell.out("prices", "set", f"ca.{SONNET}", "--input", "2.5")
        applies = self.applies(shell, f"ca.{SONNET}")
        assert (applies["model"], applies["input"], applies["source"]) == (SONNET, "2", "admin")

    def test_without_any_other_it_says_that_one_is_assumed(self, shell: Shell) -> None:
        shell.out("prices", "set", "acme.big-v1", "--input", "2")
        assert "the dearest that could apply" in shell.out("prices", "remove", "acme.big-v1")

    def test_what_is_not_there_is_told_with_what_is(self, shell: Shell) -> None:
        shell.out("prices", "set", "acme.big-v1", "--input", "2")
        result = shell.run("prices", "remove", SONNET)
        assert result.exit_code == 1
        assert "yours: acme.big-v1" in result.stderr


class Table:
    """A downloaded price table."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "prices.json"
        self.entries: dict[str, Any] = {}

    def lists(self, model: str, price: str, output: str = "0.00001") -> None:
        self.entries[model] = {
            "litellm_provider": "bedrock", "mode": "chat",
            "input_cost_per_token": float(price), "output_cost_per_token": float(output),
        }  # fmt: skip
        self.file.write_text(json.dumps(self.entries), encoding="utf-8")


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return Table(tmp_path)


class TestUpdate:
    def update(self, shell: Shell, table: Table) -> dict[str, str]:
        steps = shell.json("prices", "update", str(table.file), "--yes")["steps"]
        return {step["model"]: step["kind"] for step in steps}

    def test_what_is_new_or_changed_becomes_an_item(self, shell: Shell, table: Table) -> None:
        table.lists("acme.big-v1", "1e-06")
        table.lists(HAIKU, "3e-07", "1.25e-06")
        assert self.update(shell, table) == {"acme.big-v1": "added", HAIKU: "changed"}
        item = shell.world.quotas.table[f"price/{HAIKU}", f"price from {TODAY}"]
        assert (item["input"], item["output"]) == (Decimal("0.3"), Decimal("1.25"))
        assert stored(shell, "acme.big-v1"), "what was not known holds for all days"
        assert item["note"] == "prices update: prices.json"
        assert self.update(shell, table) == {}, "it can be repeated"

    def test_prices_are_texts_for_machines(self, shell: Shell, table: Table) -> None:
        table.lists(HAIKU, "1e-06", "1.25e-06")
        [step] = shell.json("prices", "update", str(table.file), "--yes")["steps"]
        assert step["before"] == {"input": "0.25", "output": "1.25"}
        assert step["after"] == {"input": "1", "output": "1.25"}

    def test_a_price_set_by_hand_stays(self, shell: Shell, table: Table) -> None:
        shell.out("prices", "set", HAIKU, "--input", "0.2")
        table.lists(HAIKU, "3e-07", "1.25e-06")
        assert self.update(shell, table) == {HAIKU: "kept"}
        item = stored(shell, HAIKU)
        assert item is not None
        assert item["input"] == Decimal("0.2")

    def test_a_later_update_moves_what_an_earlier_one_wrote(
        self, shell: Shell, table: Table
    ) -> None:
        table.lists(HAIKU, "3e-07", "1.25e-06")
        self.update(shell, table)
        table.lists(HAIKU, "2.5e-07", "1.25e-06")
        assert self.update(shell, table) == {HAIKU: "changed"}
        listed = {each["model"]: each for each in shell.json("prices", "list", HAIKU)["prices"]}
        assert listed[HAIKU]["input"] == "0.25"

    def test_from_which_day_can_be_said(self, shell: Shell, table: Table) -> None:
        table.lists(HAIKU, "3e-07", "1.25e-06")
        shell.out("prices", "update", str(table.file), "--yes", "--from", "2027-01-01")
        assert [name for _, name in shell.world.quotas.table] == ["price from 2027-01-01"]

    def test_a_correction_holds_for_all_days(self, shell: Shell, table: Table) -> None:
        table.lists(HAIKU, "3e-07", "1.25e-06")
        shell.out("prices", "update", str(table.file), "--yes", "--from", "all")
        assert stored(shell, HAIKU)

    def test_a_renewed_price_is_a_list_price(self, shell: Shell, table: Table) -> None:
        """It takes the place of the shipped one, and is no price of an admin's own."""
        table.lists(HAIKU, "3e-07", "1.25e-06")
        self.update(shell, table)
        listed = shell.json("prices", "list", HAIKU)["prices"]
        now = [each for each in listed if each["model"] == HAIKU and each["in_force"]]
        assert [(each["input"], each["source"]) for each in now] == [
            ("0.3", "admin: prices update: prices.json")
        ]

    def test_nothing_is_written_without_a_yes(self, shell: Shell, table: Table) -> None:
        table.lists("acme.big-v1", "1e-06")
        result = shell.run("prices", "update", str(table.file), typed="n\n")
        assert result.exit_code == 1
        assert "acme.big-v1" in result.stdout
        assert shell.world.quotas.table == {}

    def test_a_dry_run_asks_and_writes_nothing(self, shell: Shell, table: Table) -> None:
        table.lists("acme.big-v1", "1e-06")
        printed = shell.out("prices", "update", str(table.file), "--dry-run")
        assert "acme.big-v1" in printed
        assert printed.endswith("Dry run: nothing was written.\n")
        assert shell.world.quotas.table == {}
        refused = shell.run("prices", "update", str(table.file))
        assert refused.exit_code == 2
        assert "add --yes" in refused.stderr

    def test_what_somebody_else_wrote_meanwhile_is_a_failure_in_words(
        self, shell: Shell, table: Table
    ) -> None:
        table.lists("acme.big-v1", "1e-06")
        shell.table.overtaken = True
        result = shell.run("prices", "update", str(table.file), "--yes")
        assert result.exit_code == 1
        assert "0 of 1 prices written" in result.stdout
        assert "changed by somebody else" in result.stderr

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("nope", "is not a price table"),
            ("[]", "it is not an object"),
            ("{}", "has no prices of Bedrock"),
            ('{"a": NaN}', "NaN is not a number"),
            (f'{{"a.b-v1": {{{CHAT} "1"}}}}', "input_cost_per_token of 'a.b-v1' is '1'"),
            (f'{{"a.b-v1": {{{CHAT} 1e-20}}}}', "a.b-v1: input is"),
        ],
    )
    def test_what_is_no_price_table_is_refused(
        self, shell: Shell, tmp_path: Path, text: str, said: str
    ) -> None:
        file = tmp_path / "bad.json"
        file.write_text(text, encoding="utf-8")
        result = shell.run("prices", "update", str(file), "--yes")
        assert result.exit_code == 2
        assert said in words(result.stderr)
        assert shell.world.quotas.table == {}

    def test_the_table_that_we_ship_changes_nothing(self, shell: Shell, table: Table) -> None:
        for key, rate in shipped_rates().items():
            if as_listed(rate).keys() == {"input", "output"} and "/" not in key:
                table.lists(key, str(rate.input), str(rate.output))
        assert self.update(shell, table) == {}


def spent(
    shell: Shell, model: str, usd: str, assumed: str = "0", counts: Counts = ONE_CALL
) -> None:
    """Alice called this model in this hour, priced as the meter priced it."""
    alice = Principal.parse("user/alice")
    priced = counts._replace(cost_usd=Decimal(usd), assumed_usd=Decimal(assumed))
    shell.world.ledger.set_hours(Bucket(alice, model, NOON.date()), {NOON: priced})
    if shell.world.ledger.records([alice])[alice].version == 0:
        shell.world.ledger.put(Record(alice, version=1))


class TestCheck:
    def test_what_is_priced_needs_nothing(self, shell: Shell) -> None:
        spent(shell, HAIKU, "1")
        [row] = shell.json("prices", "check")["models"]
        assert (row["cost_usd"], row["assumed"], row["fix"]) == ("1", False, None)
        assert row["source"] == "litellm 1.65.0 (no longer listed)"

    @pytest.mark.parametrize(
        ("model", "counts", "fix"),
        [
            ("acme.big-v1", Counts(1, 7), "--input USD --output USD"),
            ("acme.big-v1", Counts(1, 7, 0, 9), "--input USD --output USD --cache-read USD"),
            (HAIKU, Counts(1, 7, 1, 9), "--cache-read USD"),
            ("amazon.nova-canvas-v1:0", Counts(1), "--request USD"),
            ("stability.new-v9", Counts(1), "--request USD"),
        ],
    )
    def test_what_is_assumed_has_a_command_to_mend_it(
        self, shell: Shell, model: str, counts: Counts, fix: str
    ) -> None:
        spent(shell, model, "1", "1", counts)
        result = shell.run("prices", "check", "--json")
        assert result.exit_code == 1
        [row] = json.loads(result.stdout)["models"]
        assert row["fix"] == f"quota-enforcer prices set {model} {fix}"

    def test_that_command_mends_it(self, shell: Shell) -> None:
        spent(shell, "acme.big-v1", "1", "1")
        shell.out("prices", "set", "acme.big-v1", "--input", "1", "--output", "2")
        [row] = shell.json("prices", "check")["models"]
        assert (row["assumed"], row["priced_as"]) == (False, "acme.big-v1")

    def test_a_model_with_prices_of_profiles_only_is_priced(self, shell: Shell) -> None:
        """The ledger keeps the model without its prefix; nothing of its usage was assumed."""
        spent(shell, PROFILES_ONLY, "1")
        [row] = shell.json("prices", "check")["models"]
        assert (row["assumed"], row["source"]) == (False, "litellm 1.110.2")
        assert row["priced_as"] == f"us.{PROFILES_ONLY}"  # the deployment is in us-east-1
        spent(shell, PROFILES_ONLY, "2", "1")
        assert shell.run("prices", "check").exit_code == 1

    def test_a_prefix_without_a_price_is_told(self, shell: Shell) -> None:
        spent(shell, SONNET, "2", "1")
        result = shell.run("prices", "check")
        assert result.exit_code == 1
        assert (
            "some calls came with a prefix, from a Region or in a service tier without a price"
            in result.stdout
        )

    @pytest.mark.parametrize(
        ("model", "counts", "usd", "assumed"),
        [
            (SONNET, Counts(1, 0, 0, 0, 1_000_000), "6.6", "2.475"),
            ("amazon.titan-embed-image-v1", Counts(2, 7), "0.0000656", "0.00006"),
        ],
    )
    def test_what_the_log_does_not_tell_needs_no_price(
        self, shell: Shell, model: str, counts: Counts, usd: str, assumed: str
    ) -> None:
        spent(shell, model, usd, assumed, counts)
        result = shell.run("prices", "check")
        assert result.exit_code == 0
        assert "the log does not tell how long cache writes stay" in words(result.stderr)
        [row] = shell.json("prices", "check")["models"]
        assert (row["assumed_usd"], row["fix"]) == (assumed, None)

    def test_no_usage_is_no_news(self, shell: Shell) -> None:
        assert "No model was used since 2026-10-20" in shell.out("prices", "check")


class TestUpdateAws:
    def steps(self, shell: Shell, *codes: str) -> dict[str, dict[str, Any]]:
        files = [str(OFFERS / f"{code}.json") for code in codes]
        steps = shell.json("prices", "update-aws", *files, "--yes")["steps"]
        return {step["model"]: step for step in steps}

    def test_only_what_moves_is_written(self, shell: Shell) -> None:
        """The shipped table has most of AWS's prices already."""
        steps = self.steps(shell, "AmazonBedrockFoundationModels", "AmazonBedrock")
        assert f"us-west-2/us.{OPUS}" not in steps
        key = "us-west-2/us.amazon.nova-pro-v1:0@latency-optimized"
        assert (steps[key]["kind"], steps[key]["after"]) == ("added", {"input": "1"})
        item = stored(shell, key)
        assert item is not None
        assert item["note"] == "prices update: AWS AmazonBedrock 2026-09-30"
        assert self.steps(shell, "AmazonBedrockFoundationModels", "AmazonBedrock") == {}

    def test_what_is_left_out_is_said(self, shell: Shell) -> None:
        file = str(OFFERS / "AmazonBedrockFoundationModels.json")
        result = shell.run("prices", "update-aws", file, typed="n\n")
        assert result.exit_code == 1
        assert "left out: Acme Big 1" in words(result.stderr)
        assert shell.world.quotas.table == {}

    @pytest.mark.parametrize(
        "text", ["nope", "{}", '{"products": {"a": 1}, "offerCode": "AmazonBedrock"}']
    )
    def test_what_is_no_offer_is_refused(self, shell: Shell, tmp_path: Path, text: str) -> None:
        file = tmp_path / "bad.json"
        file.write_text(text, encoding="utf-8")
        result = shell.run("prices", "update-aws", str(file), "--yes")
        assert result.exit_code == 2
        assert "is no offer of AWS's price list" in words(result.stderr)
