"""What works on this account, and what to do about the rest."""

from collections import Counter
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from adapters.base import Account, Finding, HelpdeskError, Hook, NotAllowed, OpeningHours, Survey
from adapters.http import look, no_access, not_looked, status_behind
from adapters.zendesk import people
from adapters.zendesk.answers import Odd, Row, key_of, text
from adapters.zendesk.client import Client
from adapters.zendesk.hooks import ZendeskHooks
from adapters.zendesk.people import IdentityCache
from adapters.zendesk.ticket import STATUSES
from adapters.zones import place_of
from policies.model import Status, Ticket

TOKENS_END = "2027-04-30"
NOT_OFFERED = frozenset({403, 404})


def probe(
    account: Account,
    client: Client,
    identities: IdentityCache,
    needed: frozenset[str],
    sample: Callable[[], Ticket | None],
) -> tuple[Finding, ...]:
    """All findings. A look that fails is a finding too; only lost credentials are fatal. `sample` reads a ticket as
    policies would, to see what is hidden; it is asked for only where something is needed. What `identities` will need
    too is handed to it."""
    try:
        user = people.me(client)
    except HelpdeskError as error:
        return (no_access(error),)
    identities.is_bot(user)
    return (
        *credentials(account, user),
        *fields(account, identities, needed),
        *statuses(account, client),
        offered(
            client, "sla targets", "/slas/policies", "Write [sla] tables; Uptier then keeps the deadlines."
        ),
        offered(
            client, "schedules", "/business_hours/schedules", "Write [calendars] for your opening hours."
        ),
        webhook(account),
        *(deliveries(account, client) if account.webhook else ()),
        *(hidden(needed, sample) if needed else ()),
    )


def credentials(account: Account, user: Row) -> Iterator[Finding]:
    """Who we are, and whether that user and its token will do."""
    admin = user["role"] == "admin"
    text = f"Signed in as {user['name']}, role {user['role']}."
    advice = "" if admin else " Make this user an admin: Zendesk exports changed tickets to admins only."
    yield Finding(what="credentials", ok=admin, text=text + advice)
    locale = user["locale"] or "en"
    if not locale.lower().startswith("en"):
        text = f"The bot's language is {locale}. Set it to English, so that refusals can be searched for."
        yield Finding(what="language", ok=False, text=text, hint=True)
    scope = str(account.auth.get("scope") or "")
    if scope and not {"write", "tickets:write"} & set(scope.split()):
        text = f"The scope asked for is {scope}, so every write would be refused. Add write to it, or leave it out."
        yield Finding(what="scopes", ok=False, text=text)
    elif account.auth["kind"] == "bearer":
        text = "Zendesk does not tell what a token may do. It reads; see that its scopes hold write before you enforce."
        yield Finding(what="scopes", ok=False, unseen=True, text=text)
    if account.auth["kind"] == "token":
        text = f"API tokens stop on {TOKENS_END}. Move to an OAuth token before: docs/zendesk.md says how."
        yield Finding(what="token", ok=False, text=text, hint=True)


def fields(account: Account, identities: IdentityCache, needed: frozenset[str]) -> Iterator[Finding]:
    """Whether each mapped custom field is there and in use, and which values the needed ones take."""
    mapped = account.custom_fields()
    known = look(identities.ask_fields)
    if isinstance(known, HelpdeskError):
        yield Finding(what="fields", ok=False, text=not_looked(known))
        return
    rows = {str(row["id"]): row for row in known}
    lost = sorted(name for name, key in mapped.items() if key not in rows)
    idle = sorted(name for name, key in mapped.items() if rows.get(key, {}).get("active") is False)
    if lost:
        text = f"No such ticket field for {', '.join(lost)}. Correct the ids under the account's fields."
        yield Finding(what="fields", ok=False, text=text)
    if idle:
        text = f"Deactivated in Zendesk: {', '.join(idle)}. Tickets do not show such a field; activate it."
        yield Finding(what="fields", ok=False, text=text)
    if not lost and not idle:
        yield Finding(what="fields", ok=True, text=f"{len(mapped)} custom fields are mapped.")
    by_name = {f"custom.{name}": rows.get(key) for name, key in mapped.items()}
    by_name |= {str(row["type"]): row for row in known if row["type"] == "priority"}
    for name, row in sorted(by_name.items()):
        if name in needed and row and (values := people.values_of(row)):
            yield Finding(what=f"values of {name}", ok=True, text=f"Zendesk has {', '.join(values)}.")


