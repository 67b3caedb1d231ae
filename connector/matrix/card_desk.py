"""The cards of those on whose desk tickets land: agents, leads, managers, groups and people by name."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from connector.matrix.cards import TITLES, Card, Section, clipped, commands, first, listing
from policies.matrix import Matrix, Row
from policies.matrix_gaps import some
from policies.policy import PolicySet
from policies.words import BY_HAND

DUTIES = 6
"""How many levels a card lists; the rest is counted."""

LINE = 190
"""Characters of an entry in a list: two lines of a page."""

ASKED: Mapping[str, str] = {
    "agent": "Answer it, or say in a note what is done.",
    "lead": "See that somebody answers it, or take it.",
    "manager": "Decide who acts, and see that the requester hears.",
}
TAKE = "Take it and answer, or say in a note what is done."


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """One level of a policy that lands on a role's desk; `later` is the level after it, `accounts` where it does, each
    with the mode if nothing is written there yet."""

    row: Row
    later: Row | None
    accounts: tuple[str, ...]


def desk_cards(matrix: Matrix, policies: PolicySet) -> Iterator[Card]:
    """A card for agents, and one for each other role on whose desk a level lands."""
    named = dict.fromkeys(role for row in matrix.rows for role in row.level.roles)
    general = [role for role in TITLES if role == "agent" or role in named]
    for role in (*general, *sorted(set(named) - set(TITLES))):
        yield desk_card(role, matrix, policies)


def desk_card(role: str, matrix: Matrix, policies: PolicySet) -> Card:
    """The card of one role."""
    found = duties(role, matrix)
    account = found[0].row.account if found else next((row.account for row in matrix.rows), "ACCOUNT")
    ends = (listing("It ends when", endings(found)),) if found else ()
    asked = listing("Whom to ask", contacts(role, policies))
    sections = (landing(role, found), *ends, steps(found, f"{account}/4711"), asked)
    return Card(role=role, hash=matrix.hash, sections=sections)


def duties(role: str, matrix: Matrix) -> tuple[Duty, ...]:
    """The levels that land on this desk, each once, with all accounts on which it does."""
    found: dict[tuple[str, str], Duty] = {}
    for row, after in pairwise((*matrix.rows, None)):
        assert row is not None
        if role not in row.level.roles:
            continue
        known = found.get((row.policy.name, row.level.name))
        place = row.account if row.mode == "enforce" else f"{row.account}: observe"
        accounts = (*known.accounts, place) if known else (place,)
        climbs = after is not None and (after.account, after.policy.name) == (row.account, row.policy.name)
        found[row.policy.name, row.level.name] = Duty(
            row=known.row if known else row, later=after if climbs else None, accounts=accounts
        )
    return tuple(found.values())


def landing(role: str, found: Sequence[Duty]) -> Section:
    """What lands on the desk, why and when, what to do, and what comes if nothing is done."""
    title = "What lands on my desk"
    if not found:
        return listing(title, ["No level names you. Tickets reach you as your helpdesk assigns them."])
    rows = [
        (
            clipped(f"{each.row.policy.name}: {each.row.level.name} ({', '.join(each.accounts)})"),
            clipped("; ".join(each.row.policy.when)),
            clipped(each.row.level.time),
            clipped(todo(role, each.row)),
            clipped(coming(each)),
        )
        for each in found
    ]
    titles = ("Policy: level", "Why: all of these hold", "When", "What I do", "Before this comes")
    return Section(title=title, titles=titles, rows=first(rows, DUTIES, "uptier matrix"))


def todo(role: str, row: Row) -> str:
    """What is asked, or what is expected of the role."""
    level = row.level
    said = [level.ask or ASKED.get(role, TAKE)]
    said += [f"Steps: {'; '.join(level.checklist)}."] if level.checklist else []
    said += ["It fires only when it is approved."] if level.approval else []
    return " ".join(said)


def coming(duty: Duty) -> str:
    """The next level and its owner, or that there is none."""
    if duty.later is None:
        again = duty.row.level.repeat
        return f"no further level; said again {again}" if again else "no further level: it stays here"
    later = duty.later.level
    return f"{later.name}, {later.time}: {later.owner}"


def endings(found: Sequence[Duty]) -> list[str]:
    """What ends the escalations of these policies; those that end alike together."""
    by_stops: dict[tuple[str, ...], list[str]] = {}
    for each in found:
        names = by_stops.setdefault(each.row.policy.stops, [])
        names += [each.row.policy.name] if each.row.policy.name not in names else []
    if len(by_stops) == 1:
        return [clipped("; ".join(stops), LINE) for stops in by_stops]
    said = [clipped(f"{some(names)}: {'; '.join(stops)}", LINE) for stops, names in by_stops.items()]
    return [each for (each,) in first([(each,) for each in said], 3, "uptier matrix")]


def steps(found: Sequence[Duty], ticket: str) -> Section:
    """How to take it on, put it off, push it or put it back."""
    tags = list(dict.fromkeys(each for duty in found for each in duty.row.policy.acknowledge))
    approval = [
        ("Let a level fire that waits for approval", f"uptier approve {ticket}"),
        ("Pass over a level that waits for approval", f'uptier reject {ticket} --reason "WHY"'),
    ]
    asked = any(duty.row.level.approval or (duty.later and duty.later.level.approval) for duty in found)
    return commands(
        "What I can do",
        (clipped(f"Acknowledge it by {some(tags or BY_HAND, 'or')}, or", LINE), f"uptier ack {ticket}"),
        ("See why it is here", f"uptier explain {ticket}"),
        ("Keep it quiet for a while", f'uptier snooze {ticket} --for 2h --reason "WHY"'),
        ("Escalate it now", f'uptier escalate {ticket} --reason "WHY"'),
        ("De-escalate it, and put back what was written", f'uptier deescalate {ticket} --reason "WHY"'),
        *(approval if asked else []),
    )


def contacts(role: str, policies: PolicySet) -> list[str]:
    """Who answers for what: leads, managers and the catch-all. A group or person by name has their own only."""
    leads = {group: lead for group, lead in policies.leads.items() if role in (group, *TITLES)}
    people = {role, *leads.values()} if role not in TITLES else set(policies.managers)
    managers = [f"{boss} (of {one})" for one, boss in policies.managers.items() if one in people]
    said = [
        f"Lead: {some([f'{lead} ({group})' for group, lead in leads.items()])}" if leads else "",
        f"Manager: {some(managers)}" if managers else "",
        f"Where nobody else is found: {policies.default_owner}" if policies.default_owner else "",
        "About a policy: the support-ops lead. About the connection to the helpdesk: the admin.",
    ]
    return [clipped(each, LINE) for each in said if each]
