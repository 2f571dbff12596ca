"""Fixes are commands that exist: every one that the tables make is parsed as it stands."""

import re
import shlex
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
import typer
from botocore import xform_name
from botocore.session import get_session

from builders import HOUR, NOON
from quota_enforcer.cli.main import app
from quota_enforcer.core.deployment import Mode
from quota_enforcer.core.ledger import SweepState
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.quotas.subject import QuotaId, Subject
from quota_enforcer.core.usage.coverage import Coverage
from quota_enforcer.doctor.finding import Diagnosis, Finding
from quota_enforcer.doctor.rules import (
    arrival,
    backlog,
    coverage,
    denies,
    logging,
    machinery,
    metering,
    notices,
    quotas,
    unlogged,
)
from template_source import PARAMETERS

METER = "arn:aws:lambda:eu-central-1:111122223333:function:q-MeterFunction-1"
DENY = "arn:aws:iam::111122223333:policy/bedrock-quota/q/q-deny"
GATE = "arn:aws:iam::111122223333:policy/bedrock-quota/q/q-gate-1-BOUNDARY-ONLY"
ALL = frozenset({"*"})


def bad() -> Iterator[Diagnosis]:
    """Every rule on a deployment where nothing is right."""
    off = logging.Logging("q", "eu-central-1", "g", "arn:role", None, None)
    yield logging.logging_here(off)
    other = logging.LoggingFound("h", "arn:theirs")
    yield logging.logging_here(
        logging.Logging("q", "eu-central-1", "g", "arn:role", other, "INFREQUENT_ACCESS")
    )
    seen = [logging.RegionSeen("eu-west-1", 3), logging.RegionSeen("eu-west-2", 3, None, ("w",)),
            logging.RegionSeen("eu-west-3", trouble="x", refused=True),
            logging.RegionSeen("eu-west-4", mantle=1)]  # fmt: skip
    policy = '{"Statement": [{"DataIdentifier": ["mine"], "Operation": {"Deidentify": {}}}]}'
    yield metering.masking("g", metering.MaskingFound([policy], [policy]))
    yield unlogged.unlogged(1, [unlogged.BatchJob("j", "m", "Completed", NOON)], 7)
    yield logging.other_regions(seen, 7, "quota-enforcer policy doctor --account 1")
    lost = arrival.Arrival(NOON, [NOON - 5 * HOUR], undelivered=3, group="g", meter_log="/m")
    yield arrival.records_arrive(lost)
    yield arrival.usage_is_fresh(lost)
    yield arrival.tokens_are_counted(arrival.Sampled("q", 1, 100, 0))
    yield metering.subscription(metering.StreamMeter("g", "s", METER, [], allowed=False))
    yield metering.metric_filters(metering.MetricsMeter("q", "g", ["a"], [], {"a": 1000}))
    yield backlog.dead_letters(backlog.Queues("https://m", 1, "https://e", 1))
    yield backlog.recounts([backlog.RecountAsked(NOON - 9 * HOUR, NOON - 9 * HOUR)], NOON)
    yield machinery.last_sweep(machinery.Sweeps(NOON, None, None, HOUR, closed=True, log="/e"))
    old = NOON - 50 * HOUR
    yield machinery.last_sweep(machinery.Sweeps(NOON, old, old, HOUR, log="/e"))
    wanted = machinery.ScheduleWanted("P", "n", "cron(x)", "arn:f", "arn:r", "{}")
    yield machinery.schedules([(wanted, None), (wanted, machinery.ScheduleFound(False, "arn:x"))])
    yield machinery.functions([machinery.FunctionFound("f", "Failed", reserved=0)], "q")
    sources = [machinery.MappingFound("E", "u", state) for state in ("", "Disabled")]
    yield machinery.mappings(sources, "q")
    yield notices.alarms({"A": None, "B": notices.AlarmFound("OK", tells=False)}, "q")
    yield notices.listeners(notices.Listeners("arn:t", 0, ("a@b.c",)))
    alice = Principal(Kind.USER, "alice")
    full = coverage.Entity("/", frozenset(map(str, range(10))))
    seats = [
        coverage.Seat(alice, 1, full),
        coverage.Seat(alice, 1, coverage.Entity("/break-glass/")),
    ]
    yield coverage.keys_held([coverage.Holder("user/a", ("edit quotas",))], 1, "1", "q")
    yield coverage.identities(seats, frozenset(), {Kind.USER: 10}, ["other/arn"], ["user/x"])
    ci = coverage.Shared("role ci", ("sso/a",))
    yield coverage.shared_identities([ci], ["sso/b"], 1, "q", ["arn:gate"])
    yield coverage.session_names([coverage.Named("ci", ("arn:root",), limited=True)])
    stray = "x: aws iam detach-group-policy --group-name g --policy-arn arn:p"
    drift = [denies.Denied("user/a", ALL), denies.Denied("user/b", really=ALL),
             denies.Denied("user/c", ALL, ALL, unfinished=True)]  # fmt: skip
    yield denies.denies(drift, [stray], NOON)
    yield denies.deny_policies({"*": DENY, "m.n": GATE}, {DENY: None, GATE: {}}, agent_core=True)
    gate = denies.GateSeen(GATE, foreign=True, nearly_full=True, holders=("group/g",))
    yield denies.gates([gate], "q")
    nothing = quotas.CoverageSeen(Coverage(), 0, 0)
    yield quotas.quotas(0, [quotas.InvalidItem("user/*", "a b", "why")], nothing)
    yield quotas.quotas(0, [], nothing)
    yield quotas.quotas(1, [], nothing, [QuotaId(Subject("user/*"), "burst")])
    yield quotas.prices(["m"], date(2026, 1, 1), date(2026, 12, 1), matter=True)
    yield quotas.acting(
        Mode.ENFORCE, SweepState(breaker_since=NOON, paused_until=NOON + HOUR), NOON, "q"
    )
    yield machinery.clocks(timedelta(hours=1), "UTC", "Europe/Berlin", "q")


