"""What is found about metering: is everything logged, and does it arrive."""

import json
import shlex
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from builders import NOON
from quota_enforcer.doctor.finding import Diagnosis, Finding, Severity
from quota_enforcer.doctor.rules.arrival import (
    Arrival,
    Sampled,
    records_arrive,
    tokens_are_counted,
    usage_is_fresh,
)
from quota_enforcer.doctor.rules.logging import (
    Logging,
    LoggingFound,
    RegionSeen,
    logging_here,
    other_regions,
)
from quota_enforcer.doctor.rules.metering import (
    MaskingFound,
    MetricsMeter,
    StreamMeter,
    SubscriptionFound,
    masking,
    metric_filters,
    subscription,
)
from quota_enforcer.doctor.rules.unlogged import BatchJob, unlogged

GROUP, OTHER_GROUP = "/bedrock-quota/q/invocations", "/company/bedrock"
ROLE = "arn:aws:iam::111122223333:role/bedrock-quota/q/log"
THEIR_ROLE = "arn:aws:iam::111122223333:role/bedrock-logging"
METER = "arn:aws:lambda:eu-central-1:111122223333:function:q-MeterFunction-1"
OURS = LoggingFound(GROUP, ROLE)
ACCESS = "quota-enforcer policy doctor --account 111122223333"


def minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


def one(found: Diagnosis) -> Finding:
    [finding] = found.findings
    return finding


class TestLogging:
    def look(self, **but: Any) -> Diagnosis:
        healthy = Logging("q", "eu-central-1", GROUP, ROLE, OURS)
        return logging_here(replace(healthy, **but))

    def put(self, finding: Finding) -> Any:
        """The configuration that the fix puts in force."""
        words = shlex.split(finding.fix)
        assert words[:3] == ["aws", "bedrock", "put-model-invocation-logging-configuration"]
        return json.loads(words[words.index("--logging-config") + 1])

    def test_ours_is_fine(self) -> None:
        assert self.look() == Diagnosis(f"calls are logged to {GROUP}, without prompts and answers")

    def test_so_is_somebody_elses_that_reaches_the_group(self) -> None:
        theirs = LoggingFound(GROUP, THEIR_ROLE, bodies=True)
        assert self.look(found=theirs).fine.endswith("with prompts and answers")
        assert self.look(found=theirs).healthy

    @pytest.mark.parametrize("bodies", [True, False])
    def test_where_it_is_off_the_fix_switches_it_on_as_the_stack_wants_it(
        self, *, bodies: bool
    ) -> None:
        finding = one(self.look(found=None, bodies=bodies))
        assert finding.severity is Severity.PROBLEM
        assert "off in eu-central-1" in finding.what
        config = self.put(finding)
        assert config.pop("cloudWatchConfig") == {"logGroupName": GROUP, "roleArn": ROLE}
        assert config == {
            f"{kind}DataDeliveryEnabled": bodies
            for kind in ("text", "image", "embedding", "video", "audio")
        }

    def test_a_bucket_that_somebody_chose_stays_when_the_log_group_is_added(self) -> None:
        bucket = LoggingFound(bucket="their-bucket", prefix="logs/", bodies=True)
        finding = one(self.look(found=bucket))
        assert "bucket their-bucket" in finding.evidence
        config = self.put(finding)
        assert config["s3Config"] == {"bucketName": "their-bucket", "keyPrefix": "logs/"}
        assert config["textDataDeliveryEnabled"] is True

    def test_somebody_elses_log_group_is_taken_and_never_overwritten(self) -> None:
        finding = one(self.look(found=LoggingFound(OTHER_GROUP, THEIR_ROLE)))
        assert f"logs calls to {OTHER_GROUP}" in finding.what
        assert finding.fix.endswith(f"--parameter-overrides ExistingLogGroup={OTHER_GROUP}")

    def test_our_own_that_logs_elsewhere_is_put_back(self) -> None:
        finding = one(self.look(found=LoggingFound(OTHER_GROUP, ROLE)))
        assert self.put(finding)["cloudWatchConfig"]["logGroupName"] == GROUP

    def test_a_log_group_that_is_gone_or_of_a_class_without_filters(self) -> None:
        assert "does not exist" in one(self.look(group_class=None)).what
        finding = one(self.look(group_class="INFREQUENT_ACCESS"))
        assert "INFREQUENT_ACCESS" in finding.evidence
        assert "Standard class" in finding.fix


