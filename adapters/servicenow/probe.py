"""What works on this account, and what to do about the rest."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TypeVar

from adapters import http
from adapters.base import Finding, HelpdeskError, NotAllowed, Survey
from adapters.servicenow import answers, history, people, ticket
from adapters.servicenow.answers import Row, label, text
from adapters.servicenow.client import Client, legible
from adapters.servicenow.feed import REST, poll
from adapters.servicenow.people import PERSON, parts_of
from adapters.servicenow.profile import (
    DEFAULT,
    GROUNDS,
    LABELS,
    SHARED,
    Profile,
    any_of,
    equals,
    every_of,
    ordered,
)
from adapters.servicenow.ticket import SHOWN, are_foreign, columns, status, tags_column

T = TypeVar("T")
NEWEST = "sys_id"
SAMPLE = 20


CHOICES = "sys_choice"
CHOICE = ("element", "value", "label", "inactive")


def probe(profile: Profile, client: Client, needed: frozenset[str] = frozenset()) -> tuple[Finding, ...]:
    """All findings. A look that fails is a finding too; only lost credentials are fatal. `needed` are the common
    fields that the loaded policies read or write."""
    user = look(lambda: people.me(profile.account, client))
    if isinstance(user, HelpdeskError):
        return (http.no_access(user),)
    return (
        *read("credentials", lambda: credentials(user)),
        *read("records", lambda: records(profile, client, needed)),
        *read("statuses", lambda: choices(profile, client)),
        unless_needed(
            "messages" in needed,
            readable(
                client, "journal", answers.TABLE, answers.COLUMNS, "Without it nobody knows who replied."
            ),
        ),
        unless_needed(
            "changes" in needed,
            readable(
                client,
                "audit",
                history.AUDIT,
                history.AUDITED,
                "Without it reopenings, reassignments, being taken, and time in a status are unknown.",
            ),
        ),
        unless_needed(
            "targets" in needed,
            readable(
                client,
                "sla targets",
                "task_sla",
                ticket.SLA_COLUMNS,
                "Uptier can keep the deadlines itself: [sla].",
            ),
        ),
        *read("sla names", lambda: unnamed(client)),
        priority(profile, client),
        webhook(profile),
    )


def credentials(user: Row) -> Iterator[Finding]:
    """Who we are."""
    yield Finding(what="credentials", ok=True, text=f"Signed in as {text(user, 'user_name')}.")
    zone = text(user, "time_zone")
    if zone not in ("", "UTC", "GMT", "Etc/UTC"):
        advice = f"The user's time zone is {zone}. Uptier reads UTC values only; set it to UTC to be safe."
        yield Finding(what="time zone", ok=False, text=advice, hint=True)


def records(profile: Profile, client: Client, needed: frozenset[str]) -> Iterator[Finding]:
    """Whether the table can be read as the feed reads it, which columns are missing, and how tags are kept."""
    fed = look(lambda: poll(client, profile, f"{REST}|1970-01-02 00:00:00|0|", 0, SAMPLE))
    if isinstance(fed, HelpdeskError):
        yield Finding(what="records", ok=False, text=f"Changes of {profile.name} cannot be read: {fed}")
        return
    answer = look(lambda: client.listed(profile.name, ordered("", NEWEST), columns(profile), limit=SAMPLE))
    if isinstance(answer, HelpdeskError):
        yield Finding(what="records", ok=False, text=http.not_looked(answer))
        return
    rows = answer.rows()
    hidden = min(answer.total or 0, SAMPLE) - len(rows)
    if hidden > 0:
        told = (
            f"ServiceNow hides {hidden} of {len(rows) + hidden} records of {profile.name} from Uptier's user. "
            "Let it read all of them (row ACLs, before-query rules)."
        )
        yield Finding(what="records", ok=False, text=told)
    else:
        yield Finding(what="records", ok=True, text=f"{profile.name} can be read.")
    if fed.aside:
        told = "; ".join(sorted({f"{each.id or 'a row'}: {each.why}" for each in fed.aside}))
        yield Finding(
            what="rows", ok=False, text=f"{len(fed.aside)} rows of {profile.name} are set aside. {told}"
        )
    if answer.total is None:
        told = (
            "ServiceNow tells no X-Total-Count: behind 10,000 records in a row that Uptier's user may not see the "
            "rest is not found. Let the header through, or let the user see the records."
        )
        yield Finding(what="totals", ok=False, text=told, hint=True)
    if rows:
        yield from seen(profile, rows, needed)
    else:
        yield Finding(
            what="columns",
            ok=False,
            text=f"No record of {profile.name} to look at: columns are unknown.",
            hint=True,
        )


def seen(profile: Profile, rows: list[Row], needed: frozenset[str]) -> Iterator[Finding]:
    """Which columns the records show, of those that the account names and that the policies need."""
    shown = {name for row in rows for name in row}
    mapped = {key: f"fields.{name}" for name, key in profile.fields.items()}
    wanted = [*mapped, *(GROUNDS if profile.derived else ()), "priority", "state", *profile.requesters[:1]]
    missing = sorted({name for name in wanted if "." not in name and name not in shown})
    if missing:
        places = ", ".join(
            f"{profile.name}.{name}{f' ({mapped[name]})' if name in mapped else ''}" for name in missing
        )
        told = f"{places}: no such column, or hidden from Uptier's user. Correct fields, or allow it."
        yield Finding(what="columns", ok=False, text=told)
    else:
        yield Finding(what="columns", ok=True, text=f"{len(profile.fields)} columns are mapped.")
    yield unless_needed("tags" in needed, tags(profile, rows, shown))
    for field in sorted(needed):
        hidden = [name for name in columns_of(profile, field) if not is_shown(rows, name)]
        if hidden:
            places = " and ".join(f"{profile.name}.{name}" for name in hidden)
            told = f"Policies need {field}, and Uptier's user cannot see {places}. Let it read that (column ACLs)."
            yield Finding(what=f"needs {field}", ok=False, text=told)


def columns_of(profile: Profile, field: str) -> list[str]:
    """The columns that a common field is made of."""
    name = field.removeprefix("custom.")
    if field.startswith("custom."):
        return [profile.fields[name]] if name in profile.fields else []
    person, _, part = field.partition(".")
    if person == "requester":
        parts = [walked for walked, word in PERSON.items() if word == part]
        walks = [
            f"{first}.{each}" for first in profile.requesters[:1] for each in parts if each in parts_of(first)
        ]
        return [*profile.requesters, *walks]
    status_too = [*(["hold_reason"] if profile.table.waiting else []), "active"]
    special = {
        "status": ["state", *status_too],
        "priority": ["priority", *(GROUNDS if profile.derived else ())],
        "assignee": ["assigned_to", "assigned_to.email"],
        "organization": [profile.table.organization],
        "tags": [tags_column(profile)],
        "messages": [*profile.requesters, "sys_created_on"],
    }
    return special.get(field) or [name for name, words in SHOWN.items() if field in words]


def is_shown(rows: list[Row], name: str) -> bool:
    """Whether any record shows a column. What is walked to through an empty reference is not shown and not hidden."""
    through = name.rpartition(".")[0]
    asked = [row for row in rows if not through or row.get(through) is None or text(row, through)]
    return not asked or any(name in row for row in asked)


def choices(profile: Profile, client: Client) -> Iterator[Finding]:
    """What each state of the table counts as, and which values the columns with a choice take."""
    named = {
        "state": "status",
        "priority": "priority",
        **{key: f"custom.{name}" for name, key in profile.fields.items()},
    }
    rows = look(lambda: listed_choices(profile, client, list(named)))
    if isinstance(rows, HelpdeskError):
        told = f"{CHOICES} cannot be read: {rows}. Without it states and values of your own are not checked."
        yield Finding(what="statuses", ok=False, text=told, hint=True)
        return
    states = [(text(row, "value"), text(row, "label")) for row in rows if text(row, "element") == "state"]
    yield statuses(profile, dict(states))
    for element, field in named.items():
        values = [
            f"{text(row, 'value')} ({text(row, 'label')})" for row in rows if text(row, "element") == element
        ]
        if values and element != "state":
            told = f"{profile.name}.{element} takes {', '.join(dict.fromkeys(values))}."
            yield Finding(what=f"values of {field}", ok=True, text=told)


def listed_choices(profile: Profile, client: Client, elements: list[str]) -> list[Row]:
    """The active choices of these columns, of the table itself before those that it has from `task`."""
    with legible():
        found: list[Row] = []
        for table in (profile.name, "task"):
            query = every_of(equals("name", table), any_of("element", elements), "inactive=false")
            answer = client.listed(
                CHOICES, ordered(query, "sys_id"), ("sys_id", "name", *CHOICE), limit=client.size
            )
            told = {text(row, "element") for row in found}
            found += [
                row
                for row in answer.rows()
                if text(row, "name") == table and text(row, "element") in elements
                and text(row, "element") not in told and text(row, "inactive") != "true"
            ]  # fmt: skip
        return found


def statuses(profile: Profile, states: dict[str, str]) -> Finding:
    """Every state with what it counts as; one that is guessed is a reason to look."""
    if not states:
        return Finding(what="statuses", ok=False, text=f"{CHOICES} shows no state of {profile.name}.")
    counts = {
        number: f"{number} {name}: {status(profile, number, '', active=None, shown=name).value}"
        for number, name in states.items()
    }
    guessed = [
        f"{number} {name}"
        for number, name in states.items()
        if profile.account.counts_as(number, name) is None and number not in profile.states
    ]
    listed = "; ".join(counts[number] for number in sorted(counts))
    if guessed:
        told = f"{listed}. Guessed: {', '.join(guessed)}; say what they count as in statuses."
        return Finding(what="statuses", ok=False, text=told, hint=True)
    return Finding(what="statuses", ok=True, text=f"{listed}.")


def unnamed(client: Client) -> Iterator[Finding]:
    """Whether some SLA does not say what it measures."""
    query = every_of(equals("type", "SLA"), "targetISEMPTY")
    answer = look(
        lambda: client.listed(
            "contract_sla", ordered(query, NEWEST), ("sys_id", "name", "target"), limit=SAMPLE
        )
    )
    if isinstance(answer, HelpdeskError):
        return
    names = [label(row, "name") for row in answer.rows() if "target" in row and not text(row, "target")]
    if names:
        told = (
            f"{', '.join(sorted(names))}: contract_sla.target says neither response nor resolution, so nobody can "
            "tell which deadline that is. Set it there."
        )
        yield Finding(what="sla names", ok=False, text=told, hint=True)


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
    taken = sum(are_foreign(profile, text(row, SHARED)) for row in rows)
    if taken:
        return Finding(
            what="tags",
            ok=False,
            text=f"{told} {taken} of {len(rows)} records are used by others.",
            hint=True,
        )
    return Finding(what="tags", ok=True, text=told)


def readable(client: Client, what: str, table: str, named: tuple[str, ...], otherwise: str) -> Finding:
    """Whether a table shows us anything, and its columns."""
    answer = look(lambda: client.listed(table, ordered("", NEWEST), ("sys_id", *named), limit=1))
    if isinstance(answer, HelpdeskError):
        return Finding(what=what, ok=False, text=f"{table} cannot be read: {answer}. {otherwise}")
    rows = answer.rows()
    if not rows:
        told = (
            "all rows are hidden from Uptier's user"
            if answer.total
            else "no row is there, or none is shown to us (docs/servicenow.md: what Uptier's user must read)"
        )
        empty = not answer.total
        return Finding(what=what, ok=False, text=f"{table}: {told}. {otherwise}", hint=empty)
    missing = [
        name for name in named if name not in rows[0] and "." not in name and name != "record_checkpoint"
    ]
    if missing:
        return Finding(what=what, ok=False, text=f"{table} hides {', '.join(missing)}. {otherwise}")
    return Finding(what=what, ok=True, text=f"{table} can be read.")


def unless_needed(needed: bool, finding: Finding) -> Finding:
    """The finding, a hint where no policy needs what it is about."""
    return finding if needed else replace(finding, hint=True)


def priority(profile: Profile, client: Client) -> Finding:
    """How a priority is raised."""
    if not profile.derived:
        return Finding(what="priority", ok=True, text="The priority is written directly.")
    matrix = look(lambda: people.matrix(profile, client))
    if isinstance(matrix, HelpdeskError):
        return Finding(what="priority", ok=False, text=http.not_looked(matrix))
    whose = "ServiceNow's default" if matrix == DEFAULT else "this instance's"
    told = f"The priority is raised through impact and urgency, by {whose} matrix."
    return Finding(what="priority", ok=True, text=told)


def webhook(profile: Profile) -> Finding:
    """Whether webhooks can be told from forgeries; whether any are sent, only ServiceNow knows."""
    if profile.account.webhook and profile.unstamped:
        told = "allow_unstamped is set: whoever has seen one webhook without a time can send it again."
        return Finding(what="webhook secret", ok=True, text=told)
    if profile.account.webhook:
        told = "A signing secret is set; a webhook without X-Uptier-Timestamp is refused."
        return Finding(what="webhook secret", ok=True, text=told)
    told = "No webhook secret is set: polling alone is a minute or two late. "
    told += f"`uptier connect {profile.account.name}` prints what to paste; see docs/servicenow.md."
    return Finding(what="webhook secret", ok=False, text=told, hint=True)


def read(what: str, findings: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """The findings, or one that says that an answer cannot be read."""
    found = look(lambda: list(findings()))
    return [Finding(what=what, ok=False, text=str(found))] if isinstance(found, HelpdeskError) else found


def look(ask: Callable[[], T]) -> T | HelpdeskError:
    """What `ask` answers, or the error it met; an answer that cannot be read is one."""

    def legibly() -> T:
        with legible():
            return ask()

    return http.look(legibly)


def survey(profile: Profile, client: Client) -> Survey:
    """What a first config can name: the states of the table. Columns and schedules are not looked for."""
    try:
        rows = listed_choices(profile, client, ["state"])
    except NotAllowed:
        return Survey()
    states = {text(row, "value"): text(row, "label") for row in rows}
    return Survey(
        statuses={
            label: status(profile, number, "", active=None, shown=label) for number, label in states.items()
        }
    )
