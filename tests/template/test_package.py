"""What Lambda gets: built as `sam build` does it, and run without anything else installed."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest

from template_source import FUNCTIONS, TEMPLATE, properties

ROOT = TEMPLATE.parent
IN_RUNTIME = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six.py", "urllib3")
"""What Lambda's own Python has beside the standard library."""
Answers = Mapping[str, tuple[Any, list[str]]]
COMPILED = {".dll", ".dylib", ".pyc", ".pyd", ".so"}
LARGEST = 12_000_000
"""Bytes; a cold start loads what is in here."""
NOT_FOR_LAMBDA = {
    "quota_enforcer.cli",
    "quota_enforcer.console",
    "quota_enforcer.doctor",
    "quota_enforcer.local",
    "quota_enforcer.insight.report",
    "jinja2",
    "starlette",
    "uvicorn",
    "vl_convert",
    "ministack",
    "moto",
    "rich",
    "typer",
}

SET_UP = (ROOT / "events" / "setup-create.json").read_text(encoding="utf-8")
RUN_SETUP = """
import http.client, json, os, sys, types
event = json.loads(EVENT)
properties = event["ResourceProperties"]
os.environ.update(
    STACK_ID=event["StackId"], LOG_GROUP=properties["LogGroupName"],
    LOG_ROLE=properties["LogRoleArn"], LOG_PROMPTS_AND_ANSWERS="false", MANAGE_LOGGING="true",
    TIME_ZONE="UTC",
    ENFORCER_FUNCTION="enforcer",
)
answers = []
class Connection:
    def __init__(self, host, **options): pass
    def request(self, body, **rest): answers.append(json.loads(body))
    def getresponse(self): return types.SimpleNamespace(reason="OK")
http.client.HTTPSConnection = Connection
import botocore.client
configured = {}
def call(client, operation, request):
    if operation == "GetModelInvocationLoggingConfiguration": return {}
    if operation == "PutModelInvocationLoggingConfiguration":
        configured.update(request["loggingConfig"])
        return {}
    if operation == "DescribeStacks": return {"Stacks": [{"StackStatus": "CREATE_IN_PROGRESS"}]}
    raise AssertionError(operation)
botocore.client.BaseClient._make_api_call = call
from quota_enforcer.lambdas.setup.handler import handler
context = types.SimpleNamespace(aws_request_id="1", get_remaining_time_in_millis=lambda: 900_000)
handler(event, context)
print(json.dumps({"answers": answers, "configured": configured}))
"""
LOADED = "\nimport json, sys; print(json.dumps(sorted(sys.modules)))"
FORK = """
import gc, json, os, sys, traceback
gc.disable()  # loading makes no garbage
import boto3, botocore.session
botocore.session.get_session()
for name, code, answer in json.load(sys.stdin):
    if os.fork() == 0:
        sys.stdout = open(answer, "w", encoding="utf-8")
        try:
            exec(code, {"__name__": name})
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        sys.stdout.close()
        os._exit(0)
    _, ended = os.wait()
    if ended:
        sys.exit(f"{name} failed")
"""
"""Runs each in a process that has loaded nothing yet but what Lambda's Python has."""
AUTHOR = "import json, quota_enforcer.lambdas.author.handler; print(json.dumps(None))"
TEAMS = """
import json, os, types
import botocore.client
def call(client, operation, request):
    tags = [{"Key": "team", "Value": "x"}]
    user = {"Arn": "arn:aws:iam::111122223333:user/a", "Path": "/", "Tags": tags}
    return {"UserDetailList": [user], "RoleDetailList": [], "Items": []}
botocore.client.BaseClient._make_api_call = call
os.environ.update(
    ACCOUNT_ID="111122223333", QUOTA_TABLE="q", TEAMS_FROM="iam:team", TEAMS_ROLE="r",
    TEAMS_REGION="eu-west-1",
)
from quota_enforcer.lambdas.teams.handler import handler
context = types.SimpleNamespace(
    aws_request_id="1", function_name="f", memory_limit_in_mb=512, invoked_function_arn="a"
)
print(json.dumps(handler({}, context)["written"]))
"""
PRICED = """
import json
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.pricing.table import PriceTable
from quota_enforcer.core.pricing.catalog.shipped import shipped_rates
table = PriceTable(shipped_rates())
cost = table.cost("global.anthropic.claude-sonnet-4-5-20250929-v1:0", None, Counts(1, 140, 20))
print(json.dumps(str(cost.usd.normalize())))
"""
UNSIGNED = """
import json, os, types
os.environ.update(
    ACCOUNT_ID="1", CONTACT="us", GATED="false", LEDGER_TABLE="l", MODE="observe",
    MODEL_SCOPES='["*"]', QUOTA_TABLE="q", STACK_NAME="s", TIME_ZONE="UTC",
)
from quota_enforcer.lambdas.self_service.handler import handler
context = types.SimpleNamespace(
    aws_request_id="1", function_name="f", memory_limit_in_mb=512, invoked_function_arn="a"
)
print(json.dumps(handler({}, context)["statusCode"]))
"""
WEEK = """
import json, os
from datetime import UTC, date, datetime
import botocore.client
def call(client, operation, request):
    return {"Items": [], "Responses": {}}
botocore.client.BaseClient._make_api_call = call
import boto3
os.environ.update(
    STACK_NAME="s", ACCOUNT_ID="1", QUOTA_TABLE="q", LEDGER_TABLE="l", NOTICE_TOPIC="t",
    METRIC_NAMESPACE="n", DENY_POLICIES='{"*": "arn"}', MODE="observe", TIME_ZONE="UTC",
    CONTACT="us", BREAKER_NUMBER="1", BREAKER_PERCENT="1", METERING="stream", WEEKLY_DIGEST="true",
)
from quota_enforcer.core.deployment import Settings
from quota_enforcer.lambdas.enforcer.wiring import adapters
settings = Settings.from_environment(os.environ)
context = settings.context(datetime(2026, 11, 23, 7, tzinfo=UTC))
weeks = adapters(settings, boto3.Session()).weeks
print(json.dumps(weeks.week([], context, date(2026, 11, 23))[0]))
"""
REFUSED = """
import json, sys, types
from quota_enforcer.lambdas.enforcer.handler import handler
context = types.SimpleNamespace(
    aws_request_id="1", function_name="f", memory_limit_in_mb=512, invoked_function_arn="a"
)
try:
    handler({"action": "dance"}, context)
except Exception as error:
    print(json.dumps([type(error).__name__, str(error)]))
"""
HANDLERS = {
    "enforcer": REFUSED,
    "author": AUTHOR,
    "self_service": UNSIGNED,
    "setup": f"EVENT = {SET_UP!r}\n{RUN_SETUP}",
    "teams": TEAMS,
}
CODE = {"prices": PRICED, "week": WEEK, **HANDLERS}
"""What each runs in a process of its own."""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One function's package, made by the Makefile that `sam build` calls."""
    folder = tmp_path_factory.mktemp("package")
    make(FUNCTIONS[0], folder)
    return folder


