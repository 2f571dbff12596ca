"""DynamoDB in memory, for more items than the embedded AWS can hold: two tables, in wire format.

It answers what the ledger's and the quota table's adapters ask, in AWS's pages of 1 MB, and refuses
an expression that it does not know. Nothing waits: what is timed is our own work.
"""

import re
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from functools import lru_cache
from itertools import count, islice
from threading import RLock
from typing import Any
from zlib import crc32

from botocore.exceptions import ClientError

from .units import Attributes, size

PAGE = 1_000_000
_SOME = 1_000
_TOKEN = re.compile(
    r"\s*(?:(?P<op><=|>=|<>|=|<|>)|(?P<word>AND|OR|NOT|BETWEEN)\b|(?P<function>\w+)\("
    r"|(?P<name>#\w+)|(?P<value>:\w+)|(?P<other>[(),]))"
)
_FUNCTIONS = {
    "attribute_exists": lambda one: one is not None,
    "attribute_not_exists": lambda one: one is None,
    "begins_with": lambda one, start: one is not None and one.startswith(start),
    "contains": lambda one, part: one is not None and part in one,
}
_DUE = re.compile(r"#due (<=|>=) (:\w+)")
Test = Callable[[Callable[[str], Any], Callable[[str], Any]], bool]


class Table:
    """Items by partition and range key, and the index by listing and due moment."""

    def __init__(self, keys: tuple[str, str]) -> None:
        self._keys = keys
        self._partitions: defaultdict[str, dict[str, Attributes]] = defaultdict(dict)
        self._listed: defaultdict[str, list[tuple[str, str, str]]] = defaultdict(list)

    def get(self, key: Attributes) -> Attributes | None:
        return self._partitions.get(key[self._keys[0]]["S"], {}).get(key[self._keys[1]]["S"])

    def put(self, item: Attributes) -> None:
        """Over whatever is there."""
        self.delete(item)
        first, second = (item[key]["S"] for key in self._keys)
        self._partitions[first][second] = item
        if "listing" in item and "due" in item:
            insort(self._listed[item["listing"]["S"]], (item["due"]["S"], first, second))

    def fill(self, items: Iterable[Attributes]) -> None:
        """Put items that are new, sorting the index once."""
        for item in items:
            first, second = (item[key]["S"] for key in self._keys)
            self._partitions[first][second] = item
            if "listing" in item and "due" in item:
                self._listed[item["listing"]["S"]].append((item["due"]["S"], first, second))
        for each in self._listed.values():
            each.sort()

    def delete(self, key: Attributes) -> Attributes | None:
        first, second = (key[name]["S"] for name in self._keys)
        old = self._partitions.get(first, {}).pop(second, None)
        if old is not None and "listing" in old and "due" in old:
            listed = self._listed[old["listing"]["S"]]
            del listed[bisect_left(listed, (old["due"]["S"], first, second))]
        return old

    def partition(self, name: str) -> Iterator[Attributes]:
        found = self._partitions.get(name, {})
        return (found[key] for key in sorted(found))

    def listed(self, name: str, since: str, until: str) -> Iterator[Attributes]:
        """Those of a listing that are due between these moments, found without a look at others."""
        listed = self._listed[name]
        places = range(bisect_left(listed, (since,)), bisect_left(listed, (f"{until}~",)))
        return (
            self._partitions[first][second] for _, first, second in map(listed.__getitem__, places)
        )

    def everything(self) -> Iterator[Attributes]:
        return (item for items in self._partitions.values() for item in items.values())

    def key_of(self, item: Attributes) -> Attributes:
        return {name: item[name] for name in self._keys}


