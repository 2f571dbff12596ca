"""What every test stands on: Powertools' settings when a handler is imported; and no clock."""

import gc
import json
import os
import ssl
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

import freezegun
import pytest
import typer.main
import typer.testing
import vl_convert
from hypothesis import HealthCheck, settings
from hypothesis.internal import charmap
from hypothesis.internal.intervalsets import IntervalSet
from typer.main import get_command

from one_after_the_other import OneAfterTheOther
from quota_enforcer.decide import evaluate
from quota_enforcer.enforce import decide_all, rules_cache
from quota_enforcer.local.patches.functions import boto_once

os.environ["POWERTOOLS_METRICS_NAMESPACE"] = "BedrockQuota/bedrock-quota/Enforcer"
os.environ["POWERTOOLS_SERVICE_NAME"] = "enforcer"
os.environ["POWERTOOLS_TRACE_DISABLED"] = "true"

# A busy machine is no failure: how fast things are is for `make bench` to say.
settings.register_profile(
    "steady", deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("quick", settings.get_profile("steady"), max_examples=8)
settings.register_profile("deep", settings.get_profile("steady"), max_examples=250)
settings.register_profile("thorough", settings.get_profile("steady"), max_examples=1_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

# What UTF-8 can write is all but halves of pairs. In a fresh checkout each process would try a
# million characters, three seconds long.
_of_codec = charmap.intervals_from_codec
_IN_UTF_8 = IntervalSet(((0, 0xD7FF), (0xE000, 0x10FFFF))), IntervalSet(())
pytest.MonkeyPatch().setattr(
    charmap,
    "intervals_from_codec",
    lambda codec: _IN_UTF_8 if codec == "utf-8" else _of_codec(codec),
)

# Thousands of tests stay in memory, and Python's garbage collector would look through them all
# again and again: half of the time that finding the tests takes.
gc.set_threshold(50_000, 20, 50)


def pytest_collection_finish(session: pytest.Session) -> None:
    gc.freeze()
    _keep_no_logs(session)


def _keep_no_logs(session: pytest.Session) -> None:
    """Where no test reads what was logged, pytest does not keep it.

    It would go through all loggers of all libraries six times for each test.
    """
    plugins = session.config.pluginmanager
    keeper = plugins.get_plugin("logging-plugin")
    if keeper and not any("caplog" in getattr(each, "fixturenames", ()) for each in session.items):
        plugins.unregister(keeper)


# Typer builds all commands again for each run, which takes longer than most commands do.
_built = cache(get_command)
pytest.MonkeyPatch().setattr(typer.testing, "_get_command", _built)
pytest.MonkeyPatch().setattr(typer.main, "get_command", _built)

# Tests draw the same over and over; and Vega measures each label, which takes three times as long
# in a font of the system as in the one that vl-convert brings.
_draw, _drawings = vl_convert.vegalite_to_svg, dict[str, str]()


def _drawn_once(spec: dict[str, Any], **options: Any) -> str:
    measured = {**spec, "config": {**spec["config"], "font": "sans-serif"}}
    known = json.dumps((measured, options), sort_keys=True)
    if known not in _drawings:
        _drawings[known] = _draw(measured, **options)
    return _drawings[known]


pytest.MonkeyPatch().setattr(vl_convert, "vegalite_to_svg", _drawn_once)

# boto3 finds out the same again for each session and client, which takes longer than most calls.
boto_once.install()

# To fix the clock it looks through all modules that are loaded; these ask none of ours the time.
freezegun.configure(
    extend_ignore_list=[
        "_pytest", "attr", "cfnlint", "click", "cryptography", "docutils", "duckdb", "hypothesis",
        "jinja2", "jsonschema", "ministack", "mpmath", "networkx", "numpy", "pluggy", "pydantic",
        "pygments", "regex", "rich", "samtranslator", "starlette", "sympy", "typer", "uvicorn",
        "yaml",
    ]
)  # fmt: skip

# For each answer of ours to CloudFormation all of the system's certificates are read.
pytest.MonkeyPatch().setattr(ssl, "create_default_context", cache(ssl.create_default_context))


_READ_AT_ONCE = (
    "quota_enforcer.cli.insight.report",
    "quota_enforcer.console.look",
    "quota_enforcer.doctor.before.account",
    "quota_enforcer.doctor.checks.keys",
    "quota_enforcer.doctor.checks.metering",
    "quota_enforcer.doctor.checks.trail",
    "quota_enforcer.doctor.run",
    "quota_enforcer.insight.report.summary.week",
)


@pytest.fixture(scope="module", autouse=True)
def _one_after_the_other() -> Iterator[None]:
    """Nothing waits for a network, so threads would only cost: twice the time of most sweeps.

    And which call is the k-th is the same each time. End to end they run side by side.
    """
    loaded = (sys.modules[each] for each in _READ_AT_ONCE if each in sys.modules)
    with pytest.MonkeyPatch.context() as patch:
        for module in (evaluate, decide_all, rules_cache, *loaded):
            patch.setattr(module, "ThreadPoolExecutor", OneAfterTheOther)
        yield