def a_policy(*identifiers: str, operation: str = "Deidentify") -> str:
    known = [each if each[0].islower() else f"{OF_AWS}{each}" for each in identifiers]
    audit = {"Sid": "audit", "DataIdentifier": known, "Operation": {"Audit": {}}}
    redact = {"Sid": "redact", "DataIdentifier": known, "Operation": {operation: {}}}
    return json.dumps({"Name": "p", "Version": "2021-06-01", "Statement": [audit, redact]})


OF_AWS = "arn:aws:dataprotection::aws:data-identifier/"


class TestMasking:
    @pytest.mark.parametrize("policies", [[], [a_policy("EmailAddress", operation="Audit")]])
    def test_without_a_policy_that_masks_it_is_fine(self, policies: list[str]) -> None:
        expected = Diagnosis("nothing of g is masked")
        assert masking("g", MaskingFound(policies, policies)) == expected

    @pytest.mark.parametrize(
        "policy",
        [
            a_policy("CreditCardNumber", "EmailAddress"),
            a_policy("Name"),
            a_policy("ours"),
            "{",
            "[]",
        ],
    )
    def test_what_may_hide_a_caller_is_a_problem_with_the_command_that_ends_it(
        self, policy: str
    ) -> None:
        finding = one(masking("g", MaskingFound([policy])))
        assert finding.severity is Severity.PROBLEM
        assert finding.what.startswith("the log group's data protection policy may mask who called")
        assert finding.fix == "aws logs delete-data-protection-policy --log-group-identifier g"

    def test_the_accounts_policy_masks_every_log_group(self) -> None:
        finding = one(masking("g", MaskingFound(account=[a_policy("EmailAddress")])))
        assert finding.what.startswith("the account's data protection policy may mask")
        assert "DATA_PROTECTION_POLICY" in finding.fix

    def test_what_names_no_caller_is_worth_a_note(self) -> None:
        finding = one(masking("g", MaskingFound([a_policy("CreditCardNumber")])))
        assert finding.severity is Severity.NOTE
        assert "masks CreditCardNumber, which names no caller" in finding.what


class TestUnloggedUse:
    JOB = BatchJob("night", "anthropic.claude-3-haiku-20240307-v1:0", "Completed", NOON)

    def test_none_is_fine(self) -> None:
        expected = Diagnosis("no call of bedrock-mantle and no batch job in 7 days")
        assert unlogged(0, [], 7) == expected

    def test_mantle_says_what_is_not_metered_and_the_lock(self) -> None:
        finding = one(unlogged(1200, [], 7))
        assert finding.severity is Severity.PROBLEM
        assert "nothing of it is metered" in finding.what
        assert "1,200 calls in 7 days" in finding.evidence
        assert finding.fix == "quota-enforcer policy lock --mantle"

    def test_batch_jobs_are_named_the_newest_first(self) -> None:
        older = replace(self.JOB, name="old", submitted=NOON - timedelta(days=1))
        finding = one(unlogged(0, [older, self.JOB], 7))
        assert finding.what.startswith("2 batch jobs ran in 7 days")
        assert [each.split()[0] for each in finding.about] == ["night", "old"]
        assert finding.fix == "quota-enforcer policy lock --batch"


