"""The README and the manual are true: commands run, tables say what code and template say."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
import vl_convert

from account_fakes import FakeAccount
from builders import HOUR, NOON, a_quota
from cli_world import Shell, a_shell
from quota_enforcer.cli.main import app
from quota_enforcer.cli.operate.doctor import before
from quota_enforcer.core.deployment import Mode
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.item import ATTRIBUTES
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.usage.window import DAY
from quota_enforcer.decide.judgement import Effect
from template_source import PARAMETERS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md")))
    if path.parent.name != "generated"  # what `make docs` made of the code
}
MANUAL = "\n".join(PAGES.values())
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
OURS = "quota-enforcer "
OTHERS = ("make ", "sam ", ".venv-sam/bin/sam ", ".venv/bin/", "aws ", "export ", "pip install ")
"""What else a page may tell people to run."""


def lines(page: str) -> list[str]:
    """The lines of its shell blocks."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGES[page], re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def commands(page: str) -> list[str]:
    """Every command of the product in its shell blocks, each once, in their order."""
    return list(dict.fromkeys(line for line in lines(page) if line.startswith(OURS)))


def named(page: str) -> list[str]:
    """Every command of the product that it names anywhere, each once."""
    return sorted({*commands(page), *re.findall(rf"`({OURS}[^`]+)`", PAGES[page])})


def rows(page: str, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading or sentence."""
    table = PAGES[page].partition(heading)[2].partition("|---")[2].partition("\n\n")[0]
    lines = table.splitlines()[1:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def names(cells: list[str]) -> list[str]:
    """What stands in backquotes."""
    return re.findall(r"`([^`]+)`", cells[0])


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shell:
    monkeypatch.chdir(tmp_path)  # some commands read and write files
    records = (ROOT / "tests/data/logs/invocation_records.jsonl").read_text(encoding="utf-8")
    calls = [json.loads(line)["record"] for line in records.splitlines()]
    (tmp_path / "calls.jsonl").write_text("\n".join(map(json.dumps, calls)), encoding="utf-8")
    (tmp_path / "quotas.yaml").write_text(shown("cat quotas.yaml")[0], encoding="utf-8")
    shell = a_shell(monkeypatch)
    monkeypatch.setattr(before, "probe_of", lambda _: FakeAccount())
    shell.world.install("anthropic.claude-3-opus*")
    shell.now = NOW
    shell.logged = [{**call, "timestamp": f"{NOW - HOUR:%Y-%m-%dT%H:%M:%SZ}"} for call in calls]
    shell.used("alice", 3_000_000)
    shell.used("bob", 1_000)
    shell.sweep()
    return shell


def test_every_command_runs_in_the_order_shown(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the README on to the last page, in one deployment, by somebody who says yes."""
    monkeypatch.setattr(vl_convert, "vegalite_to_svg", lambda *_, **__: "<svg></svg>")
    every = [command for page in PAGES for command in commands(page)]
    assert len(every) >= 50
    for command in every:
        result = shell.run(*shlex.split(command)[1:], typed="y\n")
        assert result.exit_code == 0, f"{command}\n{result.output}"


@pytest.fixture(scope="module")
def ours() -> Any:
    """All commands, as Typer makes them."""
    return typer.main.get_command(app)


@pytest.mark.parametrize(
    ("page", "command"), [(page, each) for page in PAGES for each in named(page)]
)
def test_every_command_named_is_one_that_we_have(page: str, command: str, ours: Any) -> None:
    words = shlex.split(command)[1:]
    found = ours
    while words and words[0] in getattr(found, "commands", ()):
        found = found.commands[words.pop(0)]
    assert not words or not hasattr(found, "commands") or words[0].startswith("-"), page
    options = {
        "--help",
        *(name for each in found.params for name in (*each.opts, *each.secondary_opts)),
    }
    assert {word for word in words if word.startswith("--")} <= options, page


@pytest.mark.parametrize("page", PAGES)
def test_every_line_to_run_is_of_a_tool_that_the_manual_names(page: str) -> None:
    assert [line for line in lines(page) if not line.startswith((OURS, *OTHERS))] == []


def test_every_file_named_exists() -> None:
    """A test within a file is named after `::`; the threat model's own test looks for those."""
    for path in re.findall(r"[` ]((?:src|docs|tests|bench|events)/[^`*{ \n]+)[` \n]", MANUAL):
        assert (ROOT / path.partition("::")[0]).exists(), path


def test_a_new_counter_touches_the_files_that_its_recipe_names() -> None:
    """As can be seen at one that is there: no other file names it.

    But for the embedded AWS and the demo, which have something to say of cached tokens alone.
    """
    page = PAGES["CONTRIBUTING.md"]
    recipe = page.partition("### A new counter")[2].partition("###")[0]
    named = re.findall(r"^\d\. `([^`]+)`", recipe, re.MULTILINE)
    assert len(named) <= 8
    code = (path for path in (ROOT / "src").rglob("*.py") if "local" not in path.parts)
    searched = [ROOT / "template.yaml", *code, *DOCS.glob("reference/*.md")]
    naming = [
        str(path.relative_to(ROOT))
        for path in searched
        if re.search("cache_read|[cC]acheReadInput", path.read_text(encoding="utf-8"))
    ]
    assert sorted(naming) == sorted(named)


def test_every_make_target_exists() -> None:
    for target in set(re.findall(r"(?:^|`)make ([a-z-]+)", MANUAL, re.MULTILINE)):
        assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), target


