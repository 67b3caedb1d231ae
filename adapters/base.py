"""What the connector asks of a helpdesk adapter: the protocol, its value types and its errors.

An adapter may be called from several threads at once. It never retries (but for one resend after a 401 and
a token refresh), never sleeps, never reads the clock, and never answers an outage with an empty list: it
returns data or raises one of the errors below, which are named by what the connector does next.

    HelpdeskError
      NotAuthentic   a webhook that is not the vendor's: answer 401, keep nothing
      Malformed      a webhook that cannot be read: answer 400, log its digest
      TryLater       nothing was applied; come back after `wait` seconds
      OutcomeUnknown bytes of a write left and no answer came: find out before anything is sent again
      Stale          the ticket changed since the revision the write expects: decide afresh
      Gone           the ticket is deleted, merged or hidden for good: close the work
      WontAccept     the vendor refuses this write for a reason that will not pass: a human looks
      NotAllowed     this ticket, feed or table is refused to us (403); the rest of the account works
      Unreadable     this one thing's answer is not of a form we can read: set it aside, go on with the rest
      AccessLost     credentials or rights are gone: pause the account, keep accepting, say so loudly
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, Protocol, get_args, runtime_checkable

from adapters.carry import Carried, Names
from policies.history import is_reopening, moves_of
from policies.model import (
    Change,
    Counts,
    Directory,
    Instant,
    Message,
    Need,
    Seconds,
    Status,
    Ticket,
    TicketRef,
)
from policies.plan import Fields, TicketAction, TicketActionKind

LANGUAGE = re.compile(r"[A-Za-z]{2,3}")


class HelpdeskError(Exception):
    """The helpdesk, or the way to it, is in trouble."""


class NotAuthentic(HelpdeskError):
    """The webhook is not signed as the account's configuration says."""


class Malformed(HelpdeskError):
    """The webhook is authentic but does not name a ticket."""


class TryLater(HelpdeskError):
    """The vendor did not apply this and asks to come back. `wait` is in seconds."""

    def __init__(self, reason: str, wait: Seconds) -> None:
        super().__init__(reason)
        self.wait = wait


class OutcomeUnknown(HelpdeskError):
    """A write left and its fate is not known: a timeout, a dropped connection, a late 5xx."""


class Stale(HelpdeskError):
    """The ticket has changed since it was read."""


class Gone(HelpdeskError):
    """The ticket is no longer there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedPart:
    """A part of a write that the vendor named as refused: the common field (`assignee`, `priority`,
    `custom.NAME`; empty where none of ours), the vendor's own name or number of it, and its words."""

    field: str
    vendor_field: str
    text: str


class WontAccept(HelpdeskError):
    """The vendor refuses this write, and would refuse it again. `parts` are what it named as refused; without
    them the whole is."""

    def __init__(self, reason: str, parts: tuple[RefusedPart, ...] = ()) -> None:
        super().__init__(reason)
        self.parts = parts


class NotAllowed(HelpdeskError):
    """The vendor refuses us this ticket, feed or table, while our credentials are good. `right` says which right
    is missing where the vendor tells."""

    def __init__(self, reason: str, right: str = "") -> None:
        super().__init__(reason)
        self.right = right


class Unreadable(HelpdeskError):
    """The vendor answered about this one thing in a form that cannot be read. Nothing is known of it."""


class AccessLost(HelpdeskError):
    """The vendor no longer accepts our credentials, or they lack a right the adapter cannot work without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A rendered text to put on the ticket. `public` reaches the requester."""

    kind: Literal["note"] = "note"
    public: bool
    body: str

    replaces: ClassVar[Fields] = ()

    @property
    def called(self) -> str:
        """What people and the ledger call it."""
        return "reply" if self.public else "note"

    @property
    def adds(self) -> Fields:
        """A text to those there are, named as parts of a write are."""
        return (self.called,)


