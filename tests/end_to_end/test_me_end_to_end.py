"""Who has a policy that we print, end to end: `me` by its URL, viewers and admins; IAM judges."""

import json
import os
import shlex
import shutil
import subprocess
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session
from typer.testing import CliRunner, Result

from deployed_stack import ALLOW, DeployedStack, call, credentials, is_refused
from embedded_account import Caller, Sessions, a_role_session, a_user
from quota_enforcer.aws.functions.function_url import MayNotAsk, ask
from quota_enforcer.cli.main import app
from quota_enforcer.core.notices.wording import signed_call
from quota_enforcer.core.policies.callers.self_service import asking
from quota_enforcer.local.embedded import EmbeddedAws

MAY_ASK: list[dict[str, Any]] = asking("bedrock-quota")["Statement"]


@pytest.fixture(scope="module")
def streaming(shared_aws: EmbeddedAws) -> DeployedStack:
    """For all tests, each of which has people of its own; everybody has a quota."""
    stack = DeployedStack.of(shared_aws, Metering="stream", LogPromptsAndAnswers="true")
    stack.quota()
    return stack


@pytest.fixture
def user(shared_aws: EmbeddedAws) -> Caller:
    return partial(a_user, shared_aws)


@pytest.fixture
def role_session(shared_aws: EmbeddedAws) -> Sessions:
    return partial(a_role_session, shared_aws)


def told(stack: DeployedStack, caller: boto3.Session) -> list[dict[str, Any]]:
    """The caller's standings, as the command line prints them."""
    url = stack.outputs["MeUrl"]
    done = stack.command("me", "--json", caller=caller, QUOTA_ENFORCER_URL=url)
    assert done.exit_code == 0, done.output
    standings: list[dict[str, Any]] = json.loads(done.stdout)["standings"]
    return standings


def used(stack: DeployedStack, caller: boto3.Session) -> list[tuple[str, int]]:
    return [
        (standing["principal"], quota["used"])
        for standing in told(stack, caller)
        for quota in standing["quotas"]
    ]


def test_alice_sees_what_is_alices_and_bob_what_is_bobs(
    streaming: DeployedStack, user: Caller
) -> None:
    alice, bob = user("alice", ALLOW, *MAY_ASK), user("bob", ALLOW, *MAY_ASK)
    call(alice, 400)
    call(bob, 7)
    streaming.metered()
    assert used(streaming, alice) == [("user/alice", 400)]
    assert used(streaming, bob) == [("user/bob", 7)]


def test_who_is_blocked_can_still_ask_until_when(streaming: DeployedStack, user: Caller) -> None:
    carol = user("carol", ALLOW, *MAY_ASK)
    call(carol, 1200)
    streaming.metered()
    assert is_refused(lambda: call(carol))
    (standing,) = told(streaming, carol)
    assert (standing["denied"], standing["until"]) == (["*"], "2027-03-02T00:00:00Z")
    assert standing["quotas"][0]["state"] == "blocked"


def test_a_session_of_a_role_and_a_person_of_identity_center_see_theirs(
    streaming: DeployedStack, role_session: Sessions
) -> None:
    ci = role_session("ci", "42", ALLOW, *MAY_ASK)
    role = "AWSReservedSSO_Developer_0123456789abcdef"
    ann = role_session(role, "Ann@Example.com", ALLOW, *MAY_ASK)
    eve = role_session(role, "eve@example.com")
    call(ci, 3)
    call(ann, 5)
    streaming.metered()
    assert used(streaming, ci) == [("role/ci", 3)]
    assert used(streaming, ann) == [("sso/ann@example.com", 5)]
    assert used(streaming, eve) == [("sso/eve@example.com", 0)]


@pytest.fixture(scope="module")
def mallory(shared_aws: EmbeddedAws) -> boto3.Session:
    return a_user(shared_aws, "mallory", *MAY_ASK)


@pytest.mark.parametrize(
    ("path", "named"),
    [("", {"principal": "user/bob"}), ("user/bob", {}), ("", {"userArn": "bob"})],
    ids=str,
)
def test_nobody_can_ask_about_somebody_else(
    path: str, named: dict[str, str], streaming: DeployedStack, mallory: boto3.Session
) -> None:
    request = AWSRequest("GET", streaming.outputs["MeUrl"] + path, params=named)
    SigV4Auth(credentials(mallory), "lambda", "us-east-1").add_auth(request)
    answer = URLLib3Session().send(request.prepare())
    assert answer.status_code == 400
    assert "only about who asks" in answer.text


