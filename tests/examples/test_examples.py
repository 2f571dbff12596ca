"""The examples say what today's template, command line and quota items understand."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import hcl2
import pytest
import yaml
from boto3.dynamodb.types import TypeDeserializer

from cli_world import Shell, a_shell
from template_source import PARAMETERS, SOURCE, TEMPLATE

EXAMPLES = TEMPLATE.with_name("examples")
QUOTAS = EXAMPLES / "pipeline/quotas.yaml"


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(QUOTAS.parent)
    return a_shell(monkeypatch)


@pytest.fixture(scope="module")
def terraform() -> list[dict[str, Any]]:
    text = (EXAMPLES / "terraform/main.tf").read_text(encoding="utf-8")
    parsed: list[dict[str, Any]] = hcl2.loads(text)["resource"]
    return parsed


def of(terraform: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """The resources of a type; the parser leaves the quotes that a string is written with."""
    return [
        each
        for resource in terraform
        for name, of_kind in resource.items()
        if name.strip('"') == kind
        for each in of_kind.values()
    ]


def test_terraform_sets_parameters_that_the_template_has(terraform: list[dict[str, Any]]) -> None:
    [stack] = of(terraform, "aws_cloudformation_stack")
    assert {*stack["parameters"]} <= {*PARAMETERS}


def test_terraform_finds_the_table_in_the_outputs_and_its_keys(
    terraform: list[dict[str, Any]],
) -> None:
    keys = SOURCE["Resources"]["QuotaTable"]["Properties"]["KeySchema"]
    for item in of(terraform, "aws_dynamodb_table_item"):
        [output] = re.findall(r'outputs\["(\w+)"\]', item["table_name"])
        assert SOURCE["Outputs"][output]["Value"] == {"Ref": "QuotaTable"}
        assert [item["hash_key"].strip('"'), item["range_key"].strip('"')] == [
            key["AttributeName"] for key in keys
        ]


def test_terraform_and_the_pipeline_write_the_same_quotas_which_are_valid(
    terraform: list[dict[str, Any]], shell: Shell
) -> None:
    read = TypeDeserializer().deserialize
    for item in of(terraform, "aws_dynamodb_table_item"):
        [text] = re.findall(r"<<ITEM\n(.*)\n\s*ITEM", item["item"], re.DOTALL)
        found = {name: read(value) for name, value in json.loads(text).items()}
        shell.world.quotas.table[found["principal"], found["quota"]] = found
    assert "2 items: 0 not valid, 0 warnings." in shell.run("quota", "check").stdout
    done = shell.run("quota", "import", str(QUOTAS), "--prune", "--yes")
    assert done.stdout.splitlines()[-1] == "0 added, 0 changed, 0 removed, 2 unchanged."


def steps() -> list[str]:
    text = (EXAMPLES / "pipeline/check-quotas.yml").read_text(encoding="utf-8")
    jobs = yaml.safe_load(text)["jobs"]
    ran = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    return [each for each in ran if each.startswith("quota-enforcer ")]


def test_the_commands_of_the_pipeline_run_in_its_order(shell: Shell) -> None:
    done = [shell.run(*shlex.split(each)[1:]) for each in steps()]
    assert [each.exit_code for each in done] == [0, 0, 0]
    assert {name for _, name in shell.world.quotas.table} == {"daily", "monthly"}


def test_a_mistake_in_the_file_fails_the_pull_request(shell: Shell, tmp_path: Path) -> None:
    wrong = tmp_path / "quotas.yaml"
    wrong.write_text(QUOTAS.read_text(encoding="utf-8").replace("limit: 20", "limit: -20"))
    shell.monkeypatch.chdir(tmp_path)
    assert shell.run(*shlex.split(steps()[0])[1:]).exit_code != 0


def test_the_publishing_metadata_is_as_aws_wants_it() -> None:
    """As `sam publish` asks for it, in the SAM guide's page on the Metadata section."""
    said = SOURCE["Metadata"]["AWS::ServerlessRepo::Application"]
    assert re.fullmatch(r"[a-zA-Z0-9-]{1,140}", said["Name"])
    assert 1 <= len(said["Description"]) <= 256
    assert re.fullmatch(r"[a-z0-9](([a-z0-9]|-(?!-))*[a-z0-9])?", said["Author"])
    assert len(said["Labels"]) <= 10
    assert all(re.fullmatch(r"[a-zA-Z0-9+\-_:/@]{1,127}", each) for each in said["Labels"])
    for named in ("LicenseUrl", "ReadmeUrl"):
        assert TEMPLATE.with_name(said[named]).is_file()
