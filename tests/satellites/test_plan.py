"""The calls that roll satellites out: as the AWS CLI takes them, with every parameter of home."""

import re
import shlex
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from quota_enforcer.core.errors import InvalidPolicyInput
from quota_enforcer.core.usage.place import Place
from quota_enforcer.satellites.following import FOLLOWED, digest, followed
from quota_enforcer.satellites.plan import OWN, HomeOfPlan, Rollout, rollout, set_name, update
from quota_enforcer.satellites.registry import Satellite
from template_source import SATELLITE

ROLE = "arn:aws:iam::123456789012:role/bedrock-quota/q/q"
SAID = {
    "Satellites": "o-exampleorgid",
    "ModelScope1": "anthropic.claude-3-opus*",
    "AskWhom": "a=b,c",
    "Gates": "2",
}
HOME = HomeOfPlan(
    "q",
    "arn:aws:cloudformation:us-east-1:123456789012:stack/q/51af3dc0",
    Place("123456789012", "us-east-1"),
    "o-exampleorgid",
    followed(SAID, "https://abc.lambda-url.us-east-1.on.aws/", lambda name: f"{ROLE}-{name}"),
)
UNIT = "ou-ab12-11111111"


def options(command: str) -> tuple[list[str], dict[str, list[str]]]:
    """A command as a shell reads it: what is called, and the values of each option."""
    words = shlex.split(command.replace("\\\n", ""))
    found: dict[str, list[str]] = {}
    for word in words[3:]:
        if word.startswith("--"):
            current = found.setdefault(word[2:], [])
        else:
            current.append(word)
    return words[:3], found


def parameters(command: str) -> dict[str, str | None]:
    """Those given, as the AWS CLI's shorthand means them; None is the previous value."""
    found: dict[str, str | None] = {}
    for each in options(command)[1]["parameters"]:
        match = re.fullmatch(
            r'ParameterKey=(\w+),(?:ParameterValue=(?:"([^"]*)"|([^,]*))|UsePreviousValue=true)',
            each,
        )
        assert match, each
        quoted, plain = match[2], match[3]
        found[match[1]] = quoted if quoted is not None else plain
    return found


def a_satellite(stack: str = "StackSet-q-satellites-1", region: str = "eu-west-1") -> Satellite:
    place = Place("444455556666", region)
    arn = f"arn:aws:cloudformation:{region}:444455556666:stack/{stack}/7d1c"
    return Satellite(place, 1, "/inv", arn, datetime(2026, 11, 1, tzinfo=UTC))


def test_for_units_a_set_that_aws_manages_is_made_and_its_instances_beside_homes_account() -> None:
    create, instances = rollout(HOME, Rollout(("us-east-1", "eu-west-1"), units=(UNIT,)))
    called, said = options(create.command)
    assert called == ["aws", "cloudformation", "create-stack-set"]
    assert said["stack-set-name"] == [set_name("q")]
    assert said["permission-model"] == ["SERVICE_MANAGED"]
    assert said["template-body"] == ["file://satellite.yaml"]
    assert said["capabilities"] == ["CAPABILITY_NAMED_IAM"]
    called, said = options(instances.command)
    assert called == ["aws", "cloudformation", "create-stack-instances"]
    assert said["regions"] == ["us-east-1", "eu-west-1"]
    assert said["deployment-targets"] == [
        f"OrganizationalUnitIds={UNIT},Accounts=123456789012,AccountFilterType=DIFFERENCE"
    ]


def test_for_accounts_the_set_is_one_that_the_admin_permits() -> None:
    create, instances = rollout(HOME, Rollout(("us-east-1",), accounts=("444455556666",)))
    assert options(create.command)[1]["permission-model"] == ["SELF_MANAGED"]
    assert "auto-deployment" not in create.command
    assert options(instances.command)[1]["accounts"] == ["444455556666"]


def test_homes_own_regions_take_a_stack_each_and_no_stack_set() -> None:
    [call] = rollout(HOME, Rollout(("us-east-1", "eu-west-1")))
    called, said = options(call.command)
    assert called == ["aws", "cloudformation", "create-stack"]
    assert (said["region"], said["stack-name"]) == (["eu-west-1"], ["q-satellite"])


def test_every_parameter_is_one_of_the_template_and_those_without_a_default_are_there() -> None:
    [create, _] = rollout(HOME, Rollout(("us-east-1",), units=(UNIT,), email="a@example.com"))
    given = parameters(create.command)
    known = SATELLITE["Parameters"]
    needed = {name for name, each in known.items() if "Default" not in each}
    assert needed <= given.keys() <= known.keys()
    for name, value in given.items():
        pattern = known[name].get("AllowedPattern", ".*")
        assert re.fullmatch(pattern, value or ""), name
    assert given["AskWhom"] == "a=b,c"
    assert given["ModelScope1"] == "anthropic.claude-3-opus*"
    assert given["ExternalId"] == "51af3dc0"
    assert given["NoticeEmail"] == "a@example.com"


