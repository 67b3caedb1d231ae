"""What works on this Zammad, and what to do about the rest."""

from collections.abc import Iterator

from adapters.base import AccessLost, Account, Finding, HelpdeskError
from adapters.http import look
from policies.model import Priority, Ticket
from uptier_zammad import feed
from uptier_zammad.client import Client
from uptier_zammad.people import References, Roster
from uptier_zammad.ticket import ASKED


def probe(
    account: Account, client: Client, roster: Roster, secret: str | None, needed: frozenset[str]
) -> tuple[Finding, ...]:
    """All findings. A look that fails is a finding too; only lost credentials are fatal."""
    try:
        me = client.get("/users/me").row()
    except AccessLost as error:
        return (Finding(what="credentials", ok=False, text=str(error), fatal=True),)
    except HelpdeskError as error:
        return (Finding(what="access", ok=False, text=f"Could not look: {error}"),)
    signed_in = Finding(what="credentials", ok=True, text=f"Signed in as {me.get('login')}.")
    hook = Finding(what="webhook secret", ok=True, text="Webhooks must be signed.")
    if secret is None:
        text = "No webhook secret is set: polling alone is a minute or two late."
        hook = Finding(what="webhook secret", ok=False, text=text, hint=True)
    known = look(roster.references)
    if isinstance(known, HelpdeskError):
        text = f"The token needs ticket.agent and admin.group. Could not look: {known}"
        return (signed_in, Finding(what="groups", ok=False, text=text), hook)
    return (signed_in, *lists(account, known), *shown(client, roster, needed), hook)


def lists(account: Account, known: References) -> Iterator[Finding]:
    """What groups, states and priorities count as."""
    agents = sum(bool(each.groups) for each in known.directory.agents)
    text = f"{len(known.directory.groups)} groups; {agents} agents may own their tickets."
    yield Finding(what="groups", ok=agents > 0, text=text)
    counts = {name: known.status(key, None) for key, (name, _) in known.states.items()}
    text = "; ".join(f"{name}: {status or 'unknown'}" for name, status in counts.items())
    yield Finding(
        what="states",
        ok=None not in counts.values(),
        text=f"{text}. More: [accounts.{account.name}.statuses]",
    )
    lost = [each.value for each in Priority if known.priority_of(each) is None]
    text = "Each priority has one that counts as it."
    if lost:
        example = 'priorities = { "3 high" = "urgent" }'
        text = f"None counts as {', '.join(lost)}; say which in the account, for example {example}."
    yield Finding(what="priorities", ok=not lost, text=text, hint=True)


def shown(client: Client, roster: Roster, needed: frozenset[str]) -> Iterator[Finding]:
    """Whether the newest open ticket shows what is needed."""
    page = look(lambda: feed.census(client, roster.references, None))
    if isinstance(page, HelpdeskError):
        yield Finding(what="tickets", ok=False, text=f"Could not look: {page}")
        return
    if page.aside:
        text = f"{len(page.aside)} tickets cannot be read; they are set aside until they can."
        yield Finding(what="tickets", ok=False, text=text)
    for one in page.tickets[-1:]:
        lacking = sorted(needed & hidden_for_good(one))
        if lacking:
            text = f"Ticket {one.ref.id} does not show {', '.join(lacking)}; loaded policies need that."
            yield Finding(what="hidden fields", ok=False, text=text)


def hidden_for_good(one: Ticket) -> frozenset[str]:
    """What a row hides that nothing else tells."""
    return one.hidden - {"description", "phrases", "tags", *ASKED}
