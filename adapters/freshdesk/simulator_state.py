"""What people and rules do in the simulated account. The control surface for tests and the demo, not Freshdesk's.

Every method may be called from another thread. Tickets, people and groups are named by id, and people and
groups also by address or name.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from adapters.freshdesk.simulator_account import Account
from adapters.freshdesk.simulator_directory import Ref
from adapters.freshdesk.simulator_records import markup
from adapters.freshdesk.simulator_tickets import CLOSED, NOTE, OPEN, REPLY, Row, Said, touch

RULE = 1060000000099


class Freshdesk(Account):
    """The account, with everything that can happen in it."""

    def customer_says(
        self, ticket: int, text: str, *, author: Ref | None = None, auto_response: bool = False
    ) -> None:
        """The requester (or `author`) answers by e-mail; a ticket that waited or was solved opens again."""
        with self.lock:
            row = self._alive(ticket)
            who = row.json["requester_id"] if author is None else self.people.person(author)["id"]
            self.hear(
                row,
                Said(
                    author=who,
                    body=markup(text),
                    private=False,
                    staff=False,
                    source=REPLY,
                    auto_response=auto_response,
                ),
            )
            if row.json["status"] != OPEN:
                self.change(row, {"status": OPEN})

    def agent_says(self, ticket: int, agent: Ref, text: str, *, public: bool = True, **fields: Any) -> None:
        """An agent replies, or notes, and then changes `fields`."""
        with self.lock:
            row, who = self._alive(ticket), self.people.agent(agent)["id"]
            source = REPLY if public else NOTE
            self.hear(row, Said(author=who, body=markup(text), private=not public, staff=True, source=source))
            if fields:
                self.change(row, self.named(fields))

    def agent_changes(self, ticket: int, agent: Ref, **fields: Any) -> None:
        """An agent changes fields: `group`, `assignee`, `custom`, or the vendor's own keys."""
        with self.lock:
            self.people.agent(agent)
            self.change(self._alive(ticket), self.named(fields))

    def rule_says(self, ticket: int, text: str, *, public: bool = True) -> None:
        """A rule of the account writes, in the name of its maker."""
        with self.lock:
            maker = next(iter(self.people.agents))
            said = Said(author=maker, body=markup(text), private=not public, staff=True, automation=RULE)
            self.hear(self._alive(ticket), said)

    def rule_changes(self, ticket: int, **fields: Any) -> None:
        """A rule of the account changes fields."""
        with self.lock:
            self.change(self._alive(ticket), self.named(fields))

    def rates(self, ticket: int, text: str = "Great", *, value: int = 103) -> None:
        """The requester answers the satisfaction survey; `value` is the answer to its first question."""
        with self.lock:
            row = self.ticket(ticket)
            who = row.json["requester_id"]
            self.hear(row, Said(author=who, body=markup(text), private=False, staff=False, source=6))
            rated = {"id": False, "ticket_id": ticket, "user_id": who, "feedback": text}
            row.ratings.append(rated | {"ratings": {"default_question": value}, "created_at": self.now()})

    def set_due(self, ticket: int, **due: int | None) -> None:
        """Set `due_by`, `fr_due_by` or `nr_due_by` by hand, over what the policies give, in epoch seconds."""
        with self.lock:
            self.ticket(ticket).by_hand |= due

    def spoil(
        self,
        ticket: int,
        *,
        shows: Mapping[str, Any] | None = None,
        hides: Iterable[str] = (),
        is_null: bool = False,
    ) -> None:
        """From now on the API shows these values and leaves these keys out, whatever the ticket holds, and a list has a
        null in its place. Without arguments it is shown as it is."""
        with self.lock:
            row = self.ticket(ticket)
            row.shows, row.hides, row.is_null = dict(shows or {}), tuple(hides), is_null

    def delete(self, ticket: int) -> None:
        """Delete the ticket: it leaves the list, and the list of deleted ones has it."""
        self._remove(ticket, "deleted")

    def mark_as_spam(self, ticket: int) -> None:
        """Mark as spam: it leaves the list, and the list of spam has it."""
        self._remove(ticket, "spam")

    def restore(self, ticket: int) -> None:
        """Take a ticket back out of trash or spam."""
        with self.lock:
            row = self.ticket(ticket)
            row.removed, row.json["spam"] = None, False
            touch(row, self.now())

    def archive(self, ticket: int) -> None:
        """Archive a closed ticket, as after 120 quiet days."""
        with self.lock:
            self.ticket(ticket).archived = True

    def merge(self, source: int, target: int, agent: Ref) -> None:
        """Merge `source` into `target`: the source closes, with a note and nothing else to tell it."""
        with self.lock:
            text = f"This ticket is closed and merged into ticket {target}"
            self.agent_says(source, agent, text, public=False, status=CLOSED)
            self.agent_says(target, agent, f"Merged from ticket {source}", public=False)

    def _remove(self, ticket: int, how: Any) -> None:
        with self.lock:
            row = self.ticket(ticket)
            row.removed = how
            row.json["spam"] = how == "spam"
            if self.switches.removal_touches:
                touch(row, self.now())

    def _alive(self, ticket: int) -> Row:
        row = self.ticket(ticket)
        if row.removed or row.archived:
            raise ValueError(f"ticket {ticket} is {row.removed or 'archived'}; nobody can change it")
        return row
