"""The commands about what policies say and do: `schema`, `fields`, `test`, `policies`, `drill`, `matrix`, `cards` and
`report`. They only read, but for `test --accept`."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from connector.cli.common import (
    CONFIG,
    NEEDS_HUMAN,
    PEOPLE,
    POLICIES,
    RECORDS,
    AsRows,
    AsText,
    Config,
    Listing,
    Output,
    RowsFormat,
    TextFormat,
    TheseAccounts,
    checked,
    complete_account,
    database_of,
    echo,
    give_up,
    json_text,
    last_directories,
    loaded_with_directory,
    opened,
    put_bytes,
    put_forms,
    put_json,
    put_out,
    put_rows,
    put_text,
    refuse,
    secrets_beside_trouble,
    stamp,
    ticket_ref,
)
from connector.render import many

if TYPE_CHECKING:
    from datetime import tzinfo

    from connector.app.canary import ChangedResult
    from connector.config.settings import Settings
    from policies.language.document import Document
    from policies.language.policy import PolicySet
    from policies.policy_tests import PolicyTest
    from policies.present.matrix import Matrix
    from policies.rules.calendars import Calendar


app = typer.Typer()


@app.command(rich_help_panel=POLICIES)
def schema(how: AsText = "text") -> None:
    """Print the JSON Schema of the config and policy files, for your editor: a key a line, or all on one line."""
    from connector.fields_page import whole

    put_json(whole(), indent=2 if how == "text" else None)


@app.command(rich_help_panel=POLICIES)
def fields(
    words: Annotated[
        bool,
        typer.Option("--words", help="Every other word of the language; as `md` the page docs/words.md."),
    ] = False,
    how: AsRows = "table",
) -> None:
    """List what a condition can ask, and where each helpdesk keeps it; as `md` the page docs/mapping.md."""
    from connector import fields_page
    from connector.config.values import vendors

    if how == "md":
        echo(*(fields_page.words() if words else fields_page.as_markdown(vendors())))
        return
    if words:
        rows = [
            (section.title, row[0], "; ".join(row[1:]))
            for section in fields_page.sections()
            for row in section.rows
        ]
        put_rows(Listing(title="Words", head=("about", "word", "meaning"), rows=rows), how)
        return
    every = fields_page.as_rows(vendors())
    found = Listing(
        title="What a condition can ask",
        head=("field", "kind", "meaning", "values", "operators", "helpdesk", "where", "lost"),
        rows=[
            (
                one["name"],
                one["kind"],
                one["meaning"],
                ", ".join(one["choices"]),
                ", ".join(one["operators"]),
                name,
                source["where"],
                source["lossy"],
            )
            for one in every
            for name, source in (one["helpdesks"] or {"": {"where": "", "lossy": ""}}).items()
        ],
        value=every,
        lines=tuple(fields_page.as_text(vendors())),
    )
    put_rows(found, how)


@app.command("test", rich_help_panel=POLICIES)
def play_tests(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILE]…", help="Tests; without, every *.test.toml beside config and policies."
        ),
    ] = None,
    record: Annotated[
        str | None,
        typer.Option(
            "--record",
            metavar="ACCOUNT/ID",
            help="Print a test made from this ticket instead, without its words.",
        ),
    ] = None,
    output: Output = None,
    accept: Annotated[
        bool,
        typer.Option("--accept", help="Take what comes of all of them for right, for the running service."),
    ] = False,
    config: Config = CONFIG,
    how: AsText = "text",
) -> None:
    """Play the tests of the policies: tickets' lives, and what must fire when. No helpdesk is asked."""
    from connector.config.files import find_tests, read_file
    from connector.config.settings import play_tests, policy_tests_in
    from policies.policy_tests import reported

    if record is not None:
        made = recorded(record, config)
        put_out(made if how == "text" else json_text({"test": made}), output)
        return
    loaded = loaded_with_directory(config, names=False)
    if loaded.settings is None or loaded.policies is None:
        refuse(config, loaded)
    meant = tuple(map(read_file, files)) if files else find_tests(config)
    if accept and files:
        give_up("--accept goes with all tests; leave the files out")
    if not meant and not accept:
        give_up(
            f"there is no *.test.toml beside {config} or its policies; docs/policy-tests.md says how to write one"
        )
    tests, problems = policy_tests_in(meant, loaded.settings, loaded.policies)
    for problem in problems:
        echo(str(problem), err=True)
    if any(problem.severity == "error" for problem in problems):
        give_up("nothing was played; correct these lines first")
    results = play_tests(tests, loaded.policies)
    failed = [each for each in results if not each.passed]
    if how == "json":
        put_json({"tests": [each.as_row() for each in results]})
    else:
        echo(*(line for each in failed for line in reported(each)))
        echo(f"{many(len(results), 'test')}, {f'{len(failed)} failed' if failed else 'all as expected'}")
    if accept:
        echo(*accepted(loaded.settings, loaded.policies, tests), err=how == "json")
    if failed:
        raise typer.Exit(NEEDS_HUMAN)


