"""Every field that a condition can read, in one table: check, schema, explain and compiler read it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from policies.language.phrases import found, shipped
from policies.model import Need, Priority, Satisfaction, Status, Ticket, Value

Kind = Literal["text", "choice", "number", "yes_no", "list", "custom"]
Reader = Callable[[Ticket], Value]

CUSTOM = "custom."
PHRASES = "phrases"

KINDS: dict[Kind, str] = {
    "text": "text",
    "choice": "choice",
    "number": "number",
    "yes_no": "yes or no",
    "list": "list",
    "custom": "custom field",
}
"""What a field of each kind is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field. `nullable` means that an ordinary ticket may have no value there.

    `needs` is what must be loaded beyond the ticket's own row. `beside` is what it reads besides itself, in the
    words of `Ticket.hidden`. `noun` is what it is called in a sentence; one that is true or false has two, `yes` and
    `no`. `choices` are the possible values, in rank order if `ranked`; empty where the helpdesk decides them.
    `settable` fields may stand in a level's `set`.
    """

    name: str
    kind: Kind
    meaning: str
    read: Reader = field(compare=False, repr=False)
    noun: str = ""
    yes: str = ""
    no: str = ""
    nullable: bool = False
    needs: frozenset[Need] = frozenset()
    beside: frozenset[str] = frozenset()
    choices: tuple[str, ...] = ()
    ranked: bool = False
    settable: bool = False

    def __post_init__(self) -> None:
        """A field without words of its own is called by its name."""
        noun = self.noun or f"the {self.name.replace('.', ' ').replace('_', ' ')}"
        for name, said in (("noun", noun), ("yes", f"{noun} is yes"), ("no", f"{noun} is no")):
            if not getattr(self, name):
                object.__setattr__(self, name, said)

    @property
    def reads(self) -> frozenset[str]:
        """What of a ticket must be shown, in the words of `Ticket.hidden`, so that the field is known."""
        space, dot, _ = self.name.partition(".")
        inside = {space} if dot and space != "custom" else set()
        return self.beside | inside | {self.name}


COUNTED = frozenset({Need.MESSAGES, Need.CHANGES})

TABLE = (
    Field(
        name="status",
        kind="choice",
        meaning="Where the ticket stands, in Uptier's words.",
        noun="the status",
        read=lambda ticket: ticket.status,
        choices=tuple(Status),
    ),
    Field(
        name="status_name",
        kind="text",
        meaning="The helpdesk's own word for the status.",
        noun="the helpdesk's own status",
        read=lambda ticket: ticket.status_name or None,
        beside=frozenset({"status"}),
    ),
    Field(
        name="priority",
        kind="choice",
        meaning="How urgent the ticket is; missing if nobody set it.",
        noun="the priority",
        read=lambda ticket: ticket.priority,
        nullable=True,
        choices=tuple(Priority),
        ranked=True,
    ),
    Field(
        name="type",
        kind="choice",
        meaning="The helpdesk's ticket type, such as question or incident.",
        noun="the ticket type",
        read=lambda ticket: ticket.type or None,
        nullable=True,
    ),
    Field(
        name="channel",
        kind="choice",
        meaning="How the ticket came in, such as email, web or chat.",
        noun="the channel the ticket came in by",
        read=lambda ticket: ticket.channel or None,
        nullable=True,
    ),
    Field(
        name="account",
        kind="choice",
        meaning="The account of this config that the ticket belongs to.",
        noun="the account",
        read=lambda ticket: ticket.ref.account,
    ),
    Field(
        name="subject",
        kind="text",
        meaning="The subject line.",
        noun="the subject",
        read=lambda ticket: ticket.subject or None,
        nullable=True,
    ),
    Field(
        name="description",
        kind="text",
        meaning="The first message, as text.",
        noun="the first message",
        read=lambda ticket: ticket.description or None,
        nullable=True,
    ),
    Field(
        name=PHRASES,
        kind="list",
        meaning="The phrase packs that match what the customer wrote, such as asks_for_manager.",
        noun="the phrases found in the requester's words",
        read=lambda ticket: tuple(found(ticket, shipped().values())),
        needs=frozenset({Need.MESSAGES}),
        beside=frozenset({"messages", "subject", "description"}),
    ),
    Field(
        name="tags",
        kind="list",
        meaning="The ticket's tags.",
        noun="the tags",
        read=lambda ticket: tuple(sorted(ticket.tags)),
    ),
    Field(
        name="group",
        kind="text",
        meaning="The name of the group the ticket is in.",
        noun="the group",
        read=lambda ticket: ticket.group.name if ticket.group else None,
        nullable=True,
    ),
    Field(
        name="assignee",
        kind="text",
        meaning="The address of the agent who has the ticket, or the name where there is no address.",
        noun="the assignee",
        read=lambda ticket: ticket.assignee.label if ticket.assignee else None,
        nullable=True,
    ),
    Field(
        name="assignee_away",
        kind="yes_no",
        meaning="Whether the assignee is away, as the config or the helpdesk tells; missing if nobody has it.",
        yes="the assignee is away",
        no="the assignee is not away",
        read=lambda ticket: ticket.assignee_away,
        needs=frozenset({Need.AVAILABILITY}),
        nullable=True,
        beside=frozenset({"assignee"}),
    ),
    Field(
        name="requester.name",
        kind="text",
        meaning="The name of the customer who asked.",
        noun="the requester's name",
        read=lambda ticket: (ticket.requester.name or None) if ticket.requester else None,
        nullable=True,
    ),
    Field(
        name="requester.address",
        kind="text",
        meaning="The email address of the customer who asked.",
        noun="the requester's address",
        read=lambda ticket: (ticket.requester.address or None) if ticket.requester else None,
        nullable=True,
    ),
    Field(
        name="requester.organization",
        kind="text",
        meaning="The organization of the customer who asked.",
        noun="the requester's organization",
        read=lambda ticket: (ticket.requester.organization or None) if ticket.requester else None,
        nullable=True,
    ),
    Field(
        name="requester.tags",
        kind="list",
        meaning="The tags of the customer who asked.",
        noun="the requester's tags",
        read=lambda ticket: tuple(sorted(ticket.requester.tags)) if ticket.requester else (),
    ),
    Field(
        name="requester.vip",
        kind="yes_no",
        meaning="Whether the customer is a VIP: by a tag or mark at the helpdesk, or by the account's VIP lists.",
        yes="the requester is a VIP",
        no="the requester is not a VIP",
        read=lambda ticket: ticket.requester.vip if ticket.requester else None,
    ),
    Field(
        name="requester.recent_tickets",
        kind="number",
        meaning="How many tickets of this customer were created in the last 7 days, this one included.",
        noun="the number of the requester's tickets in the last 7 days",
        read=lambda ticket: ticket.recent.of_requester,
        nullable=True,
        needs=frozenset({Need.RECENT}),
        beside=frozenset({"requester"}),
    ),
    Field(
        name="organization",
        kind="text",
        meaning="The organization the ticket belongs to.",
        noun="the organization",
        read=lambda ticket: ticket.organization or None,
        nullable=True,
    ),
    Field(
        name="organization_recent_tickets",
        kind="number",
        meaning="How many tickets of this organization were created in the last 7 days, this one included.",
        noun="the number of the organization's tickets in the last 7 days",
        read=lambda ticket: ticket.recent.of_organization,
        nullable=True,
        needs=frozenset({Need.RECENT}),
        beside=frozenset({"organization"}),
    ),
    Field(
        name="language",
        kind="choice",
        meaning="The customer's language, such as en or de.",
        noun="the language",
        read=lambda ticket: ticket.language or None,
        nullable=True,
    ),
    Field(
        name="satisfaction",
        kind="choice",
        meaning="How the customer rated the help; missing if they did not.",
        noun="the rating",
        read=lambda ticket: ticket.satisfaction,
        nullable=True,
        choices=tuple(Satisfaction),
        needs=frozenset({Need.RATING}),
    ),
    Field(
        name="replies",
        kind="number",
        meaning="How many public replies people have sent.",
        noun="the number of public replies",
        read=lambda ticket: ticket.counts.replies,
        needs=COUNTED,
        beside=frozenset({"messages"}),
    ),
    Field(
        name="reopens",
        kind="number",
        meaning="How often the ticket was opened again after it was solved.",
        noun="the number of times a person reopened it",
        read=lambda ticket: ticket.counts.reopens,
        needs=COUNTED,
        beside=frozenset({"changes", "status"}),
    ),
    Field(
        name="reassignments",
        kind="number",
        meaning="How often a person moved the ticket from one assignee to another.",
        noun="the number of moves between assignees by people",
        read=lambda ticket: ticket.counts.reassignments,
        needs=COUNTED,
        beside=frozenset({"changes", "assignee"}),
    ),
    Field(
        name="bounces",
        kind="number",
        meaning="How often a person moved the ticket back to the assignee before last.",
        noun="the number of moves by people back to the assignee before last",
        read=lambda ticket: ticket.counts.bounces,
        needs=COUNTED,
        beside=frozenset({"changes", "assignee"}),
    ),
    Field(
        name="group_moves",
        kind="number",
        meaning="How often a person moved the ticket from one group to another.",
        noun="the number of moves between groups by people",
        read=lambda ticket: ticket.counts.group_moves,
        needs=COUNTED,
        beside=frozenset({"changes", "group"}),
    ),
    Field(
        name="group_bounces",
        kind="number",
        meaning="How often a person moved the ticket back to the group before last.",
        noun="the number of moves by people back to the group before last",
        read=lambda ticket: ticket.counts.group_bounces,
        needs=COUNTED,
        beside=frozenset({"changes", "group"}),
    ),
)

FIELDS: dict[str, Field] = {each.name: each for each in TABLE}


def is_space(name: str) -> bool:
    """Whether fields are grouped under this name, as under `requester` and `custom`."""
    return f"{name}." == CUSTOM or any(each.startswith(f"{name}.") for each in FIELDS)


def find(name: str) -> Field | None:
    """The field of that name; any `custom.NAME` is one. Whether it is mapped is for the caller to know."""
    if name.startswith(CUSTOM) and len(name) > len(CUSTOM):
        return custom(name.removeprefix(CUSTOM))
    return FIELDS.get(name)


def custom(name: str) -> Field:
    """A custom field. What kind it is, the line that reads it decides."""
    return Field(
        name=CUSTOM + name,
        kind="custom",
        meaning=f'The custom field mapped as "{name}" in the account\'s fields.',
        noun=f"the custom field {name}",
        read=lambda ticket: ticket.custom.get(name),
        nullable=True,
        settable=True,
    )
