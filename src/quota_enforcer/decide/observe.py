"""Observed: what observe mode kept from being blocked, from its beginning to its end.

A decision notes which quotas would deny, and since when; once one no longer would, the history gets
what the block would have been. So a week of observing can be told in numbers.
"""

from collections.abc import Iterable
from dataclasses import replace

from quota_enforcer.core.deployment import Context, Mode
from quota_enforcer.core.ledger import Standing
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.subject import QuotaId
from quota_enforcer.decide.judgement import Judgement
from quota_enforcer.decide.notices import restored


def ended(
    principal: Principal, before: Standing, judgements: Iterable[Judgement], context: Context
) -> list[Notice]:
    """For the history: what would have been blocked until now, with why it no longer would."""
    several = list(judgements)
    still = {each.id for each in several if each.would_deny}
    notices = []
    for id_, was in before.would_deny.items():
        if id_ not in still:
            notice = _lifted(
                principal, replace(before, used_up={id_: was.used_up}), several, context
            )
            freed = was.used_up.until or context.now
            notices.append(replace(notice, since=was.since, until=min(context.now, freed)))
    return notices


def _lifted(
    principal: Principal, before: Standing, judgements: Iterable[Judgement], context: Context
) -> Notice:
    """As enforce mode would say that the block of the one quota of `before` is lifted."""
    several = [each.in_enforce_mode for each in judgements]
    notice = restored(principal, before, several, replace(context, mode=Mode.ENFORCE))
    [id_] = before.used_up
    if context.mode is Mode.ENFORCE and any(
        each.id == id_ and each.verdict.used_up for each in several
    ):
        notice = replace(notice, reason="enforce mode began")
    subject = QuotaId.parse(id_).subject
    return replace(notice, kind=NoticeKind.WOULD_HAVE_BLOCKED, whom=subject)