VendorAction = TicketAction | Note
ActionKind = Literal[TicketActionKind, "note", "reply"]
ACTION_KINDS: frozenset[ActionKind] = frozenset(get_args(ActionKind))


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a vendor can do, said before anything is planned.

    `settle` is how many seconds later than a revision's stamp the vendor's own time must be before it may be decided
    on: 1 where the stamp alone tells revisions apart, 0 where they are counted. `hidden_mark` means notes carry a mark
    no reader sees. `revision_stamp` reads when a revision was made out of its name, where the vendor hides who
    changed a ticket.
    """

    actions: frozenset[ActionKind]
    settle: Seconds = 0
    hidden_mark: bool = False
    revision_stamp: Callable[[str], Instant] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HookRequest:
    """A webhook as it came in. Header names are lower case; `body` is the raw bytes the signature covers."""

    headers: Mapping[str, str]
    body: bytes
    received_at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """ "Look at this ticket." `delivery` is the same for a redelivery of the same thing and for nothing else;
    `hint` is the vendor's word for what happened and is never decided on."""

    ref: TicketRef
    delivery: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """A row that could not be read, set aside by name so that the rest of its page goes on. `id` is the ticket's as
    far as it could be told, else empty; `why` is for a person."""

    id: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a feed or a census: ticket rows as snapshots (`loaded` empty), and where to go on.

    `cursor` is opaque text to store and give back; it is there on the last page too. `more` says whether a
    further page is waiting now. `aside` are rows that could not be read; a page whose envelope cannot be read is
    never a Page but TryLater. `remarks` are for a person: what this page may have missed, and why. `exact` says that
    the revision of a row goes by what it holds, and not by its stamp alone.
    """

    tickets: tuple[Ticket, ...]
    cursor: str
    more: bool
    aside: tuple[Aside, ...] = ()
    remarks: tuple[str, ...] = ()
    exact: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One vendor request that carries out part of a plan. All of it can be stored as JSON.

    `key` names it for good: ref, policy, level, episode and part. `expects` is the revision it was planned
    on. `intent` is what should hold afterwards; `request` is the adapter's own and nobody else's.
    """

    key: str
    ref: TicketRef
    expects: str
    intent: tuple[VendorAction, ...]
    request: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """The fewest atomic requests for some actions, in sending order, and what could not be expressed."""

    writes: tuple[Write, ...]
    gaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NotTaken:
    """A part of a write that the vendor answered with success and did not do, or undid at once: the common field,
    what was wanted and what stands, in common values, and what the vendor says of it, if anything."""

    field: str
    wanted: Any
    found: Any
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Proof that a write is at the vendor: the revision after it and the vendor's facts that are ours.

    `facts` are ids as they will appear as `Act.id`. `changed` are (field, before, after) in common values as
    the vendor reported them. `not_taken` are parts that do not stand afterwards. `remarks` are for a human: the
    vendor's warnings, a collision that was seen.

    What the answer tells of the ticket is `after`: its row, without people and histories, and `acts`, what the write
    said and changed, as a later load will show it. Where only something was said, `after` is None: all else is as it
    was. `complete` means that the two bring a ticket that was read just before up to `revision`.
    """

    key: str
    revision: str
    at: Instant
    facts: tuple[str, ...] = ()
    changed: tuple[tuple[str, Any, Any], ...] = ()
    not_taken: tuple[NotTaken, ...] = ()
    remarks: tuple[str, ...] = ()
    after: Ticket | None = None
    acts: tuple[Message | Change, ...] = ()
    complete: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One result of `probe`: what was looked at, whether it is well, and the next step if it is not.

    `fatal` means that we have no access at all; a `hint` is worth knowing, and all works without it. What is not well
    and is neither keeps some of the work from being done. What could not be looked at is `unseen`
    and not `ok`, and says how it could be. `what` is `access` where nobody could be asked who we are.
    """

    what: str
    ok: bool
    text: str
    fatal: bool = False
    hint: bool = False
    unseen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A vendor's budget as its headers tell it: `bucket` is `account` or an endpoint's name."""

    bucket: str
    total: int
    remaining: int
    window: Seconds
    resets_in: Seconds | None = None


class Gate(Protocol):
    """What an adapter calls around each request, so that budgets are kept in one place."""

    def enter(self, buckets: tuple[str, ...]) -> None:
        """Take one request out of each bucket, or raise TryLater before anything is sent."""

    def learn(self, limits: tuple[Limit, ...]) -> None:
        """Hear what the vendor's headers say of the budgets."""

    def hold(self, bucket: str, wait: Seconds) -> None:
        """Send nothing out of this bucket for so many seconds: the vendor answered 429."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One connected helpdesk. `settings` are the account's remaining keys, as configured.

    `auth` and `webhook` hold references (`"secret:NAME"`); `secret` gives what is behind one, and an adapter asks
    for it when it needs it. `fields` maps the NAME of each `custom.NAME` to the vendor's field; `Ticket.custom` has
    the same keys. `vip` names tags that make a requester a VIP, `vip_organizations` and
    `vip_addresses` (an address, or `@domain`) do so too: see `adapters.base`. `statuses` maps the vendor's label or
    number of a status to the common status that it counts as, and wins over what an adapter would guess. `timeout`
    is in seconds.
    """

    name: str
    url: str
    auth: Mapping[str, Any]
    webhook: Mapping[str, Any]
    secret: Callable[[str], str]
    fields: Mapping[str, str] = field(default_factory=dict)
    statuses: Mapping[str, Status] = field(default_factory=dict)
    vip: frozenset[str] = frozenset()
    vip_organizations: frozenset[str] = frozenset()
    vip_addresses: frozenset[str] = frozenset()
    timeout: float = 20.0
    settings: Mapping[str, Any] = field(default_factory=dict)

    def counts_as(self, number: str, label: str) -> Status | None:
        """What `statuses` makes of a status with this number and label; the number wins, and capitals in a label do
        not matter. None where it says nothing."""
        by_name = {name.casefold(): status for name, status in self.statuses.items()}
        return self.statuses.get(number) or by_name.get(label.casefold())

    def custom_fields(self) -> dict[str, str]:
        """The vendor's fields by the name that policies use after `custom.`."""
        return {name.removeprefix("custom."): str(key) for name, key in self.fields.items()}


