"""What works on this account, and what to do about the rest."""

import json
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from adapters.base import Account, Finding, HelpdeskError, NotAllowed, OpeningHours, Survey
from adapters.freshdesk import people
from adapters.freshdesk.client import Answer, Client, Params, Row, wrapped
from adapters.freshdesk.form import BUILT_IN, Form, listed
from adapters.freshdesk.people import References
from adapters.freshdesk.ticket import WHO_ASKED, read_ticket
from adapters.http import UNREADABLE, look, no_access, not_looked, status_behind
from adapters.zones import place_of
from policies.model import Instant, Ticket

UNTOLD = frozenset({403, 404})
UPDATE_RULES = "/automations/4/rules"
GONE = ("deleted", "spam")
ASIDE_FROM_IT = frozenset({"group", "assignee", *WHO_ASKED})
"""What a ticket tells by an id only; the rest of it is asked for elsewhere."""

SAMPLE = 30
"""How many tickets are looked at to find out what is shown of them."""

MISTAKEN = (
    "This is Freshservice, another product: its answers come in envelopes. There is no adapter "
    "for it here; give the address of a Freshdesk as url, or leave this account out."
)
WORDS = {"said": "by your settings", "built in": "", "timer": "by its SLA timer", "guessed": "a guess"}


def probe(account: Account, client: Client, needed: frozenset[str]) -> tuple[Finding, ...]:
    """All findings. A look that fails is a finding too; only lost credentials and another product are fatal."""
    try:
        who = client.get("/agents/me")
        if wrapped(who.body):
            return (Finding(what="credentials", ok=False, text=MISTAKEN, fatal=True),)
        agent = who.row()
    except HelpdeskError as error:
        return (no_access(error),)
    found = look(lambda: people.read_form(client))
    return (
        credentials(client, agent),
        *lists(account, client, found if isinstance(found, Form) else Form(), needed),
        *fields(account, found, needed),
        deadlines(client),
        webhook(account),
        *rule(account, client),
    )


def credentials(client: Client, agent: Row) -> Finding:
    """Who we are, and whether that agent may see what Uptier needs."""
    contact = agent.get("contact")
    name = contact.get("name") if isinstance(contact, dict) else agent["id"]
    error = look(lambda: client.get("/agents", {"per_page": 1}))
    if not isinstance(error, HelpdeskError):
        return Finding(what="credentials", ok=True, text=f"Signed in as {name}.")
    if status_behind(error) == 403:
        text = f"Signed in as {name}, who may not list agents. Give this agent the Administrator role."
        return Finding(what="credentials", ok=False, text=text)
    return Finding(what="credentials", ok=False, text=f"Signed in as {name}. {not_looked(error)}")


def lists(account: Account, client: Client, form: Form, needed: frozenset[str]) -> Iterator[Finding]:
    """Whether the lists of tickets are open to us, and whether a ticket shows what the loaded policies need."""
    for word in ("", *GONE):
        params: Params = {"filter": word, "per_page": 1} if word else {"include": "stats", "per_page": SAMPLE}
        answer = look(partial(client.get, "/tickets", params))
        what = f"{word} tickets" if word else "tickets"
        if isinstance(answer, NotAllowed):
            text = f"Their list is refused to us. Give our agent {answer.right}. {answer}"
            yield Finding(what=what, ok=False, text=text)
        elif isinstance(answer, HelpdeskError):
            yield Finding(what=what, ok=False, text=not_looked(answer))
        elif wrapped(answer.body):
            yield Finding(what=what, ok=False, text=MISTAKEN, fatal=True)
        elif not word and isinstance(answer.body, list):
            yield from shown(References(account=account, form=form), client, answer, needed)


def shown(
    references: References, client: Client, answer: Answer, needed: frozenset[str]
) -> Iterator[Finding]:
    """How many rows of the newest page cannot be read, and whether the first that can shows what is needed."""
    rows = [row for entry in answer.entries() if (row := readable(entry, references, answer.at))]
    if bad := len(answer.entries()) - len(rows):
        text = f"{bad} of the newest {SAMPLE} tickets cannot be read; they are set aside until they can."
        yield Finding(what="tickets", ok=False, text=text)
    if not rows:
        return
    path = f"/tickets/{rows[0].ref.id}"
    whole = look(partial(client.get, path, {"include": "company,stats"}))
    seen = None if isinstance(whole, HelpdeskError) else readable(whole.body, references, whole.at)
    lacking = sorted((needed & seen.hidden) - ASIDE_FROM_IT) if seen else []
    if "messages" in needed and isinstance(look(partial(client.get, f"{path}/conversations")), NotAllowed):
        lacking.append("messages")
    if lacking:
        text = f"Ticket {rows[0].ref.id} does not show {', '.join(lacking)} to our agent; loaded policies need that."
        yield Finding(what="hidden fields", ok=False, text=text)


def readable(entry: Any, references: References, read_at: Instant) -> Ticket | None:
    """The entry as a ticket, None if it cannot be read."""
    try:
        return read_ticket(entry, references, read_at=read_at)
    except UNREADABLE:
        return None