class Tables:
    """Both tables, by the operations that are asked of them."""

    def __init__(self, ledger: str, quotas: str) -> None:
        self.tables = {ledger: Table(("pk", "sk")), quotas: Table(("principal", "quota"))}
        self._lock = RLock()
        self._pages: dict[str, Iterator[Attributes]] = {}
        self._numbers = count()

    def answer(self, operation: str, request: Attributes) -> Attributes:
        """As botocore would answer; raises ClientError where a condition does not hold."""
        with self._lock:
            found: Attributes = getattr(self, f"_{operation}")(request)
            return found

    def _GetItem(self, request: Attributes) -> Attributes:  # noqa: N802 - AWS's name
        found = self.tables[request["TableName"]].get(request["Key"])
        return {} if found is None else {"Item": found}

    def _BatchGetItem(self, request: Attributes) -> Attributes:  # noqa: N802
        return {
            "Responses": {
                name: [item for key in asked["Keys"] if (item := self.tables[name].get(key))]
                for name, asked in request["RequestItems"].items()
            }
        }

    def _Query(self, request: Attributes) -> Attributes:  # noqa: N802
        table = self.tables[request["TableName"]]
        expression = request["KeyConditionExpression"]
        hashed = re.match(r"#(\w+) = :(\w+)", expression)
        if hashed is None:
            raise ValueError(expression)
        values = request["ExpressionAttributeValues"]
        name = values[f":{hashed[2]}"]["S"]
        items = table.partition(name)
        if "IndexName" in request:
            bounds = {how: values[value]["S"] for how, value in _DUE.findall(expression)}
            items = table.listed(name, bounds.get(">=", ""), bounds.get("<=", "~"))
        if request.get("ScanIndexForward") is False:
            items = reversed(list(items))
        holds = _test(expression)
        return self._page(request, (each for each in items if _holds(holds, request, each)))

    def _Scan(self, request: Attributes) -> Attributes:  # noqa: N802
        items = self.tables[request["TableName"]].everything()
        if "Segment" in request:
            number, several = request["Segment"], request["TotalSegments"]
            items = (each for each in items if crc32(_first_key(each)) % several == number)
        found = self._page(request, items)
        if "FilterExpression" in request:  # it is read, and paid, all the same
            test = _test(request["FilterExpression"])
            found["Items"] = [each for each in found["Items"] if _holds(test, request, each)]
        return found

    def _DescribeTable(self, request: Attributes) -> Attributes:  # noqa: N802
        items = self.tables[request["TableName"]].everything()
        some = list(islice(items, _SOME))
        mean = sum(map(size, some)) / max(len(some), 1)
        return {"Table": {"TableSizeBytes": int(mean * (len(some) + sum(1 for _ in items)))}}

    def _page(self, request: Attributes, items: Iterator[Attributes]) -> Attributes:
        """Up to 1 MB; the rest waits under a key, since nobody writes meanwhile."""
        start = request.get("ExclusiveStartKey")
        if start is not None:
            items = self._pages.pop(start["pk"]["S"])
        page, bytes_ = [], 0
        for item in islice(items, request.get("Limit")):
            page.append(item)
            bytes_ += size(item)
            if bytes_ >= PAGE:
                token = f"page {next(self._numbers)}"
                self._pages[token] = items
                return {"Items": page, "LastEvaluatedKey": {"pk": {"S": token}}}
        return {"Items": page}

    def _PutItem(self, request: Attributes) -> Attributes:  # noqa: N802
        self._write([{"Put": request}], "ConditionalCheckFailedException", "PutItem")
        return {}

    def _UpdateItem(self, request: Attributes) -> Attributes:  # noqa: N802
        self._write([{"Update": request}], "ConditionalCheckFailedException", "UpdateItem")
        return {}

    def _DeleteItem(self, request: Attributes) -> Attributes:  # noqa: N802
        self._write([{"Delete": request}], "ConditionalCheckFailedException", "DeleteItem")
        return {}

    def _TransactWriteItems(self, request: Attributes) -> Attributes:  # noqa: N802
        self._write(request["TransactItems"], "TransactionCanceledException", "TransactWriteItems")
        return {}

    def _write(self, parts: list[Attributes], refusal: str, operation: str) -> None:
        several = [(kind, part) for each in parts for kind, part in each.items()]
        held = [self._allowed(part) for _, part in several]
        if not all(held):
            reasons = [{"Code": "None" if each else "ConditionalCheckFailed"} for each in held]
            error: Any = {"Error": {"Code": refusal, "Message": ""}, "CancellationReasons": reasons}
            raise ClientError(error, operation)
        for kind, part in several:
            table = self.tables[part["TableName"]]
            if kind == "Put":
                table.put(part["Item"])
            elif kind == "Update":
                table.put(_changed(table.get(part["Key"]) or part["Key"], part))
            elif kind == "Delete":
                table.delete(part["Key"])

    def _allowed(self, part: Attributes) -> bool:
        if "ConditionExpression" not in part:
            return True
        item = self.tables[part["TableName"]].get(part.get("Key") or part["Item"]) or {}
        return _holds(_test(part["ConditionExpression"]), part, item)


