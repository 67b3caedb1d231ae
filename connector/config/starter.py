"""The first config of an account: what `uptier init` writes, with three policies on the account's own group names.

Nothing here asks anybody. Texts of helpdesks are written as TOML strings, and in comments without ends of lines."""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from adapters.base import OpeningHours, Survey
from policies.model import Directory

WORDS: Mapping[str, tuple[str, ...]] = {
    "first": ("tier 1", "level 1", "l1", "t1", "first", "1st", "frontline", "service desk", "support"),
    "next": ("tier 2", "level 2", "l2", "t2", "second", "2nd", "escalation", "specialist", "senior"),
    "duty": (
        "duty",
        "manager",
        "management",
        "lead",
        "on call",
        "on-call",
        "escalation",
        "tier 3",
        "level 3",
    ),
}
"""What groups are often called that work on tickets first, that take the difficult ones, and that answer for them."""

PLAIN = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """Who works on tickets first, who takes an escalated one, and who answers when nobody else did: names of groups."""

    first: str
    next: str
    duty: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Starter:
    """All that goes into the file. `auth` are the keys of its table as they will stand there. `docs` is the helpdesk's
    page."""

    account: str
    adapter: str
    url: str
    auth: Mapping[str, str]
    ladder: Ladder
    survey: Survey
    listen: str = "127.0.0.1:8080"
    outside: str | None = None
    has_targets: bool = False
    """Whether the helpdesk shows SLA policies."""
    taken: Collection[str] = field(default_factory=frozenset)
    """Names of policies, calendars and templates that the file holds already."""


def suggested(directory: Directory) -> Ladder:
    """The groups whose names sound right; where none does, those with the most people."""
    members = {
        group.name: sum(group.id in agent.groups for agent in directory.agents) for group in directory.groups
    }
    by_size = sorted(members, key=lambda name: (-members[name], name))
    chosen: dict[str, str] = {}
    for part in ("duty", "next", "first"):  # the most telling names first
        free = [name for name in by_size if name not in chosen.values()] or by_size
        sounds = [name for word in WORDS[part] for name in free if word in name.casefold()]
        chosen[part] = (sounds or free)[0]
    return Ladder(first=chosen["first"], next=chosen["next"], duty=chosen["duty"])


def new_file(starter: Starter) -> str:
    """A whole config file with this account."""
    packs = (
        "sla-guard warns before your SLA targets are missed" if starter.has_targets else "docs/policies.md"
    )
    outside = (
        f"outside       = {text(starter.outside)}"
        if starter.outside
        else '# outside     = "https://uptier.example.com"'
    )
    head = f"""\
# Uptier's config, begun by `uptier init`. All of it may be changed by hand: docs/config.md explains the keys, and
# docs/policies.md what policies can say. `uptier check` finds slips in this file, `uptier doctor` asks the helpdesk.

[service]
database      = "sqlite:///uptier.db"   # a relative path stands beside this file
listen        = {text(starter.listen)}        # where webhooks come in, and the console; put a TLS proxy in front of it
{outside}   # the address the helpdesk and people reach that by
mode          = "observe"               # decides and records; nothing is written to the helpdesk (`uptier enforce`)
default_owner = {text(starter.ladder.duty)}   # who answers when nobody else is found
# use         = [{'"sla-guard", ' if starter.has_targets else ""}"vip"]   # policies that come with Uptier: {packs}
"""
    return head + added(starter, mode=None)


def added(starter: Starter, *, mode: str | None = "observe") -> str:
    """What is put at the end of a config file to have this account in it."""
    return "\n".join(
        ("", *account(starter, mode), *calendar(starter), *template(starter), *policies(starter))
    )


def account(starter: Starter, mode: str | None) -> Iterator[str]:
    """`[accounts.NAME]`."""
    auth = ", ".join(f"{key} = {text(value)}" for key, value in starter.auth.items())
    yield f"[accounts.{starter.account}]"
    yield f"adapter = {text(starter.adapter)}"
    yield f"url     = {text(starter.url)}"
    yield f"auth    = {{ {auth} }}"
    yield f'# webhook = {{ secret = "secret:{starter.account}-webhook" }}   # changes are known at once'
    yield 'poll    = "60s"                      # how often changes are fetched'
    yield "budget  = 0.5                        # our share of the helpdesk's request limits"
    if mode is not None:
        yield f'mode    = "{mode}"                  # holds this account back while the service enforces'
    yield 'vip     = ["vip"]                    # tags on a requester or organization that mean VIP'
    yield from aside(
        f"accounts.{starter.account}.fields",
        "Custom fields: take the # away, and policies can say custom.NAME.",
        [(named(title), key, title) for key, title in (starter.survey.fields or {}).items()],
    )
    yield from aside(
        f"accounts.{starter.account}.statuses",
        "What your statuses count as. Correct what is wrong and take the # away there.",
        [(text(label), str(counts), "") for label, counts in (starter.survey.statuses or {}).items()],
    )
    yield ""


