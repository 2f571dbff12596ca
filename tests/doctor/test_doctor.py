"""`doctor` as a shell sees it, on a deployment of fakes."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from builders import NOON
from cli_world import Shell, a_shell
from doctor_fakes import METER, PARTS
from gate_fakes import GATE, GATE_2, an_intent
from quota_enforcer.core.deployment import Metering, Mode
from quota_enforcer.core.errors import CannotDeny
from quota_enforcer.core.ledger import PriceMemory
from quota_enforcer.core.policies.boundary import gate
from quota_enforcer.core.policies.callers.doctor import NEEDS
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.place import Place
from quota_enforcer.core.usage.stored import Source
from quota_enforcer.doctor.checks import coverage, machinery
from quota_enforcer.doctor.deployment import Memoised
from quota_enforcer.doctor.probe import StackPart
from quota_enforcer.doctor.rules.coverage import Entity
from quota_enforcer.doctor.rules.metering import SubscriptionFound
from quota_enforcer.doctor.run import CHECKS
from quota_enforcer.meter.ports import Recount, Series
from quota_enforcer.satellites.registry import Satellite
from world import ACCOUNT

DENIED: Any = {
    "Code": "AccessDeniedException",
    "Message": "User: arn:aws:iam::1:user/x is not authorized to perform: logs:DescribeLogStreams",
}
UNNAMED: Any = {"Code": "AuthorizationError", "Message": "no"}


GUESTS = "444455556666"


def with_a_member(shell: Shell) -> None:
    """A satellite in another account, where a user is over."""
    world = shell.world
    world.metering(Metering.STREAM)
    world.member(GUESTS)
    world.quota(principal=f"{GUESTS}/user/ben")
    world.stream("ben", shell.now, 1200, place=f"{GUESTS}/eu-west-1")
    world.sweep(shell.now)
    world.wake(shell.now, f"{GUESTS}/user/ben")
    shell.now += timedelta(minutes=12)
    world.sweep(shell.now)
    found = Satellite(Place(GUESTS, "eu-west-1"), 1, "log", "arn:stack/x/1", shell.now)
    shell.ailments = {"found": {"satellites": [found]}}


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Alice is over her quota and blocked, since a while ago."""
    shell = a_shell(monkeypatch)
    shell.world.quota()
    shell.used("alice", 1200)
    shell.sweep()
    shell.now = NOON + timedelta(minutes=12)
    shell.world.sweep(shell.now)
    return shell


def checks(shell: Shell) -> dict[str, Any]:
    """What `doctor --json` says, by check."""
    said = json.loads(shell.run("doctor", "--json").stdout)
    return {each["check"]: each for each in said["checks"]}