class TestRegions:
    def look(self, *seen: RegionSeen) -> Diagnosis:
        return other_regions(seen, 7, ACCESS)

    def test_none_in_use_is_fine(self) -> None:
        found = self.look(RegionSeen("eu-west-1"), RegionSeen("eu-west-2"))
        assert found == Diagnosis("no calls in 7 days in the other enabled Regions (2)")

    def test_calls_without_a_deployment_are_not_metered(self) -> None:
        finding = one(self.look(RegionSeen("eu-west-1", calls=1200, logging=OURS)))
        assert finding.severity is Severity.PROBLEM
        assert "1,200 calls" in finding.evidence
        assert finding.fix == "quota-enforcer satellites plan --regions eu-west-1"

    def test_what_a_satellite_hands_over_is_worth_a_note(self) -> None:
        found = self.look(RegionSeen("eu-west-1", calls=1200, satellite=True))
        assert found.healthy
        assert (
            one(found).what
            == "1,200 calls of 7 days in eu-west-1 count here, by the satellite there"
        )

    @pytest.mark.parametrize("logging", [None, LoggingFound(bucket="b")])
    def test_a_deployment_without_logging_meters_nothing_there(
        self, logging: LoggingFound | None
    ) -> None:
        finding = one(self.look(RegionSeen("eu-west-1", 3, logging, ("west",))))
        assert "not logged to a log group" in finding.what
        assert finding.fix == "quota-enforcer doctor --region eu-west-1 --stack west"

    def test_one_that_is_metered_is_worth_a_note(self) -> None:
        found = self.look(RegionSeen("eu-west-1", 3, OURS, ("west",)), RegionSeen("eu-west-2"))
        assert found.healthy
        assert found.fine == "calls in eu-west-1 are metered there; the others (1) have none"
        assert one(found).severity is Severity.NOTE

    def test_mantle_elsewhere_is_one_finding_with_its_lock(self) -> None:
        seen = (RegionSeen("eu-west-1", mantle=5), RegionSeen("sa-east-1", mantle=1))
        finding = one(self.look(*seen))
        assert finding.about == ("eu-west-1 (5 calls)", "sa-east-1 (1 call)")
        assert finding.fix == "quota-enforcer policy lock --mantle"

    def test_regions_with_the_same_trouble_are_one_finding(self) -> None:
        """And those that could be asked are judged all the same."""
        missing = "needs cloudwatch:ListMetrics"
        found = self.look(
            RegionSeen("eu-west-1", trouble=missing, refused=True),
            RegionSeen("eu-west-2", trouble=missing, refused=True),
            RegionSeen("sa-east-1", trouble="cannot reach AWS"),
            RegionSeen("us-west-2", calls=1),
        )
        used, refused, unreached = found.findings
        assert used.severity is Severity.PROBLEM
        assert refused.severity is Severity.UNCHECKED
        assert refused.what == "could not look into 2 Regions: needs cloudwatch:ListMetrics"
        assert (refused.about, refused.fix) == (("eu-west-1", "eu-west-2"), ACCESS)
        assert unreached.fix == "quota-enforcer doctor"

    def test_a_region_that_the_organization_closes_is_no_harm(self) -> None:
        found = self.look(RegionSeen("eu-west-1", closed=True))
        assert found.healthy
        assert one(found).about == ("eu-west-1",)


class TestArrival:
    def seen(self, **but: Any) -> Arrival:
        """Calls two hours and half an hour ago, and all of them arrived."""
        calls = (NOON - minutes(120), NOON - minutes(30))
        healthy = Arrival(NOON, calls, record=NOON, fresh=NOON - minutes(29), group=GROUP,
                          meter_log="/bedrock-quota/q/meter")  # fmt: skip
        return replace(healthy, **but)

    def test_what_arrives_is_fine_and_its_age_is_said(self) -> None:
        assert records_arrive(self.seen()) == Diagnosis("the newest record came 0 s ago")
        fresh = usage_is_fresh(self.seen())
        assert fresh == Diagnosis("the newest usage in the ledger is 29 min old")

    def test_without_calls_nothing_need_arrive(self) -> None:
        nothing = self.seen(calls=(), record=None, fresh=None)
        assert records_arrive(nothing).healthy
        assert usage_is_fresh(nothing).healthy

    @pytest.mark.parametrize("record", [None, NOON - minutes(130)])
    def test_calls_that_are_in_no_record_are_lost(self, record: Any) -> None:
        finding = one(records_arrive(self.seen(record=record)))
        assert finding.severity is Severity.PROBLEM
        assert "at 2026-11-24 10:00Z" in finding.evidence

    def test_a_record_may_be_listed_an_hour_late(self) -> None:
        late = self.seen(calls=[NOON - minutes(80)], record=NOON - minutes(200))
        assert records_arrive(late).healthy

    def test_a_record_from_shortly_before_the_metric_begins_to_count_is_the_same_call(self) -> None:
        assert records_arrive(self.seen(record=NOON - minutes(124))).healthy
        assert usage_is_fresh(self.seen(fresh=NOON - minutes(34))).healthy

    def test_bedrock_itself_says_what_it_could_not_deliver(self) -> None:
        finding = one(records_arrive(self.seen(undelivered=1)))
        assert "could not log 1 record" in finding.what
        assert GROUP in finding.fix

    @pytest.mark.parametrize("fresh", [None, NOON - minutes(118)])
    def test_calls_that_are_not_in_the_ledger_limit_nobody(self, fresh: Any) -> None:
        finding = one(usage_is_fresh(self.seen(fresh=fresh)))
        assert "do not reach the ledger" in finding.what
        assert finding.fix == "aws logs tail /bedrock-quota/q/meter --since 1h"

    def test_the_hours_to_recount_begin_with_the_first_call_that_is_missing(self) -> None:
        finding = one(usage_is_fresh(self.seen(fresh=NOON - minutes(110))))
        assert "recount 2026-11-24T11Z (ten minutes after that hour is over)" in finding.then
        earlier = self.seen(calls=(NOON - timedelta(hours=5), NOON - minutes(30)), fresh=None)
        assert "recount 2026-11-24T07Z..2026-11-24T10Z" in one(usage_is_fresh(earlier)).then

    def test_a_call_of_this_moment_may_still_be_on_its_way(self) -> None:
        assert usage_is_fresh(self.seen(calls=[NOON - minutes(15)], fresh=None)).healthy


