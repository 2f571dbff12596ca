"""Who chooses the names of a role's sessions, and the trust policy that binds them."""

import json
from typing import Any

import pytest

from quota_enforcer.gates.trust.binding import bound
from quota_enforcer.gates.trust.entrances import (
    Entrance,
    NamedBy,
    callers_name_themselves,
    entrances,
)

ACCOUNT = "arn:aws:iam::111122223333:root"
ALICE = "arn:aws:iam::111122223333:user/people/alice"
CI = "arn:aws:iam::111122223333:role/ci"
SAML = "arn:aws:iam::111122223333:saml-provider/okta"
OIDC = "arn:aws:iam::111122223333:oidc-provider/login.example.com/realms/x"
GITHUB = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"
EKS = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0A"
NAME = "sts:RoleSessionName"


def statement(action: Any = "sts:AssumeRole", who: Any = ACCOUNT, **more: Any) -> dict[str, Any]:
    kind = "AWS"
    if isinstance(who, str) and "-provider/" in who:
        kind = "Federated"
    principal = who if who == "*" or isinstance(who, dict) else {kind: who}
    return {"Effect": "Allow", "Principal": principal, "Action": action, **more}


def trust(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def when(operator: str, value: Any, key: str = NAME) -> dict[str, Any]:
    return {operator: {key: value}}


class TestWhoChooses:
    @pytest.mark.parametrize(
        ("let_in", "named_by", "many"),
        [
            (statement(), NamedBy.CALLER, True),
            (statement(who="*"), NamedBy.CALLER, True),
            (statement(who="111122223333"), NamedBy.CALLER, True),
            (statement(who=ALICE), NamedBy.CALLER, False),
            (statement(who=CI), NamedBy.CALLER, True),
            (statement("sts:*"), NamedBy.CALLER, True),
            (statement(["sts:TagSession", "sts:assumerole"]), NamedBy.CALLER, True),
            (statement("sts:AssumeRoleWithSAML", SAML), NamedBy.PROVIDER, True),
            (statement("sts:AssumeRoleWithWebIdentity", OIDC), NamedBy.CALLER, True),
            (statement(who={"Service": "lambda.amazonaws.com"}), NamedBy.SERVICE, False),
        ],
        ids=lambda each: json.dumps(each)[:60] if isinstance(each, dict) else str(each),
    )
    def test_by_how_the_role_is_taken(
        self, let_in: dict[str, Any], named_by: NamedBy, *, many: bool
    ) -> None:
        [found] = entrances(trust(let_in))
        assert (found.named_by, found.many) == (named_by, many)

    def test_a_statement_may_be_alone_and_principals_several(self) -> None:
        alone = statement(who={"AWS": [ALICE, CI], "Service": "ec2.amazonaws.com"})
        found = entrances(json.dumps({"Statement": alone}))
        assert [each.principal for each in found] == [ALICE, CI, "ec2.amazonaws.com"]
        assert callers_name_themselves(json.dumps({"Statement": alone})) == [CI, ALICE]

    def test_whoever_is_not_named_may_be_anybody(self) -> None:
        but = {"Effect": "Allow", "NotPrincipal": {"AWS": ALICE}, "Action": "sts:AssumeRole"}
        assert entrances(trust(but)) == [Entrance("*", NamedBy.CALLER, many=True)]

    @pytest.mark.parametrize("other", [
        statement("sts:TagSession"), {**statement(), "Effect": "Deny"}, statement("iam:*"),
    ])  # fmt: skip
    def test_what_lets_nobody_take_the_role_is_left_out(self, other: dict[str, Any]) -> None:
        assert entrances(trust(other)) == []

    def test_no_policy_lets_nobody_in(self) -> None:
        assert entrances("") == []


class TestConditions:
    @pytest.mark.parametrize("condition", [
        when("StringLike", "${aws:username}"),
        when("StringEquals", ["${aws:username}"]),
        when("StringEqualsIgnoreCase", "${aws:PrincipalTag/email}"),
        when("ForAllValues:StringLike", "${saml:sub}"),
        when("StringEqualsIfExists", "${login.example.com:sub}", "STS:roleSESSIONname"),
        when("StringEquals", "${aws:username, 'nobody'}"),
        when("StringEquals", "nightly-report"),
        {"Bool": {"aws:MultiFactorAuthPresent": "true"}} | when("StringEquals", "${aws:userid}"),
    ], ids=json.dumps)  # fmt: skip
    def test_that_leave_no_choice(self, condition: dict[str, Any]) -> None:
        [found] = entrances(trust(statement(Condition=condition)))
        assert found.named_by is NamedBy.CONDITION

    @pytest.mark.parametrize("condition", [
        when("StringLike", "*"),
        when("StringLike", "ci-*"),
        when("StringLike", "${aws:username}*"),
        when("StringEquals", ["alice", "bob"]),
        when("StringEquals", ["${aws:username}", "shared"]),
        when("StringEquals", "${aws:RequestTag/name}"),
        when("StringEquals", "${sts:SourceIdentity}"),
        when("StringEquals", []),
        when("StringNotEquals", "${aws:username}"),
        when("StringEquals", "${aws:username}", "sts:SourceIdentity"),
        when("StringLike", "${*}"),
        {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
    ], ids=json.dumps)  # fmt: skip
    def test_that_leave_a_choice(self, condition: dict[str, Any]) -> None:
        assert callers_name_themselves(trust(statement(Condition=condition))) == [ACCOUNT]

    def test_a_deny_of_every_other_name_leaves_none(self) -> None:
        other = when("StringNotLike", "${aws:username}")
        refused = {**statement(who="*"), "Effect": "Deny", "Condition": other}
        assert callers_name_themselves(trust(statement(), refused)) == []

    @pytest.mark.parametrize("change", [
        {"Principal": {"AWS": CI}},
        {"Condition": when("StringNotLike", "ci-*")},
        {"Condition": when("StringNotLike", "${aws:username}")
         | {"Bool": {"aws:MultiFactorAuthPresent": "false"}}},
        {"Action": "sts:TagSession"},
    ], ids=json.dumps)  # fmt: skip
    def test_a_deny_of_less_leaves_it(self, change: dict[str, Any]) -> None:
        refused = {
            **statement(who="*"),
            "Effect": "Deny",
            "Condition": when("StringNotLike", "${aws:username}"),
            **change,
        }
        assert callers_name_themselves(trust(statement(), refused)) == [ACCOUNT]


class TestBinding:
    @pytest.mark.parametrize(
        ("let_in", "claim"),
        [
            (statement(who=ALICE), "${aws:username}"),
            (statement(), "${aws:username}"),
            (statement(who="*"), "${aws:username}"),
            (statement(who=CI), "${aws:SourceIdentity}"),
            (statement("sts:AssumeRoleWithWebIdentity", OIDC),
             "${login.example.com/realms/x:sub}"),
            (statement("sts:AssumeRoleWithWebIdentity", GITHUB),
             "${token.actions.githubusercontent.com:actor}"),
        ],
        ids=lambda each: each if isinstance(each, str) else "",
    )  # fmt: skip
    def test_ties_the_name_to_who_calls_and_is_then_seen_as_bound(
        self, let_in: dict[str, Any], claim: str
    ) -> None:
        document = bound(trust(let_in)).document
        assert document is not None
        [written] = document["Statement"]
        assert written == {**let_in, "Condition": when("StringEquals", claim)}
        assert callers_name_themselves(json.dumps(document)) == []

    def test_what_was_asked_for_before_still_has_to_hold(self) -> None:
        before = {
            "Bool": {"aws:MultiFactorAuthPresent": "true"},
            "StringEquals": {"aws:PrincipalOrgID": "o-1", NAME: ["alice", "bob"]},
        }
        document = bound(trust(statement(Condition=before))).document
        assert document is not None
        assert document["Statement"][0]["Condition"] == {
            **before,
            "StringLike": {NAME: "${aws:username}"},
        }
        assert callers_name_themselves(json.dumps(document)) == []

    def test_principals_of_one_statement_that_differ_get_one_each(self) -> None:
        mixed = statement(who={"AWS": [ALICE, CI], "Service": "ec2.amazonaws.com"}, Sid="In")
        document = bound(trust(mixed)).document
        assert document is not None
        assert [(each["Principal"], each.get("Condition")) for each in document["Statement"]] == [
            ({"AWS": ALICE}, when("StringEquals", "${aws:username}")),
            ({"AWS": CI}, when("StringEquals", "${aws:SourceIdentity}")),
            ({"Service": "ec2.amazonaws.com"}, None),
        ]
        assert not any("Sid" in each for each in document["Statement"])  # each must be unique

    @pytest.mark.parametrize("let_in", [
        statement("sts:AssumeRoleWithSAML", SAML),
        statement("sts:AssumeRoleWithWebIdentity", EKS),
        statement(who={"Service": "lambda.amazonaws.com"}),
        statement(Condition=when("StringEquals", "${aws:username}")),
    ], ids=["saml", "eks", "service", "bound"])  # fmt: skip
    def test_nothing_is_written_where_nothing_can_or_need_be_bound(
        self, let_in: dict[str, Any]
    ) -> None:
        assert bound(trust(let_in)).document is None

    def test_a_saml_provider_names_sessions_itself_and_an_admin_is_told_where(self) -> None:
        [note] = bound(trust(statement("sts:AssumeRoleWithSAML", SAML))).notes
        assert "okta says the session's name in its attribute RoleSessionName" in note

    def test_a_claim_that_no_session_name_can_equal_is_said(self) -> None:
        [note] = bound(trust(statement("sts:AssumeRoleWithWebIdentity", EKS))).notes
        assert "oidc.eks.eu-west-1.amazonaws.com/id/0A names workloads with colons" in note

    def test_a_source_identity_is_asked_for_and_may_be_set(self) -> None:
        document = bound(trust(statement(who=ALICE)), source_identity=True).document
        assert document is not None
        [written] = document["Statement"]
        assert written["Action"] == ["sts:AssumeRole", "sts:SetSourceIdentity"]
        assert written["Condition"]["StringEquals"] == {
            NAME: "${aws:username}",
            "sts:SourceIdentity": "${aws:username}",
        }

    def test_of_saml_only_the_source_identity_is_tied(self) -> None:
        let_in = statement("sts:AssumeRoleWithSAML", SAML)
        document = bound(trust(let_in), source_identity=True).document
        assert document is not None
        [written] = document["Statement"]
        assert written["Condition"] == when("StringEquals", "${saml:sub}", "sts:SourceIdentity")
