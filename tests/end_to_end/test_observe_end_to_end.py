"""Observe mode as a product: what would have been blocked, seen by an admin, before the switch."""

import csv
import io
import json
from datetime import timedelta
from typing import Any

from deployed_stack import ALLOW, MODEL, DeployedStack, call, is_refused
from embedded_account import START, Caller
from quota_enforcer.local.embedded import EmbeddedAws

DAY = timedelta(days=1)


def asked(stack: DeployedStack, *arguments: str) -> Any:
    """The JSON document that a command prints, in a process of its own."""
    done = stack.command(*arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_a_week_is_observed_and_then_enforced_with_numbers_in_hand(
    aws: EmbeddedAws, user: Caller
) -> None:
    stack = DeployedStack.of(aws, Mode="observe")
    alice, bob = user("alice", ALLOW), user("bob", ALLOW)
    stack.quota()
    for day in range(2):
        aws.set_time(START + day * DAY)
        call(alice, 1200)
        call(bob, 10)
        stack.sweep()
        call(alice)
        aws.set_time(START.replace(hour=0) + (day + 1) * DAY)
        stack.sweep()
    call(alice, 1500)
    stack.sweep()

    found = asked(stack, "status")["would_have_been_blocked"]["blocks"]
    assert [(each["principal"], each["quota"], each["times"]) for each in found] == [
        ("user/alice", "daily", 3)
    ]
    assert found[0]["since"] is not None
    [own] = asked(stack, "status", "user/alice")["would_have_been_blocked"]["blocks"]
    assert own == found[0]
    ended = [
        each
        for each in asked(stack, "history", "--limit", "0")["history"]
        if each["kind"] == "would-have-blocked"
    ]
    assert [each["until"] for each in ended] == [
        f"{START.replace(hour=0) + (day + 1) * DAY:%Y-%m-%dT%H:%M:%SZ}" for day in range(2)
    ]
    [name] = asked(stack, "explain", "user/alice")["names"]
    [applies] = name["applies"]
    assert (applies["denies"], sum(part["used"] for part in applies["buckets"])) == (False, 1500)

    enforced = DeployedStack.of(aws)
    assert ("user/alice", "blocked") in enforced.told()
    assert is_refused(lambda: call(alice))
    call(bob)

    printed = stack.command("usage", "--csv", "--by", "principal,model").stdout
    assert [row[:4] for row in csv.reader(io.StringIO(printed))][1:] == [
        ["user/alice", MODEL, "5", "3902"],
        ["user/bob", MODEL, "2", "20"],
    ]
