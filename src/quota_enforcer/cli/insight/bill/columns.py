"""The columns of a report: which kind of report it is, and what each of ours is in its words.

CUR 2.0 writes `line_item_usage_type`, the older report `lineItem/UsageType`; in CSV, maps such as
`product` are JSON.
https://docs.aws.amazon.com/cur/latest/userguide/table-dictionary-cur2.html
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from quota_enforcer.cli.terminal.errors import InvalidBill

PRINCIPAL: Final = "line_item_iam_principal"
NET: Final = "line_item_net_unblended_cost"
COST: Final = "line_item_unblended_cost"
DAY: Final = "line_item_usage_start_date"
ACCOUNT: Final = "line_item_usage_account_id"
CURRENCY: Final = "line_item_currency_code"
INVOICE: Final = "bill_invoice_id"
_NEEDED: Final = (
    DAY, ACCOUNT, "line_item_line_item_type", "line_item_product_code", "line_item_usage_type",
    "line_item_operation", "line_item_usage_amount", COST,
)  # fmt: skip
_PRODUCT: Final = "product"
_PRODUCT_NAME: Final = "product_product_name"
SWITCH_ON: Final = (
    "switch on `Include caller identity (IAM principal) allocation data` of the export (table "
    "configuration INCLUDE_IAM_PRINCIPAL_DATA), which holds from then on"
)
_FOCUS: Final = {"billedcost", "chargeperiodstart", "billed_cost", "charge_period_start"}
_HUMP: Final = re.compile(r"(?<=[a-z\d])(?=[A-Z])")
_MOST_NAMED: Final = 4


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one file: their names there, and their types, by the names of CUR 2.0."""

    names: Mapping[str, str]
    types: Mapping[str, str]
    legacy: bool

    @classmethod
    def of(cls, file: str, types: dict[str, str]) -> Self:
        """Raises InvalidBill for a file of another kind, or without a column that is needed."""
        names = {_plain(name): name for name in reversed(types)}
        if _FOCUS & {name.lower() for name in types}:
            raise InvalidBill(
                f"{file!r} is a FOCUS export: it tells neither usage types nor callers; give a "
                "Cost and Usage Report 2.0 (Data Exports, table COST_AND_USAGE_REPORT)"
            )
        missing = [name for name in _NEEDED if name not in names]
        if len(missing) == len(_NEEDED):
            seen = ", ".join(list(types)[:_MOST_NAMED])
            raise InvalidBill(
                f"{file!r} is no Cost and Usage Report: its columns are {seen[:200]}...; give an "
                "export of Data Exports, table COST_AND_USAGE_REPORT (CUR 2.0)"
            )
        if _PRODUCT not in names and _PRODUCT_NAME not in names:
            missing.append(_PRODUCT)
        if missing:
            raise InvalidBill(
                f"{file!r} has no column {' and no column '.join(missing)}: add it to the "
                "export's query (Data Exports, Edit, Column selection) and wait for the next "
                "delivery"
            )
        legacy = any("/" in name for name in types)
        return cls(names, {_plain(name): kind for name, kind in types.items()}, legacy)

    def has(self, name: str) -> bool:
        return name in self.names

    def text(self, name: str) -> str:
        """An SQL expression for a column's text; empty where it has none."""
        if name not in self.names:
            return "''"
        return f"coalesce(trim(CAST({_quoted(self.names[name])} AS VARCHAR)), '')"

    def product(self, key: str) -> str:
        """An SQL expression for a value of `product`, which is a map, JSON, or several columns."""
        alone = self.text(f"product_{key}")
        if _PRODUCT not in self.names:
            return alone
        column = _quoted(self.names[_PRODUCT])
        kind = self.types[_PRODUCT]
        if kind.startswith("MAP"):
            inner = f"{column}['{key}']"
        elif kind.startswith("STRUCT"):
            inner = f"struct_extract({column}, '{key}')" if f'"{key}"' in kind else "NULL"
        else:
            inner = f"TRY(json_extract_string({column}, '$.{key}'))"
        return f"coalesce(nullif({alone}, ''), trim(CAST({inner} AS VARCHAR)), '')"


def _plain(name: str) -> str:
    """`lineItem/UsageType` as `line_item_usage_type`."""
    return _HUMP.sub("_", name.strip().replace("/", "_")).lower()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
