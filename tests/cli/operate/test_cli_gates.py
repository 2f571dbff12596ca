"""`gates setup` and `gates list` on a deployment of fakes, by the author's own rules."""

import json
from datetime import timedelta
from typing import Any

import pytest

from builders import NOON
from cli_world import Shell, a_shell
from gate_fakes import ALL, ANALYSTS, GATE, GATE_2, an_intent
from quota_enforcer.core.ledger import Record
from quota_enforcer.core.policies.boundary import Entry, fitting_gate, gate
from quota_enforcer.core.usage.stored import Source
from world import ACCOUNT

DEVELOPER = "AWSReservedSSO_Developer_0123456789abcdef"
OTHER = "arn:aws:iam::111122223333:policy/limits/no-production"
OPUS = "anthropic.claude-3-opus-20240229-v1:0"


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Two gates, both empty."""
    shell = a_shell(monkeypatch)
    shell.world.keep_gates()
    shell.gatehouse.iam.documents = {GATE: gate({}), GATE_2: gate({})}
    return shell


def called(shell: Shell, role: str, session: str) -> None:
    """The metrics knew this caller some time ago."""
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session}"
    shell.world.ledger.remember_source(Source(arn, OPUS, NOON - timedelta(hours=1)))


def role(shell: Shell, name: str) -> dict[str, Any]:
    """What `gates setup --json` says of a role."""
    [found] = [each for each in roles(shell) if each["role"] == name]
    return found


def roles(shell: Shell) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(shell.run("gates", "setup", "--json").stdout)["roles"]
    return listed


def test_a_permission_set_without_a_gate_is_missing_and_the_exit_code_says_so(
    shell: Shell,
) -> None:
    called(shell, DEVELOPER, "Alice@Example.com")
    shell.gatehouse.role(DEVELOPER, boundary="")
    result = shell.run("gates", "setup")
    assert result.exit_code == 1
    assert "permission set Developer" in result.stdout
    assert "sso/alice@example.com" in result.stdout
    assert "none: cannot be blocked" in result.stdout


def test_it_says_to_leave_one_permission_set_without_a_gate(shell: Shell) -> None:
    called(shell, DEVELOPER, "alice")
    shell.gatehouse.role(DEVELOPER, boundary=GATE)
    said = " ".join(shell.run("gates", "setup").stderr.split())
    assert "Leave one permission set, for administrators, without a gate" in said


def test_the_name_and_path_to_paste_stand_alone_on_their_lines(shell: Shell) -> None:
    called(shell, DEVELOPER, "alice")
    shell.gatehouse.role(DEVELOPER, boundary="")
    lines = shell.run("gates", "setup").stdout.splitlines()
    assert "    policy name  q-gate-1-BOUNDARY-ONLY" in lines
    assert "    path         /bedrock-quota/q/" in lines


def test_the_commands_for_a_permission_set_set_the_boundary_and_provision_it(shell: Shell) -> None:
    called(shell, DEVELOPER, "alice")
    shell.gatehouse.role(DEVELOPER, boundary="")
    put, provision = role(shell, DEVELOPER)["commands"]
    assert put.startswith("aws sso-admin put-permissions-boundary-to-permission-set ")
    assert put.endswith(
        "--permissions-boundary 'CustomerManagedPolicyReference="
        "{Name=q-gate-1-BOUNDARY-ONLY,Path=/bedrock-quota/q/}'"
    )
    assert provision.endswith(f"--target-type AWS_ACCOUNT --target-id {ACCOUNT}")


def test_the_command_for_a_shared_role_names_the_gates_arn(shell: Shell) -> None:
    shell.world.quota(principal="session/ci/*")
    shell.gatehouse.role("ci", boundary="")
    put = "aws iam put-role-permissions-boundary --role-name ci --permissions-boundary"
    command = f"{put} {GATE_2}"
    assert role(shell, "ci")["commands"] == [command]
    assert f"    {command}" in shell.run("gates", "setup").stdout.splitlines()


TRUST = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow",'
    '"Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole"%s}]}'
)
BOUND = TRUST % ',"Condition":{"StringEquals":{"sts:RoleSessionName":"${aws:username}"}}'


def test_a_trust_policy_that_lets_callers_choose_a_name_is_printed_bound(shell: Shell) -> None:
    shell.world.quota(principal="session/ci/*")
    shell.gatehouse.role("ci", trust=TRUST % "")
    result = shell.run("gates", "setup")
    assert result.exit_code == 0
    assert "Role ci lets these choose the names of their sessions" in result.stdout
    command = f"aws iam update-assume-role-policy --role-name ci --policy-document '{BOUND}'"
    assert f"    {command}" in result.stdout.splitlines()
    lines = [line.strip() for line in result.stdout.splitlines()]
    assert '"sts:RoleSessionName": "${aws:username}"' in lines
    found = role(shell, "ci")["session_names"]
    assert found["chosen_by"] == ["arn:aws:iam::111122223333:root"]
    assert (found["trust_policy"], found["command"]) == (json.loads(BOUND), command)
    assert "only IAM users get in then" in found["notes"][0]


def test_the_source_identity_is_bound_too_if_asked_for(shell: Shell) -> None:
    shell.world.quota(principal="session/ci/*")
    shell.gatehouse.role("ci", trust=TRUST % "")
    said = shell.run("gates", "setup", "--source-identity").stdout
    assert '"sts:SourceIdentity": "${aws:username}"' in said
    assert '"sts:SetSourceIdentity"' in said


def test_a_bound_name_and_one_that_identity_center_gives_need_nothing(shell: Shell) -> None:
    called(shell, DEVELOPER, "alice")
    shell.world.quota(principal="session/ci/*")
    shell.gatehouse.role(DEVELOPER, trust=TRUST % "")
    shell.gatehouse.role("ci", trust=BOUND)
    assert "update-assume-role-policy" not in shell.out("gates", "setup")
    assert role(shell, "ci")["session_names"]["chosen_by"] == []
    assert role(shell, DEVELOPER)["session_names"] is None


def test_where_all_name_a_gate_nothing_is_missing(shell: Shell) -> None:
    called(shell, DEVELOPER, "alice")
    shell.world.quota(principal="session/ci/*")
    shell.gatehouse.role(DEVELOPER)
    shell.gatehouse.role("ci", boundary=GATE_2)
    result = shell.run("gates", "setup")
    assert result.exit_code == 0
    assert "gate 1: can be blocked" in result.stdout
    assert "gate 2: can be blocked" in result.stdout
    assert "Everybody behind these roles can be blocked." in result.stderr
    assert "aws " not in result.stdout
    assert [each["state"] for each in roles(shell)] == ["gate", "gate"]


def test_another_boundary_is_named_with_how_to_make_room(shell: Shell) -> None:
    called(shell, DEVELOPER, "alice")
    shell.gatehouse.role(DEVELOPER, boundary=OTHER)
    result = shell.run("gates", "setup")
    assert result.exit_code == 1
    assert f"has the permissions boundary {OTHER}, which is no gate of this stack" in result.stdout
    assert "NotAction" in result.stdout
    found = role(shell, DEVELOPER)
    assert (found["state"], found["boundary"]) == ("another boundary", OTHER)


def test_a_role_that_is_gone_is_shown_and_not_missing(shell: Shell) -> None:
    called(shell, DEVELOPER, "alice")
    result = shell.run("gates", "setup")
    assert result.exit_code == 0
    assert "there is no such role any more" in result.stdout


def test_a_role_without_a_quota_for_its_sessions_needs_no_gate(shell: Shell) -> None:
    called(shell, "production", "worker")
    assert roles(shell) == []
    shell.world.quota(principal="session/production/worker")
    assert [each["role"] for each in roles(shell)] == ["production"]


def test_the_sessions_seen_and_those_with_a_quota_of_their_own_are_named(shell: Shell) -> None:
    called(shell, "ci", "one")
    shell.world.quota(principal="session/ci/*")
    shell.world.quota(principal="session/ci/two")
    assert role(shell, "ci")["people"] == ["session/ci/one", "session/ci/two"]


def test_many_people_are_counted_and_all_are_in_the_json(shell: Shell) -> None:
    for number in range(5):
        called(shell, DEVELOPER, f"person-{number}")
    shell.gatehouse.role(DEVELOPER)
    assert "sso/person-2 and 2 more" in shell.out("gates", "setup")
    assert len(role(shell, DEVELOPER)["people"]) == 5


class TestGatesOfTheirOwn:
    """Made-up names of sessions and people of Identity Center do not share a gate."""

    @pytest.mark.parametrize(("of_people", "of_role"), [(GATE, GATE_2), (GATE_2, GATE)])
    def test_each_kind_goes_to_the_gate_that_the_other_does_not_name(
        self, shell: Shell, of_people: str, of_role: str
    ) -> None:
        shell.world.quota(principal="session/ci/*")
        called(shell, DEVELOPER, "alice")
        shell.gatehouse.role(DEVELOPER, boundary=of_people)
        shell.gatehouse.role("ci", boundary="")
        assert role(shell, "ci")["commands"][0].endswith(of_role)
        shell.gatehouse.role(DEVELOPER, boundary="")
        shell.gatehouse.role("ci", boundary=of_role)
        name = of_people.rpartition("/")[2]
        assert name in role(shell, DEVELOPER)["commands"][0]

    def test_with_none_named_yet_the_last_is_for_roles(self, shell: Shell) -> None:
        shell.world.quota(principal="session/ci/*")
        called(shell, DEVELOPER, "alice")
        shell.gatehouse.role(DEVELOPER, boundary="")
        shell.gatehouse.role("ci", boundary="")
        assert "gate-1" in role(shell, DEVELOPER)["commands"][0]
        assert "gate-2" in role(shell, "ci")["commands"][0]

    def test_a_gate_that_both_name_is_told(self, shell: Shell) -> None:
        shell.world.quota(principal="session/ci/*")
        called(shell, DEVELOPER, "alice")
        shell.gatehouse.role(DEVELOPER, boundary=GATE)
        shell.gatehouse.role("ci", boundary=GATE)
        words = "gate-1-BOUNDARY-ONLY is named by a permission set and by another role"
        assert words in " ".join(shell.run("gates", "setup").stderr.split())
        shell.gatehouse.role("ci", boundary=GATE_2)
        assert words not in " ".join(shell.run("gates", "setup").stderr.split())


def test_the_gate_with_most_room_is_proposed(shell: Shell) -> None:
    called(shell, DEVELOPER, "alice")
    called(shell, ANALYSTS, "bob")
    shell.gatehouse.role(DEVELOPER, boundary="")
    shell.gatehouse.role(ANALYSTS, boundary=GATE)
    busy = gate({f"*:person-{number:03}@example.com": ["*"] for number in range(50)})
    shell.gatehouse.iam.documents[GATE] = busy
    assert "gate-2-BOUNDARY-ONLY" in role(shell, DEVELOPER)["commands"][0]


def test_a_gate_that_was_not_made_yet_is_missing_and_never_proposed_before_one_that_was(
    shell: Shell,
) -> None:
    called(shell, DEVELOPER, "alice")
    shell.gatehouse.role(DEVELOPER, boundary="")
    del shell.gatehouse.iam.documents[GATE]
    result = shell.run("gates", "setup")
    assert result.exit_code == 1
    assert "gate-1-BOUNDARY-ONLY is not there yet: `quota-enforcer sweep`" in result.stderr
    assert "gate-2-BOUNDARY-ONLY" in role(shell, DEVELOPER)["commands"][0]


def test_a_gate_attached_as_an_ordinary_policy_is_an_alarm(shell: Shell) -> None:
    shell.gatehouse.iam.attached[GATE] = ["user/mallory"]
    result = shell.run("gates", "setup")
    assert result.exit_code == 1
    assert "is attached to user/mallory as an ordinary policy" in result.stderr


def test_with_nobody_seen_yet_the_values_are_shown_all_the_same(shell: Shell) -> None:
    result = shell.run("gates", "setup")
    assert result.exit_code == 0
    assert "q-gate-1-BOUNDARY-ONLY" in result.stdout
    assert "/bedrock-quota/q/" in result.stdout
    assert "Nobody behind a permission set has called Bedrock yet" in result.stdout


@pytest.mark.parametrize("command", ["setup", "list"])
def test_a_deployment_without_gates_says_so(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    result = a_shell(monkeypatch).run("gates", command)
    assert result.exit_code == 1
    assert "keeps no gates" in result.stderr


def test_the_list_names_whom_each_gate_denies_and_how_full_it_is(shell: Shell) -> None:
    ledger = shell.world.ledger
    shell.gatehouse.role(ANALYSTS)
    for intent in (
        an_intent("sso/alice", ANALYSTS, names=["Alice", "alice"], scopes=ALL),
        an_intent("sso/bob", ANALYSTS, scopes=[OPUS]),
        an_intent("sso/carol", ANALYSTS, scopes=ALL),
    ):
        ledger.put(ledger.records([intent.principal])[intent.principal].next(), gate=intent)
    shell.gatehouse.iam.documents[GATE] = gate(
        {"*:Alice": ["*"], "*:alice": ["*"], "*:bob": [OPUS], "*:stranger": ["*"]}
    )
    first, second = shell.json("gates", "list")["gates"]
    assert first["denied"] == ["sso/alice", f"sso/bob ({OPUS})", "*:stranger"]
    assert first["percent"] > second["percent"] == 1
    assert second["denied"] == []
    assert "nobody" in shell.out("gates", "list")


def test_a_role_that_is_denied_as_a_whole_is_named_so(shell: Shell) -> None:
    shell.gatehouse.role("shared", id_="AROASHARED1")
    ledger = shell.world.ledger
    intent = an_intent("session/shared/ci-1")
    ledger.put(ledger.records([intent.principal])[intent.principal].next(), gate=intent)
    entry = Entry("shared", ("AROASHARED1:*",), ALL)
    shell.gatehouse.iam.documents[GATE] = fitting_gate([entry]).document
    first, _ = shell.json("gates", "list")["gates"]
    assert first["denied"] == ["role/shared (all its sessions)"]


def test_shared_roles_of_member_accounts_are_named_by_account_and_not_looked_up_here(
    shell: Shell,
) -> None:
    """They are called like ours; only the author may look at them."""
    there = "444455556666"
    called(shell, DEVELOPER, "alice")
    shell.gatehouse.role(DEVELOPER, boundary=GATE)
    arn = f"arn:aws:sts::{there}:assumed-role/{ANALYSTS}/alice"
    shell.world.ledger.remember_source(Source(arn, OPUS, NOON - timedelta(hours=1)))
    shell.world.quota(principal=f"{there}/session/ci/*")
    result = shell.run("gates", "setup")
    assert result.exit_code == 0
    said = " ".join(result.stderr.split())
    assert f"Account {there}: gates have the same names" in said
    assert "set one on permission set Data_Analysts, role ci" in said
    document = json.loads(shell.run("gates", "setup", "--json").stdout)
    assert document["accounts"] == {there: ["permission set Data_Analysts", "role ci"]}
    assert [each["role"] for each in document["roles"]] == [DEVELOPER]
    assert not any(there in each for each in shell.gatehouse.iam.asked)


def test_the_list_shows_whom_homes_gates_deny_wherever_they_were_seen(shell: Shell) -> None:
    intent = an_intent("sso/alice", f"444455556666/{ANALYSTS}")
    shell.world.ledger.put(Record(intent.principal, version=1), gate=intent)
    assert shell.run("gates", "list").exit_code == 0