class Adapter(Protocol):
    """One account of one helpdesk."""

    name: str
    capabilities: Capabilities

    def decode(self, request: HookRequest) -> tuple[Event, ...]:
        """Authenticate and read a webhook; pure. Raises NotAuthentic or Malformed, nothing else."""

    def poll(self, cursor: str | None, *, since: Instant, limit: int) -> Page:
        """One page of what changed after `cursor`; without one, since `since`. Repeats are allowed."""

    def census(self, cursor: str | None) -> Page:
        """One page of all tickets that are not solved or closed."""

    def load(self, ref: TicketRef, needs: frozenset[Need]) -> Ticket:
        """The ticket as it stands, with what `needs` names. Raises Gone when it no longer exists."""

    def prepare(self, ticket: Ticket, actions: tuple[VendorAction, ...], key: str) -> Prepared:
        """The requests that bring `actions` about on this snapshot; pure. Each write's key is
        `key` + `:` + its part, counted from 1. What already holds is left out."""

    def send(self, write: Write, expects: str, *, fresh: bool = False) -> Receipt:
        """Carry out one write once. `expects` is the revision it must meet: the write's own, or that of the
        receipt before it in the chain. `fresh` says that the ticket was read, or written, at that revision less than
        five seconds ago, and that nobody outside sees the write: then it need not be read once more before. Raises
        TryLater only when the vendor said it was not applied."""

    def find_written(self, write: Write) -> Receipt | None:
        """Look whether a write of unknown fate is there. None means it is not there."""

    def directory(self) -> Directory:
        """Groups, people and memberships."""

    def probe(self, needed: frozenset[str] = frozenset()) -> tuple[Finding, ...]:
        """Credentials, rights, plan, webhook set-up: what works and what to do about the rest. `needed` are the
        common fields (`priority`, `custom.NAME`) and histories (`messages`, `changes`, `targets`) that the loaded
        policies read or write: each that our user cannot see is a finding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """A webhook that stands at the vendor: its id and name there, the address that it posts to, whether it is on."""

    id: str
    name: str
    address: str
    active: bool = True


class Hooks(Protocol):
    """The webhooks of one account, where the vendor lets a program make them. `posts` says in words what one that is
    made here posts."""

    posts: str

    def listed(self) -> tuple[Hook, ...]:
        """All webhooks of the account, whoever made them."""

    def make(self, name: str, address: str) -> Hook:
        """Make one that tells `address` of changed tickets. OutcomeUnknown where it may have been made: `listed` then
        shows it by its name, sooner or later."""

    def secret_of(self, hook: str) -> str:
        """What the vendor signs this webhook's posts with."""

    def test(self, hook: str) -> int | None:
        """Have the vendor post its own test through this webhook; the status that its address answered, None where
        none came."""

    def remove(self, hook: str) -> None:
        """Remove it; nothing happens where it is gone."""


@runtime_checkable
class MakesHooks(Protocol):
    """An adapter whose vendor lets a program make webhooks. No adapter has to."""

    @property
    def hooks(self) -> Hooks:
        """The account's webhooks."""


@runtime_checkable
class TellsHookSetUp(Protocol):
    """An adapter whose vendor lets only a person set up what tells us of changes. No adapter has to."""

    def hook_set_up(self, address: str, webhook: Mapping[str, str]) -> str:
        """What to click and the exact text to paste, for an administrator: Markdown of whole lines. `webhook` is the
        account's table of that name, which names secrets and holds none."""