def fields(account: Account, found: Form | HelpdeskError, needed: frozenset[str]) -> Iterator[Finding]:
    """Whether each mapped custom field is there and what it takes, and what each status counts as."""
    if isinstance(found, HelpdeskError):
        yield Finding(what="fields", ok=False, text=not_looked(found))
        return
    mapped = account.custom_fields()
    lost = sorted(name for name, key in mapped.items() if key not in found.names)
    text = f"No such ticket field for {', '.join(lost)}. Correct the names under the account's fields."
    right = f"{len(mapped)} custom fields are mapped."
    yield Finding(what="fields", ok=not lost, text=text if lost else right)
    for name, key in sorted(mapped.items()):
        if f"custom.{name}" in needed and key in found.choices:
            yield Finding(what=f"custom.{name}", ok=True, text=f"It takes {listed(found.choices[key])}.")
    if "type" in needed and (types := found.choices.get("ticket_type")):
        yield Finding(what="type", ok=True, text=f"It is one of {listed(types)}.")
    for key, when in sorted(found.needed.items()):
        on = "a ticket" if when == "always" else "a resolved or closed ticket"
        text = f"Freshdesk takes no update of {on} on which {key} is empty."
        yield Finding(what="mandatory field", ok=True, text=text)
    yield from statuses(account, found)


def statuses(account: Account, form: Form) -> Iterator[Finding]:
    """What every status counts as, and which of that is a guess."""
    known = {number: form.meaning(account, number) for number in sorted(form.statuses)}
    told = (
        f"{form.status_name(number)} ({number}): {each.status}{f', {how}' if (how := WORDS.get(each.how)) else ''}"
        for number, each in known.items()
    )
    guessed = [form.status_name(number) for number, each in known.items() if each.how == "guessed"]
    if known:
        yield Finding(what="statuses", ok=True, text="; ".join(told) + ".")
    table = f"[accounts.{account.name}.statuses]"
    if guessed:
        text = (
            f"What these count as is a guess: {', '.join(guessed)}. Say it under {table}, by label or number."
        )
        yield Finding(what="statuses guessed", ok=False, text=text, hint=True)
    numbers = {str(number) for number in form.statuses}
    names = {form.status_name(number).casefold() for number in form.statuses}
    strange = [each for each in account.statuses if each not in numbers and each.casefold() not in names]
    if strange and known:
        text = f"There is no status {', '.join(strange)}. Correct {table}."
        yield Finding(what="statuses mapped", ok=False, text=text)


def deadlines(client: Client) -> Finding:
    """Whether the account has SLA policies that we may see."""
    error = look(lambda: client.get("/sla_policies"))
    if not isinstance(error, HelpdeskError):
        return Finding(what="sla targets", ok=True, text="Freshdesk offers them on this plan.")
    if status_behind(error) in UNTOLD:
        text = "Freshdesk does not show them to us. Deadlines still come with each ticket that has them."
        return Finding(what="sla targets", ok=False, text=text, hint=True)
    return Finding(what="sla targets", ok=False, text=not_looked(error))


def webhook(account: Account) -> Finding:
    """Whether webhooks can be told from forgeries."""
    if account.webhook:
        return Finding(what="webhook secret", ok=True, text="Webhooks must bring their secret.")
    text = "No webhook secret is set: polling alone is a minute or two late. "
    text += f"`uptier connect {account.name}` prints what to paste; see docs/freshdesk.md."
    return Finding(what="webhook secret", ok=False, text=text, hint=True)


def rule(account: Account, client: Client) -> Iterator[Finding]:
    """Whether an automation rule posts to us, where webhooks are set up and rules can be read."""
    if not account.webhook:
        return
    address = f"/hooks/{account.name}"
    rules = look(lambda: json.dumps(client.get(UPDATE_RULES).body))
    if isinstance(rules, HelpdeskError):
        yield Finding(what="webhook rule", ok=False, text=not_looked(rules))
    elif address in rules:
        yield Finding(what="webhook rule", ok=True, text="An automation on ticket updates posts to us.")
    else:
        text = f"No automation on ticket updates posts to {address}. docs/freshdesk.md says how to make one."
        yield Finding(what="webhook rule", ok=False, text=text)


CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::\d{2})? ?([ap]m)", re.IGNORECASE)
"""A time of day in opening hours: twelve hours, such as "08:00:00 am"."""

END_OF_DAY = "11:59:59 pm"


def survey(account: Account, client: Client) -> Survey:
    """What a first config can name: custom fields, statuses and business hours. What is refused is None."""
    form = people.read_form(client)
    try:
        hours = client.get("/business_hours").entries()
    except NotAllowed:
        hours = None
    return Survey(
        fields={name: name.removeprefix("cf_") for name in sorted(form.names) if name.startswith("cf_")}
        if form.names
        else None,
        statuses={
            form.status_name(number): form.meaning(account, number).status
            for number in sorted(form.statuses)
            if number not in BUILT_IN
        }
        if form.names
        else None,
        calendars=None if hours is None else tuple(opening_hours(hours)),
    )


def opening_hours(rows: list[Any]) -> Iterator[OpeningHours]:
    """Business hours, the account's default ones first. A day that is not named is closed.

    https://developers.freshdesk.com/api/#business-hours
    """
    known: list[Row] = [each for each in rows if isinstance(each, dict)]
    for row in sorted(known, key=lambda each: each.get("is_default") is not True):
        days = row.get("business_hours")
        spans = {
            day[:3]: (f"{start}-{end}",)
            for day, told in (days.items() if isinstance(days, dict) else ())
            if isinstance(told, dict)
            if (start := clock(told.get("start_time"))) and (end := clock(told.get("end_time"), ends=True))
            if start < end
        }
        if spans:
            zone = place_of(row.get("time_zone"))
            yield OpeningHours(name=str(row.get("name") or "support"), timezone=zone, hours=spans)


def clock(told: object, *, ends: bool = False) -> str:
    """A time of day as HH:MM; empty where it is none. The last second of a day ends it."""
    found = CLOCK.fullmatch(told) if isinstance(told, str) else None
    if found is None:
        return ""
    if ends and str(told).lower() == END_OF_DAY:
        return "24:00"
    hour = int(found[1]) % 12 + (12 if found[3].lower() == "pm" else 0)
    return f"{hour:02}:{found[2]}"