def aside(table: str, says: str, rows: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    """A table in comments; nothing where it would have no rows."""
    if not rows:
        return
    yield ""
    yield f"# {says}"
    yield f"# [{table}]"
    for key, value, comment in rows:
        yield f"# {key} = {text(value)}" + (f"   # {one_line(comment)}" if comment else "")


def calendar(starter: Starter) -> Iterator[str]:
    """The helpdesk's own opening hours; an example in comments where it shows none that can be used."""
    hours = own_hours(starter.survey)
    if hours is not None:
        yield f"[calendars.{calendar_name(starter)}]   # the helpdesk calls it: {one_line(hours.name)}"
        yield f"timezone = {text(hours.timezone)}"
        days = ", ".join(
            f"{day} = [{', '.join(map(text, spans))}]" for day, spans in hours.hours.items() if spans
        )
        yield f"hours    = {{ {days} }}"
        yield '# holidays = ["US-NY"]                 # public holidays of a country or state are not taken over'
    else:
        yield "# The policies below count day and night. With opening hours, take the # away here and there."
        yield f"# [calendars.{calendar_name(starter)}]"
        yield '# timezone = "America/New_York"'
        yield '# hours    = { mon-fri = "09:00-17:00" }'
    yield ""


def own_hours(survey: Survey) -> OpeningHours | None:
    """The first opening hours of the helpdesk whose zone is known."""
    return next((each for each in survey.calendars or () if each.timezone), None)


def calendar_name(starter: Starter) -> str:
    """A name that no calendar of the file has."""
    return unless_taken("support", starter)


def template(starter: Starter) -> Iterator[str]:
    """The text of the notes."""
    yield "# What notes say. Policy, reasons, owner and how to ask why are added below where a text leaves them out."
    yield f"[templates.{unless_taken('handoff', starter)}]"
    yield (
        "en = \"Escalated to {{ level.name }} by policy {{ policy.name }}: {{ reasons | join('; ') }}. "
        'Owner: {{ owner }}."'
    )
    yield ""


def policies(starter: Starter) -> Iterator[str]:
    """Three to begin with."""
    ladder = starter.ladder
    calendar = own_hours(starter.survey) is not None
    hours = f'{"" if calendar else "# "}calendar = "{calendar_name(starter)}"'
    note = f'note   = "{unless_taken("handoff", starter)}"'
    head = (f'accounts = ["{starter.account}"]', hours)
    urgent, untaken, waiting = (
        unless_taken(name, starter) for name in ("urgent-unanswered", "nobody-took-it", "customer-waits")
    )
    yield from (
        "# 1. An urgent ticket whose customer waits goes to the next group, and then to who answers for it.",
        "[[policy]]",
        f'name     = "{urgent}"',
        *head,
        'clock    = "customer_waiting"',
        'stop_on  = ["agent_reply", "acknowledged"]',
        "[policy.when]",
        'status   = ["new", "open"]',
        'priority = { at_least = "high" }',
        *level(ladder.next, "30m", 'tags   = ["escalated"]', note, assign=True),
        *level(ladder.duty, "2h", 'tags   = ["escalated-again"]', note, assign=True),
        "",
        "# 2. A ticket that nobody has taken within an hour is called to the attention of those who work on it first.",
        "[[policy]]",
        f'name     = "{untaken}"',
        *head,
        'clock    = "created"',
        'stop_on  = ["assigned", "agent_reply"]',
        "[policy.when]",
        'status   = ["new", "open"]',
        "assignee = { known = false }",
        *level(ladder.first, "1h", 'tags   = ["untaken"]', note),
        "",
        "# 3. A customer who has waited this long is called to the attention of the next group, whatever the priority.",
        "[[policy]]",
        f'name     = "{waiting}"',
        *head,
        'clock    = "customer_waiting"',
        'stop_on  = ["agent_reply"]',
        "[policy.when]",
        'status   = ["new", "open"]',
        *level(ladder.next, "8h" if calendar else "24h", 'tags   = ["waits-too-long"]', note),
        "",
    )


def level(owner: str, after: str, *more: str, assign: bool = False) -> Iterator[str]:
    """One level that a group answers for."""
    yield "[[policy.level]]"
    yield f"name   = {text(owner)}"
    yield f'after  = "{after}"'
    yield f"owner  = {text(owner)}"
    if assign:
        yield f"assign = {{ group = {text(owner)} }}"
    yield from more


def unless_taken(name: str, starter: Starter) -> str:
    """The name, with the account's where the file has it already, and a number where that is taken too."""
    tries = (name, f"{name}-{starter.account}", *(f"{name}-{starter.account}-{n}" for n in range(2, 100)))
    return next(each for each in tries if each not in starter.taken)


def named(title: str) -> str:
    """A field's title as the NAME of `custom.NAME`."""
    return PLAIN.sub("_", title.casefold()).strip("_") or "field"


def text(value: str) -> str:
    """A TOML string."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def one_line(comment: str) -> str:
    """Words of others as they may stand in a comment."""
    return "".join(each if each.isprintable() else " " for each in comment)