@runtime_checkable
class ExportsRules(Protocol):
    """An adapter whose vendor tells the rules by which it acts itself. No adapter has to."""

    def export_rules(self) -> Mapping[str, Any]:
        """The vendor's rules and the names that they use, as its API gives them: what `Vendor.carry` reads. Reads
        only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningHours:
    """Hours that a helpdesk keeps for itself, as `[calendars.NAME]` says them: spans such as "09:00-17:00" by the day's
    first three letters. `timezone` is a place of the IANA list, empty where the helpdesk's own word for it is none."""

    name: str
    timezone: str
    hours: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What an account has beside groups and people that a first config can name. None is a list that is not shown to
    us. `fields` are the titles of custom fields by what `Account.fields` calls them, `statuses` what each status counts
    as by its label."""

    fields: Mapping[str, str] | None = None
    statuses: Mapping[str, Status] | None = None
    calendars: tuple[OpeningHours, ...] | None = None


@runtime_checkable
class Surveyor(Protocol):
    """What an adapter may offer beside `Adapter`, for `uptier init`."""

    def survey(self) -> Survey:
        """Fields, statuses and opening hours. A list that is refused is None; raises what any read does otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The keys of a table in the config file, all of them texts. `clicks` says where to get them at the helpdesk."""

    needed: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    clicks: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a helpdesk keeps what a common field shows. `lossy` says what is lost on the way, `writing` how a
    change is written or why it is refused; empty where there is nothing to say."""

    where: str
    lossy: str = ""
    writing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """What listing all open tickets costs. A page has up to `rows` of them and counts as so many `requests`; it may
    draw on a limit of its own, `bucket`, beside the account's. `of_all` where closed tickets stand in the list too."""

    rows: int = 100
    requests: int = 1
    bucket: str = ""
    of_all: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """What is true of a helpdesk before any account of it is asked: the entry-point group `uptier.vendors`.

    `auth` holds the keys of each kind of credentials, the one to prefer first, `webhook` those of each way to
    trust a webhook, and `settings` the account's further keys with what they mean. `sources` names every field
    of `policies.language.fields`, and `custom.NAME`. `target_start` is whether its SLA targets tell when they
    began, which the level key `at` needs. `address` is what its addresses look like, with YOURS for what is the
    account's own; `user` says where to make the user that Uptier signs in as; `pasted`, where what a person pasted for
    webhooks is removed, with ACCOUNT for the account's name. `plans` are the names of its
    plans by how many requests each allows in the window of the account's limit, `census` is what a census costs
    there. `carry` turns an export of its own rules into policies, where that is known; it raises ValueError for
    what is no such export.
    """

    title: str
    auth: Mapping[str, Keys]
    webhook: tuple[Keys, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, Source]
    target_start: bool = False
    address: str = "https://YOURS.example"
    user: str = ""
    pasted: str = ""
    plans: Mapping[int, str] = field(default_factory=dict)
    census: Census = Census()
    carry: Callable[[Any, Names], tuple[Carried, ...]] | None = None


class AdapterFactory(Protocol):
    """What the entry-point group `uptier.adapters` holds."""

    def __call__(self, account: Account, gate: Gate) -> Adapter:
        """Make the adapter; no request is sent yet. ValueError names a setting that is wrong."""


def with_vip(ticket: Ticket, account: Account) -> Ticket:
    """The ticket, its requester a VIP if their address, its `@domain`, or an organization is on a list of the
    account's. Capitals do not matter there."""
    asked = ticket.requester
    if asked is None or asked.vip:
        return ticket
    address = (asked.address or "").casefold()
    held = {address, f"@{address.rpartition('@')[2]}"}
    organizations = {each.casefold() for each in (asked.organization, ticket.organization) if each}
    if held & {each.casefold() for each in account.vip_addresses} or organizations & {
        each.casefold() for each in account.vip_organizations
    }:
        return replace(ticket, requester=replace(asked, vip=True))
    return ticket


def held_by(ticket: Ticket, names: Iterable[str]) -> dict[str, Any]:
    """What the ticket holds in these common fields that can be written, as it can be stored: people and groups by id,
    lists for tags and several values."""
    held: dict[str, Any] = {
        "priority": ticket.priority,
        "group": ticket.group.id if ticket.group else None,
        "assignee": ticket.assignee.id if ticket.assignee else None,
        "tags": sorted(ticket.tags),
    }
    for name in names:
        if name.startswith("custom."):
            value = ticket.custom.get(name.removeprefix("custom."))
            held[name] = list(value) if isinstance(value, tuple) else value
    return {name: held[name] for name in names}


def language_of(locale: Any) -> str | None:
    """`de` for `de-AT`: policies and templates name languages without their region."""
    found = LANGUAGE.match(locale) if isinstance(locale, str) else None
    return found[0].lower() if found else None


def count_changes(changes: Sequence[Change], replies: int | None) -> Counts:
    """What people did (rule 5), out of what they changed. A vendor's own counters have rules and us among them."""
    reassignments, bounces = moves_of(changes, "assignee")
    group_moves, group_bounces = moves_of(changes, "group")
    return Counts(
        replies=replies,
        reopens=sum(map(is_reopening, changes)),
        reassignments=reassignments,
        bounces=bounces,
        group_moves=group_moves,
        group_bounces=group_bounces,
    )