def statuses(account: Account, client: Client) -> Iterator[Finding]:
    """What each status of the account counts as. One whose category is not known here is a guess that nobody should
    rely on, and an entry of `statuses` that fits none is a mistake."""
    categories: list[Row] = [{"status_category": word} for word in STATUSES if word != "deleted"]
    known = look(lambda: client.get("/custom_statuses").rows("custom_statuses"))
    if isinstance(known, NotAllowed):
        rows: list[Row] = []
    elif isinstance(known, HelpdeskError):
        yield Finding(what="statuses", ok=False, text=not_looked(known))
        return
    else:
        rows = [row for row in known if isinstance(row, dict) and row.get("active") is not False]
    said: list[str] = []
    unknown: list[str] = []
    used: set[str] = set()
    for row in rows or categories:
        try:
            category, label = text(row, "status_category"), text(row, "agent_label")
            number = key_of(row) if label else ""
        except Odd:
            unknown.append("one that cannot be read")
            continue
        name = f"{label} ({number}, {category})" if label else category
        used |= {number, label.casefold(), category.casefold()}
        counts_as = account.counts_as(number, label) or account.counts_as("", category)
        guessed = counts_as is None
        counts_as = counts_as or STATUSES.get(category)
        if counts_as is None:
            unknown.append(name)
        else:
            said.append(f"{name} counts as {counts_as}{', by its category' if guessed and label else ''}")
    yield Finding(what="statuses", ok=True, text=f"{'; '.join(said)}.")
    place = f"[accounts.{account.name}.statuses]"
    if unknown:
        advice = f"Say under {place} what it counts as; until then its tickets wait."
        yield Finding(what="statuses", ok=False, text=f"Not known here: {'; '.join(unknown)}. {advice}")
    unused = sorted(key for key in account.statuses if key.casefold() not in used)
    if unused:
        advice = "Zendesk has no such status for us. Write its label or number."
        yield Finding(what="statuses", ok=False, text=f"{place} names {', '.join(unused)}. {advice}")


def hidden(needed: frozenset[str], sample: Callable[[], Ticket | None]) -> Iterator[Finding]:
    """What the policies need and an open ticket does not show to us."""
    ticket = look(sample)
    if isinstance(ticket, HelpdeskError):
        yield Finding(what="hidden", ok=False, text=not_looked(ticket))
    elif ticket is None:
        yield Finding(what="hidden", ok=True, text="There is no open ticket to see what is hidden on.")
    elif lacking := sorted(needed & ticket.hidden):
        text = (
            f"Ticket {ticket.ref.id} does not show us {', '.join(lacking)}, which policies need. Give Uptier's user "
            "the right to see it; until then they are unknown there."
        )
        yield Finding(what="hidden", ok=False, text=text)
    else:
        yield Finding(what="hidden", ok=True, text=f"Ticket {ticket.ref.id} shows all that policies need.")


def offered(client: Client, what: str, path: str, instead: str) -> Finding:
    """Whether the plan has a feature, by asking for it."""
    error = look(lambda: client.get(path))
    if not isinstance(error, HelpdeskError):
        return Finding(what=what, ok=True, text="Zendesk offers them on this plan.")
    if status_behind(error) in NOT_OFFERED:
        return Finding(what=what, ok=False, text=f"Zendesk does not offer them to us. {instead}", hint=True)
    return Finding(what=what, ok=False, text=not_looked(error))


def webhook(account: Account) -> Finding:
    """Whether webhooks can be told from forgeries; whether Zendesk sends any, only Zendesk knows."""
    if account.webhook:
        return Finding(what="webhook secret", ok=True, text="A signing secret is set.")
    text = "No webhook secret is set: polling alone is a minute or two late. "
    text += f"`uptier connect {account.name}` makes one; see docs/zendesk.md."
    return Finding(what="webhook secret", ok=False, text=text, hint=True)


ARRIVED = frozenset({"success", "successful", "succeeded", "completed"})
LOST = frozenset({"circuit broken", "terminated", "throttled", "failed", "failure", "error", "timeout"})
"""What Zendesk calls deliveries that did not arrive; the first three are recorded. A word in neither set is not judged.

https://developer.zendesk.com/api-reference/webhooks/webhooks-api/webhooks/#list-webhook-invocations
"""
NEWEST = 20
"""Deliveries."""


def deliveries(account: Account, client: Client) -> Iterator[Finding]:
    """Whether a webhook posts to us, and what Zendesk says of its last deliveries."""
    address = f"/hooks/{account.name}"
    known = look(ZendeskHooks(client).listed)
    if isinstance(known, HelpdeskError):
        right = f". For that {known.right}" if isinstance(known, NotAllowed) and known.right else ""
        told = f"Zendesk does not show us its webhooks: {known}{right}"
        yield Finding(what="webhook", ok=False, unseen=True, text=told)
        return
    ours = [each for each in known if urlsplit(each.address).path.rstrip("/") == address]
    active = [each for each in ours if each.active]
    if not active:
        step = "Activate it in Admin Center." if ours else f"`uptier connect {account.name}` makes one."
        told = (
            f"The webhook that posts to {address} is not active."
            if ours
            else f"No webhook posts to {address}."
        )
        yield Finding(what="webhook", ok=False, text=f"{told} {step}")
        return
    for each in active:
        yield from of_hook(each, client)


