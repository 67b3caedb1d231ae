"""One card for each team."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from shlex import quote

from connector.matrix.tables import PAGES
from connector.render import many, markdown, markdown_table, plain
from policies.language.policy import PolicySet
from policies.language.vocabulary import OWNER_FUNCTIONS
from policies.present.describe import BY_HAND
from policies.present.matrix import Matrix, Row, some

LONGEST = 80
"""Characters of a cell; a longer text loses its tail, for a card is one page."""


def titles() -> dict[str, str]:
    """The roles that are no names, and what their cards are called. Cards for a group or person are called by its
    name."""
    functions = {each.role: each.title for each in OWNER_FUNCTIONS.values()}
    return {"agent": "Agent", **functions, "ops": "Support-ops lead", "admin": "Admin"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A table on a card, or a list if it has no `titles`. In a section of `commands` the last cell is to be typed."""

    title: str
    rows: tuple[tuple[str, ...], ...]
    titles: tuple[str, ...] = ()
    commands: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One page. `hash` names the policies that it was made from."""

    role: str
    hash: str
    sections: tuple[Section, ...]

    @property
    def title(self) -> str:
        """What stands at its head."""
        return titles().get(self.role, self.role)


def clipped(text: str, longest: int = LONGEST) -> str:
    """The text on one line, without its tail if it is too long."""
    said = plain(text)
    return said if len(said) <= longest else said[: longest - 1].rstrip() + "…"


def listing(title: str, texts: Sequence[str]) -> Section:
    """A list of texts."""
    return Section(title=title, rows=tuple((text,) for text in texts))


def commands(title: str, *pairs: tuple[str, str]) -> Section:
    """What can be done, and the command for it."""
    return Section(title=title, rows=pairs, commands=True)


def first(rows: Sequence[tuple[str, ...]], most: int, more: str) -> tuple[tuple[str, ...], ...]:
    """The first rows, and one that counts the rest."""
    rest = len(rows) - most
    width = len(rows[0]) if rows else 1
    counted = (f"and {rest} more: {more}", *[""] * (width - 1))
    return (*rows[:most], counted) if rest > 0 else tuple(rows)


DUTIES = 6
"""How many levels a card lists; the rest is counted."""

LINE = 190
"""Characters of an entry in a list: two lines of a page."""

ANSWER = "Answer it, or say in a note what is done."
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
    general = [role for role in titles() if role == "agent" or role in named]
    for role in (*general, *sorted(set(named) - set(general))):
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
    said = [level.ask or expected(role)]
    said += [f"Steps: {'; '.join(level.checklist)}."] if level.checklist else []
    said += ["It fires only when it is approved."] if level.approval else []
    return " ".join(said)


def expected(role: str) -> str:
    """What is expected of the role where a level asks for nothing in particular."""
    asked = {each.role: each.asked for each in OWNER_FUNCTIONS.values() if each.asked}
    return {"agent": ANSWER, **asked}.get(role, TAKE)


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
    leads = {group: lead for group, lead in policies.leads.items() if role in (group, *titles())}
    people = {role, *leads.values()} if role not in titles() else set(policies.managers)
    managers = [f"{boss} (of {one})" for one, boss in policies.managers.items() if one in people]
    said = [
        f"Lead: {some([f'{lead} ({group})' for group, lead in leads.items()])}" if leads else "",
        f"Manager: {some(managers)}" if managers else "",
        f"Where nobody else is found: {policies.default_owner}" if policies.default_owner else "",
        "About a policy: the support-ops lead. About the connection to the helpdesk: the admin.",
    ]
    return [clipped(each, LINE) for each in said if each]


POLICIES = 7
GAPS = 5
ACCOUNTS = 10
"""How many of each a card lists; the rest is counted."""


def service_cards(matrix: Matrix, policies: PolicySet) -> Iterator[Card]:
    """The two cards."""
    yield ops(matrix)
    yield admin(matrix, policies)


def ops(matrix: Matrix) -> Card:
    """Who answers for the policies: what runs, what is missing, and how a change is made."""
    return Card(
        role="ops",
        hash=matrix.hash,
        sections=(
            running(matrix),
            Section(title="Gaps to close", titles=("Where", "What is missing"), rows=gap_rows(matrix))
            if any(row.gaps for row in matrix.rows)
            else listing("Gaps to close", ["None that the files and the last directories show."]),
            commands(
                "A change, in this order",
                ("Check the files, warnings too", "uptier check --strict"),
                ("See what one ticket would meet in two hours", "uptier explain ACCOUNT/ID --at +2h"),
                ("Have it taken up", "uptier reload"),
                ("Print this anew", "uptier cards --format html --output cards.html"),
            ),
            commands(
                "Every week",
                ("Tickets that no policy covers, policies that never fired", "uptier gaps"),
                ("Who answers for what, with the gaps", "uptier matrix --format html --output matrix.html"),
                ("All that happened", "uptier ledger export --from -168h"),
            ),
        ),
    )


def running(matrix: Matrix) -> Section:
    """The policies with their accounts and modes."""
    found: dict[str, list[str]] = {}
    levels: dict[str, int] = {}
    for row in matrix.rows:
        names = found.setdefault(row.policy.name, [])
        place = f"{row.account} ({row.mode})"
        names += [place] if place not in names else []
        levels[row.policy.name] = len(row.policy.levels)
    rows = [
        (clipped(name), many(levels[name], "level"), clipped(", ".join(places)))
        for name, places in found.items()
    ]
    if not rows:
        return listing("What runs", ["No policy serves an account."])
    titles = ("Policy", "Ladder", "Accounts (mode)")
    return Section(title="What runs", titles=titles, rows=first(rows, POLICIES, "uptier matrix"))


def gap_rows(matrix: Matrix) -> tuple[tuple[str, ...], ...]:
    """The first gaps, each where it is."""
    rows = [
        (clipped(f"{row.account}: {row.policy.name}: {row.level.name}"), clipped(f"{gap.code}: {gap.text}"))
        for row in matrix.rows
        for gap in row.gaps
    ]
    return first(rows, GAPS, "uptier matrix")


def admin(matrix: Matrix, policies: PolicySet) -> Card:
    """Who keeps the service up: what it is connected to, what to look at, and what to do when it holds back."""
    channel = next(iter(policies.channels), None)
    spoken = [("Try a channel", f"uptier notify test {quote(channel)}")] if channel else []
    return Card(
        role="admin",
        hash=matrix.hash,
        sections=(
            connected(matrix, policies),
            commands(
                "Is it well?",
                ("Files, credentials, rights and webhooks", "uptier doctor"),
                ("One round, with what needs a human", "uptier run --once"),
                *spoken,
                ("What is held back by a cap or a loop", "uptier release"),
            ),
            commands(
                "When something is to be done",
                ("Let a held ticket go on", 'uptier release ACCOUNT/ID --reason "WHY"'),
                ("Take changed policies up", "uptier reload"),
                ("Start the service", "uptier run"),
                ("Keep a changed secret", "uptier secret set NAME"),
                ("Forget at once what the retention says", "uptier purge"),
            ),
            listing(
                "Whom to ask",
                [
                    "About a policy: the support-ops lead. About a right or a credential: who runs the helpdesk."
                ],
            ),
        ),
    )


def connected(matrix: Matrix, policies: PolicySet) -> Section:
    """Accounts and channels."""
    accounts = dict.fromkeys(row.account for row in matrix.rows)
    rows = [
        (
            clipped(name),
            "account",
            "groups and people were never read: uptier run --once" if name in matrix.unread else "read",
        )
        for name in (*accounts, *(each for each in matrix.unread if each not in accounts))
    ]
    rows += [(clipped(name), "channel", "") for name in policies.channels]
    titles = ("Name", "What", "State")
    return Section(title="What is connected", titles=titles, rows=first(rows, ACCOUNTS, "uptier check"))


def cards_html(cards: Sequence[Card]) -> str:
    """The document: each card begins a page when it is printed."""
    return PAGES.get_template("cards.html").render(cards=cards)


def cards_markdown(cards: Sequence[Card]) -> str:
    """The cards one after the other."""
    return "\n".join(line for card in cards for line in lines(card))


def lines(card: Card) -> Iterator[str]:
    """One card."""
    yield f"# {markdown(card.title)}"
    yield ""
    for section in card.sections:
        yield f"## {section.title}"
        yield ""
        yield from table(section) if section.titles or section.commands else items(section)
        yield ""
    yield f"Policies {card.hash}."
    yield ""


def items(section: Section) -> Iterator[str]:
    """A list."""
    for row in section.rows:
        yield f"- {markdown(''.join(row))}"


def table(section: Section) -> Iterator[str]:
    """A table; one of commands has a title row of its own, which Markdown wants."""
    titles = section.titles or ("To", "Type")
    last = code if section.commands else markdown
    yield from markdown_table(titles, ((*map(markdown, row[:-1]), last(row[-1])) for row in section.rows))


def code(command: str) -> str:
    """A command to be typed; one with a backtick in it is text."""
    said = plain(command)
    return markdown(said) if "`" in said or "|" in said else f"`{said}`"
