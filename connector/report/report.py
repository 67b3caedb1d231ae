"""Making a report: one reading transaction, then figures, cuts, tables and advice from values."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from connector.report.build_case import case_of
from connector.report.cases import WINDOW, Case, Frame, Grain, People, Period, grain_of
from connector.report.figures import BEGUN, ESCALATED, FIRED, Chosen, Figure, chosen, created
from connector.report.metrics import (
    Bar,
    Bucket,
    Cut,
    causes,
    cuts,
    figures,
    heat,
    pareto,
    policies_of,
    trend,
)
from connector.report.movement import Stage, stages
from connector.report.recommendations import Advice, loaded_share, review
from connector.store import accounts, reported
from connector.work.context import Rules
from policies.model import Directory, Instant, Seconds
from policies.rules.calendars import Calendar

WOULD_HAVE = "nothing was enforced: this is what policies in observe would have done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report. `hypothetical` says that nothing was enforced, so that escalations are what would have happened.

    `tickets` are those created in the period. `notes` say what the data does not allow and what was left out of all
    figures. `heat` has seven rows from Monday with 24 hours each, in the period's timezone.
    """

    period: Period
    made: Instant
    accounts: tuple[str, ...]
    calendar: str
    hypothetical: bool
    tickets: int
    figures: tuple[Figure, ...]
    cuts: tuple[Cut, ...]
    causes: tuple[Bar, ...]
    policies: tuple[Bar, ...]
    stages: tuple[Stage, ...]
    grain: Grain
    trend: tuple[Bucket, ...]
    heat: tuple[tuple[int, ...], ...]
    advice: tuple[Advice, ...]
    notes: tuple[str, ...]

    @property
    def made_at(self) -> str:
        """When it was made, in the period's timezone."""
        return datetime.fromtimestamp(self.made, self.period.timezone).strftime("%Y-%m-%d %H:%M")


def report(
    connection: Connection,
    period: Period,
    *,
    rules: Rules,
    now: Instant,
    accounts: frozenset[str] | None = None,
    business: Calendar | None = None,
    grain: Grain | None = None,
    window: Seconds = WINDOW,
) -> Report:
    """The report of a period. It only reads, in the transaction of `connection`; `now` ends what still runs.

    `accounts` None means all. `business` is the calendar of business times; `window` is how long after a solving, in
    seconds, a reopening counts.
    """
    names = accounts or frozenset(reported.accounts_seen(connection))
    frame = Frame(
        period=period,
        now=now,
        policies=rules.policies,
        calendars=rules.calendars,
        business=business,
        window=window,
    )
    people = {name: People.of(known(connection, name)) for name in sorted(names)}
    cases = tuple(read(connection, frame, people, accounts))
    lost = reported.forgotten(connection, period.begin, period.end, accounts)
    return of_cases(cases, frame, tuple(sorted(names)), lost, grain)


def known(connection: Connection, account: str) -> Directory | None:
    """The account's directory as last read."""
    found = accounts.read_directory(connection, account)
    return None if found is None else found.directory


def read(
    connection: Connection, frame: Frame, people: Mapping[str, People], accounts: frozenset[str] | None
) -> Iterator[Case]:
    """One case a ticket; the ticket itself is let go at once."""
    nobody = People.of(None)
    for kept in reported.tickets(connection, frame.period.begin, accounts):
        yield case_of(kept, frame, people.get(kept.ticket.ref.account, nobody))


def of_cases(
    cases: tuple[Case, ...], frame: Frame, accounts: tuple[str, ...], forgotten: int, grain: Grain | None
) -> Report:
    """The report of these cases. Pure."""
    picked = chosen(cases)
    some = picked.cases
    whole = tuple(marked(figures(some, frame), picked.hypothetical))
    parts = tuple(
        replace(cut, figures=tuple(marked(cut.figures, picked.hypothetical))) for cut in cuts(some, frame)
    )
    by_policy, by_stage = pareto(policies_of(some, frame)), stages(some, frame)
    by_key = {each.key: each for each in whole}
    step = grain or grain_of(frame.period)
    return Report(
        period=frame.period,
        made=frame.now,
        accounts=accounts,
        calendar=frame.business.name if frame.business else "",
        hypothetical=picked.hypothetical,
        tickets=len(created(some, frame)),
        figures=whole,
        cuts=parts,
        causes=pareto(causes(some, frame)),
        policies=by_policy,
        stages=by_stage,
        grain=step,
        trend=trend(some, frame, step),
        heat=heat(some, frame),
        advice=review(some, frame, by_key, parts, by_policy, by_stage),
        notes=tuple(notes(picked, frame, forgotten)),
    )


NO_CALENDAR = "No business times: there is no calendar, or several."
"""A note; whoever is told it knows where to name one."""


def marked(some: Iterable[Figure], hypothetical: bool) -> Iterator[Figure]:
    """Figures about escalations say so if they never happened."""
    for each in some:
        about = each.measure.cohort in (ESCALATED, BEGUN, FIRED) or each.measure.key == "escalation_rate"
        yield replace(each, notes=(WOULD_HAVE, *each.notes)) if hypothetical and about else each


def notes(picked: Chosen, frame: Frame, forgotten: int) -> Iterator[str]:
    """What holds for the report as a whole."""
    if picked.hypothetical:
        yield f"Would have: {WOULD_HAVE}."
    if picked.observed:
        yield f"Tickets with levels in observe only, which are not counted: {picked.observed}."
    loaded, everything = loaded_share(picked.cases, frame)
    if loaded < everything:
        yield (
            f"Tickets without history: {everything - loaded} of {everything}. No policy asked for it, so what needs it "
            "leaves them out."
        )
    if frame.business is None:
        yield NO_CALENDAR
    if forgotten:
        yield f"Escalated tickets that are forgotten ([service.retention]) and not counted: {forgotten}."
    yield "Message texts are not kept, so a customer's thanks cannot be told from a reopening."
    yield "A ticket that the helpdesk changed after Uptier last read its history is counted as it was then."
