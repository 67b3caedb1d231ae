"""Deadlines as the ticket shows them: late to come, and late to follow a change. Vendor sheet 2.2.

Conditions of SLA policies, business hours and pauses are not imitated: the first policy serves every ticket, by
priority, in calendar time from the creation.
"""

from collections.abc import Iterable
from typing import Any

from adapters.freshdesk.simulator_records import Record, instant, stamp
from adapters.freshdesk.simulator_tickets import OVER, Row

NAMES = ("due_by", "fr_due_by", "nr_due_by")


def plan(row: Row, policies: Iterable[Record], now: int, lag: int, *, at_once: bool = False) -> None:
    """Work the deadlines out again; they show after `lag` seconds, unless at once."""
    settle(row, now)
    due = _worked_out(row, policies)
    if at_once:
        row.due, row.later = due, None
    elif due != row.due:
        row.later = (now + lag, due)


def settle(row: Row, now: int) -> None:
    """Let what was worked out before come to show."""
    if row.later is not None and now >= row.later[0]:
        row.due, row.later = row.later[1], None


def shown(row: Row, now: int) -> dict[str, Any]:
    """The deadlines and the escalation flags. The flags are up as soon as a deadline has passed."""
    settle(row, now)
    due = {**dict.fromkeys(NAMES), **row.due, **row.by_hand}
    over = row.json["status"] in OVER
    late = {name: at is not None and at <= now and not over for name, at in due.items()}
    texts: dict[str, Any] = {name: None if at is None else stamp(at) for name, at in due.items()}
    return texts | {
        "is_escalated": any(late.values()),
        "fr_escalated": late["fr_due_by"] and row.stats["first_responded_at"] is None,
        "nr_escalated": late["nr_due_by"],
    }


def _worked_out(row: Row, policies: Iterable[Record]) -> dict[str, int | None]:
    first = next(iter(sorted(policies, key=lambda each: each["position"])), None)
    span = (first or {}).get("sla_target", {}).get(f"priority_{row.json['priority']}")
    if span is None:
        return {}
    created = instant(row.json["created_at"])
    return {"due_by": created + span["resolve_within"], "fr_due_by": created + span["respond_within"]}