def shown(command: str) -> list[str]:
    """What a text block shows below a command, each line without its margins."""
    _, _, after = MANUAL.partition(f"$ {command}\n")
    assert after, command
    block = re.split(r"```|^\$ ", after, maxsplit=1, flags=re.MULTILINE)[0]
    return [line.strip() for line in block.splitlines() if line.strip()]


def test_what_explain_shows_is_shown(shell: Shell) -> None:
    for line in (
        "quota set default daily --measure cost_usd --limit 20 --window day",
        "quota set user/alice daily --measure total_tokens --limit 5_000_000 --window day",
        "quota raise user/alice daily 6_000_000 --until 1d",
    ):
        assert shell.run(*line.split(), typed="y\n").exit_code == 0
    shell.sweep()
    said = shell.run("explain", "user/alice").output
    assert set(shown("quota-enforcer explain user/alice")) <= {
        line.strip() for line in said.splitlines()
    }


@pytest.fixture
def week(monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A week in observe mode, of four principals."""
    shell = a_shell(monkeypatch, Mode.OBSERVE)
    team = ["user/alice", "user/bob"]
    shell.world.quota(principal="default", limit=100_000)
    shell.world.quota(principal="team/research", members=team, limit=300_000, warn_at=[50, 80])
    shell.world.quota(
        principal="role/*", quota="hourly", measure="requests", limit=50, window="hour"
    )
    for days in range(7, 0, -1):
        for hour in (9, 11, 14, 16):
            shell.now = NOON - days * DAY + (hour - 12) * HOUR
            shell.used("alice", 90_000 if days in {6, 4} else 60_000)
            shell.used("bob", 20_000)
            shell.used("carol", 30_000 if days == 2 else 8_000)
            shell.used("role:reporting/nightly", 4_000)
            shell.sweep()
        shell.now = NOON - (days - 1) * DAY - 12 * HOUR
        shell.sweep()
    for hour, tokens in ((9, 150_000), (10, 80_000), (11, 95_000)):
        shell.now = NOON + (hour - 12) * HOUR
        shell.used("alice", tokens)
        shell.used("bob", 45_000)
        shell.sweep()
    shell.now = NOON
    shell.sweep()
    return shell


@pytest.mark.parametrize("command", ["status", "usage --month 2026-11 --csv --by principal,month"])
def test_what_a_week_of_observing_shows_is_shown(week: Shell, command: str) -> None:
    said = week.run(*command.split()).output
    assert set(shown(f"quota-enforcer {command}")) <= {line.strip() for line in said.splitlines()}


def test_what_simulate_shows_is_shown(shell: Shell) -> None:
    """On the published records that the tests have, cut to the two people in them."""
    command = "quota-enforcer simulate --log calls.jsonl --quotas quotas.yaml"
    said = shell.run(*command.split()[1:]).output
    assert {" ".join(line.split()) for line in shown(command)} <= {
        " ".join(line.split()) for line in said.splitlines()
    }


def test_the_attribute_table_lists_what_an_item_may_have() -> None:
    table = rows("docs/reference/quotas.md", "## What an item may say")
    listed = [each.partition(":")[0] for row in table for each in names(row)]
    assert sorted(listed) == sorted(set(ATTRIBUTES) - {"note", "edited_by", "edited_at"})


def test_the_parameter_table_lists_the_templates_parameters_and_defaults() -> None:
    table = rows("docs/reference/deploying.md", "## Parameters")
    assert sorted(name for row in table for name in names(row)) == sorted(PARAMETERS)
    for row in table:
        defaults = [str(PARAMETERS[name]["Default"]) or "none" for name in names(row)]
        assert row[2].strip("`") == ", ".join(dict.fromkeys(defaults))


@pytest.mark.parametrize("level", range(4))
def test_the_precedence_table_says_which_rule_wins(level: int) -> None:
    """Of the rules at this level and all below, the one the table puts first applies."""
    table = rows("docs/concepts.md", "For each quota name the nearest rule wins")
    assert [row[0] for row in table] == ["1", "2", "3", "4"]
    order = [re.findall(r"`([^`]+)`", row[2])[0] for row in table]
    rules = [
        a_quota(subject=subject, members=("user/alice",) if subject.startswith("team/") else ())
        for subject in order
    ]
    applicable = QuotaBook(rules[level:]).applicable_to(Principal.parse("user/alice"), NOW)
    assert [quota.subject for quota in applicable.quotas] == [order[level]]


def test_the_glossary_has_every_effect_of_a_judgement() -> None:
    words = PAGES["docs/glossary.md"].partition("### judgement")[2].partition("###")[0]
    assert re.findall(r"^- `(\w+)`", words, re.MULTILINE) == list(Effect.__members__)


def test_the_front_page_fits_on_a_few_screens() -> None:
    assert len(PAGES["README.md"].splitlines()) <= 150


def anchors(page: str) -> set[str]:
    """What a link may name after its #, by the headings."""
    headings = re.findall(r"^#+ (.*)$", PAGES[page], re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    for path, anchor in re.findall(r"\]\((?!http)([^)#]*)#?([^)]*)\)", PAGES[page]):
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), path
        assert not anchor or anchor in anchors(str(target.resolve().relative_to(ROOT))), anchor


def test_the_site_refuses_a_link_to_no_page_or_heading(tmp_path: Path) -> None:
    """`make docs` builds as strictly as this."""
    shutil.copy(DOCS / "conf.py", tmp_path)
    (tmp_path / "other.md").write_text("# Other\n", encoding="utf-8")
    (tmp_path / "index.md").write_text(
        "# Index\n\n[1](other.md) [2](gone.md) [3](other.md#gone)\n\n```{toctree}\nother\n```\n",
        encoding="utf-8",
    )
    flags = re.findall(r"sphinx-build (.*) docs ", MAKEFILE)[0].split()
    command = [sys.executable, "-m", "sphinx", *flags, str(tmp_path), str(tmp_path / "made")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert done.returncode == 1
    assert re.findall(r"WARNING: (?:.* not found)?.*: '(\S+)'", done.stderr) == ["gone.md", "gone"]
