"""What works on this account, and what to do about the rest."""

import json
from collections.abc import Callable, Iterator
from typing import TypeVar

from adapters.base import AccessLost, Account, Finding, HelpdeskError
from adapters.freshdesk import directory
from adapters.freshdesk.form import STATUS_NAMES
from adapters.freshdesk.refusals import status
from adapters.freshdesk.session import Line, Row
from adapters.freshdesk.ticket import field_names

UNTOLD = frozenset({403, 404})
UPDATE_RULES = "/automations/4/rules"


def probe(account: Account, line: Line) -> tuple[Finding, ...]:
    """All findings. A look that fails is a finding too; only lost credentials are fatal."""
    try:
        agent = directory.me(line)
    except AccessLost as error:
        return (Finding(what="credentials", ok=False, text=str(error), fatal=True),)
    except HelpdeskError as error:
        return (Finding(what="credentials", ok=False, text=f"Could not look: {error}"),)
    return (
        credentials(line, agent),
        *form(account, line),
        deadlines(line),
        webhook(account),
        *rule(account, line),
    )


def credentials(line: Line, agent: Row) -> Finding:
    """Who we are, and whether that agent may see what Uptier needs."""
    contact = agent.get("contact")
    name = contact.get("name") if isinstance(contact, dict) else agent["id"]
    error = look(lambda: line.get("/agents", {"per_page": 1}))
    if not isinstance(error, HelpdeskError):
        return Finding(what="credentials", ok=True, text=f"Signed in as {name}.")
    if status(error) == 403:
        text = f"Signed in as {name}, who may not list agents. Give this agent the Administrator role."
        return Finding(what="credentials", ok=False, text=text)
    return Finding(what="credentials", ok=False, text=f"Signed in as {name}. Could not look: {error}")


def form(account: Account, line: Line) -> Iterator[Finding]:
    """Whether each mapped custom field is there, and which statuses Uptier does not know the meaning of."""
    found = look(lambda: directory.read_form(line))
    if isinstance(found, HelpdeskError):
        yield Finding(what="fields", ok=False, text=f"Could not look: {found}")
        return
    mapped = field_names(account)
    lost = sorted(name for name, key in mapped.items() if key not in found.names)
    text = f"No such ticket field for {', '.join(lost)}. Correct the names under the account's fields."
    right = f"{len(mapped)} custom fields are mapped."
    yield Finding(what="fields", ok=not lost, text=text if lost else right)
    own = sorted(name for code, name in found.statuses.items() if STATUS_NAMES.get(code) != name and code > 5)
    if own:
        text = f"These count as open: {', '.join(own)}. Policies can tell them apart by status_name."
        yield Finding(what="statuses", ok=True, text=text)


def deadlines(line: Line) -> Finding:
    """Whether the account has SLA policies that we may see."""
    error = look(lambda: line.get("/sla_policies"))
    if not isinstance(error, HelpdeskError):
        return Finding(what="sla targets", ok=True, text="Freshdesk offers them on this plan.")
    if status(error) in UNTOLD:
        text = "Freshdesk does not show them to us. Deadlines still come with each ticket that has them."
        return Finding(what="sla targets", ok=False, text=text)
    return Finding(what="sla targets", ok=False, text=f"Could not look: {error}")


def webhook(account: Account) -> Finding:
    """Whether webhooks can be told from forgeries."""
    if account.webhook:
        return Finding(what="webhook", ok=True, text="Webhooks must bring their secret.")
    text = "No webhook secret is set: polling alone is a minute or two late. See docs/freshdesk.md."
    return Finding(what="webhook", ok=False, text=text)


def rule(account: Account, line: Line) -> Iterator[Finding]:
    """Whether an automation rule posts to us, where webhooks are set up and rules can be read."""
    if not account.webhook:
        return
    address = f"/hooks/{account.name}"
    rules = look(lambda: json.dumps(line.get(UPDATE_RULES).body))
    if isinstance(rules, HelpdeskError):
        yield Finding(what="webhook rule", ok=False, text=f"Could not look: {rules}")
    elif address in rules:
        yield Finding(what="webhook rule", ok=True, text="An automation on ticket updates posts to us.")
    else:
        text = f"No automation on ticket updates posts to {address}. docs/freshdesk.md says how to make one."
        yield Finding(what="webhook rule", ok=False, text=text)


T = TypeVar("T")


def look(ask: Callable[[], T]) -> T | HelpdeskError:
    """What `ask` answers, or the error it met, so that one failed look does not hide the others."""
    try:
        return ask()
    except HelpdeskError as error:
        return error