def findings(shell: Shell, check: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = checks(shell)[check]["findings"]
    return found


def the_finding(shell: Shell, check: str) -> dict[str, Any]:
    [found] = findings(shell, check)
    return found


class TestWhatItSays:
    def test_a_healthy_deployment_is_a_list_of_what_is_fine(self, shell: Shell) -> None:
        result = shell.run("doctor")
        assert result.exit_code == 0, result.output
        lines = result.stdout.splitlines()
        assert [line.partition("  ")[0] for line in lines] == ["ok"] * len(CHECKS)
        assert all(name in line for name, line in zip(CHECKS, lines, strict=True))
        assert "Nothing is wrong." in result.stderr

    def test_a_finding_has_its_evidence_and_its_fix_on_lines_of_their_own(
        self, shell: Shell
    ) -> None:
        shell.ailments = {"found": {"logging": None}}
        result = shell.run("doctor")
        assert result.exit_code == 1
        lines = result.stdout.splitlines()
        [place] = (place for place, line in enumerate(lines) if line.startswith("problem"))
        assert lines[place + 1].split(maxsplit=1)[0] == "seen"
        assert lines[place + 2].split(maxsplit=1)[0] == "fix"
        assert lines[place + 2].split(maxsplit=1)[1].startswith("aws bedrock put-model-")
        assert "Found: 1 problem." in result.stderr
        assert "QUOTA_ENFORCER_STACK=bedrock-quota AWS_REGION=us-east-1" in result.stderr

    def test_json_has_every_check_with_what_it_needs(self, shell: Shell) -> None:
        said = json.loads(shell.run("doctor", "--json").stdout)
        assert (said["stack"], said["region"], said["healthy"]) == (
            "bedrock-quota", "us-east-1", True,
        )  # fmt: skip
        assert [each["check"] for each in said["checks"]] == list(CHECKS) == list(NEEDS)
        sweep = next(each for each in said["checks"] if each["check"] == "sweep")
        assert sweep["fine"] == "it finished as of 2026-11-24 12:12Z, 0 s ago"
        assert "dynamodb:GetItem" in sweep["needs"]

    def test_a_note_is_shown_and_is_no_harm(self, shell: Shell) -> None:
        shell.world.mode(Mode.OBSERVE)
        shell.sweep()
        result = shell.run("doctor")
        assert result.exit_code == 0
        assert "note" in result.stdout
        assert "observe mode blocks nobody" in result.stdout

    def test_of_many_concerned_some_are_named_and_json_names_all(self, shell: Shell) -> None:
        for number in range(12):
            shell.world.stream(f"role:r{number:02d}/x", shell.now, 1)
            shell.world.wake(shell.now, f"role/r{number:02d}")
        assert "role/r09 and 2 more" in shell.run("doctor").stdout
        assert len(the_finding(shell, "quotas")["about"]) == 12


class TestWhatCannotBeChecked:
    def test_one_that_is_not_allowed_names_the_action_and_stops_no_other(
        self, shell: Shell
    ) -> None:
        shell.ailments = {
            "fails": {"newest_record": ClientError({"Error": DENIED}, "DescribeLogStreams")},
            "found": {"logging": None},
        }
        result = shell.run("doctor", "--json")
        assert result.exit_code == 1
        found = checks(shell)
        unhealthy = [name for name, each in found.items() if not each["healthy"]]
        assert unhealthy == ["logging", "records"]
        [finding] = found["records"]["findings"]
        assert finding["severity"] == "unchecked"
        assert finding["what"] == "could not check: needs logs:DescribeLogStreams"
        assert finding["fix"] == (
            "quota-enforcer policy doctor --account 111122223333 --stack bedrock-quota"
        )

    def test_where_aws_names_no_action_the_checks_own_needs_do(self, shell: Shell) -> None:
        refused = ClientError({"Error": UNNAMED}, "ListSubscriptionsByTopic")
        shell.ailments = {"fails": {"listeners": refused}}
        assert "needs sns:ListSubscriptionsByTopic" in the_finding(shell, "notices")["what"]

    def test_a_service_that_is_down_is_tried_again_later(self, shell: Shell) -> None:
        down = EndpointConnectionError(endpoint_url="https://sqs")
        shell.ailments = {"fails": {"waiting in https://sqs/meter": down}}
        finding = the_finding(shell, "dead letters")
        assert "cannot reach AWS" in finding["what"]
        assert finding["fix"] == "quota-enforcer doctor"

    def test_a_defect_of_ours_is_one_check_less_and_said_to_be_one(self, shell: Shell) -> None:
        shell.ailments = {"fails": {"alarms": KeyError("StateValue")}}
        finding = the_finding(shell, "alarms")
        assert finding["what"] == "could not check: KeyError: 'StateValue'"
        assert "defect" in finding["fix"]

    def test_what_several_checks_share_fails_for_each_of_them(self, shell: Shell) -> None:
        refused = ClientError({"Error": UNNAMED}, "ListStackResources")
        shell.ailments = {"fails": {"parts": refused}}
        unchecked = {name for name, each in checks(shell).items() if not each["healthy"]}
        assert {"logging", "schedules", "functions", "alarms"} <= unchecked
        assert "quotas" not in unchecked

    def test_a_region_that_cannot_be_asked_stops_no_other_region(self, shell: Shell) -> None:
        refused = ClientError({"Error": UNNAMED}, "ListMetrics")
        shell.ailments = {
            "found": {"regions": ["us-east-1", "eu-west-1", "eu-west-2"]},
            "fails": {"calls in eu-west-1": refused},
            "calls_in": {"eu-west-2": {NOON: 5}},
        }
        used, unasked = findings(shell, "regions")
        assert used["severity"] == "problem"
        assert "eu-west-2" in used["what"]
        assert unasked["what"] == "could not look into 1 Region: needs cloudwatch:ListMetrics"

    def test_a_region_with_a_satellite_is_metered(self, shell: Shell) -> None:
        """One of home's own account; that of another account says nothing of home's Regions."""
        places = Place(ACCOUNT, "eu-west-1"), Place(GUESTS, "eu-west-2")
        shell.ailments = {
            "found": {
                "regions": ["us-east-1", "eu-west-1", "eu-west-2"],
                "satellites": [Satellite(each, 1, "log", "arn:stack/x/1", NOON) for each in places],
            },
            "calls_in": {"eu-west-1": {NOON: 5}, "eu-west-2": {NOON: 5}},
        }
        handed_over, unmetered = findings(shell, "regions")
        assert (handed_over["severity"], unmetered["severity"]) == ("note", "problem")
        assert "by the satellite there" in handed_over["what"]
        assert "eu-west-2, where nothing meters it" in unmetered["what"]

    def test_a_region_that_an_organization_closes_is_no_harm(self, shell: Shell) -> None:
        said: Any = {
            "Code": "AccessDenied",
            "Message": "with an explicit deny in a service control policy",
        }
        closed = ClientError({"Error": said}, "ListMetrics")
        shell.ailments = {"fails": {"calls in eu-west-1": closed}}
        assert checks(shell)["regions"]["healthy"]


class TestMetering:
    def test_metrics_are_looked_at_where_they_meter(self, shell: Shell) -> None:
        metrics = ["Invocations"]
        busy = [Series("requests", f"arn:{number}", "model") for number in range(999)]
        shell.ailments = {"found": {"metric_names": metrics, "series": busy}}
        missing, near = findings(shell, "meter")
        assert "InputTokenCount" in missing["evidence"]
        assert near["evidence"].endswith("Invocations 1,000")

    def test_the_subscription_is_looked_at_where_the_stream_meters(self, shell: Shell) -> None:
        shell.world.metering(Metering.STREAM)
        shell.ailments = {"found": {"subscriptions": [SubscriptionFound("siem", "", "arn:x")]}}
        assert METER in the_finding(shell, "meter")["fix"]

    def test_calls_that_do_not_arrive_are_known_by_bedrocks_metric(self, shell: Shell) -> None:
        shell.now += timedelta(hours=5)
        shell.world.sweep(shell.now)
        made = {shell.now - timedelta(hours=2): 3}
        shell.ailments = {"calls_in": {"us-east-1": made}}
        assert "do not reach the ledger" in the_finding(shell, "ledger")["what"]
        assert "/bedrock-quota/bedrock-quota/enforcer" in the_finding(shell, "ledger")["fix"]

    def test_usage_without_tokens_is_noticed(self, shell: Shell) -> None:
        assert checks(shell)["tokens"]["fine"] == "1,200 tokens in 1 call of 1 principal"

    def test_an_event_source_of_the_stack_that_is_off(self, shell: Shell) -> None:
        parts = PARTS | {"Edits": StackPart(machinery.MAPPING, "u-1")}
        shell.ailments = {"found": {"parts": parts, "mapping_state": "Disabled"}}
        assert "--uuid u-1 --enabled" in the_finding(shell, "event sources")["fix"]

    def test_an_hour_that_nobody_recounts_is_named(self, shell: Shell) -> None:
        hour = NOON - timedelta(hours=6)
        shell.ailments = {"found": {"recounts": [Recount(hour, hour)]}}
        assert the_finding(shell, "recounts")["about"] == ["2026-11-24 06:00Z"]


class TestPeople:
    def test_only_quotas_that_deny_need_room(self, shell: Shell) -> None:
        full = Entity("/", frozenset(f"arn:{number}" for number in range(10)))
        shell.ailments = {"found": {"identities": {Principal.parse("user/alice"): full}}}
        assert the_finding(shell, "users and roles")["about"] == ["user/alice (10 of 10)"]
        shell.world.quota(action="notify")
        shell.sweep()
        assert findings(shell, "users and roles") == []

    def test_who_could_lift_their_own_limit_is_named_with_how(self, shell: Shell) -> None:
        held = ("bedrock:DeleteModelInvocationLoggingConfiguration", "iam:DetachUserPolicy")
        shell.ailments = {"found": {"may": {f"arn:aws:iam::{ACCOUNT}:user/alice": held}}}
        finding = the_finding(shell, "keys")
        assert finding["about"] == ["user/alice: switch Bedrock's log off, take off their own deny"]
        assert finding["fix"].startswith("quota-enforcer policy guard --account")
        assert "asked about 1 for 1 of 1" in finding["evidence"]

    def test_of_all_who_may_do_the_same_one_is_asked_about(self, shell: Shell) -> None:
        shell.world.quota(principal="user/*")
        for number in range(40):
            shell.used(f"user{number:02d}", 1)
        shell.sweep()
        assert checks(shell)["keys"]["fine"] == (
            "none of 41 limited users and roles could lift a limit: IAM was asked about 1, one of "
            "each that may do the same"
        )
        held = ("iam:DetachUserPolicy",)
        shell.ailments = {"found": {"may": {f"arn:aws:iam::{ACCOUNT}:user/alice": held}}}
        finding = the_finding(shell, "keys")
        assert finding["about"] == ["user/alice and 40 like it: take off their own deny"]
        assert finding["what"].startswith("41 of 41 limited users and roles could lift a limit")

    def test_of_more_kinds_than_iam_is_asked_about_it_says_how_many(self, shell: Shell) -> None:
        shell.world.quota(principal="user/*")
        for number in range(40):
            shell.used(f"user{number:02d}", 1)
        shell.sweep()
        deny = frozenset({shell.world.settings.denies["*"]})
        alike = {
            Principal.parse(f"user/user{number:02d}"): Entity("/", rest="" if number < 10 else "x")
            for number in range(20)
        }
        several = {
            Principal.parse(f"user/user{number:02d}"): Entity("/", rest=str(number))
            for number in range(20, 40)
        }
        entities = alike | several | {Principal.parse("user/alice"): Entity("/", deny)}
        shell.ailments = {"found": {"identities": entities}}
        assert checks(shell)["keys"]["fine"] == (
            "none of 31 looked at, of 41 limited users and roles could lift a limit: IAM was asked "
            "about 12, one of each that may do the same"
        )

    def test_of_people_behind_a_role_it_is_the_role_that_is_asked_about(self, shell: Shell) -> None:
        shell.world.quota(principal="sso/*")
        shell.used("sso:ann@example.com", 10)
        shell.sweep()
        [source] = [each for each in shell.world.ledger.sources() if "ann@" in each.arn]
        role = source.arn.split("/")[1]
        path = "/aws-reserved/sso.amazonaws.com/"
        arn = f"arn:aws:iam::{ACCOUNT}:role{path}{role}"
        entities = {Principal.parse(f"role/{role}"): Entity(path)}
        held = {arn: ("iam:CreatePolicyVersion",)}
        shell.ailments = {"found": {"identities": entities, "may": held}}
        assert the_finding(shell, "keys")["about"] == [f"role/{role}: rewrite the denies"]

    def test_a_role_whose_sessions_have_quotas_and_names_that_callers_choose(
        self, shell: Shell
    ) -> None:
        trust = json.dumps({"Statement": {
            "Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole",
        }})  # fmt: skip
        roles = {Principal.parse(f"role/{role}"): Entity("/", trust=trust) for role in ("ci", "x")}
        shell.ailments = {"found": {"identities": roles}}
        for role, name in (("ci", "one"), ("ci", "two"), ("x", "three")):
            arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}"
            shell.world.ledger.remember_source(Source(arn, "m", NOON))
        [noted] = findings(shell, "session names")
        assert noted["severity"] == "note"
        assert len(noted["about"]) == 2
        shell.world.quota(principal="session/ci/*")
        warned, noted = findings(shell, "session names")
        assert warned["severity"] == "warning"
        assert warned["about"] == [f"role/ci (2 names seen; chosen by {ACCOUNT})"]
        assert warned["fix"] == "quota-enforcer gates setup"
        assert noted["about"] == [f"role/x (1 name seen; chosen by {ACCOUNT})"]

    def test_root_is_named(self, shell: Shell) -> None:
        root = Principal.parse("other/arn:aws:iam::111122223333:root")
        shell.world.ledger.put(shell.world.ledger.records([root])[root].next())
        assert the_finding(shell, "users and roles")["about"] == [str(root)]

    def test_people_of_identity_center_without_gates(self, shell: Shell) -> None:
        shell.world.quota(principal="sso/*")
        shell.used("sso:ann@example.com", 10)
        shell.sweep()
        assert the_finding(shell, "shared roles")["about"] == ["sso/ann@example.com"]

    def test_with_gates_the_role_that_names_none_is_found(self, shell: Shell) -> None:
        shell.world.keep_gates()
        shell.gatehouse.iam.documents = {GATE: gate({}), GATE_2: gate({})}
        shell.world.quota(principal="sso/*")
        shell.used("sso:ann@example.com", 10)
        shell.sweep()
        shell.gatehouse.role("AWSReservedSSO_Developer_0123456789abcdef", boundary="")
        finding = the_finding(shell, "shared roles")
        assert "permission set Developer" in finding["what"]
        assert finding["about"] == ["sso/ann@example.com"]

    def test_a_gate_that_lacks_somebody_is_found_by_the_authors_own_rules(
        self, shell: Shell
    ) -> None:
        shell.world.keep_gates()
        shell.gatehouse.iam.documents = {GATE: gate({}), GATE_2: gate({})}
        shell.gatehouse.role("ci")
        shell.gatehouse.memory.put(an_intent("session/ci/42"))
        finding = the_finding(shell, "gates")
        assert finding["about"] == ["AROAAAAAAAAAAAAAAAAA1:42"]
        assert shell.gatehouse.iam.calls == []

    def test_a_deny_that_somebody_detached(self, shell: Shell) -> None:
        shell.world.denies.attached.clear()
        assert "is not attached to user/alice" in the_finding(shell, "denies")["what"]

    def test_a_deny_on_whom_the_ledger_does_not_know(self, shell: Shell) -> None:
        shell.world.denies.attached[Principal.parse("user/bob")] = {"*"}
        assert "user/bob, who is not over" in the_finding(shell, "denies")["what"]

    def test_of_member_accounts_it_says_who_looks_there(self, shell: Shell) -> None:
        with_a_member(shell)
        fine = checks(shell)["denies"]["fine"]
        assert fine == (
            "IAM denies all whom the ledger says: 2; not looked at: IAM of 1 member account (the "
            "enforcer looks there, at the first sweep of each hour)"
        )

    def test_whom_the_enforcer_could_not_deny_in_a_member_account_is_named(
        self, shell: Shell
    ) -> None:
        refused = CannotDeny("no slot is left")
        shell.world.denies.refuse[Principal.parse(f"{GUESTS}/user/ben")] = refused
        with_a_member(shell)
        finding = the_finding(shell, "denies")
        assert finding["what"] == f"{GUESTS}/user/ben is over and could not be blocked"
        assert finding["evidence"] == "no slot is left"

    def test_of_the_gates_of_member_accounts_it_says_who_writes_them(self, shell: Shell) -> None:
        shell.world.keep_gates()
        shell.gatehouse.iam.documents = {GATE: gate({}), GATE_2: gate({})}
        with_a_member(shell)
        assert checks(shell)["gates"]["fine"].endswith(
            "; not looked at: IAM of 1 member account (the author writes the gates there)"
        )