def accepted(settings: "Settings", policies: "PolicySet", tests: "tuple[PolicyTest, ...]") -> Iterator[str]:
    """Take what comes of these tests, and of the lives made for policies without one, for right; says what was other
    before. A test that fails is corrected instead."""
    from getpass import getuser

    from connector.app.canary import results
    from connector.clock import SystemClock
    from connector.store import played

    found, failed = results(tests, policies, settings.accounts)
    now = SystemClock().now()
    with closing(database_of(settings)) as store, store.writing() as connection:
        played.keep(connection, found, now)
        others = played.accept(connection, getuser(), now)
        right = [
            each for each in played.every(connection) if not each.played.why and each.accepted is not None
        ]
    yield from (f'{each.played.kind} "{each.played.name}": {each.difference}' for each in others)
    yield f"accepted: {many(len(right), 'result')}, {len(others)} of them other than before" + (
        f"; not {many(len(failed), 'test')} that failed" if failed else ""
    )


def told_changes(others: "Sequence[ChangedResult]") -> Iterator[str]:
    """What comes of tests and made lives otherwise than was accepted, and how it is accepted."""
    yield from map(str, others)
    if others:
        yield "If that is meant, `uptier test --accept` takes it for right."


@app.command("policies", rich_help_panel=POLICIES)
def list_policies(config: Config = CONFIG, how: AsRows = "table") -> None:
    """List when each policy was last evaluated, matched a ticket and fired, how it is tested, and what to see to."""
    from connector.app.canary import Canary, changed_results, failed_tests

    settings, policies = checked(config)
    with opened(config) as store, store.reading() as connection:
        every = Canary().health_of(connection, policies, settings.accounts)
        failed, others = failed_tests(connection), changed_results(connection)
    said = (
        *(f'test "{each.name}" ({each.place}) fails: {each.why}' for each in failed),
        *told_changes(others),
    )
    found = Listing(
        title="Policies",
        head=("policy", "evaluated", "matched", "fired", "played by", "to be seen to"),
        rows=[
            (
                each.name,
                *(
                    "never" if at is None else stamp(at)[:16]
                    for at in (each.evaluated, each.matched, each.fired)
                ),
                each.tested or "not yet",
                each.note,
            )
            for each in every
        ],
        value={
            "policies": [{**asdict(each), "note": each.note} for each in every],
            "failed_tests": [asdict(each) for each in failed],
            "changed_results": [asdict(each) for each in others],
        },
        said=said,
    )
    put_rows(found, how)


