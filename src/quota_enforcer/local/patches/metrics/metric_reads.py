"""ListMetrics and GetMetricData with the paging, limits and order that AWS has.

AWS: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
and https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html
The emulator lacks RecentlyActive, NextToken, ScanBy and the limits, forgets datapoints two weeks
behind real time, and answers a query without dimensions with the sum over all of them, where AWS
means the one metric that has none.
Still lacking: expressions (a query that has one is answered InternalError, as in the emulator).
"""
# ruff: noqa: SLF001 - the emulator has no public hooks; its version is pinned for that reason

from collections import defaultdict
from datetime import timedelta
from typing import Any, Final

from ministack.services import cloudwatch

from quota_enforcer import clock

METRICS_A_PAGE: Final = 500
"""Most metrics in one ListMetrics answer."""
QUERIES_A_CALL: Final = 500
"""Most queries in one GetMetricData call."""
DATAPOINTS_A_PAGE: Final = 100_800
"""Most datapoints in one GetMetricData answer, and the default of MaxDatapoints."""
RECENT: Final = timedelta(hours=3)
"""What `RecentlyActive=PT3H` means; the only value that the API knows."""
MINUTE: Final = 60


def install() -> None:
    """Replace the two reads and the eviction; other protocols than the SDK's stay as they are."""
    plain_list = cloudwatch._list_metrics
    plain_get = cloudwatch._get_metric_data

    def listed(params: Any, request: dict[str, Any], is_cbor: bool, is_json: bool = False) -> Any:  # noqa: FBT001, FBT002 - the emulator's signature
        if not (is_cbor or is_json):
            return plain_list(params, request, is_cbor, is_json)
        return _answer(_list_metrics, request, is_cbor=is_cbor)

    def data(params: Any, request: dict[str, Any], is_cbor: bool, is_json: bool = False) -> Any:  # noqa: FBT001, FBT002 - the emulator's signature
        if not (is_cbor or is_json):
            return plain_get(params, request, is_cbor, is_json)
        return _answer(_get_metric_data, request, is_cbor=is_cbor)

    cloudwatch._list_metrics = listed
    cloudwatch._get_metric_data = data
    cloudwatch._evict_old_metrics = lambda: (
        None
    )  # AWS keeps hours for 455 days: for a demo, forever


class _InvalidRequestError(ValueError):
    """A request that CloudWatch refuses."""


def _answer(operation: Any, request: dict[str, Any], *, is_cbor: bool) -> Any:
    try:
        answer = operation(request)
    except _InvalidRequestError as error:
        return cloudwatch._error(
            "ValidationError", str(error), 400, use_json=not is_cbor, use_cbor=is_cbor
        )
    if not is_cbor:
        return cloudwatch._json_ok(answer)
    if "MetricDataResults" in answer:
        answer["MetricDataResults"] = [
            cloudwatch._cbor_metric_data_result(result) for result in answer["MetricDataResults"]
        ]
    return cloudwatch._cbor_ok(answer)


def _list_metrics(request: dict[str, Any]) -> dict[str, Any]:
    wanted = [(each["Name"], each.get("Value")) for each in request.get("Dimensions") or []]
    since = None
    if (recent := request.get("RecentlyActive")) is not None:
        if recent != "PT3H":
            raise _InvalidRequestError(f"RecentlyActive {recent!r}: only PT3H is allowed")
        since = (clock.now() - RECENT).timestamp()
    found = []
    for (namespace, name, _), points in sorted(cloudwatch._metrics.items()):
        if request.get("Namespace") not in (None, "", namespace):
            continue
        if request.get("MetricName") not in (None, "", name):
            continue
        dimensions = points[0]["Dimensions"]
        if any(
            key not in dimensions or value not in (None, "", dimensions[key])
            for key, value in wanted
        ):
            continue
        if since is not None and max(point["Timestamp"] for point in points) < since:
            continue
        found.append(
            {
                "Namespace": namespace,
                "MetricName": name,
                "Dimensions": [{"Name": key, "Value": dimensions[key]} for key in dimensions],
            }
        )
    start = _position(request)
    end = start + METRICS_A_PAGE
    answer: dict[str, Any] = {"Metrics": found[start:end]}
    if end < len(found):
        answer["NextToken"] = str(end)
    return answer


