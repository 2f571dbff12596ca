"""What is found about who is limited: can they be denied, are they, and by which rules."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from builders import HOUR, NOON
from quota_enforcer.core.deployment import Mode
from quota_enforcer.core.ledger import SweepState
from quota_enforcer.core.policies.deny import deny_all, deny_models
from quota_enforcer.core.policies.document import Document
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.quotas.subject import QuotaId, Subject
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.coverage import Coverage
from quota_enforcer.doctor.finding import Diagnosis, Finding, Severity
from quota_enforcer.doctor.rules.coverage import Entity, Seat, Shared, identities, shared_identities
from quota_enforcer.doctor.rules.denies import Denied, GateSeen, denies, deny_policies, gates
from quota_enforcer.doctor.rules.quotas import CoverageSeen, InvalidItem, acting, prices, quotas

POLICIES = "arn:aws:iam::111122223333:policy/bedrock-quota/q"
ALL, OPUS = f"{POLICIES}/q-deny", f"{POLICIES}/q-deny-1"
TODAY = date(2026, 12, 1)
MODEL = "anthropic.claude-3-opus-20240229-v1:0"
GATE = f"{POLICIES}/q-over-bedrock-quota-gate-1-see-your-notice-BOUNDARY-ONLY"
EVERYTHING = frozenset({"*"})


def one(found: Diagnosis) -> Finding:
    [finding] = found.findings
    return finding


class TestUsersAndRoles:
    def look(
        self, attached: int, *, who: str = "user/alice", path: str = "/", needs: int = 1,
        ours: int = 0, others: tuple[str, ...] = (),
    ) -> Diagnosis:  # fmt: skip
        policies = {f"arn:{number}" for number in range(attached)} | set((ALL, OPUS)[:ours])
        seat = Seat(Principal.parse(who), needs, Entity(path, frozenset(policies)))
        slots = {Kind.USER: 10, Kind.ROLE: 20}
        return identities([seat], frozenset({ALL, OPUS}), slots, others)

    def test_whoever_has_room_is_fine(self) -> None:
        assert self.look(9).fine == "1 with quotas that deny, each with room for it"
        assert self.look(9).healthy

    @pytest.mark.parametrize(
        ("who", "attached", "said"),
        [("user/alice", 10, "user/alice (10 of 10)"), ("role/ci", 20, "role/ci (20 of 20)")],
    )
    def test_without_a_free_slot_nobody_can_be_blocked(
        self, who: str, attached: int, said: str
    ) -> None:
        finding = one(self.look(attached, who=who))
        assert finding.severity is Severity.PROBLEM
        assert finding.about == (said,)
        assert f"Managed policies per {who.partition('/')[0]}" in finding.fix

    def test_a_role_has_more_slots_than_a_user(self) -> None:
        assert self.look(12, who="role/ci").healthy

    def test_the_slot_of_a_deny_that_is_attached_counts_as_free(self) -> None:
        assert self.look(9, ours=1).healthy
        assert not self.look(10, ours=1).healthy

    def test_the_last_free_slot_is_worth_a_note(self) -> None:
        assert self.look(8).findings == ()
        assert one(self.look(9)).severity is Severity.NOTE

    def test_fewer_free_slots_than_its_models_may_need_is_a_warning(self) -> None:
        assert self.look(7, needs=2).findings == ()
        assert self.look(8, needs=2).healthy
        assert one(self.look(9, needs=2)).severity is Severity.WARNING

    @pytest.mark.parametrize(
        "path", ["/break-glass/", "/aws-reserved/x/", "/aws-service-role/", "/bedrock-quota/q/"]
    )
    def test_a_protected_path_is_said_once_and_not_as_a_lack_of_room(self, path: str) -> None:
        finding = one(self.look(10, path=path))
        assert finding.severity is Severity.WARNING
        assert finding.about == (f"user/alice ({path})",)
        assert "--action notify" in finding.fix

    def test_whom_no_policy_of_the_account_reaches(self) -> None:
        root = "other/arn:aws:iam::111122223333:root"
        finding = one(self.look(0, others=(root,)))
        assert finding.about == (root,)
        assert "service control policy" in finding.fix


class TestSharedRoles:
    def test_nobody_behind_one_is_fine(self) -> None:
        assert shared_identities([], [], 0, "q") == Diagnosis("nobody needs a gate")
        assert shared_identities([], [], 2, "q").fine == "2 shared roles with a gate, none without"

    def test_people_without_any_gate_kept(self) -> None:
        finding = one(shared_identities([], ["sso/b", "sso/a"], 0, "q"))
        assert finding.severity is Severity.PROBLEM
        assert finding.about == ("sso/a", "sso/b")
        assert finding.fix.endswith("Gates=1")

    def test_a_role_with_no_boundary_or_another_one(self) -> None:
        bare = Shared("permission set Dev", ("sso/ann",))
        taken = Shared("role ci", ("session/ci/42",), "arn:their-boundary")
        first, second = shared_identities([bare, taken], [], 3, "q").findings
        assert (first.severity, first.about) == (Severity.PROBLEM, ("sso/ann",))
        assert first.evidence == "it has none"
        assert "arn:their-boundary" in second.evidence
        assert first.fix == "quota-enforcer gates setup"

    def test_a_gate_that_people_and_a_role_name_is_said(self) -> None:
        finding = one(shared_identities([], [], 2, "q", ["arn:gate-1"]))
        assert finding.severity is Severity.WARNING
        assert finding.about == ("arn:gate-1",)

    def test_where_no_quota_denies_anybody_behind_it_that_can_wait(self) -> None:
        found = shared_identities([Shared("role ci", ())], [], 1, "q")
        assert one(found).severity is Severity.WARNING


class TestDenies:
    def look(self, *unmanaged_attachments: str, **but: Any) -> Diagnosis:
        seen = Denied("user/alice", EVERYTHING, EVERYTHING, since=NOON - HOUR)
        return denies([replace(seen, **but)], unmanaged_attachments, NOON)

    def test_what_both_say_is_fine(self) -> None:
        assert self.look() == Diagnosis("IAM denies all whom the ledger says: 1")
        assert denies([], [], NOON) == Diagnosis("nobody is denied")

    def test_one_that_was_detached_and_one_that_was_planted(self) -> None:
        gone = one(self.look(really=frozenset()))
        assert "is not attached to user/alice" in gone.what
        planted = one(self.look(recorded=frozenset()))
        assert "is attached to user/alice, who is not over" in planted.what
        for finding in (gone, planted):
            assert finding.severity is Severity.PROBLEM
            assert finding.fix == "quota-enforcer sweep"
            assert "CloudTrail" in finding.then

    def test_a_narrow_deny_in_place_of_a_wide_one_is_both(self) -> None:
        found = self.look(really=frozenset({MODEL}))
        assert [("not attached" in each.what) for each in found.findings] == [True, False]

    def test_a_change_of_this_minute_may_still_be_under_way(self) -> None:
        young = NOON - timedelta(minutes=9)
        assert self.look(really=frozenset(), since=young).healthy

    def test_one_that_was_never_recorded_is_judged_all_the_same(self) -> None:
        assert not self.look(recorded=frozenset(), since=None).healthy

    def test_an_apply_that_did_not_end_is_said_once(self) -> None:
        finding = one(self.look(unfinished=True, really=frozenset()))
        assert finding.severity is Severity.WARNING

    def test_why_somebody_could_not_be_blocked(self) -> None:
        finding = one(self.look(trouble="no slot left", really=frozenset()))
        assert finding.severity is Severity.PROBLEM
        assert finding.evidence == "no slot left"

    def test_where_no_attachment_tells_of_it_none_is_asked(self) -> None:
        assert self.look(indirect=True, really=frozenset()).healthy

    def test_a_deny_on_a_group_is_undone_by_the_command_in_the_words(self) -> None:
        command = "aws iam detach-group-policy --group-name g --policy-arn arn:p"
        finding = one(self.look(f"the deny of * is attached to the group g: {command}"))
        assert finding.what == "the deny of * is attached to the group g"
        assert finding.fix == command


class TestDenyPolicies:
    def look(self, all_: Document | None, opus: Document | None, **but: bool) -> Diagnosis:
        installed = {"*": ALL, MODEL: OPUS}
        found = {ALL: all_, OPUS: opus}
        return deny_policies(installed, found, agent_core=but.get("agent_core", True))

    def test_what_the_template_wrote_is_fine_in_whatever_order(self) -> None:
        written = deny_all()
        written["Statement"].reverse()
        for statement in written["Statement"]:
            statement["Action"].reverse()
            statement["Resource"] = [statement["Resource"]]
        found = self.look(written, deny_models([MODEL]))
        assert found == Diagnosis("2 policies, as the template wrote them")

    def test_agent_core_is_as_the_parameter_has_it(self) -> None:
        assert self.look(deny_all(agent_core=False), deny_models([MODEL]), agent_core=False).healthy
        finding = one(self.look(deny_all(), deny_models([MODEL]), agent_core=False))
        assert "$(quota-enforcer policy deny --no-agent-core)" in finding.fix

    @pytest.mark.parametrize("change", [
        {"Effect": "Allow"}, {"Resource": "arn:aws:bedrock:*::x"}, {"Action": ["bedrock:Invoke*"]},
        {"Condition": {"StringEquals": {"aws:username": "nobody"}}},
    ])  # fmt: skip
    def test_any_change_of_what_it_says_is_found(self, change: Document) -> None:
        written = deny_all()
        written["Statement"][0] |= change
        finding = one(self.look(written, deny_models([MODEL])))
        assert finding.severity is Severity.PROBLEM
        assert finding.fix == (
            f"aws iam create-policy-version --set-as-default --policy-arn {ALL} "
            '--policy-document "$(quota-enforcer policy deny)"'
        )

    def test_one_that_is_gone_is_made_again_by_name_and_path(self) -> None:
        finding = one(self.look(deny_all(), None))
        assert "--path /bedrock-quota/q/ --policy-name q-deny-1" in finding.fix
        assert f"$(quota-enforcer policy deny --model '{MODEL}')" in finding.fix

    def test_in_another_partition_the_command_says_so(self) -> None:
        arn = OPUS.replace("arn:aws:", "arn:aws-cn:")
        right = deny_models([MODEL], partition="aws-cn")
        assert deny_policies({MODEL: arn}, {arn: right}, agent_core=True).healthy
        finding = one(deny_policies({MODEL: arn}, {arn: None}, agent_core=True))
        assert "--partition aws-cn" in finding.fix


class TestGates:
    def look(self, **but: Any) -> Diagnosis:
        return gates([replace(GateSeen(GATE, percent=3), **but)], "q")

    def test_one_as_the_author_writes_it_is_fine(self) -> None:
        assert self.look() == Diagnosis(
            "q-over-bedrock-quota-gate-1-see-your-notice-BOUNDARY-ONLY is 3 % full"
        )

    def test_one_that_is_not_made_yet_is_made_by_a_sweep(self) -> None:
        finding = one(self.look(made=False, foreign=True))
        assert (finding.severity, finding.fix) == (Severity.WARNING, "quota-enforcer sweep")

    def test_another_document_names_who_is_missing(self) -> None:
        finding = one(self.look(foreign=True, missing=frozenset({"*:ann"})))
        assert finding.severity is Severity.PROBLEM
        assert finding.about == ("*:ann",)
        assert finding.evidence == "user ids missing: 1, and there without need: 0"

    def test_before_it_is_full_another_one_is_advised(self) -> None:
        finding = one(self.look(percent=81, nearly_full=True))
        assert finding.severity is Severity.WARNING
        assert finding.fix.endswith("Gates=2")

    @pytest.mark.parametrize("kind", ["user", "role", "group"])
    def test_an_ordinary_attachment_allows_everything(self, kind: str) -> None:
        finding = one(self.look(holders=(f"{kind}/mallory",)))
        assert finding.severity is Severity.PROBLEM
        command = f"aws iam detach-{kind}-policy --{kind}-name mallory --policy-arn {GATE}"
        assert finding.fix == command


ALL_COVERED = CoverageSeen(Coverage(Counts(4)), 3, 3)
SOME_NOT = CoverageSeen(
    Coverage(
        Counts(4), {Principal.parse("role/a"): Counts(2), Principal.parse("role/b"): Counts(1)}
    ),
    looked_at=100,
    known=100,
)


class TestRules:
    def test_valid_items_are_fine(self) -> None:
        assert quotas(2, [], ALL_COVERED) == Diagnosis("2 items, all valid")

    def test_each_invalid_one_is_named_with_its_problem(self) -> None:
        finding = one(quotas(1, [InvalidItem("user/*", "daily", "window is 'x'")], ALL_COVERED))
        assert finding.what == "quota daily of user/* is not valid"
        assert finding.evidence == "window is 'x'"
        assert finding.fix == "quota-enforcer quota remove 'user/*' daily"

    def test_one_whose_minutes_nobody_counts_limits_nobody(self) -> None:
        asked = QuotaId(Subject("user/*"), "burst")
        finding = one(quotas(1, [], ALL_COVERED, [asked]))
        assert finding.severity is Severity.WARNING
        assert finding.fix == "quota-enforcer quota set 'user/*' burst --window hour"

    def test_no_quota_limits_nobody(self) -> None:
        finding = one(quotas(0, [], SOME_NOT))
        assert finding.severity is Severity.WARNING
        assert finding.fix.startswith("quota-enforcer quota set default")

    def test_usage_under_no_quota_is_worth_a_note(self) -> None:
        found = quotas(1, [], SOME_NOT)
        assert found.healthy
        assert one(found).what.startswith("Last 7 days: under no quota: 3 calls of 4 (75 %)")
        assert "sample" not in one(found).what
        assert one(found).about == ("role/a", "role/b")

    def test_a_sample_is_said_to_be_one(self) -> None:
        found = one(quotas(1, [], replace(SOME_NOT, known=12_000)))
        assert "Seen in a sample of 100 of 12,000 principals" in found.what

    @pytest.mark.parametrize(
        ("matter", "severity"), [(True, Severity.WARNING), (False, Severity.NOTE)]
    )
    def test_a_price_that_is_not_known_matters_where_a_quota_is_on_cost(
        self, *, matter: bool, severity: Severity
    ) -> None:
        assert one(prices(["new.model"], TODAY, TODAY, matter=matter)).severity is severity
        assert prices([], TODAY, TODAY, matter=matter).findings == ()

    @pytest.mark.parametrize(("days", "findings"), [(-3, 0), (45, 0), (46, 1)])
    def test_a_list_of_prices_older_than_45_days_is_told(self, days: int, findings: int) -> None:
        found = prices([], TODAY - timedelta(days=days), TODAY, matter=True)
        assert len(found.findings) == findings
        assert found.healthy is not bool(findings)
        assert prices([], TODAY - timedelta(days=days), TODAY, matter=False).healthy

    def test_observe_mode_is_told_and_is_no_harm(self) -> None:
        found = acting(Mode.OBSERVE, SweepState(), NOON, "q")
        assert found.healthy
        assert "Mode=enforce" in one(found).what
        assert acting(Mode.ENFORCE, SweepState(), NOON, "q") == Diagnosis(
            "quotas act in enforce mode"
        )

    def test_a_pause_is_told_until_it_ends(self) -> None:
        paused = SweepState(paused_until=NOON + HOUR)
        finding = one(acting(Mode.ENFORCE, paused, NOON, "q"))
        assert finding.severity is Severity.PROBLEM
        assert finding.fix == "quota-enforcer resume"
        assert acting(Mode.ENFORCE, paused, NOON + HOUR, "q").healthy

    def test_a_tripped_breaker_asks_for_a_word(self) -> None:
        finding = one(acting(Mode.ENFORCE, SweepState(breaker_since=NOON), NOON, "q"))
        assert finding.severity is Severity.PROBLEM
        assert finding.fix == "quota-enforcer sweep --dry-run"
        assert "sweep --confirm-blocks" in finding.then