def test_without_the_policy_nobody_asks_and_hears_what_is_missing(
    streaming: DeployedStack, user: Caller
) -> None:
    done = streaming.command(
        "me", caller=user("dave", ALLOW), QUOTA_ENFORCER_URL=streaming.outputs["MeUrl"]
    )
    assert done.exit_code == 1
    assert "quota-enforcer policy me" in done.stderr
    assert "lambda:InvokeFunctionUrl" in done.stderr


@pytest.mark.parametrize("lacking", range(len(MAY_ASK)))
def test_both_permissions_are_needed(lacking: int, streaming: DeployedStack, user: Caller) -> None:
    kept = [each for place, each in enumerate(MAY_ASK) if place != lacking]
    erin = user(f"erin-{lacking}", *kept)
    with pytest.raises(MayNotAsk):
        ask(streaming.outputs["MeUrl"], credentials(erin), "us-east-1")


def test_the_function_cannot_be_invoked_with_an_event_of_ones_own(
    streaming: DeployedStack, mallory: boto3.Session
) -> None:
    """Which would say to be bob."""
    function = streaming.outputs["MeFunction"]
    assert is_refused(lambda: mallory.client("lambda").invoke(FunctionName=function, Payload="{}"))


def test_somebody_elses_signature_is_none(streaming: DeployedStack, mallory: boto3.Session) -> None:
    """A known key id does not do."""
    key = credentials(mallory)
    thief = boto3.Session(key.access_key, "guessed", region_name="us-east-1")
    done = streaming.command("me", caller=thief, QUOTA_ENFORCER_URL=streaming.outputs["MeUrl"])
    assert done.exit_code == 1
    assert "AWS does not know these credentials" in done.stderr


def test_an_admin_needs_no_url_since_the_stack_says_it(streaming: DeployedStack) -> None:
    """The account's root may ask, and hears that no quota covers it."""
    done = streaming.command("me")
    assert done.exit_code == 1
    assert "has no quota" in " ".join(done.stderr.split())


