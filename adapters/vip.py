"""Who is a VIP by the account's lists of organizations and addresses, beside tags and marks at the helpdesk."""

from dataclasses import replace

from adapters.base import Account
from policies.model import Person, Ticket


def with_vip(ticket: Ticket, account: Account) -> Ticket:
    """The ticket, its requester a VIP if the account's lists say so. Capitals do not matter there."""
    asked = ticket.requester
    if asked is None or asked.vip or not is_listed(asked, ticket.organization, account):
        return ticket
    return replace(ticket, requester=replace(asked, vip=True))


def is_listed(person: Person, organization: str | None, account: Account) -> bool:
    """Whether the person's address, its `@domain`, or an organization is on a list."""
    address = (person.address or "").casefold()
    domain = f"@{address.rpartition('@')[2]}"
    addresses = {each.casefold() for each in account.vip_addresses}
    organizations = {each.casefold() for each in account.vip_organizations}
    named = {each.casefold() for each in (person.organization, organization) if each}
    return bool({address, domain} & addresses or named & organizations)