def test_what_an_account_has_once_is_made_by_the_first_region_or_the_one_that_is_named() -> None:
    regions = ("eu-west-1", "us-east-1")
    [first, _] = rollout(HOME, Rollout(regions, units=(UNIT,)))
    assert parameters(first.command)["AccountRegion"] == "eu-west-1"
    [named, _] = rollout(HOME, Rollout(regions, units=(UNIT,), account_region="us-east-1"))
    assert parameters(named.command)["AccountRegion"] == "us-east-1"


def test_a_delegated_administrator_says_so_in_every_call() -> None:
    calls = rollout(HOME, Rollout(("us-east-1",), units=(UNIT,), delegated=True))
    calls += update(HOME, [a_satellite()], delegated=True)
    assert all(options(each.command)[1]["call-as"] == ["DELEGATED_ADMIN"] for each in calls)


def test_an_update_gives_what_home_decides_and_keeps_what_it_does_not() -> None:
    [call] = update(HOME, [a_satellite(), a_satellite(region="us-west-2")])
    given = parameters(call.command)
    assert given.keys() == SATELLITE["Parameters"].keys()
    assert {name for name, value in given.items() if value is None} == set(OWN)
    assert given["ModelScope2"] == ""


def test_a_satellite_that_is_no_stack_sets_is_updated_by_itself() -> None:
    several = [a_satellite(), a_satellite("q-satellite", "us-west-2")]
    of_set, alone = update(HOME, several)
    assert options(of_set.command)[0][2] == "update-stack-set"
    called, said = options(alone.command)
    assert (called[2], said["region"]) == ("update-stack", ["us-west-2"])
    assert said["stack-name"] == ["q-satellite"]


def test_nothing_is_to_be_updated_where_all_follow() -> None:
    assert update(HOME, []) == []


IN_OWN = Rollout(("eu-west-1",))


@pytest.mark.parametrize(
    ("home", "wanted", "words"),
    [
        (HOME, Rollout(("us-east-1",)), "us-east-1 is where home itself stands"),
        (HOME, Rollout(("mars",)), "'mars' is no Region"),
        (HOME, Rollout(("*",)), "name each"),
        (HOME, Rollout(("us-east-1",), units=("marketing",)), "'marketing' is no organisational"),
        (HOME, Rollout(("us-east-1",), accounts=("4444",)), "'4444' is no AWS account"),
        (HOME, Rollout(("us-east-1",), (UNIT,), ("444455556666",)), "give one of them"),
        (HOME, Rollout(("eu-west-1",), accounts=("123456789012",)), "is home's own account"),
        (HOME, Rollout(("eu-west-1",), (UNIT,), account_region="us-east-1"), "none of the Regions"),
        (replace(HOME, satellites="off"), IN_OWN, "Satellites set to regions first"),
        (
            replace(HOME, satellites="regions"),
            Rollout(("eu-west-1",), (UNIT,)),
            "the id of your organisation",
        ),
        (replace(HOME, stack="q" * 40), IN_OWN, "40 characters"),
    ],
)
def test_what_could_not_work_is_refused_with_the_way_out(
    home: HomeOfPlan, wanted: Rollout, words: str
) -> None:
    with pytest.raises(InvalidPolicyInput, match=re.escape(words)):
        rollout(home, wanted)


def test_a_home_for_its_own_regions_plans_these() -> None:
    assert len(rollout(replace(HOME, satellites="regions"), IN_OWN)) == 1


class TestWhatIsFollowed:
    def test_homes_parameters_are_taken_as_they_are_and_defaults_where_it_is_older(self) -> None:
        bare = followed({}, "https://u/", lambda name: name)
        assert bare.keys() == set(FOLLOWED)
        assert (bare["Gates"], bare["DenyAgentCore"]) == ("0", "true")
        assert (bare["HomeOrganization"], bare["HomeAuthorRole"]) == ("", "")
        assert HOME.followed["HomeOrganization"] == "o-exampleorgid"
        assert HOME.followed["HomeAuthorRole"] == f"{ROLE}-AuthorRole"

    @pytest.mark.parametrize("name", FOLLOWED)
    def test_each_of_them_makes_another_digest(self, name: str) -> None:
        assert digest({**HOME.followed, name: "other"}) != digest(HOME.followed)