def by_curl(stack: DeployedStack, caller: boto3.Session, body: str = "") -> dict[str, Any]:
    """What curl prints that a notice tells people to run, with `body` posted."""
    more = f" --data {shlex.quote(body)}" if body else ""
    bash = shutil.which("bash")
    assert bash
    done = subprocess.run(  # noqa: S603 - the command of the notice
        [bash, "-c", f"{signed_call(stack.outputs['MeUrl'])} --silent --show-error{more}"],
        env=os.environ | stack.environment(caller),
        capture_output=True,
        text=True,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_curl_asks_the_same_with_a_users_key_and_with_a_sessions(
    streaming: DeployedStack, user: Caller, role_session: Sessions
) -> None:
    gina, cd = user("gina", ALLOW, *MAY_ASK), role_session("cd", "43", ALLOW, *MAY_ASK)
    call(gina, 11)
    call(cd, 13)
    streaming.metered()
    for caller, whom, tokens in ((gina, "user/gina", 11), (cd, "role/cd", 13)):
        (standing,) = by_curl(streaming, caller)["standings"]
        assert standing["principal"] == whom
        assert standing["quotas"][0]["used"] == tokens


def test_the_enforcer_knows_the_call_for_its_notices(streaming: DeployedStack) -> None:
    enforcer = streaming.aws.client("lambda").get_function_configuration(
        FunctionName=streaming.outputs["EnforcerFunction"]
    )
    assert enforcer["Environment"]["Variables"]["ME_URL"] == streaming.outputs["MeUrl"]


def test_who_asks_for_more_gets_it_when_an_admin_runs_the_notices_command(
    streaming: DeployedStack, user: Caller
) -> None:
    ida = user("ida", ALLOW, *MAY_ASK)
    url = streaming.outputs["MeUrl"]
    asked = streaming.command(
        "me", "ask", "daily", "5k", "--until", "1d", "--why", "release day",
        caller=ida, QUOTA_ENFORCER_URL=url,
    )  # fmt: skip
    assert asked.exit_code == 0, asked.output
    assert streaming.told() == [("user/ida", "asked")]
    listed = json.loads(streaming.command("requests", "list", "--json").stdout)
    (command,) = (each["command"] for each in listed if each["principal"] == "user/ida")
    program, *words = shlex.split(command)
    done = streaming.command(*words, "--yes")
    assert (program, done.exit_code) == ("quota-enforcer", 0), done.output
    assert ("user/ida", "granted") in streaming.told()
    assert by_curl(streaming, ida)["request"]["answer"] == "granted"


def test_curl_asks_for_more_and_an_admin_refuses(streaming: DeployedStack, user: Caller) -> None:
    jane = user("jane", ALLOW, *MAY_ASK)
    wish = {"quota": "daily", "limit": "5k", "until": "1d", "why": "it's a demo"}
    assert by_curl(streaming, jane, json.dumps(wish))["request"]["limit"] == 5000
    assert "may ask again" in by_curl(streaming, jane, json.dumps(wish))["error"]
    assert "is unknown" in by_curl(streaming, jane, json.dumps(wish | {"principal": "b"}))["error"]
    done = streaming.command("requests", "deny", "user/jane", "--why", "not today")
    assert done.exit_code == 0, done.output
    assert ("user/jane", "refused") in streaming.told()
    request = by_curl(streaming, jane)["request"]
    assert (request["answer"], request["refused_why"]) == ("refused", "not today")


def test_credentials_are_handed_out_until_bedrock_is_blocked(
    streaming: DeployedStack, user: Caller, tmp_path: Path
) -> None:
    kate = user("kate", ALLOW, *MAY_ASK)

    def run(option: str, cache: str) -> Result:
        more = {"QUOTA_ENFORCER_URL": streaming.outputs["MeUrl"]}
        cached = {"XDG_CACHE_HOME": str(tmp_path / cache)}
        return streaming.command("me", option, caller=kate, **more, **cached)

    given = json.loads(run("--credential-process", "before").stdout)
    assert given["AccessKeyId"] == credentials(kate).access_key
    assert run("--line", "before").stdout.startswith("bedrock 0 % · resets ")
    call(kate, 1200)
    streaming.metered()
    refused = run("--credential-process", "after")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "Opens again: 2027-03-02 00:00 UTC" in " ".join(refused.stderr.split())
    assert run("--line", "after").stdout.startswith("bedrock 120 % · opens ")


def test_what_frank_is_told_is_in_no_log(
    streaming: DeployedStack, user: Caller, mallory: boto3.Session
) -> None:
    frank = user("frank", ALLOW, *MAY_ASK)
    told(streaming, mallory)
    before = logged(streaming)
    call(frank, 123)
    streaming.metered()
    told(streaming, frank)
    said = " ".join(each for each in logged(streaming) if each not in before)
    assert "user/frank" in said
    for private in ("123 ", '"used"', "AWS4-HMAC", str(credentials(frank).access_key)):
        assert private not in said


def logged(stack: DeployedStack) -> list[str]:
    """All that the function has logged so far."""
    logs, group = stack.aws.client("logs"), {"logGroupName": "/bedrock-quota/bedrock-quota/me"}
    return [
        event["message"]
        for stream in logs.describe_log_streams(**group)["logStreams"]
        for event in logs.get_log_events(logStreamName=stream["logStreamName"], **group)["events"]
    ]


def test_who_is_steady_is_denied_before_the_limit_and_every_command_says_why(
    streaming: DeployedStack, user: Caller
) -> None:
    """A call of 150 tokens each ten seconds: the sixth leaves 100, the next would pass 1,000."""
    gail = user("gail", ALLOW, *MAY_ASK)
    streaming.quota(principal="user/gail", overshoot="avoid")
    events: list[dict[str, Any]] = []
    for _ in range(6):
        call(gail, 150)
        events += [
            event
            for each in streaming.metered()
            if each.function == streaming.outputs["EnforcerFunction"]
            for event in each.answer["events"]
        ]
        streaming.aws.set_time(streaming.aws.time + timedelta(seconds=10))
    assert is_refused(lambda: call(gail))
    assert used(streaming, gail) == [("user/gail", 900)]
    blocked = events[-1]
    assert (blocked["principal"], blocked["kind"]) == ("user/gail", "blocked")
    said = blocked["reason"].partition("; ")[2]
    assert said.startswith("at 13 total tokens a second the limit is 7 s away, and a deny takes ")
    assert f"closed before its limit: {said}; so it denies every model" in unfolded(
        streaming.command("explain", "user/gail")
    )
    early = "closed before its limit, so that it is not passed"
    assert early in unfolded(streaming.command("status", "user/gail"))
    assert told(streaming, gail)[0]["quotas"][0]["why"] == early
    more = ["quota", "set", "user/gail", "daily", "--limit", "1050", "--dry-run"]
    assert "release" not in unfolded(streaming.command(*more))
    assert "release user/gail now" in unfolded(streaming.command(*more, "--overshoot", "allow"))


def policy(name: str) -> list[dict[str, Any]]:
    """The statements that `policy NAME` prints."""
    line = ["policy", name, "--account", EmbeddedAws.account_id, "--region", EmbeddedAws.region]
    printed = CliRunner().invoke(app, line)
    assert printed.exit_code == 0, printed.output
    statements: list[dict[str, Any]] = json.loads(printed.stdout)["Statement"]
    return statements


SEEING = (
    "status", "status user/hugo", "status --all", "explain user/hugo", "forecast", "history",
    "history user/hugo", "usage", "usage user/hugo --by model,day", "report --html report.html",
    "suggest daily --blocks-at-most 0 --measure total_tokens", "quota list",
    "quota show default daily", "quota export quotas.yaml", "prices list", "prices check",
    "requests list", "scopes list",
)  # fmt: skip
ACTING = (
    "quota set user/hugo hourly --measure requests --limit 50 --window hour --yes",
    "quota raise user/hugo hourly 90 --until 1d --yes",
    "quota block user/hugo --until 1h --yes", "quota unblock user/hugo",
    "quota remove user/hugo hourly --yes", "quota import quotas.yaml --yes", "sweep",
    "release user/hugo --until 1h --yes", "pause --until 5min --note drill --yes", "resume",
    "prices set nobody.model-v1 --input 1 --output 2",
    "subscribe user/hugo hugo@example.com", "unsubscribe user/hugo hugo@example.com",
)  # fmt: skip

REFUSED = (
    "quota set user/hugo hourly --measure requests --limit 50 --window hour --yes",
    "quota raise user/hugo daily 9000 --until 1d --yes", "quota block user/hugo --until 1h --yes",
    "quota remove default daily --yes", "sweep", "pause --until 5min --note drill --yes",
    "prices set nobody.model-v1 --input 1 --output 2", "subscribe user/hugo hugo@example.com",
)  # fmt: skip
"""What would change something as it is, so that IAM is asked."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_viewer_sees_everything_and_is_refused_every_change(
    streaming: DeployedStack, user: Caller, folder: Path
) -> None:
    hugo, viewer = user("hugo", ALLOW), user("vera", *policy("viewer"))
    call(hugo, 400)
    streaming.metered()
    for line in SEEING:
        done = streaming.command(*shlex.split(line), caller=viewer)
        assert done.exit_code == 0, (line, done.output)
    assert "user/hugo" in (folder / "report.html").read_text(encoding="utf-8")
    before = quota_items(streaming)
    for line in REFUSED:
        done = streaming.command(*shlex.split(line), caller=viewer)
        assert done.exit_code == 1, (line, done.output)
        assert "vera is not authorized to perform" in unfolded_words(done), line
    assert quota_items(streaming) == before
    assert is_refused(lambda: call(viewer))


def test_an_admin_changes_quotas_and_nothing_that_they_are_decided_by(
    streaming: DeployedStack, user: Caller, folder: Path
) -> None:
    inga, admin = user("inga", ALLOW), user("adam", *policy("admin"))
    call(inga, 400)
    streaming.metered()
    assert folder
    for line in (*SEEING, *ACTING):
        done = streaming.command(*shlex.split(line.replace("hugo", "inga")), caller=admin)
        assert done.exit_code == 0, (line, done.output)
    assert is_refused(lambda: call(admin))
    ledger, topic = streaming.outputs["LedgerTable"], streaming.outputs["NoticeTopic"]
    key = {"pk": {"S": "user/inga"}, "sk": {"S": "standing"}}
    deny = streaming.outputs["DenyAllPolicy"]
    theirs = {
        "write the ledger": lambda: admin.client("dynamodb").put_item(TableName=ledger, Item=key),
        "attach a deny": lambda: admin.client("iam").attach_user_policy(
            UserName="inga", PolicyArn=deny
        ),
        "rewrite a deny": lambda: admin.client("iam").create_policy_version(
            PolicyArn=deny, PolicyDocument="{}"
        ),
        "tell people": lambda: admin.client("sns").publish(TopicArn=topic, Message="x"),
        "say who asks": lambda: admin.client("lambda").invoke(
            FunctionName=streaming.outputs["MeFunction"], Payload=b"{}"
        ),
        "change a function": lambda: admin.client("lambda").update_function_configuration(
            FunctionName=streaming.outputs["EnforcerFunction"], Timeout=1
        ),
    }
    assert [what for what, do in theirs.items() if not is_refused(do)] == []


def test_neither_may_read_the_log_in_which_prompts_are(
    streaming: DeployedStack, user: Caller
) -> None:
    for name in ("viewer", "admin"):
        reader = user(f"log-{name}", *policy(name))
        done = streaming.command("simulate", "--days", "1", caller=reader)
        assert done.exit_code == 1, done.output
        assert f"log-{name} is not authorized to perform" in unfolded_words(done)


def quota_items(stack: DeployedStack) -> list[dict[str, Any]]:
    found = stack.aws.client("dynamodb").scan(TableName=stack.outputs["QuotaTable"])["Items"]
    return sorted(found, key=json.dumps)


def unfolded_words(done: Result) -> str:
    return " ".join(done.output.split())


def reacted(stack: DeployedStack, who: str) -> list[tuple[str, str]]:
    """What calls in the log and edits of quotas have brought this one, and why."""
    return [
        (event["kind"], event["reason"])
        for each in stack.metered()
        if each.function == stack.outputs["EnforcerFunction"]
        for event in each.answer["events"]
        if event["principal"] == who
    ]


def test_a_burst_within_minutes_is_denied_and_free_once_enough_has_left_the_window(
    streaming: DeployedStack, user: Caller
) -> None:
    hana = user("hana", ALLOW)
    window = {"quota": "burst", "window": "rolling 5 minutes", "limit": 300}
    streaming.quota(principal="user/hana", **window)
    streaming.metered()
    streaming.aws.set_time(streaming.aws.time + timedelta(minutes=2))  # the meter reads its rules
    call(hana, 200)
    assert reacted(streaming, "user/hana") == []
    streaming.aws.set_time(streaming.aws.time + timedelta(minutes=2))
    call(hana, 150)
    ((kind, why),) = reacted(streaming, "user/hana")
    assert (kind, why.partition(" (")[0]) == (
        "blocked",
        "350 of 300 total tokens used in the last 5 minutes",
    )
    assert is_refused(lambda: call(hana))
    assert ("user/hana", "restored") in streaming.told()
    call(hana, 10)


def test_an_hour_unlike_the_others_is_denied_until_it_is_over(
    streaming: DeployedStack, user: Caller
) -> None:
    """Five days of 100 tokens in their busiest hour; the sixth day has an hour of 510."""
    ivan = user("ivan", ALLOW)
    for _ in range(5):
        call(ivan, 100)
        streaming.metered()
        streaming.aws.set_time(streaming.aws.time + timedelta(days=1))
    hour = {"quota": "runaway", "window": "hour", "limit": 200, "unusual": "5x", "action": "deny"}
    streaming.quota(principal="user/ivan", **hour)
    call(ivan, 450)
    assert reacted(streaming, "user/ivan") == []
    call(ivan, 60)
    ((kind, why),) = reacted(streaming, "user/ivan")
    assert kind == "blocked"
    assert "510 of 500 total tokens used this hour" in why
    assert "that is 5.1 times what is usual" in why
    assert is_refused(lambda: call(ivan))
    streaming.aws.set_time(streaming.aws.time + timedelta(hours=1))
    assert ("user/ivan", "restored") in streaming.told()
    call(ivan, 10)


def unfolded(done: Result) -> str:
    """What a command that must succeed prints, whatever the width of its lines."""
    assert done.exit_code == 0, done.output
    return " ".join(done.output.split())