def of_hook(hook: Hook, client: Client) -> Iterator[Finding]:
    """What became of the last deliveries of one webhook."""
    path = f"/webhooks/{hook.id}/invocations"
    rows = look(lambda: client.get(path, {"page[size]": NEWEST}).rows("invocations"))
    where = f"The webhook {hook.name or hook.id} posts to {hook.address}"
    step = "Change a ticket and ask again, or see Webhooks > Activity in Admin Center."
    if isinstance(rows, HelpdeskError):
        yield Finding(
            what="webhook",
            ok=False,
            unseen=True,
            text=f"{where}; its deliveries are not shown: {rows}. {step}",
        )
        return
    words = [row.get("status") for row in rows if isinstance(row, dict)]
    counted = Counter(word.casefold() for word in words if isinstance(word, str))
    told = ", ".join(f"{many} {word}" for word, many in counted.most_common())
    if not counted or counted.keys() - ARRIVED - LOST:
        text = f"{where}; of its last deliveries Zendesk says {told or 'nothing'}. {step}"
        yield Finding(what="webhook", ok=False, unseen=True, text=text)
    elif lost := counted.keys() & LOST:
        text = (
            f"{where}; its last deliveries: {told}. See Webhooks > Activity in Admin Center for what was answered; "
            "the address must be reached from outside, and `uptier doctor` tries it where `outside` is set."
        )
        yield Finding(
            what="webhook", ok=False, hint=sum(counted[word] for word in lost) * 2 < len(words), text=text
        )
    else:
        yield Finding(what="webhook", ok=True, text=f"{where}; its last deliveries: {told}.")


DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
A_DAY = 1440
"""Minutes."""

SYSTEM_FIELDS = frozenset(
    {"subject", "description", "status", "tickettype", "priority", "group", "assignee", "custom_status"}
    | {"basic_priority"}
)
"""Types of the fields that every account has.

https://developer.zendesk.com/api-reference/ticketing/tickets/ticket_fields/
"""


def survey(account: Account, client: Client, identities: IdentityCache) -> Survey:
    """What a first config can name: custom fields, custom statuses and schedules."""
    try:
        known = [row for row in identities.known_fields() if row["type"] not in SYSTEM_FIELDS]
        fields = {str(row["id"]): str(row["title"]) for row in known if row["active"] is not False}
    except NotAllowed:
        fields = None
    rows = shown(client, "/custom_statuses", "custom_statuses")
    schedules = shown(client, "/business_hours/schedules", "schedules")
    return Survey(
        fields=fields,
        statuses=None if rows is None else dict(labelled(account, rows)),
        calendars=None if schedules is None else tuple(opening_hours(schedules)),
    )


def shown(client: Client, path: str, name: str) -> list[Row] | None:
    """The rows of a list; None where the plan or our rights refuse it."""
    try:
        return [row for row in client.get(path).rows(name) if isinstance(row, dict)]
    except NotAllowed:
        return None


def labelled(account: Account, rows: list[Row]) -> Iterator[tuple[str, Status]]:
    """Each active status by its label, with what it counts as."""
    for row in rows:
        label, category = row.get("agent_label"), row.get("status_category")
        if not isinstance(label, str) or not isinstance(category, str) or row.get("active") is False:
            continue
        status = account.counts_as("", label) or STATUSES.get(category)
        if status is not None:
            yield label, status


def opening_hours(rows: list[Row]) -> Iterator[OpeningHours]:
    """Schedules, whose intervals count minutes since Sunday 00:00 in the schedule's zone.

    https://developer.zendesk.com/api-reference/ticketing/ticket-management/schedules/
    """
    for row in rows:
        hours: dict[str, tuple[str, ...]] = {}
        for each in row.get("intervals") or ():
            start, end = (
                each.get(key) if isinstance(each, dict) else None for key in ("start_time", "end_time")
            )
            if not isinstance(start, int) or not isinstance(end, int) or not 0 <= start < end <= 7 * A_DAY:
                continue
            for day in range(start // A_DAY, (end - 1) // A_DAY + 1):
                first, last = max(start - day * A_DAY, 0), min(end - day * A_DAY, A_DAY)
                span = f"{first // 60:02}:{first % 60:02}-{last // 60:02}:{last % 60:02}"
                hours[DAYS[day]] = (*hours.get(DAYS[day], ()), span)
        if hours:
            zone = place_of(row.get("time_zone"))
            yield OpeningHours(name=str(row.get("name") or "support"), timezone=zone, hours=hours)