def _get_metric_data(request: dict[str, Any]) -> dict[str, Any]:
    queries = request.get("MetricDataQueries") or []
    if len(queries) > QUERIES_A_CALL:
        raise _InvalidRequestError(
            f"{len(queries)} metric data queries, at most {QUERIES_A_CALL} are allowed"
        )
    start = cloudwatch._parse_ts(request["StartTime"]) // MINUTE * MINUTE
    end = cloudwatch._parse_ts(request["EndTime"])
    if start >= end:
        raise _InvalidRequestError("The parameter StartTime must be less than EndTime.")
    descending = request.get("ScanBy", "TimestampDescending") == "TimestampDescending"
    results: list[dict[str, Any]] = []
    flat: list[tuple[dict[str, Any], int, float]] = []
    for query in queries:
        if not query.get("ReturnData", True):
            continue
        result = {"Id": query["Id"], "Label": _label(query), "Timestamps": [], "Values": []}
        result["StatusCode"] = "Complete"
        results.append(result)
        if query.get("Expression"):
            result["StatusCode"] = "InternalError"
            result["Messages"] = [
                {"Code": "Unsupported", "Value": "no expressions in the emulator"}
            ]
            continue
        values = sorted(_values(query["MetricStat"], start, end), reverse=descending)
        flat.extend((result, moment, value) for moment, value in values)
    return _page(results, flat, request)


def _page(
    results: list[dict[str, Any]],
    flat: list[tuple[dict[str, Any], int, float]],
    request: dict[str, Any],
) -> dict[str, Any]:
    """One page of datapoints; a result that goes on in the next page is PartialData until then."""
    first = _position(request)
    last = first + min(int(request.get("MaxDatapoints") or DATAPOINTS_A_PAGE), DATAPOINTS_A_PAGE)
    for result, moment, value in flat[first:last]:
        result["Timestamps"].append(cloudwatch._ts_iso(moment))
        result["Values"].append(value)
    for result, _, _ in flat[last:]:
        result["StatusCode"] = "PartialData"
    answer: dict[str, Any] = {"MetricDataResults": results}
    if last < len(flat):
        answer["NextToken"] = str(last)
    return answer


def _values(stat: dict[str, Any], start: float, end: float) -> list[tuple[int, float]]:
    """The statistic of each period that has data, by the period's beginning."""
    metric = stat["Metric"]
    period = int(stat["Period"])
    if period % MINUTE:
        raise _InvalidRequestError(f"Period {period}: only multiples of {MINUTE} seconds are kept")
    dimensions = cloudwatch._dims_from_list(metric.get("Dimensions") or [])
    key = (metric["Namespace"], metric["MetricName"], cloudwatch._dims_key(dimensions))
    periods = defaultdict(list)
    for point in cloudwatch._metrics.get(key, []):
        if start <= point["Timestamp"] < end and stat.get("Unit") in (None, point["Unit"]):
            periods[int(point["Timestamp"] // period) * period].append(point)
    values = (
        (moment, cloudwatch._stat_value(cloudwatch._calc_stats(points), stat["Stat"], points))
        for moment, points in periods.items()
    )
    return [(moment, value) for moment, value in values if value is not None]


def _label(query: dict[str, Any]) -> str:
    if query.get("Label"):
        return str(query["Label"])
    return (
        str(query["MetricStat"]["Metric"]["MetricName"]) if query.get("MetricStat") else query["Id"]
    )


def _position(request: dict[str, Any]) -> int:
    token = request.get("NextToken") or "0"
    if not token.isdigit():
        raise _InvalidRequestError(f"NextToken {token!r} is not one of ours")
    return int(token)
