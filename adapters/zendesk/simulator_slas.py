"""SLA targets as the `slas` sideload shows them, worked out when they are read.

A deadline passes silently: nothing is written when it does. Policies are taken in order of position and their
filter and business hours are not imitated: the first policy that has the priority serves every ticket, in
calendar minutes. `Row.targets` overrides a metric by hand.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from adapters.zendesk.simulator_records import Record, instant, stamp
from adapters.zendesk.simulator_tickets import CLOSED, Row

Target = tuple[str, int | None]


def policy_metrics(
    row: Row, policies: Iterable[Record], staff: Mapping[int, Any], now: int, lag: int
) -> list[Record]:
    """The ticket's targets; breach_at is null for `lag` seconds after an update."""
    targets = _by_policy(row, policies, staff) | row.targets
    settled = now - instant(row.json["updated_at"]) >= lag
    return [_shown(metric, stage, due, now, settled) for metric, (stage, due) in targets.items()]


def _shown(metric: str, stage: str, due: int | None, now: int, settled: bool) -> Record:
    shown: Record = {"breach_at": stamp(due) if due is not None and settled else None}
    shown |= {"stage": stage, "metric": metric}
    if due is not None and settled:
        left = due - now
        unit, size = next(
            (pair for pair in (("days", 86400), ("hours", 3600)) if abs(left) >= pair[1]), ("minutes", 60)
        )
        shown[unit] = round(left / size)
    return shown


def _by_policy(row: Row, policies: Iterable[Record], staff: Mapping[int, Any]) -> dict[str, Target]:
    priority = row.json["priority"]
    minutes: dict[str, int] = {}
    for policy in sorted(policies, key=lambda policy: policy["position"]):
        wanted = [entry for entry in policy["policy_metrics"] if entry["priority"] == priority]
        if wanted:
            minutes = {entry["metric"]: entry["target"] for entry in wanted}
            break
    targets = {}
    for metric, measure in MEASURES.items():
        if metric in minutes:
            target = measure(row, minutes[metric] * 60, staff)
            if target is not None:
                targets[metric] = target
    return targets


def _first_reply(row: Row, span: int, _: Mapping[int, Any]) -> Target | None:
    stage = "achieved" if row.metrics["replies"] else "active"
    return stage, instant(row.json["created_at"]) + span


def _next_reply(row: Row, span: int, staff: Mapping[int, Any]) -> Target | None:
    """From the oldest customer comment after the last agent reply; none before the first reply."""
    if not row.metrics["replies"]:
        return None
    waiting: int | None = None
    for comment in row.comments[1:]:
        if comment["public"] and comment["author_id"] in staff:
            waiting = None
        elif comment["public"] and waiting is None:
            waiting = instant(comment["created_at"])
    return ("achieved", None) if waiting is None else ("active", waiting + span)


def _resolution(row: Row, span: int, _: Mapping[int, Any]) -> Target | None:
    stage = "achieved" if row.json["status"] in CLOSED else "active"
    return stage, instant(row.json["created_at"]) + span


MEASURES = {
    "first_reply_time": _first_reply,
    "next_reply_time": _next_reply,
    "total_resolution_time": _resolution,
}
