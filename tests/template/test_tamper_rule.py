"""The rule that tells who else touched our policies, and the topic that takes what it tells."""

import json
import re

from botocore.session import get_session

from template_source import properties
from template_values import LEAST, MOST, Deployed

LONGEST_PATTERN = 2048
"""Characters; https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html"""
REMOVES_A_BOUNDARY = {"DeleteRolePermissionsBoundary", "DeleteUserPermissionsBoundary"}
CHANGES_NOTHING_OF_OURS = {"UntagPolicy", "TagPolicy"}


def test_it_knows_every_call_that_changes_a_policy_or_who_has_one() -> None:
    """But who lost which boundary is not in CloudTrail's event; the author looks at that."""
    operations = get_session().get_service_model("iam").operation_names
    changing = re.compile(
        r"(Attach|Detach)\w+Policy|(Create|Delete|SetDefault|Tag|Untag)Policy(Version)?"
        r"|SetDefaultPolicyVersion|(Put|Delete)\w+PermissionsBoundary"
    )
    expected = {name for name in operations if changing.fullmatch(name)}
    known = set(properties("PoliciesTouched")["EventPattern"]["detail"]["eventName"])
    assert expected - known == REMOVES_A_BOUNDARY | CHANGES_NOTHING_OF_OURS
    assert known <= expected


def test_the_pattern_fits_with_the_longest_names() -> None:
    roles = {"EnforcerRole.Arn": "r" * 210, "AuthorRole.Arn": "r" * 210}
    longest = Deployed(roles | {"AWS::StackName": "s" * 80}, Gates="1")
    pattern = json.dumps(longest.properties("PoliciesTouched")["EventPattern"])
    assert len(pattern) < LONGEST_PATTERN


def test_our_own_roles_are_left_out_and_no_other() -> None:
    def others(deployed: Deployed) -> list[str]:
        detail = deployed.properties("PoliciesTouched")["EventPattern"]["detail"]
        issuer = detail["$or"][1]["userIdentity"]["sessionContext"]["sessionIssuer"]
        found: list[str] = issuer["arn"][0]["anything-but"]
        return found

    assert others(LEAST) == ["EnforcerRole.Arn"]
    assert others(MOST) == ["EnforcerRole.Arn", "AuthorRole.Arn"]


def test_every_word_of_the_sentence_is_taken_from_the_event() -> None:
    (target,) = LEAST.properties("PoliciesTouched")["Targets"]
    transformer = target["InputTransformer"]
    assert set(re.findall(r"<(\w+)>", transformer["InputTemplate"])) == set(
        transformer["InputPathsMap"]
    )
    assert json.loads(transformer["InputTemplate"]).startswith("Somebody else touched")


def test_it_says_where_it_works() -> None:
    description = LEAST.properties("PoliciesTouched")["Description"]
    assert "us-east-1" in description
    assert "CloudTrail" in description
    assert len(description) <= 512


def test_the_topic_takes_alarms_of_this_account_and_rules_and_no_other_service() -> None:
    """Principals of the account need no word in it: their own policies decide."""
    topic = LEAST.properties("NoticeTopicPolicy")
    assert topic["Topics"] == ["NoticeTopic"]
    alarms, rules = topic["PolicyDocument"]["Statement"]
    assert alarms["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert alarms["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "123456789012"},
        "ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:*"},
    }
    assert rules["Principal"] == {"Service": "events.amazonaws.com"}
    # EventBridge is not known to fill these, and a plain condition would refuse every notice then.
    assert rules["Condition"] == {
        "StringEqualsIfExists": {"aws:SourceAccount": "123456789012"},
        "ArnLikeIfExists": {"aws:SourceArn": "arn:aws:events:us-east-1:123456789012:rule/*"},
    }
    assert {each["Action"] for each in (alarms, rules)} == {"sns:Publish"}