FOUND: list[Finding] = [finding for each in bad() for finding in each.findings]


def commands(program: str) -> list[str]:
    """The fixes that begin with this program, and those in their `$(...)`."""
    fixes = [each.fix for each in FOUND]
    inner = [found for fix in fixes for found in re.findall(r"\$\(([^)]+)\)", fix)]
    return [each for each in fixes + inner if each.split()[0] == program]


def test_the_tables_make_many() -> None:
    assert len(FOUND) > 40
    assert {len(commands(each)) > 5 for each in ("aws", "sam", "quota-enforcer")} == {True}


@pytest.mark.parametrize("finding", FOUND, ids=lambda finding: finding.what[:40])
def test_each_finding_says_what_it_saw_and_what_to_do(finding: Finding) -> None:
    assert finding.evidence
    assert finding.fix


@pytest.mark.parametrize("command", commands("quota-enforcer"))
def test_a_command_of_ours_is_one_that_we_have(command: str) -> None:
    words = shlex.split(command)[1:]
    found = typer.main.get_command(app)
    while hasattr(found, "commands"):
        found = found.commands[words.pop(0)]
    found.make_context("x", words)


@pytest.mark.parametrize("command", [each for each in commands("aws") if "logs tail" not in each])
def test_a_command_of_the_aws_cli_has_the_options_of_its_operation(command: str) -> None:
    _, service, operation, *options = shlex.split(re.sub(r'"\$\([^)]*\)"', "X", command))
    model = get_session().get_service_model(service)
    names = {xform_name(each, "-"): each for each in model.operation_names}
    shape = model.operation_model(names[operation]).input_shape
    assert shape is not None
    known = {f"--{xform_name(each, '-')}" for each in shape.members} | {"--notification-endpoint"}
    given = {each for each in options if each.startswith("--")}
    assert given <= known
    renamed = given | ({"--endpoint"} if "--notification-endpoint" in given else set())
    assert {f"--{xform_name(each, '-')}" for each in shape.required_members} <= renamed


@pytest.mark.parametrize("command", commands("sam"))
def test_what_is_deployed_again_gets_parameters_that_the_template_has(command: str) -> None:
    words = shlex.split(command)
    assert words[:2] == ["sam", "deploy"]
    if "--parameter-overrides" in words:
        given = words[words.index("--parameter-overrides") + 1 :]
        assert {each.partition("=")[0] for each in given} <= PARAMETERS.keys()
