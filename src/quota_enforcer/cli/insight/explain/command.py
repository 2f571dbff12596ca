"""`explain`: why a principal is where it is, by the decision that acts."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Annotated

import typer

from quota_enforcer import clock
from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.insight.explain.document import document
from quota_enforcer.cli.insight.explain.words import say_explained
from quota_enforcer.cli.terminal.options import AsJson, PrincipalArg, on_deployment
from quota_enforcer.cli.terminal.output import say_json
from quota_enforcer.cli.terminal.principals import hint_unknown_principal, record_of
from quota_enforcer.core.deployment import Context
from quota_enforcer.core.errors import UnknownIdentity
from quota_enforcer.core.ledger import Record, SweepState
from quota_enforcer.core.quotas.form.whom import subject as read_subject
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.quotas.quota import Team
from quota_enforcer.core.usage.counts import Number
from quota_enforcer.decide.evaluate import Evaluation, Pools, evaluate
from quota_enforcer.decide.judgement import by_item
from quota_enforcer.decide.verdict import Verdict
from quota_enforcer.insight.explain import Explained, Summed, breakdown, by_name, meant_for
from quota_enforcer.insight.quotas.items import ItemState, states
from quota_enforcer.insight.status import acting, rows
from quota_enforcer.insight.usage import ReadBefore


@on_deployment
def explain(
    deployment: Deployment,
    principal: PrincipalArg,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Every hour and day, and not just the newest.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show why a principal is where it is: each quota, where it comes from, and its sum.

    For every quota name it shows the rules that cover the principal and
    which of them won, the sum bucket by bucket, the limit with its raise,
    and what is denied until when. It is decided as the next sweep will
    decide, on the usage metered so far.

    Examples:
      quota-enforcer explain user/alice
      quota-enforcer explain role/reporting --all
      quota-enforcer explain arn:aws:iam::111122223333:user/alice --json
    """
    context = deployment.context(clock.now())
    record = record_of(deployment, principal)
    loaded = deployment.load(context.now)
    found = explained(deployment, record, loaded.book, context)
    if as_json:
        say_json(document(found, context))
        return
    teams = [
        rule
        for rule in loaded.rules
        if rule.subject == str(record.principal) and rule.members and not isinstance(rule, Team)
    ]
    say_explained(found, teams, context, everything=everything)
    hint_unknown_principal(deployment, record, loaded.rules)


def explained(
    deployment: Deployment, record: Record, book: QuotaBook, context: Context
) -> Explained:
    """Why it is where it is, on what there is to read now."""
    principal, state = record.principal, deployment.ledger.state()
    context = replace(context, lag=state.lag)
    principals = [principal, *book.pools_of(principal)]
    read = deployment.usage_for(principals, [book], context)
    looked = evaluate(record, book, read, context, Pools(book, read, context, deployment.ledger))
    items = states(
        deployment.quotas.items(), deployment.ledger.quota_memories(), deployment.settings,
        context.now,
    )  # fmt: skip
    return Explained(
        record,
        by_name(
            _sums(record, looked, book, read, state),
            book.candidates(principal, context.now),
            meant_for(principal, items),
        ),
        sum(_names_nobody(state) for state in items),
    )


def _sums(
    record: Record, looked: Evaluation, book: QuotaBook, read: ReadBefore, state: SweepState
) -> Iterator[Summed]:
    decision, context = looked.decision, looked.decision.context
    table = rows(record, decision, state)
    for stages, row in zip(by_item(decision.judgements), table, strict=False):
        *early, judgement = stages
        verdict = judgement.verdict
        yield Summed(
            judgement,
            row,
            breakdown(verdict, looked.whole(verdict.quota), context),
            _by_member(verdict, book, read, context),
            acting(record, stages),
            tuple(early),
        )


def _by_member(
    verdict: Verdict, book: QuotaBook, read: ReadBefore, context: Context
) -> dict[str, Number]:
    """What each member used of a shared quota; a session's usage is in its role's."""
    quota, first = verdict.quota, verdict.span.first_day
    if not quota.pooled:
        return {}
    used = {member: read.usage(member, first) for member in book.contributors[quota.id]}
    numbers = {
        str(member): quota.number(
            usage.at(quota.places, context.home).within(verdict.span, quota.models)
        )
        for member, usage in used.items()
    }
    return dict(_most_first(numbers.items()))


def _most_first(numbers: Iterable[tuple[str, Number]]) -> list[tuple[str, Number]]:
    return sorted(numbers, key=lambda each: (-each[1], each[0]))


def _names_nobody(state: ItemState) -> bool:
    """Whether the principals that an invalid item was meant for cannot be known."""
    try:
        read_subject(state.subject)
    except (ValueError, TypeError, UnknownIdentity):
        return bool(state.problems)
    return False