@pytest.fixture(scope="module")
def unpacked(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy to run from: what one process compiles, the next ones find."""
    folder = tmp_path_factory.mktemp("unpacked") / "package"
    return shutil.copytree(package, folder, copy_function=os.link)


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what Lambda's own Python has, and nothing else of this environment."""
    folder = tmp_path_factory.mktemp("runtime")
    installed = Path(str(boto3.__file__)).parents[1]
    for name in IN_RUNTIME:
        (folder / name).symlink_to(installed / name)
    return folder


def make(function: str, folder: Path, *flags: str) -> str:
    command = ["make", "--silent", *flags, "-C", str(ROOT / "src"), f"build-{function}"]
    command += [f"ARTIFACTS_DIR={folder}", f"PYTHON={sys.executable}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def answers(unpacked: Path, runtime: Path, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """What each prints in a process that sees the package, Lambda's Python and nothing else.

    And which modules it has loaded then.
    """
    environment = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "PATH": os.environ["PATH"],
        "POWERTOOLS_METRICS_NAMESPACE": "BedrockQuota/q/Enforcer",
        "POWERTOOLS_SERVICE_NAME": "q",
        "POWERTOOLS_TRACE_DISABLED": "true",
        "PYTHONPATH": f"{unpacked}{os.pathsep}{runtime}",
    }
    folder = tmp_path_factory.mktemp("answers")
    runs = [(name, code + LOADED, str(folder / name)) for name, code in CODE.items()]
    # -S: without this environment's own packages.
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-S", "-c", FORK],
        input=json.dumps(runs),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {name: read(folder / name) for name in CODE}


def read(answer: Path) -> tuple[Any, list[str]]:
    *_, said, loaded = answer.read_text(encoding="utf-8").splitlines()
    return json.loads(said), json.loads(loaded)


def test_nothing_in_it_is_compiled(package: Path) -> None:
    assert [path for path in package.rglob("*") if path.suffix in COMPILED] == []


def test_the_command_line_the_demo_and_the_tests_are_not_in_it(package: Path) -> None:
    ours = {path.name for path in (package / "quota_enforcer").iterdir() if path.is_dir()}
    assert ours == {
        "aws", "core", "decide", "enforce", "gates", "insight", "lambdas", "meter", "satellites",
    }  # fmt: skip
    assert not {"tests", "events", "ministack", "rich", "typer", "boto3"} & {
        path.name for path in package.iterdir()
    }


def test_it_carries_the_time_zones(package: Path) -> None:
    assert (package / "tzdata" / "zoneinfo" / "Europe" / "Berlin").is_file()


def test_it_carries_the_prices_with_their_licence(package: Path, answers: Answers) -> None:
    assert answers["prices"][0] == "0.00072"
    notice = (package / "quota_enforcer" / "core/pricing/catalog/NOTICE.md").read_text("utf-8")
    assert "MIT License" in notice
    assert "Copyright (c) 2023 Berri AI" in notice


def test_it_is_small(package: Path) -> None:
    size = sum(path.stat().st_size for path in package.rglob("*") if path.is_file())
    assert size < LARGEST


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_is_built_alike_with_its_handler(
    function: str, package: Path, tmp_path: Path
) -> None:
    """By the commands that built `package`, which are only printed here: pip takes its time."""
    commands = make(function, tmp_path, "--dry-run")
    assert f'--target "{tmp_path}"' in commands
    assert commands == make(FUNCTIONS[0], tmp_path, "--dry-run")
    module = properties(function)["Handler"].rpartition(".")[0]
    assert (package / f"{module.replace('.', '/')}.py").is_file()


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_handler_loads_from_it_alone(handler: str, answers: Answers) -> None:
    """And nothing that is not for Lambda, not even while it runs."""
    _, loaded = answers[handler]
    assert f"quota_enforcer.lambdas.{handler}.handler" in loaded
    assert not NOT_FOR_LAMBDA & set(loaded)


def test_the_setup_handler_runs_from_it(answers: Answers) -> None:
    done, _ = answers["setup"]
    assert [answer["Status"] for answer in done["answers"]] == ["SUCCESS"]
    group = done["configured"]["cloudWatchConfig"]["logGroupName"]
    assert group == "/bedrock-quota/bedrock-quota/invocations"


def test_the_self_service_handler_runs_from_it(answers: Answers) -> None:
    """As far as it gets without tables: a request that it refuses."""
    assert answers["self_service"][0] == 403


def test_the_teams_handler_runs_from_it(answers: Answers) -> None:
    """On an IAM with one user in a team, and a table without any."""
    assert answers["teams"][0] == ["team/x"]


def test_the_week_is_summed_up_from_it(answers: Answers) -> None:
    """It is loaded only when a digest is due; here of empty tables."""
    assert answers["week"][0] == "no usage recorded in the week to 22 Nov"


def test_the_enforcer_handler_runs_from_it(answers: Answers) -> None:
    """As far as it gets without tables: an event that it refuses."""
    (kind, words), _ = answers["enforcer"]
    assert kind == "UnknownEvent"
    assert "dance" in words