@app.command(rich_help_panel=POLICIES)
def drill(
    played: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SCENARIO]",
            help="One of those that are listed without it, or a file of yours; with --archive the tickets.",
        ),
    ] = None,
    archive: Annotated[
        Path | None,
        typer.Option(
            "--archive", metavar="FILE", help="Play tickets of this archive, all of them if none is named."
        ),
    ] = None,
    account: Annotated[
        str | None,
        typer.Option(
            "--account",
            metavar="NAME",
            help="Whose policies; the first if not given.",
            autocompletion=complete_account,
        ),
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(
            "--group", metavar="GROUP", help="Where its tickets come in; the first that has a lead."
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at", metavar="TIME", help='When it begins, such as "2026-12-24 15:00"; its own if not given.'
        ),
    ] = None,
    output: Output = None,
    config: Config = CONFIG,
    how: Annotated[
        Literal[TextFormat, "html"], typer.Option("--format", help="How it is printed; `html` is a page.")
    ] = "text",
) -> None:
    """Play a bad hour, or archived tickets, through your policies on a simulated helpdesk: who would be called when,
    and what they would read. Nothing real is reached."""
    from connector import drill as stage
    from connector.config.settings import load
    from policies.scenario import headline, read_scenario

    packs = stage.packs()
    names = played or []
    if not names and archive is None:
        wide = max(map(len, packs))
        summaries = {name: headline(each)[1] for name, each in packs.items()}
        lines = (f"{name:{wide}}  {text}" for name, text in summaries.items())
        put_text("json" if how == "json" else "text", *lines, scenarios=summaries)
        return
    if archive is None and len(names) > 1:
        give_up("one scenario at a time; several tickets are played with --archive")
    if archive is not None and group is not None:
        give_up("archived tickets come in where they came in; leave --group out")
    document = None if archive is not None else scenario_named(names[0], packs)
    loaded = load(config)  # no directory is asked for: it may stand on a server, behind a password
    if loaded.settings is None or loaded.policies is None:
        refuse(config, loaded)
    refuse_unknown("account", account, loaded.settings.accounts)
    of_first = names[0].rpartition("/")[0] if archive is not None and names else ""
    name = account or of_first or next(iter(loaded.settings.accounts))
    refuse_unknown("account", name, loaded.settings.accounts)
    policies = loaded.policies
    try:
        if document is None:
            assert archive is not None
            scenario, policies = stage.out_of(archive, names, policies, name, at)
        else:
            meant, problems = read_scenario(document, policies, name, group=group, start=at)
            for problem in problems:
                echo(str(problem), err=True)
            if meant is None:
                give_up("nothing was played; correct these lines first")
            scenario = meant
        done = stage.play(loaded.settings, policies, scenario, name)
    except stage.NotPlayed as why:
        give_up(str(why))
    forms = {
        "text": lambda: "\n".join(stage.as_text(done)) + "\n",
        "json": lambda: json_text(stage.as_row(done)),
        "html": lambda: stage.as_html(done),
    }
    put_forms(forms, how, output)


def scenario_named(name: str, packs: "Mapping[str, Document]") -> "Document":
    """The scenario of this name, or of this file."""
    from connector.config.files import read_file
    from policies.language.document import Problem

    if name.endswith(".toml"):
        found = read_file(Path(name))
        if isinstance(found, Problem):
            give_up(str(found))
        return found
    refuse_unknown("scenario", name, packs)
    return packs[name]


def recorded(ticket: str, config: Path) -> str:
    """A test made from what the helpdesk tells of this ticket."""
    from adapters.base import HelpdeskError
    from connector.app.compose import open_desk
    from connector.clock import SystemClock
    from connector.config.holidays import calendars
    from connector.config.secrets import SecretError
    from connector.work.context import Unforeseeable, lived
    from policies.recording import record

    settings, policies = checked(config)
    ref = ticket_ref(ticket, config)
    if ref.account not in settings.accounts:
        give_up(f"there is no account {ref.account}; there are {', '.join(settings.accounts)}")
    clock = SystemClock()
    try:
        desk = open_desk(ref.account, settings, clock, secrets_beside_trouble())
        with opened(config) as store:
            life, directory, wrote = lived(store, desk, policies, ref, clock.now())
        return record(life, policies, directory, calendars(policies, life.created), clock.now(), wrote)
    except (SecretError, ValueError) as error:
        give_up(str(error))
    except (HelpdeskError, Unforeseeable) as trouble:
        echo(f"uptier: {trouble}", err=True)
        raise typer.Exit(NEEDS_HUMAN) from None


MatrixFormat = Literal[RowsFormat, "svg", "pdf"]
CardFormat = Literal[TextFormat, "md", "html"]


@app.command(rich_help_panel=PEOPLE)
def matrix(
    how: Annotated[MatrixFormat, typer.Option("--format", help="How it is printed.")] = "table",
    output: Output = None,
    account: Annotated[
        str | None,
        typer.Option(
            "--account",
            metavar="NAME",
            help="One account; all if not given.",
            autocompletion=complete_account,
        ),
    ] = None,
    team: Annotated[
        str | None, typer.Option("--team", metavar="GROUP", help="For the tickets of one group.")
    ] = None,
    config: Config = CONFIG,
) -> None:
    """Print who answers for which tickets, when and how they hear of it, and what is missing."""
    from connector.matrix.picture import CannotPrint, as_pdf, as_svg
    from connector.matrix.tables import as_csv, as_html, as_markdown, as_text, document

    settings, policies = checked(config)
    whole = made(settings, policies, account, team)
    if how == "pdf":
        try:
            return put_bytes(as_pdf(whole, policies), output)
        except CannotPrint as error:
            give_up(str(error))
    forms = {
        "table": lambda: as_text(whole),
        "json": lambda: json_text(document(whole)),
        "csv": lambda: as_csv(whole),
        "md": lambda: as_markdown(whole),
        "html": lambda: as_html(whole),
        "svg": lambda: as_svg(whole, policies),
    }
    return put_forms(forms, how, output)