class TestRules:
    def test_an_invalid_item_stays_a_finding_after_admins_were_told(self, shell: Shell) -> None:
        shell.world.quota(principal="user/bob", window="fortnight")
        for _ in range(2):
            shell.sweep()
        finding = the_finding(shell, "quotas")
        assert "window" in finding["evidence"]
        assert finding["fix"] == "quota-enforcer quota remove user/bob daily"

    def test_a_model_without_a_price(self, shell: Shell) -> None:
        shell.world.quota(quota="budget", measure="cost_usd")
        shell.world.ledger.remember_price(PriceMemory("new.model", NOON, priced=False), None)
        assert the_finding(shell, "prices")["severity"] == "warning"

    def test_an_old_list_of_prices_until_it_is_renewed(
        self, shell: Shell, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shell.world.quota(quota="budget", measure="cost_usd")
        monkeypatch.setattr(coverage, "shipped_on", lambda: date(2026, 1, 1))
        assert "days old" in the_finding(shell, "prices")["what"]
        renewed = {
            "principal": "price/a.b", "quota": "price", "input": 1,
            "note": "prices update: prices.json", "edited_at": f"{NOON:%Y-%m-%d}T00:00:00Z",
        }  # fmt: skip
        shell.world.quotas.put(renewed)
        assert not findings(shell, "prices")


def test_what_is_shared_is_read_once_by_however_many_at_once() -> None:
    reads: list[str] = []
    together = Barrier(8)

    def read() -> str:
        reads.append("read")
        return "found"

    once = Memoised(read)

    def ask() -> str:
        together.wait()
        return once()

    with ThreadPoolExecutor(8) as pool:
        assert [each.result() for each in [pool.submit(ask) for _ in range(8)]] == ["found"] * 8
    assert reads == ["read"]
