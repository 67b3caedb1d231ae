"""The command `report`: every figure of a period, from what is kept. It only reads, also while the service runs."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from connector.cli.common import (
    CONFIG,
    Config,
    echo,
    give_up,
    loaded_with_directory,
    opened,
    put_out,
    refuse,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

    from connector.config.settings import Settings
    from connector.report.report import Report
    from policies.language.policy import PolicySet
    from policies.rules.calendars import Calendar


Format = Literal["text", "json", "csv", "html", "markdown"]

app = typer.Typer()


@app.command()
def report(
    first: Annotated[str, typer.Option("--from", metavar="DATE", help="The first day: 2026-03-01.")],
    last: Annotated[str, typer.Option("--to", metavar="DATE", help="The last day, included.")],
    account: Annotated[
        list[str] | None,
        typer.Option("--account", metavar="NAME", help="This account only; may be repeated."),
    ] = None,
    timezone: Annotated[
        str | None,
        typer.Option("--timezone", metavar="PLACE", help="Whose days; the calendar's, else UTC."),
    ] = None,
    calendar: Annotated[
        str | None,
        typer.Option("--calendar", metavar="NAME", help="Business times; not needed if there is one only."),
    ] = None,
    trend: Annotated[
        Literal["day", "week", "month"] | None, typer.Option("--trend", help="By length if not given.")
    ] = None,
    reopened_within: Annotated[
        str, typer.Option("--reopened-within", metavar="TIME", help="How long a reopening counts.")
    ] = "7d",
    kind: Annotated[Format, typer.Option("--format", help="How it is written.")] = "text",
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="Write there, not to the terminal.")
    ] = None,
    config: Config = CONFIG,
) -> None:
    """Report on escalations, times, quality and SLA targets of a period."""
    from connector.clock import SystemClock
    from connector.config.holidays import calendars
    from connector.report.period import period_asked
    from connector.report.report import report as made
    from connector.work.context import Rules
    from policies.model import seconds

    settings, policies, lacks = what_is_readable(config)
    now = SystemClock().now()
    rules = Rules(policies=policies, calendars=calendars(policies, now), first_ran={})
    strangers = [name for name in account or () if name not in settings.accounts]
    if strangers:
        give_up(f"there is no account {strangers[0]}; there are {', '.join(settings.accounts)}")
    try:
        business = business_calendar(calendar, rules.calendars)
        period = period_asked(first, last, zone(timezone, business))
        window = seconds(reopened_within)
    except ValueError as error:
        give_up(str(error))
    with opened(config) as store, store.reading() as connection:
        done = made(
            connection,
            period,
            rules=rules,
            now=now,
            accounts=frozenset(account) if account else None,
            business=business,
            grain=trend,
            window=window,
        )
    put_out(written(replace(done, notes=(*lacks, *done.notes)), kind), output)


def what_is_readable(config: Path) -> "tuple[Settings, PolicySet, tuple[str, ...]]":
    """The config for a look back, which needs no policies without errors; where they have some, what is left out is
    said, and answered as a note for the report."""
    from connector.config.settings import without_errors
    from policies.language.document import listed

    loaded = loaded_with_directory(config, names=False)
    if loaded.settings is None:
        refuse(config, loaded)
    if loaded.policies is not None:
        return loaded.settings, loaded.policies, ()
    policies, left_out = without_errors(loaded)
    lacks = f"The present policies have errors (`uptier check`). Left out of this report: {listed(left_out, 'and')}."
    echo(lacks, err=True)
    return loaded.settings, policies, (lacks,) if left_out else ()


def business_calendar(name: str | None, known: "Mapping[str, Calendar]") -> "Calendar | None":
    """The calendar that is named, else the only one there is. ValueError if there is no such calendar."""
    if name is None:
        return next(iter(known.values())) if len(known) == 1 else None
    if name not in known:
        raise ValueError(
            f'--calendar: there is no calendar "{name}"; there are: {", ".join(known) or "none"}'
        )
    return known[name]


def zone(name: str | None, business: "Calendar | None") -> "tzinfo":
    """The timezone that is named, else the calendar's, else UTC. ValueError if there is no such place."""
    from connector.report.period import zone_asked

    if name is None and business is not None:
        return business.timezone
    try:
        return zone_asked(name or "UTC")
    except ValueError as error:
        raise ValueError(f"--timezone: {error}") from None


def written(done: "Report", kind: Format) -> str:
    """The report in this form."""
    from connector.report.page import as_html
    from connector.report.written import as_csv, as_json, as_markdown, as_text

    forms = {"text": as_text, "json": as_json, "csv": as_csv, "html": as_html, "markdown": as_markdown}
    return forms[kind](done)