def _first_key(item: Attributes) -> bytes:
    return str((item.get("pk") or item["principal"])["S"]).encode()


def _changed(item: Attributes, request: Attributes) -> Attributes:
    """The item after SET, REMOVE and ADD."""
    names, values = (
        request["ExpressionAttributeNames"],
        request.get("ExpressionAttributeValues", {}),
    )
    after = dict(item)
    for clause in re.split(r"\s*(?=\b(?:SET|REMOVE|ADD) )", request["UpdateExpression"]):
        verb, _, rest = clause.partition(" ")
        for each in filter(None, map(str.strip, rest.split(","))):
            match verb, re.split(r"\s*=\s*|\s+", each):
                case "SET", [name, value]:
                    after[names[name]] = values[value]
                case "REMOVE", [name]:
                    after.pop(names[name], None)
                case "ADD", [name, value]:
                    after[names[name]] = _added(after.get(names[name]), values[value])
                case other:
                    raise ValueError(other)
    return after


def _added(before: Any, more: Any) -> Any:
    match before, more:
        case None, _:
            return more
        case {"N": one}, {"N": other}:
            return {"N": str(Decimal(one) + Decimal(other))}
        case {"SS": one}, {"SS": other}:
            return {"SS": sorted({*one, *other})}
        case _:
            raise TypeError((before, more))


def _holds(test: Test, request: Attributes, item: Attributes) -> bool:
    names = request.get("ExpressionAttributeNames", {})
    values = request.get("ExpressionAttributeValues", {})
    return bool(test(lambda n: _bare(item.get(names[n])), lambda v: _bare(values[v])))


def _bare(value: Any) -> Any:
    match value:
        case {"N": number}:
            return Decimal(number)
        case {"SS": texts}:
            return frozenset(texts)
        case dict():
            (bare,) = value.values()
            return bare
        case _:
            return value


@lru_cache(maxsize=10_000)
def _test(expression: str) -> Test:
    """A condition as a function of what names and values stand for."""
    words, place = [], 0
    while place < len(expression.rstrip()):
        token = _TOKEN.match(expression, place)
        if token is None:
            raise ValueError(f"{expression[place:]!r} of {expression!r} is unknown")
        words.append(_word(token))
        place = token.end()
    text = re.sub(r"(n\('#\w+'\)) between (v\(':\w+'\)) and (v\(':\w+'\))",
                  r"between(\1, \2, \3)", " ".join(words))  # fmt: skip
    text = re.sub(r"(n\('#\w+'\)) (<=|>=|<|>|==|!=) (v\(':\w+'\))", r"compare(\1, '\2', \3)", text)
    known = {**_FUNCTIONS, "between": _between, "compare": _compare}
    made: Test = eval(f"lambda n, v: {text}", known)  # noqa: S307 - made of our own words alone
    return made


def _word(token: re.Match[str]) -> str:
    if token["name"]:
        return f"n('{token['name']}')"
    if token["value"]:
        return f"v('{token['value']}')"
    if token["function"]:
        return f"{token['function']}("
    if token["op"]:
        return {"=": "==", "<>": "!="}.get(token["op"], token["op"])
    return str(token["word"] or token["other"]).lower()


def _between(one: Any, low: Any, high: Any) -> bool:
    return one is not None and low <= one <= high


def _compare(one: Any, how: str, other: Any) -> bool:
    if one is None:
        return how == "!="
    return bool({
        "<=": lambda: one <= other, ">=": lambda: one >= other, "<": lambda: one < other,
        ">": lambda: one > other, "==": lambda: one == other, "!=": lambda: one != other,
    }[how]())  # fmt: skip
