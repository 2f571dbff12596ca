"""What reads of a log group say, where the emulator differs from AWS.

- FilterLogEvents gives at most 10,000 events and a token for the next; the emulator ends there.
- A stream that does not exist is an error, not an empty answer.
- Events older than the log group's retention are gone.
  https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
- Logs Insights knows the fields of a record that is JSON by their paths; the emulator its own only.
- A log group that CloudFormation makes is dated with the simulated clock, like all others.
"""
# ruff: noqa: SLF001 - the emulator has no public hooks; its version is pinned for that reason

import json
from datetime import timedelta
from typing import Any, Final

from ministack.services import cloudwatch_logs

from quota_enforcer import clock

PAGE: Final = 10_000
"""Events in one answer of FilterLogEvents."""
_FOREVER: Final = 2**62


def install() -> None:
    """Answer as AWS does from now on."""
    from ministack.services.cloudformation import provisioners  # noqa: PLC0415 - they load all services

    plain = cloudwatch_logs._filter_log_events
    made = provisioners._RESOURCE_HANDLERS["AWS::Logs::LogGroup"]
    plain_create = made["create"]

    def filtered(request: dict[str, Any]) -> Any:
        group = cloudwatch_logs._log_groups.get(cloudwatch_logs._resolve_log_group_name(request))
        return plain(request) if group is None else _filtered(request, group)

    def create(*arguments: Any) -> Any:
        name, attributes = plain_create(*arguments)
        cloudwatch_logs._log_groups[name]["creationTime"] = _milliseconds()
        return name, attributes

    cloudwatch_logs._filter_log_events = filtered
    cloudwatch_logs._row_from_record = row
    made["create"] = create


def row(record: dict[str, Any], fields: list[str]) -> list[dict[str, str]]:
    """One result of a query; a field that the record has not is left out."""
    public = cloudwatch_logs._public_log_record(record)
    try:
        said = json.loads(public.get("@message", ""))
    except ValueError:
        said = None
    found = {name: public.get(name, _inside(said, name)) for name in fields}
    return [{"field": name, "value": str(value)} for name, value in found.items() if value != ""]


def _inside(record: Any, path: str) -> Any:
    """Empty where there is nothing, or no plain value."""
    for name in path.split("."):
        record = record.get(name) if isinstance(record, dict) else None
    return "" if record is None or isinstance(record, dict | list) else record


def _filtered(request: dict[str, Any], group: dict[str, Any]) -> Any:
    names = request.get("logStreamNames") or list(group["streams"])
    if not set(names) <= set(group["streams"]):
        return cloudwatch_logs.error_response_json(
            "ResourceNotFoundException", "The specified log stream does not exist.", 400
        )
    wanted = cloudwatch_logs._compile_filter_pattern(request.get("filterPattern", ""))
    first, last = max(request.get("startTime") or 0, _kept_since(group)), request.get("endTime")
    with cloudwatch_logs._log_events_lock:
        found = [
            event | {"logStreamName": name}
            for name in names
            for event in group["streams"][name]["events"]
            if first <= event["timestamp"] <= (_FOREVER if last is None else last)
            and wanted(event["message"])
        ]
    found.sort(key=lambda event: event["timestamp"])
    begin = int(request.get("nextToken") or 0)
    end = begin + min(request.get("limit") or PAGE, PAGE)
    answer: dict[str, Any] = {"events": found[begin:end], "searchedLogStreams": []}
    if end < len(found):
        answer["nextToken"] = str(end)
    return cloudwatch_logs.json_response(answer)


def _kept_since(group: dict[str, Any]) -> int:
    days = group.get("retentionInDays")
    return _milliseconds() - timedelta(days=days) // timedelta(milliseconds=1) if days else 0


def _milliseconds() -> int:
    return int(clock.now().timestamp() * 1000)
