"""What the command line says when something goes wrong, its exit codes, and its help."""

import sys
from itertools import pairwise

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
    UnauthorizedSSOTokenError,
)
from typer.testing import CliRunner

from cli_world import Shell, a_shell
from quota_enforcer.cli.deployment import by_stack
from quota_enforcer.cli.main import app
from quota_enforcer.cli.terminal.errors import NoDeployment, explain
from quota_enforcer.core.errors import ConfigError

COMMANDS = ("quota set", "quota list", "quota remove", "status", "sweep", "release", "demo")


def refused(code: str, message: str, operation: str = "DescribeStacks") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


ERRORS: list[tuple[Exception, str]] = [
    (NoCredentialsError(), "there are no AWS credentials: sign in, for instance with `aws sso"),
    (NoRegionError(), "no AWS Region is set: give --region eu-central-1"),
    (
        ProfileNotFound(profile="x"),
        (
            "The config profile (x) could not be found: choose one that "
            "`aws configure list-profiles` shows with --profile"
        ),
    ),
    (UnauthorizedSSOTokenError(), "your AWS sign-in is no longer valid: run `aws sso login`"),
    (EndpointConnectionError(endpoint_url="https://x"), "cannot reach AWS: check --region"),
    (BotoCoreError(), "AWS: An unspecified error occurred"),
    (refused("ExpiredToken", "expired"), "your AWS session has expired: sign in again"),
    (
        refused("UnrecognizedClientException", "invalid token"),
        "AWS does not know these credentials (UnrecognizedClientException): check --profile",
    ),
    (
        refused(
            "AccessDenied",
            "User: arn:aws:iam::1:user/x is not authorized to perform: "
            "cloudformation:DescribeStacks on resource: arn",
        ),
        "you may not cloudformation:DescribeStacks: ask for that permission",
    ),
    (
        refused("AccessDeniedException", "no", "GetFunctionConfiguration"),
        "you may not GetFunctionConfiguration: ask for that permission",
    ),
    (
        refused("ResourceNotFoundException", "no table", "Query"),
        "AWS refused Query: ResourceNotFoundException: no table",
    ),
    (NoDeployment("there is no stack"), "there is no stack"),
    (ConfigError("the environment is not complete"), "the environment is not complete"),
]


@pytest.mark.parametrize(("error", "words"), ERRORS, ids=lambda each: type(each).__name__)
def test_an_error_is_one_line_on_stderr_that_says_what_to_do(
    error: Exception, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find(*_: object) -> None:
        raise error

    monkeypatch.setattr(by_stack, "find", find)
    result = CliRunner().invoke(app, ["status"])
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith(f"error: {words}")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("args", "env"),
    [(["--debug", "status"], {}), (["status"], {"QUOTA_ENFORCER_DEBUG": "1"})],
    ids=["option", "environment"],
)
def test_with_debug_the_error_itself_is_raised(
    args: list[str], env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def find(*_: object) -> None:
        raise NoRegionError

    monkeypatch.setattr(by_stack, "find", find)
    assert isinstance(CliRunner().invoke(app, args, env=env).exception, NoRegionError)


def test_a_defect_of_ours_is_not_explained_away() -> None:
    assert explain(KeyError("limit")) is None


@pytest.mark.parametrize("command", COMMANDS)
def test_every_commands_help_has_an_example(command: str) -> None:
    result = CliRunner().invoke(app, [*command.split(), "--help"])
    assert result.exit_code == 0
    assert f"quota-enforcer {command}" in result.stdout.partition("Examples:")[2]


def test_version_is_that_of_the_package() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert result.exit_code == 0
    assert result.stdout.startswith("quota-enforcer")


def test_an_unknown_command_is_wrong_usage() -> None:
    result = CliRunner().invoke(app, ["statsu"])
    assert result.exit_code == 2
    assert "'status'" in result.stderr


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    return a_shell(monkeypatch)


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ((), ("bedrock-quota", None, None)),
        (
            ("--stack", "s", "--profile", "p", "--region", "eu-west-1"),
            ("s", "p", "eu-west-1"),
        ),
    ],
    ids=["default", "given"],
)
def test_the_deployment_is_found_by_the_usual_options(
    shell: Shell, options: tuple[str, ...], wanted: tuple[str | None, ...]
) -> None:
    shell.out("status", *options)
    assert shell.wanted == wanted


def test_the_deployment_is_found_by_the_usual_environment(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUOTA_ENFORCER_STACK", "mine")
    monkeypatch.setenv("AWS_REGION", "eu-west-2")
    shell.out("status")
    assert shell.wanted == ("mine", None, "eu-west-2")


def test_help_breaks_its_lines_where_the_terminal_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not where the docstring does: each line but the last of a paragraph is full."""
    monkeypatch.setenv("COLUMNS", "80")
    page = CliRunner().invoke(app, ["simulate", "--help"]).stdout
    prose = page.partition("With --log")[2].partition("Examples:")[0]
    lines = [line.strip() for line in prose.rstrip().splitlines()]
    for line, following in pairwise(lines[1:]):
        assert len(f"{line} {following.split()[0]}") > 77, line


def test_the_sandbox_says_what_its_console_needs_before_it_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "quota_enforcer.console.serve", None)
    result = CliRunner().invoke(app, ["sandbox", "--console"])
    assert result.exit_code == 1
    assert "pip install 'quota-enforcer[console]'" in result.stderr
    assert "Starting" not in result.stderr


def test_the_demo_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "quota_enforcer.cli.offline.demo", None)
    result = CliRunner().invoke(app, ["demo"])
    assert result.exit_code == 1
    assert "pip install 'quota-enforcer[local]'" in result.stderr
