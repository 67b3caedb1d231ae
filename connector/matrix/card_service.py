"""The cards of those who answer for the policies and for the service: support-ops lead and admin."""

from collections.abc import Iterator
from shlex import quote

from connector.matrix.cards import Card, Section, clipped, commands, first, listing
from connector.matrix.columns import counted
from policies.matrix import Matrix
from policies.policy import PolicySet

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
        (clipped(name), counted(levels[name], "level"), clipped(", ".join(places)))
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
                ("Files, credentials, rights and webhooks", "uptier check --online"),
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
