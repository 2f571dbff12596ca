"""What cfn-lint finds in files, as JSON: what SAM makes of a template before that template.

It works the same out again and again, and here it does once, which takes half of the time.
"""

import gc
import json
import sys
from collections.abc import Iterator
from copy import copy
from itertools import chain
from typing import Any

from cfnlint.config import ConfigMixIn
from cfnlint.context.conditions._conditions import Conditions
from cfnlint.context.conditions.exceptions import Unsatisfiable
from cfnlint.runner.cli import Runner
from cfnlint.runner.template.runner import run_template_by_file_path


def remember_conditions() -> None:
    """What follows from a condition that holds, asked nine thousand times for 700 answers."""
    evolve = Conditions.evolve
    known: dict[Any, tuple[Any, Any]] = {}

    def evolve_once(before: Any, status: dict[str, bool], assumed: bool = False) -> Any:  # noqa: FBT001, FBT002 - so it is called
        asked = id(before), tuple(status.items()), assumed
        if asked not in known:
            try:
                known[asked] = before, evolve(before, status, assumed)  # kept, so its id is too
            except Unsatisfiable as impossible:
                known[asked] = before, impossible
        after = known[asked][1]
        if isinstance(after, Unsatisfiable):
            raise after
        return after

    Conditions.evolve = evolve_once


def check_each_once(properties_rule: Any) -> None:
    """A resource that SAM leaves as it is has been checked, and more strictly, in what SAM made."""
    validate = properties_rule.validate
    checked: set[str] = set()

    def validate_new(rule: Any, validator: Any, key: Any, resource: Any, schema: Any) -> Any:
        words = json.dumps([validator.context.path.path[-1], resource])
        if not (validator.cfn.has_serverless_transform() and words in checked):
            checked.add(words)
            yield from validate(rule, validator, key, resource, schema)

    properties_rule.validate = validate_new


def find_by_keyword(keywords_rule: Any) -> None:
    """It compares each keyword with those of all its 200 rules, though each rule has one or two."""
    look = keywords_rule.cfnLint
    narrow: dict[str, Any] = {}

    def look_up(rule: Any, validator: Any, keywords: Any, *value: Any) -> Iterator[Any]:
        for keyword in keywords:
            if keyword not in narrow:
                narrow[keyword] = copy(rule)
                narrow[keyword].child_rules = {
                    name: child
                    for name, child in rule.child_rules.items()
                    if child is not None and keyword in child.keywords
                }
            yield from look(narrow[keyword], validator, [keyword], *value)

    keywords_rule.cfnLint = look_up


gc.disable()  # it makes millions of objects, and keeps most
FILES = sys.argv[1:]
runner = Runner(ConfigMixIn(["--format", "json", *FILES]))
remember_conditions()
check_each_once(type(runner.rules["E3002"]))
find_by_keyword(type(runner.rules["E1101"]))
# Its own loop goes by the alphabet.
runner.run = lambda: chain.from_iterable(
    run_template_by_file_path(file, runner.config, runner.rules, ignore_bad_template=False)
    for file in FILES
)
runner.cli()
