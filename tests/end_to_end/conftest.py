"""One embedded AWS for each test process; each test finds it empty."""

import json
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path

import pytest

from beginnings import Beginnings, Known
from clinic import Clinic, with_alice_blocked
from deployed_stack import TEMPLATE, DeployedStack
from embedded_account import (
    START,
    Caller,
    Sessions,
    a_role_session,
    a_user,
    log_invocations,
)
from quota_enforcer.local import deploy, template
from quota_enforcer.local.embedded import EmbeddedAws

BEGUN_FIRST = (
    "test_demo.py",
    "test_sandbox.py",
    "test_stream_end_to_end.py",
    "test_gates_end_to_end.py",
    "test_me_end_to_end.py",
    "test_main_job.py",
    "test_satellites_end_to_end.py",
)
"""The longest files and their order: begun last, one would keep a worker busy after the others."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: [item.path.name != name for name in BEGUN_FIRST])


@pytest.fixture(scope="module", autouse=True)
def _one_after_the_other() -> None:
    """Here threads run side by side, as they do for people and on Lambda."""


@pytest.fixture(scope="session")
def embedded_aws() -> Iterator[EmbeddedAws]:
    """What it deploys is the code as it is when the tests begin, packed once."""
    with pytest.MonkeyPatch.context() as patch, EmbeddedAws() as running:
        patch.setattr(template, "archived", cache(template.archived))
        patch.setattr(deploy, "transformed_with_code", transformed_once())
        yield running


def transformed_once() -> Callable[[Path, dict[str, str] | None], template.Transformed]:
    """The SAM transform, which takes longer than a deployment, once for the same template."""
    known: dict[tuple[Path, bytes, str], template.Transformed] = {}

    def transformed(path: Path, parameters: dict[str, str] | None) -> template.Transformed:
        key = (path, path.read_bytes(), json.dumps(parameters, sort_keys=True))
        if key not in known:
            known[key] = template.transformed_with_code(path, parameters)
        return known[key]

    return transformed


@pytest.fixture
def aws(embedded_aws: EmbeddedAws) -> EmbeddedAws:
    """The embedded AWS, emptied, at START on the simulated clock."""
    embedded_aws.reset(START)
    return embedded_aws


@pytest.fixture(scope="module")
def shared_aws(embedded_aws: EmbeddedAws) -> EmbeddedAws:
    """The same, emptied once for all tests of a file, which must not get in each other's way."""
    embedded_aws.reset(START)
    return embedded_aws


@pytest.fixture(scope="session")
def known_beginnings() -> Known:
    return {}


@pytest.fixture
def beginnings(aws: EmbeddedAws, known_beginnings: Known) -> Beginnings:
    """Instead of the empty account, one in which something was made before."""
    return Beginnings(aws, known_beginnings)


@pytest.fixture(scope="module")
def shared_beginnings(shared_aws: EmbeddedAws, known_beginnings: Known) -> Beginnings:
    """The same for all tests of a file."""
    return Beginnings(shared_aws, known_beginnings)


@pytest.fixture
def stack(beginnings: Beginnings) -> DeployedStack:
    """The real template, deployed in enforce mode, metering by metrics."""
    return beginnings.of(DeployedStack.of)


@pytest.fixture
def streaming(beginnings: Beginnings) -> DeployedStack:
    """The real template, deployed in enforce mode, metering by the log's stream, by default."""
    return beginnings.of(streams)


def streams(aws: EmbeddedAws) -> DeployedStack:
    parameters = {"Mode": "enforce", "LogPromptsAndAnswers": "true"}
    return DeployedStack(aws, "bedrock-quota", aws.deploy(TEMPLATE, "bedrock-quota", parameters))


@pytest.fixture
def user(aws: EmbeddedAws) -> Caller:
    return partial(a_user, aws)


@pytest.fixture
def role_session(aws: EmbeddedAws) -> Sessions:
    return partial(a_role_session, aws)


@pytest.fixture
def logged(aws: EmbeddedAws) -> EmbeddedAws:
    """The embedded AWS with invocation logging switched on, bodies included."""
    log_invocations(aws)
    return aws


@pytest.fixture(scope="module")
def clinics(shared_beginnings: Beginnings) -> Callable[[], Clinic]:
    """The same clinic for test after test, as long as it is sound."""
    open_: list[Clinic] = []

    def find() -> Clinic:
        if not open_ or not open_[-1].sound:
            open_.append(Clinic(shared_beginnings.of(with_alice_blocked)))
        return open_[-1]

    return find


@pytest.fixture
def clinic(clinics: Callable[[], Clinic], monkeypatch: pytest.MonkeyPatch) -> Clinic:
    found = clinics()
    for name, value in found.aws.environment().items():
        monkeypatch.setenv(name, value)
    return found
