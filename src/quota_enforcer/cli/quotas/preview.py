"""Before an edit is written: whom it names that nobody knows, whom it would block and release."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.terminal.asking import ask
from quota_enforcer.cli.terminal.errors import explain
from quota_enforcer.cli.terminal.names import IN_IAM
from quota_enforcer.cli.terminal.output import hint, say
from quota_enforcer.core.deployment import Mode
from quota_enforcer.core.notices.amounts import listed
from quota_enforcer.core.pricing.item import is_price
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.item import Item
from quota_enforcer.core.quotas.quota import Quota, Rule
from quota_enforcer.core.usage.place import EVERYWHERE, Place
from quota_enforcer.decide.rules.loader import QuotaLoader
from quota_enforcer.insight.quotas.names import UnknownName, unknown_names
from quota_enforcer.insight.quotas.preview import EditEffects, concerned, effects
from quota_enforcer.insight.status import everybody

DRY_RUN = "Dry run: nothing was written."
HELD = (
    "The breaker would hold that: it is more than {number} and more than {percent} % of all, so "
    "nobody is blocked until you confirm with `quota-enforcer sweep --confirm-blocks`."
)
Edits = Mapping[tuple[str, str], Item | None]
"""By subject and name the item that is to stand there, or None if it is to go."""


@dataclass(frozen=True, slots=True)
class Consent:
    """What the command line said of going on."""

    yes: bool = False
    dry_run: bool = False
    as_json: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """What an edit would do, and how the deployment would take it."""

    effects: EditEffects = field(default_factory=EditEffects)
    observing: bool = False
    held: str = ""
    """What the breaker would do about it."""

    @property
    def by_hand(self) -> bool:
        """Whether all that it blocks is blocked outright, which no breaker holds."""
        return bool(self.effects.blocks) and not self.effects.waits

    @property
    def question(self) -> str:
        """Whom it would block; empty if nobody, so that there is nothing to ask."""
        return "" if self.observing else _sentence(self.effects.blocking_words())

    def tell(self, consent: Consent, *, asked: bool = False) -> None:
        """Say it, also what needs no answer; whom it blocks not if that is `asked` next."""
        if consent.as_json:
            return
        told = say if consent.dry_run else hint
        for words in self.said(asked=asked):
            told(words)

    def said(self, *, asked: bool = False) -> Iterator[str]:
        """Its sentences; whom it blocks not if that is `asked`."""
        if self.observing:
            would = "observe mode blocks nobody; in enforce mode this would block"
            if words := self.effects.blocking_words(would):
                yield f"{_sentence(words)}."
            return
        if self.question and not asked:
            yield f"{self.question}."
        if words := self.effects.releasing_words:
            yield f"{_sentence(words)}."
        if self.held:
            yield self.held


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}"


def preview(deployment: Deployment, edits: Edits, now: datetime) -> Preview:
    """Read what the enforcer reads, and decide as it would by the rules before and after."""
    if all(is_price({"principal": subject, "quota": name}) for subject, name in edits):
        return Preview()
    settings = deployment.settings
    loader = QuotaLoader(settings.zone, settings.denies, settings.account)
    memories = deployment.ledger.quota_memories()  # first: no item is older than its memory
    stored = {(item["principal"], item["quota"]): item for item in deployment.quotas.items()}
    changed = {key: item for key, item in {**stored, **edits}.items() if item is not None}
    before, after = (loader.load(items.values(), memories, now) for items in (stored, changed))
    lag = deployment.ledger.state().lag
    context = replace(deployment.context(now), mode=Mode.ENFORCE, lag=lag)
    known = everybody(deployment.ledger.everybody(), [*before.rules, *after.rules])
    principals = [record.principal for record in known]
    before, after = before.knowing(principals), after.knowing(principals)
    others = concerned(known, before.book, after.book, context)
    if not others:
        return Preview()
    read = deployment.usage_for(
        [each.principal for each in others], (before.book, after.book), context
    )
    found = effects(others, before.book, after.book, read, context, deployment.ledger)
    held = ""
    if found.held(settings.breaker, principals):
        breaker = settings.breaker
        held = HELD.format(number=breaker.number, percent=breaker.percent)
    return Preview(found, settings.mode is Mode.OBSERVE, held)


def strangers(deployment: Deployment, principals: Iterable[Principal]) -> list[UnknownName]:
    """Those whom IAM does not know; if it cannot be asked, a hint says so, and that is all."""
    several = sorted({each for each in principals if each.kind in IN_IAM and not each.account})
    if not several:
        return []
    try:
        return unknown_names(several, deployment.identities())
    except Exception as error:
        words = explain(error)
        if words is None:
            raise
        hint(f"Whether IAM knows {listed(list(map(str, several)), 3)} was not checked: {words}")
        return []


def goes_on(found: Preview, consent: Consent, *, wanted: bool = False) -> bool:
    """Whether to write: not in a dry run. Asks if it would block somebody, unless that is `wanted`.

    Raises NobodyToAsk where there is no terminal, or Abort if the answer is no.
    """
    asked = bool(found.question) and not (wanted or consent.yes or consent.dry_run)
    found.tell(consent, asked=asked)
    if asked:
        ask(f"{found.question}; go on?", yes=False)
    return not consent.dry_run


def metered(deployment: Deployment, rules: Iterable[Rule]) -> tuple[Place, ...]:
    """The places that are metered, if a rule asks for some: home's, and those of satellites."""
    if all(not isinstance(rule, Quota) or rule.places == EVERYWHERE for rule in rules):
        return ()
    home = Place(deployment.settings.account, deployment.settings.region)
    return (home, *(each.place for each in deployment.satellites.satellites()))
