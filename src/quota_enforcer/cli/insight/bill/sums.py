"""How the rows of a Cost and Usage Report become sums: one SQL statement for each file.

Money is read as text and summed as decimals, so that no dollar passes through a float.
"""

from typing import Final

from quota_enforcer.cli.insight.bill.columns import (
    ACCOUNT,
    COST,
    CURRENCY,
    DAY,
    INVOICE,
    NET,
    PRINCIPAL,
    Columns,
)

_MONEY: Final = "DECIMAL(38,15)"
_AMOUNT: Final = "DECIMAL(38,12)"
CHARGED: Final = (
    "kind", "product_code", "product_name", "model", "feature", "usage_type", "operation", "unit",
)  # fmt: skip
KEYS: Final = ("day", "account", "region", "principal", *CHARGED)
TABLE: Final = (
    f"CREATE TEMP TABLE lines (day DATE, {', '.join(f'{key} VARCHAR' for key in KEYS[1:])}, "
    f"fault VARCHAR, seen VARCHAR, amount {_AMOUNT}, cost {_MONEY}, rows BIGINT, "
    "estimated BIGINT, first DATE, newest DATE)"
)


def summed(relation: str, columns: Columns, *, net: bool) -> str:
    """The statement that sums up a file.

    Rows of other services are one sum, and only a count of them is kept. Of a role's ARN the
    session is taken off, since there may be one for each run; that of a person stays.
    """
    arn = columns.text(PRINCIPAL)
    unsplit = f"contains({arn}, ':assumed-role/') AND NOT contains({arn}, 'AWSReservedSSO_')"
    principal = (
        f"CASE WHEN {unsplit} THEN regexp_replace({arn}, '(:assumed-role/[^/]+)/.*$', '\\1/-') "
        f"ELSE {arn} END"
    )
    after = _decimal(columns.text(NET), _MONEY) if net else "NULL"
    code = columns.text("product_region_code")
    region = f"coalesce(nullif({code}, ''), {columns.product('region')})"
    currency = columns.text(CURRENCY) if columns.has(CURRENCY) else "'USD'"
    estimated = f"{columns.text(INVOICE)} = ''" if columns.has(INVOICE) else "false"
    text = {
        "account": columns.text(ACCOUNT),
        "region": region,
        "principal": principal,
        "kind": columns.text("line_item_line_item_type"),
        "product_code": columns.text("line_item_product_code"),
        "product_name": columns.product("product_name"),
        "model": columns.product("model"),
        "feature": columns.product("feature"),
        "usage_type": columns.text("line_item_usage_type"),
        "operation": columns.text("line_item_operation"),
        "unit": columns.text("pricing_unit"),
    }
    named = ", ".join(f"{expression} AS {name}" for name, expression in text.items())
    kept = "CASE WHEN wrong = '' THEN {0} ELSE '' END AS {0}_"
    keys = ", ".join(kept.format(key) for key in KEYS[1:])
    amount = columns.text("line_item_usage_amount")
    # The net cost of usage has its discounts in it, so their own lines would count twice.
    cost = "unblended"
    if net and columns.has(NET):
        cost = (
            "coalesce(net, CASE WHEN ends_with(lower(kind), 'discount') THEN 0 ELSE unblended END)"
        )
    return f"""
        WITH named AS (
            SELECT {named}, {columns.text(DAY)} AS day_text, {columns.text(COST)} AS cost_text,
                TRY_CAST({columns.text(DAY)} AS TIMESTAMPTZ)::DATE AS utc_day,
                {columns.text("product_product_family")} AS family,
                {_decimal(f"coalesce(nullif({amount}, ''), '0')", _AMOUNT)} AS units,
                {_decimal(columns.text(COST), _MONEY)} AS unblended, {after} AS net,
                {currency} AS currency, {estimated} AS is_estimated
            FROM {relation}
        ), priced AS (
            SELECT *, {cost} AS usd,
                contains(lower(product_code), 'bedrock') OR contains(lower(product_name), 'bedrock')
                OR family = 'Amazon Bedrock' OR principal <> ''
                OR starts_with(operation, 'InvokeModel') AS ours
            FROM named
        ), judged AS (
            SELECT *, CASE
                WHEN NOT ours THEN '-'
                WHEN utc_day IS NULL THEN 'no day in {DAY}'
                WHEN usd IS NULL THEN 'no number in {COST}'
                WHEN units IS NULL THEN 'no number in line_item_usage_amount'
                WHEN currency <> 'USD' THEN 'not in US dollars'
                ELSE '' END AS wrong
            FROM priced
        )
        SELECT CASE WHEN wrong = '' THEN utc_day END AS day, {keys}, wrong AS fault,
            min(CASE WHEN wrong NOT IN ('', '-')
                THEN concat_ws(' ', day_text, currency, cost_text) END) AS seen,
            sum(CASE WHEN ours THEN units END), sum(CASE WHEN ours THEN usd END), count(*),
            count(*) FILTER (WHERE ours AND is_estimated), min(utc_day), max(utc_day)
        FROM judged GROUP BY day, {", ".join(f"{key}_" for key in KEYS[1:])}, wrong
    """  # noqa: S608 - names of columns are quoted, and all values are the file's


def _decimal(text: str, kind: str) -> str:
    return f"TRY_CAST({text} AS {kind})"
