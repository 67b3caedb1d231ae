"""What works on this account, and what to do about the rest."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from adapters.base import AccessLost, Account, Finding, HelpdeskError
from adapters.zendesk import directory
from adapters.zendesk.people import Row
from adapters.zendesk.refusals import status
from adapters.zendesk.session import Line
from adapters.zendesk.ticket import field_ids

TOKENS_END = "2027-04-30"
NOT_OFFERED = frozenset({403, 404})


def probe(account: Account, line: Line) -> tuple[Finding, ...]:
    """All findings. A look that fails is a finding too; only lost credentials are fatal."""
    try:
        user = directory.me(account, line.session)
    except AccessLost as error:
        return (Finding(what="credentials", ok=False, text=str(error), fatal=True),)
    except HelpdeskError as error:
        return (Finding(what="credentials", ok=False, text=f"Could not look: {error}"),)
    return (
        *credentials(account, user),
        fields(account, line),
        offered(
            line, "sla targets", "/slas/policies", "Write [sla] tables; Uptier then keeps the deadlines."
        ),
        offered(line, "schedules", "/business_hours/schedules", "Write [calendars] for your opening hours."),
        webhook(account),
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
        yield Finding(what="language", ok=False, text=text)
    if account.auth["kind"] == "token":
        text = f"API tokens stop on {TOKENS_END}. Move to an OAuth token before: docs/zendesk.md says how."
        yield Finding(what="token", ok=False, text=text)


def fields(account: Account, line: Line) -> Finding:
    """Whether each mapped custom field is there."""
    mapped = field_ids(account)
    known = look(lambda: directory.custom_field_ids(account, line.session))
    if isinstance(known, HelpdeskError):
        return Finding(what="fields", ok=False, text=f"Could not look: {known}")
    lost = sorted(name for name, key in mapped.items() if key not in known)
    if lost:
        text = f"No such ticket field for {', '.join(lost)}. Correct the ids under the account's fields."
        return Finding(what="fields", ok=False, text=text)
    return Finding(what="fields", ok=True, text=f"{len(mapped)} custom fields are mapped.")


def offered(line: Line, what: str, path: str, instead: str) -> Finding:
    """Whether the plan has a feature, by asking for it."""
    error = look(lambda: line.get(path))
    if not isinstance(error, HelpdeskError):
        return Finding(what=what, ok=True, text="Zendesk offers them on this plan.")
    if status(error) in NOT_OFFERED:
        return Finding(what=what, ok=False, text=f"Zendesk does not offer them to us. {instead}")
    return Finding(what=what, ok=False, text=f"Could not look: {error}")


def webhook(account: Account) -> Finding:
    """Whether webhooks can be told from forgeries; whether Zendesk sends any, only Zendesk knows."""
    if account.webhook:
        return Finding(what="webhook", ok=True, text="A signing secret is set.")
    text = "No webhook secret is set: polling alone is a minute or two late. See docs/zendesk.md."
    return Finding(what="webhook", ok=False, text=text)


T = TypeVar("T")


def look(ask: Callable[[], T]) -> T | HelpdeskError:
    """What `ask` answers, or the error it met, so that one failed look does not hide the others."""
    try:
        return ask()
    except HelpdeskError as error:
        return error