@app.command(rich_help_panel=PEOPLE)
def cards(
    role: Annotated[
        str | None,
        typer.Option(
            "--role", help="agent, lead, manager, on-call, ops, admin, or a group or person by name."
        ),
    ] = None,
    how: Annotated[
        CardFormat, typer.Option("--format", help="How they are printed; `text` is Markdown.")
    ] = "text",
    output: Output = None,
    config: Config = CONFIG,
) -> None:
    """Print a page for each role: what lands on the desk, what to do by when, and whom to ask."""
    from dataclasses import asdict

    from connector.matrix.cards import cards_html, cards_markdown, desk_cards, service_cards

    settings, policies = checked(config)
    whole = made(settings, policies, None, None)
    every = (*desk_cards(whole, policies), *service_cards(whole, policies))
    refuse_unknown("role", role, tuple(dict.fromkeys(card.role for card in every)))
    meant = [card for card in every if role in (None, card.role)]
    forms = {
        "text": lambda: cards_markdown(meant),
        "json": lambda: json_text([{"title": card.title, **asdict(card)} for card in meant]),
        "md": lambda: cards_markdown(meant),
        "html": lambda: cards_html(meant),
    }
    put_forms(forms, how, output)


def made(settings: "Settings", policies: "PolicySet", account: str | None, team: str | None) -> "Matrix":
    """The matrix of the account and team that are named; both must be known."""
    from policies.present.matrix import known_teams
    from policies.present.matrix import matrix as of

    accounts = tuple(settings.accounts) if account is None else (account,)
    refuse_unknown("account", account, settings.accounts)
    read = last_directories(settings)
    directories = {name: read[name] for name in accounts if name in read}
    refuse_unknown("group", team, known_teams(policies, tuple(directories.values())))
    return of(policies, accounts, directories, settings.service.languages, team)


def refuse_unknown(what: str, name: str | None, known: Collection[str]) -> None:
    """End the call if a name is none of those that are known."""
    from policies.language.document import did_you_mean, listed

    if name is not None and name not in known:
        hint = did_you_mean(name, known) or f" There are {listed(sorted(known), 'and')}."
        give_up(f'there is no {what} "{name}".{hint}')


@app.command(rich_help_panel=RECORDS)
def report(
    first: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="DATE", help="The first day: 2026-03-01; 30 days up to the last if not given."
        ),
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="DATE", help="The last day, included; today if not given.")
    ] = None,
    account: TheseAccounts = None,
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
    how: AsRows = "table",
    output: Output = None,
    config: Config = CONFIG,
) -> None:
    """Report on escalations, times, quality and SLA targets of a period."""
    from connector.clock import SystemClock
    from connector.config.holidays import calendars
    from connector.report.cases import lately
    from connector.report.formats import as_csv, as_html, as_json, as_markdown, as_text
    from connector.report.report import NO_CALENDAR
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
        period = lately(first, last, zone(timezone, business), now)
        window = seconds(reopened_within)
    except ValueError as error:
        give_up(str(error))
    if first is None or last is None:
        echo(f"of {period.name}; --from and --to name other days", err=True)
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
    notes = (f"{note} Name one with --calendar." if note == NO_CALENDAR else note for note in done.notes)
    whole = replace(done, notes=(*lacks, *notes))
    forms = {
        "table": lambda: as_text(whole),
        "json": lambda: as_json(whole),
        "csv": lambda: as_csv(whole),
        "md": lambda: as_markdown(whole),
        "html": lambda: as_html(whole),
    }
    put_forms(forms, how, output)


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
    from connector.report.cases import zone_asked

    if name is None and business is not None:
        return business.timezone
    try:
        return zone_asked(name or "UTC")
    except ValueError as error:
        raise ValueError(f"--timezone: {error}") from None
