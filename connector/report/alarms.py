"""Alarms on figures: whether one crossed its limit, read over a window that ends now, and said once.

The decision is pure. What an alarm last stood at is kept with the message in one transaction, so that neither a
restart nor a second process says a crossing twice.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC
from typing import Literal

import structlog
from sqlalchemy import Connection

from connector.report.cases import Frame, People, Period
from connector.report.figures import BEGUN, ESCALATED, FIRED, MEASURES, Figure, chosen, percent, span
from connector.report.metrics import about_escalations, figures
from connector.report.report import known, marked, read
from connector.store import accounts, codec, ledger, notices, reported
from connector.store.database import Store, advisory_lock
from connector.store.ledger import LedgerEntry
from connector.store.notices import Notice
from connector.work.context import Rules
from policies.model import Instant, Seconds, TicketRef, spell

log = structlog.get_logger()

OF_A_POLICY = frozenset(key for key, each in MEASURES.items() if each.cohort in (BEGUN, ESCALATED, FIRED)) - {
    "cause_coverage",
    "moved_dead_time",
} | {"escalation_rate"}
"""The figures that an alarm on one policy may watch."""

Stands = Literal["over", "well"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """What is watched. One of `over` and `under` is set: a share from 0 to 1, a count, levels or seconds; the limit
    itself is well. `within` and `every` are seconds. An empty cut means everything."""

    name: str
    figure: str
    within: Seconds
    every: Seconds
    notify: tuple[str, ...]
    over: float | None = None
    under: float | None = None
    account: str = ""
    team: str = ""
    policy: str = ""

    @property
    def measured(self) -> str:
        """What it measures; where this differs from what was kept, the alarm is a new one."""
        return "\n".join((self.figure, self.account, self.team, self.policy, str(self.within)))

    def beyond(self, value: float) -> bool:
        """Whether a value is on the wrong side of the limit."""
        if self.over is not None:
            return value > self.over
        return self.under is not None and value < self.under


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What an alarm stood at when it was last looked at. `value` is None where it was unknown then; `stands` is None
    as long as it was never known."""

    measured: str
    stands: Stands | None = None
    value: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What is to be kept, and the crossing to be told, if there is one."""

    kept: Kept
    crossed: Stands | None


def decide(alarm: Alarm, before: Kept | None, value: float | None) -> Outcome:
    """An unknown value keeps what was and says nothing. The first known one is told only if it is over. Pure."""
    was = before.stands if before is not None and before.measured == alarm.measured else None
    if value is None:
        return Outcome(kept=Kept(measured=alarm.measured, stands=was), crossed=None)
    stands: Stands = "over" if alarm.beyond(value) else "well"
    kept = Kept(measured=alarm.measured, stands=stands, value=value)
    return Outcome(kept=kept, crossed=stands if stands != (was or "well") else None)


def told(alarm: Alarm, figure: Figure, crossed: Stands) -> tuple[str, str]:
    """The title and text of the message for a crossing."""
    limit = alarm.over if alarm.over is not None else alarm.under
    side = "over" if alarm.over is not None else "under"
    now, bound = (_said(figure, each) for each in (figure.value, limit))
    cut = [
        f"{word} {name}"
        for word, name in (("account", alarm.account), ("team", alarm.team), ("policy", alarm.policy))
        if name
    ]
    where = f", {', '.join(cut)}" if cut else ""
    title = f"{alarm.name}: {now}" if crossed == "over" else f"{alarm.name}: well again, {now}"
    verdict = f"is {side} the limit of {bound}" if crossed == "over" else f"is no longer {side} {bound}"
    of = f" of {figure.n}" if figure.measure.unit in ("share", "seconds", "levels") else ""
    sentence = f"{figure.measure.name} in the last {spell(alarm.within)}{where}: {now}{of} {verdict}."
    return title, "\n".join((sentence, *figure.notes))


def _said(figure: Figure, value: float | None) -> str:
    if value is None:
        return "-"
    match figure.measure.unit:
        case "share":
            return percent(value)
        case "seconds":
            return span(value)
        case _:
            return f"{value:g}"


def measure(connection: Connection, alarm: Alarm, rules: Rules, now: Instant) -> Figure | None:
    """The alarm's figure over its window, as the report counts it; None where the cut has no such figure. It only
    reads."""
    frame = Frame(
        period=Period.ending(now, alarm.within, UTC),
        now=now,
        policies=rules.policies,
        calendars=rules.calendars,
        business=None,
    )
    only = frozenset({alarm.account}) if alarm.account else None
    names = only or frozenset(reported.accounts_seen(connection))
    people = {name: People.of(known(connection, name)) for name in names}
    picked = chosen(tuple(read(connection, frame, people, only)))
    cases = tuple(case for case in picked.cases if alarm.team in ("", case.group))
    found: Iterable[Figure] = (
        about_escalations(cases, frame, lambda _, each: each.policy, alarm.policy)
        if alarm.policy
        else figures(cases, frame)
    )
    return next((each for each in marked(found, picked.hypothetical) if each.key == alarm.figure), None)


def kept_of(connection: Connection, name: str) -> tuple[Kept, Instant] | None:
    """What the alarm last stood at and when it was looked at; None before its first look."""
    value = accounts.read_cursor(connection, "", f"alarm {name}")
    at = accounts.cursor_updated(connection, "", f"alarm {name}")
    return None if value is None or at is None else (codec.load(Kept, value), at)


def look_at_alarms(store: Store, alarms: Iterable[Alarm], rules: Rules, now: Instant) -> None:
    """Measure each whose time is there, and plan a message for a crossing. A clock that was set back makes it due."""
    for alarm in alarms:
        with store.reading() as connection:
            if not is_due(alarm, kept_of(connection, alarm.name), now):
                continue
            figure = measure(connection, alarm, rules, now)
        with store.writing() as connection:
            advisory_lock(connection, "alarms")
            last = kept_of(connection, alarm.name)
            if is_due(alarm, last, now):  # else another process was here meanwhile
                settle(connection, alarm, last and last[0], figure, now)


def is_due(alarm: Alarm, last: tuple[Kept, Instant] | None, now: Instant) -> bool:
    """Whether it is to be measured again; at once where it measures something else by now."""
    return last is None or last[0].measured != alarm.measured or not 0 <= now - last[1] < alarm.every


def settle(
    connection: Connection, alarm: Alarm, before: Kept | None, figure: Figure | None, now: Instant
) -> None:
    """Keep what it stands at, with the ledger's line and the notices of a crossing."""
    outcome = decide(alarm, before, None if figure is None else figure.value)
    value = codec.dump(Kept, outcome.kept)
    accounts.save_cursor(connection, "", f"alarm {alarm.name}", value, now)
    if figure is None or outcome.crossed is None:
        return
    title, body = told(alarm, figure, outcome.crossed)
    what = "alarm" if outcome.crossed == "over" else "alarm over"
    line = LedgerEntry(at=now, account=alarm.account, ticket="", policy=alarm.policy, what=what, text=title)
    ledger.append(connection, [line])
    for channel in alarm.notify:
        notice = Notice(
            key=f"alarm:{alarm.name}:{now}:notify:{channel}",
            channel=channel,
            ref=TicketRef(alarm.account, ""),
            episodes=frozenset(),
            policy=alarm.policy,
            level="",
            title=title,
            body=body,
        )
        notices.plan(connection, notice, now)
    log.warning("alarm", alarm=alarm.name, stands=outcome.crossed, value=figure.value)
