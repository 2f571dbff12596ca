"""One name for a model on both sides: bills have names, and the ledger has ids."""

from collections.abc import Iterable

from quota_enforcer.core.pricing.catalog.usage_type import NamedModels
from quota_enforcer.core.pricing.key import plain_model

NO_MODEL = ""
TOGETHER = " + "
"""Between models that a bill calls by one name."""


class ModelNames:
    """The models of the ledger, and those whose prices are known, by the names of bills.

    Two models of the ledger that a bill calls alike, such as two dates of one, are one model here.
    """

    def __init__(self, metered: Iterable[str], priced: Iterable[str]) -> None:
        self._metered = {plain_model(model) for model in metered}
        self._known = NamedModels([*self._metered, *priced])
        self._together: dict[str, str] = {}
        self._found: dict[tuple[str, ...], str] = {}

    def billed(self, names: tuple[str, ...]) -> str:
        """The model of a line by the names it may have; NO_MODEL if it is none that is known."""
        if names not in self._found:
            self._found[names] = self._find(names)
        return self._found[names]

    def _find(self, names: tuple[str, ...]) -> str:
        found = self._known.named(names)
        several = [each for each in found if each in self._metered] or found
        name = TOGETHER.join(several)
        for each in several:
            self._together[each] = name
        return name

    def metered(self, model: str) -> str:
        """The same of a model of the ledger, once all names of the bill were asked for."""
        plain = plain_model(model)
        return self._together.get(plain, plain)


def members(model: str) -> list[str]:
    """The models that one name stands for."""
    return model.split(TOGETHER) if model else []