class TestTokens:
    def test_calls_without_any_tokens_mean_that_no_counts_are_logged(self) -> None:
        seen = Sampled("q", principals=2, requests=20, tokens=0)
        finding = one(tokens_are_counted(seen))
        assert finding.severity is Severity.PROBLEM
        assert finding.evidence == "0 tokens in 20 calls of 2 principals"
        assert finding.fix.endswith("LogPromptsAndAnswers=true")

    def test_somebody_elses_configuration_is_changed_where_it_is_made(self) -> None:
        seen = Sampled("q", principals=2, requests=20, tokens=0, foreign=True)
        assert "Bedrock's console" in one(tokens_are_counted(seen)).fix

    @pytest.mark.parametrize(("requests", "tokens"), [(0, 0), (19, 0), (20, 1)])
    def test_few_calls_or_any_tokens_say_nothing(self, requests: int, tokens: int) -> None:
        assert tokens_are_counted(Sampled("q", 1, requests, tokens)).healthy


class TestSubscription:
    def look(self, *found: SubscriptionFound, allowed: bool = True) -> Diagnosis:
        return subscription(StreamMeter(GROUP, "ours", METER, found, allowed=allowed))

    def test_one_to_the_meter_without_a_pattern_is_fine(self) -> None:
        both = SubscriptionFound("siem", "", "arn:x"), SubscriptionFound("mine", "", METER)
        assert self.look(*both) == Diagnosis("subscription mine hands every record to the meter")

    @pytest.mark.parametrize("found", [[], [SubscriptionFound("siem", "", "arn:x")]])
    def test_without_one_the_fix_makes_it_under_its_name(self, found: Any) -> None:
        finding = one(self.look(*found))
        assert finding.fix == (
            f"aws logs put-subscription-filter --log-group-name {GROUP} --filter-name ours "
            f"--filter-pattern '' --destination-arn {METER}"
        )
        assert "recount" in finding.then

    def test_one_with_a_pattern_leaves_records_out(self) -> None:
        finding = one(self.look(SubscriptionFound("mine", "{ $.modelId = x }", METER)))
        assert "only some of the records" in finding.what
        assert "--filter-name mine --filter-pattern ''" in finding.fix

    def test_one_without_a_pattern_beside_it_hands_over_all(self) -> None:
        both = SubscriptionFound("some", "{ $.x = 1 }", METER), SubscriptionFound("all", "", METER)
        assert self.look(*both).healthy

    def test_logs_must_be_allowed_to_invoke_the_meter(self) -> None:
        finding = one(self.look(SubscriptionFound("mine", "", METER), allowed=False))
        assert "--source-arn 'arn:aws:logs:eu-central-1:111122223333:log-group:" in finding.fix
        assert "--function-name q-MeterFunction-1" in finding.fix


class TestMetricFilters:
    def look(self, written: tuple[str, ...] = ("Calls", "Tokens"), **values: int) -> Diagnosis:
        return metric_filters(MetricsMeter("q", GROUP, ("Calls", "Tokens"), written, values))

    def test_all_there_and_far_from_the_ceiling_is_fine(self) -> None:
        fine = "2 metric filters; at most 699 different values of 1,000"
        assert self.look(Calls=699, Tokens=3) == Diagnosis(fine)

    def test_one_that_is_missing_is_named(self) -> None:
        finding = one(self.look(written=("Calls",)))
        assert finding.severity is Severity.PROBLEM
        assert "writes Tokens" in finding.evidence
        assert finding.fix.endswith("Metering=stream")

    @pytest.mark.parametrize(
        ("values", "severity"), [(700, Severity.WARNING), (1000, Severity.PROBLEM)]
    )
    def test_near_the_ceiling_the_stream_is_the_way_out(
        self, values: int, severity: Severity
    ) -> None:
        finding = one(self.look(Calls=values))
        assert finding.severity is severity
        assert f"Calls {values:,}" in finding.evidence
        assert finding.fix.endswith("Metering=stream")
