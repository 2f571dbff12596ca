"""What somebody downloads: complete, unchanged, and deployable without a build."""

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from quota_enforcer.local.embedded import EmbeddedAws
from quota_enforcer.local.template import parsed

ROOT: Final = Path(__file__).parents[2]
RELEASE: Final = ROOT / ".build/release"
BUCKET: Final = "code"
STACK: Final = "bedrock-quota"
NAMED: Final = ("--stack-name", STACK, "--capabilities", "CAPABILITY_NAMED_IAM")


@pytest.fixture(scope="session")
def embedded_aws() -> Iterator[EmbeddedAws]:
    with EmbeddedAws() as running:
        yield running


@pytest.fixture
def aws(embedded_aws: EmbeddedAws) -> EmbeddedAws:
    embedded_aws.reset()
    embedded_aws.client("s3").create_bucket(Bucket=BUCKET)
    return embedded_aws


def run(aws: EmbeddedAws, folder: Path, tool: str, *arguments: str) -> None:
    done = subprocess.run(  # noqa: S603 - a tool that `make release` installed
        [ROOT / tool, *arguments],
        cwd=folder,
        env=aws.environment() | {"SAM_CLI_TELEMETRY": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def swept(aws: EmbeddedAws) -> dict[str, Any]:
    """What the deployed enforcer answers: a sweep's report."""
    [stack] = aws.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    assert stack["StackStatus"] in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
    answer = aws.client("lambda").invoke(
        FunctionName=outputs["EnforcerFunction"], Payload=b'{"action": "sweep"}'
    )
    report: dict[str, Any] = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, report
    return report


def test_the_checksums_are_of_all_files_and_right() -> None:
    lines = (RELEASE / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    said = {name: digest for digest, name in (line.split() for line in lines)}
    files = [each for each in RELEASE.iterdir() if each.suffix]
    assert said == {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in files}
    assert {each.suffix for each in files} == {".json", ".md", ".whl", ".zip"}


def test_the_bill_of_materials_names_every_package_in_the_archive(stack: Path) -> None:
    [bill] = RELEASE.glob("*.cdx.json")
    named = {
        each["name"].lower().replace("-", "_")
        for each in json.loads(bill.read_text(encoding="utf-8"))["components"]
    }
    there = {each.name.split("-")[0].lower() for each in stack.glob("code/*.dist-info")}
    assert there == named


def test_the_changes_are_those_of_this_version() -> None:
    changes = (RELEASE / "CHANGES.md").read_text(encoding="utf-8")
    assert changes in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "\n### Added\n" in f"\n{changes}"
    assert "\n## " not in f"\n{changes}", "of this one alone, and without its heading"


def test_sam_deploys_it_without_a_build(aws: EmbeddedAws, stack: Path) -> None:
    run(aws, stack, ".venv-sam/bin/sam", "deploy", *NAMED, "--s3-bucket", BUCKET)
    assert swept(aws)["mode"] == "observe"


def test_the_aws_cli_packages_and_deploys_it(aws: EmbeddedAws, stack: Path) -> None:
    cli = ".venv-aws/bin/aws"
    packaged = ("--s3-bucket", BUCKET, "--output-template-file", "packaged.yaml")
    run(aws, stack, cli, "cloudformation", "package", "--template-file", "template.yaml", *packaged)
    uploaded = aws.client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]
    assert len([each for each in uploaded if each["Size"] > 1_000_000]) == 1
    deployed = ("--template-file", "packaged.yaml", *NAMED, "CAPABILITY_AUTO_EXPAND")
    run(aws, stack, cli, "cloudformation", "deploy", *deployed, "--s3-bucket", BUCKET)
    assert swept(aws)["mode"] == "observe"


def test_the_cdk_example_makes_a_stack_with_parameters_and_outputs_that_there_are(
    stack: Path, tmp_path: Path
) -> None:
    template = parsed((stack / "template.yaml").read_text(encoding="utf-8"))
    bins, address = ROOT / ".venv-cdk/bin", "https://code.s3.us-east-1.amazonaws.com/packaged.yaml"
    subprocess.run(  # noqa: S603 - a tool that `make release` installed
        [bins / "python", ROOT / "examples/cdk/app.py"],
        cwd=tmp_path,
        env={
            "PATH": f"{bins}{os.pathsep}{os.environ['PATH']}",
            "CDK_OUTDIR": "out",
            "CDK_CONTEXT_JSON": json.dumps({"template_url": address}),
        },
        check=True,
    )
    made = json.loads((tmp_path / "out/bedrock.template.json").read_text(encoding="utf-8"))
    [nested] = [
        each["Properties"]
        for each in made["Resources"].values()
        if each["Type"] == "AWS::CloudFormation::Stack"
    ]
    assert nested["TemplateURL"] == address
    assert {*nested["Parameters"]} <= {*template["Parameters"]}
    [(_, output)] = [
        each["Value"]["Fn::GetAtt"]
        for each in made["Outputs"].values()
        if "Fn::GetAtt" in each["Value"]
    ]
    assert output.removeprefix("Outputs.") in template["Outputs"]
