"""What works on this account, and what to do about the rest."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from adapters.base import AccessLost, Finding, HelpdeskError
from adapters.servicenow import directory, history, journal, targets
from adapters.servicenow.feed import REST, poll
from adapters.servicenow.priority import DEFAULT
from adapters.servicenow.profile import LABELS, SHARED, Profile
from adapters.servicenow.query import ordered
from adapters.servicenow.rows import Row, text
from adapters.servicenow.session import Line
from adapters.servicenow.tags import is_foreign
from adapters.servicenow.ticket import columns

NEWEST = "sys_id"
SAMPLE = 20


def probe(profile: Profile, line: Line) -> tuple[Finding, ...]:
    """All findings. A look that fails is a finding too; only lost credentials are fatal."""
    user = look(lambda: directory.me(profile.account, line))
    if isinstance(user, AccessLost):
        return (Finding(what="credentials", ok=False, text=str(user), fatal=True),)
    if isinstance(user, HelpdeskError):
        return (Finding(what="credentials", ok=False, text=f"Could not look: {user}"),)
    return (
        *credentials(user),
        *records(profile, line),
        readable(line, "journal", journal.TABLE, journal.COLUMNS, "Without it nobody knows who replied."),
        readable(
            line,
            "audit",
            history.AUDIT,
            history.AUDITED,
            "Without it reopenings, reassignments, being taken, and time in a status are unknown.",
        ),
        readable(
            line, "sla targets", "task_sla", targets.COLUMNS, "Uptier can keep the deadlines itself: [sla]."
        ),
        groups(profile, line),
        priority(profile, line),
        webhook(profile),
    )


def credentials(user: Row) -> Iterator[Finding]:
    """Who we are."""
    yield Finding(what="credentials", ok=True, text=f"Signed in as {text(user, 'user_name')}.")
    zone = text(user, "time_zone")
    if zone not in ("", "UTC", "GMT", "Etc/UTC"):
        advice = f"The user's time zone is {zone}. Uptier reads UTC values only; set it to UTC to be safe."
        yield Finding(what="time zone", ok=False, text=advice)


def records(profile: Profile, line: Line) -> Iterator[Finding]:
    """Whether the table can be read as the feed reads it, which columns are missing, and how tags are kept."""
    fed = look(lambda: poll(line, profile, f"{REST}|1970-01-02 00:00:00|0|", 0, SAMPLE))
    if isinstance(fed, HelpdeskError):
        yield Finding(what="records", ok=False, text=f"Changes of {profile.name} cannot be read: {fed}")
        return
    answer = look(lambda: line.listed(profile.name, ordered("", NEWEST), columns(profile), limit=SAMPLE))
    if isinstance(answer, HelpdeskError):
        yield Finding(what="records", ok=False, text=f"Could not look: {answer}")
        return
    rows = answer.rows()
    hidden = min(answer.total or 0, SAMPLE) - len(rows)
    if hidden > 0:
        told = (
            f"ServiceNow hides {hidden} of {len(rows) + hidden} records of {profile.name} from Uptier's user."
        )
        yield Finding(what="records", ok=False, text=told)
    else:
        yield Finding(what="records", ok=True, text=f"{profile.name} can be read.")
    if rows:
        yield from seen(profile, rows)
    else:
        yield Finding(
            what="columns", ok=False, text=f"No record of {profile.name} to look at: columns are unknown."
        )


def seen(profile: Profile, rows: list[Row]) -> Iterator[Finding]:
    """Which columns the records show."""
    shown = {name for row in rows for name in row}
    needed = [
        *profile.fields.values(),
        *(["impact", "urgency"] if profile.derived else []),
        "priority",
        "state",
    ]
    missing = sorted({name for name in needed if name not in shown})
    if missing:
        told = f"{', '.join(missing)}: no such column, or hidden from Uptier's user. Correct fields, or allow it."
        yield Finding(what="columns", ok=False, text=told)
    else:
        yield Finding(what="columns", ok=True, text=f"{len(profile.fields)} columns are mapped.")
    yield tags(profile, rows, shown)


def tags(profile: Profile, rows: list[Row], shown: set[str]) -> Finding:
    """How tags are kept on this account, and what that cannot do."""
    if profile.tags == LABELS:
        told = "Tags are ServiceNow's own. Out of the box REST may not set them; the first write will tell."
        return Finding(what="tags", ok=True, text=told)
    if profile.tags not in shown:
        told = f"Tags cannot be kept: {profile.tags} is not there or hidden. Set tags to a text column of your own."
        return Finding(what="tags", ok=False, text=told)
    if profile.tags != SHARED:
        return Finding(what="tags", ok=True, text=f"Tags are kept in {profile.tags}, parted by commas.")
    told = (
        "Tags are kept in correlation_display: 100 characters in all, and only on records where nobody else "
        'uses it. A text column of your own (tags = "u_...") has neither limit.'
    )
    taken = sum(is_foreign(profile, text(row, SHARED)) for row in rows)
    if taken:
        return Finding(
            what="tags", ok=False, text=f"{told} {taken} of {len(rows)} records are used by others."
        )
    return Finding(what="tags", ok=True, text=told)


def readable(line: Line, what: str, table: str, named: tuple[str, ...], otherwise: str) -> Finding:
    """Whether a table shows us anything, and its columns."""
    answer = look(lambda: line.listed(table, ordered("", NEWEST), ("sys_id", *named), limit=1))
    if isinstance(answer, HelpdeskError):
        return Finding(what=what, ok=False, text=f"{table} cannot be read: {answer}. {otherwise}")
    rows = answer.rows()
    if not rows:
        told = (
            "all rows are hidden from Uptier's user"
            if answer.total
            else "no row is there, or none is shown to us"
        )
        return Finding(what=what, ok=False, text=f"{table}: {told}. {otherwise}")
    missing = [
        name for name in named if name not in rows[0] and "." not in name and name != "record_checkpoint"
    ]
    if missing:
        return Finding(what=what, ok=False, text=f"{table} hides {', '.join(missing)}. {otherwise}")
    return Finding(what=what, ok=True, text=f"{table} can be read.")


def groups(profile: Profile, line: Line) -> Finding:
    """Whether groups and members can be read, and which names are not unique."""
    found = look(lambda: directory.read(profile, line))
    if isinstance(found, HelpdeskError):
        return Finding(what="groups", ok=False, text=f"Groups and members cannot be read: {found}")
    twice = sorted(
        {
            each.name.removesuffix(f" ({each.id})")
            for each in found.groups
            if each.name.endswith(f"({each.id})")
        }
    )
    if twice:
        told = f"Several groups are named {', '.join(twice)}; policies must say NAME (SYS_ID), or rename one."
        return Finding(what="groups", ok=False, text=told)
    calls = f"{len(found.on_call)} have somebody on call" if found.on_call else "no on-call rota is told"
    return Finding(
        what="groups", ok=True, text=f"{len(found.groups)} groups, {len(found.agents)} members; {calls}."
    )


def priority(profile: Profile, line: Line) -> Finding:
    """How a priority is raised."""
    if not profile.derived:
        return Finding(what="priority", ok=True, text="The priority is written directly.")
    matrix = look(lambda: directory.matrix(profile, line))
    if isinstance(matrix, HelpdeskError):
        return Finding(what="priority", ok=False, text=f"Could not look: {matrix}")
    whose = "ServiceNow's default" if matrix == DEFAULT else "this instance's"
    told = f"The priority is raised through impact and urgency, by {whose} matrix."
    return Finding(what="priority", ok=True, text=told)


def webhook(profile: Profile) -> Finding:
    """Whether webhooks can be told from forgeries; whether any are sent, only ServiceNow knows."""
    if profile.account.webhook:
        return Finding(what="webhook", ok=True, text="A signing secret is set.")
    told = "No webhook secret is set: polling alone is a minute or two late. See docs/servicenow.md."
    return Finding(what="webhook", ok=False, text=told)


T = TypeVar("T")


def look(ask: Callable[[], T]) -> T | HelpdeskError:
    """What `ask` answers, or the error it met, so that one failed look does not hide the others."""
    try:
        return ask()
    except HelpdeskError as error:
        return error
