"""The texts that go on tickets, from the templates of the config, what a template may say, and what a hand-over
tells.

A template sees `level.name`, `policy.name`, `reasons` (a list), `owner`, `next_step`, `ask`, `checklist` (a list),
`summary`, `tried` (a list), `links` (`acknowledge`, `snooze`, `approve`, `reject`), `account` and `ticket` (`ref`,
`subject`, `status`, `priority`, `requester.name`). Ticket text is data: it is put in, never read as a template. There
is no built-in template: what agents and customers read stands in the config, whole.

A note always says policy, level, reasons, next step and how to ask why; what its template leaves out is added
below. A reply gets nothing added, because customers read it.

Only texts, values, filters, `if` and `for … in` a list are let through. So a template that was accepted
names nothing that is not there, calls nothing, and does not grow without bound.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from jinja2 import Environment, StrictUndefined, Template, TemplateError, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from adapters.base import Note
from policies.history import History
from policies.language.document import Document, Problem, did_you_mean, listed
from policies.language.policy import PolicySet, TemplateSpec
from policies.model import Message, Ticket
from policies.plan import Notify, Say

Shape = Mapping[str, "Shape | None"]

SEEN: Shape = {
    "account": None,
    "ask": None,
    "checklist": None,
    "level": {"name": None},
    "next_step": None,
    "owner": None,
    "policy": {"name": None},
    "reasons": None,
    "links": dict.fromkeys(("acknowledge", "snooze", "approve", "reject")),
    "summary": None,
    "tried": None,
    "ticket": {
        "ref": None,
        "number": None,
        "subject": None,
        "status": None,
        "priority": None,
        "requester": {"name": None},
    },
}
LISTS = ("reasons", "checklist", "tried")
LOOP: Shape = {"index": None, "first": None, "last": None, "length": None}
FILTERS = frozenset(
    (
        "capitalize",
        "default",
        "first",
        "join",
        "last",
        "length",
        "lower",
        "title",
        "trim",
        "truncate",
        "upper",
    )
)
LONGEST_TEMPLATE = 8_000
DEEPEST = 40
TOO_DEEP = (1, f"its parts stand within each other more than {DEEPEST} deep; write it flatter.")
PARTS: tuple[type[nodes.Node], ...] = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Getattr,
    nodes.Const,
    nodes.Concat,
    nodes.Filter,
    nodes.Keyword,
    nodes.If,
    nodes.For,
    nodes.CondExpr,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
)


def faults(environment: Environment, body: str) -> Iterator[tuple[int, str]]:
    """What is wrong with a template: the line within it, from 1, and the message."""
    if len(body) > LONGEST_TEMPLATE:
        yield 1, f"it is {len(body)} characters long; {LONGEST_TEMPLATE} are the most."
        return
    try:
        tree = environment.parse(body)
    except TemplateSyntaxError as error:
        yield error.lineno, f"{error.message}."
        return
    except RecursionError:
        yield TOO_DEEP
        return
    if _is_deep(tree):
        yield TOO_DEEP
        return
    yield from _judge(tree, SEEN)


def _is_deep(tree: nodes.Node) -> bool:
    within = [tree]
    for _ in range(DEEPEST):
        within = [inner for node in within for inner in node.iter_child_nodes()]
    return bool(within)


def _judge(node: nodes.Node, seen: Shape) -> Iterator[tuple[int, str]]:
    if not isinstance(node, PARTS):
        what = type(node).__name__.lower()
        yield node.lineno, f"`{what}` is not allowed; use values, filters, `if` and `for … in reasons`."
    elif isinstance(node, nodes.For):
        yield from _judge_loop(node, seen)
    elif isinstance(node, nodes.Name | nodes.Getattr):
        yield from _judge_value(node, seen)
    else:
        if isinstance(node, nodes.Filter) and node.name not in FILTERS:
            hint = did_you_mean(node.name, FILTERS) or f" Known: {listed(sorted(FILTERS), 'and')}."
            yield node.lineno, f"there is no filter `{node.name}`.{hint}"
        for inner in node.iter_child_nodes():
            yield from _judge(inner, seen)


def _judge_loop(node: nodes.For, seen: Shape) -> Iterator[tuple[int, str]]:
    plain = isinstance(node.iter, nodes.Name) and node.iter.name in LISTS
    if not (plain and isinstance(node.target, nodes.Name)) or "loop" in seen:
        yield (
            node.lineno,
            "a loop goes over `reasons`, `checklist` or `tried` and stands alone; write `for reason in reasons`.",
        )
        return
    inside = {**seen, node.target.name: None, "loop": LOOP}
    for inner in (*node.body, *node.else_, *([node.test] if node.test else ())):
        yield from _judge(inner, inside)


def _judge_value(node: nodes.Name | nodes.Getattr, seen: Shape) -> Iterator[tuple[int, str]]:
    """A value must be one that is always there, and no table of values."""
    path = _path(node)
    if path is None:
        yield node.lineno, "only named values have parts; write for example `ticket.subject`."
        return
    shape: Shape | None = seen
    for depth, name in enumerate(path):
        if shape is None:
            yield node.lineno, f"`{'.'.join(path[:depth])}` has no parts; remove `.{name}`."
            return
        if name not in shape:
            said = ".".join(path[: depth + 1])
            hint = did_you_mean(name, shape) or f" Known here: {listed(sorted(shape), 'and')}."
            yield node.lineno, f"there is no `{said}`.{hint}"
            return
        shape = shape[name]
    if shape is not None:
        yield node.lineno, f"`{'.'.join(path)}` has parts; name one of {listed(sorted(shape))}."


def _path(node: nodes.Node) -> tuple[str, ...] | None:
    if isinstance(node, nodes.Name):
        return (node.name,)
    if isinstance(node, nodes.Getattr) and (outer := _path(node.node)) is not None:
        return (*outer, node.attr)
    return None


LONGEST_SUMMARY = 300
LONGEST_STEP = 160
STEPS = 3


def so_far(ticket: Ticket) -> tuple[str, tuple[str, ...]]:
    """What a ticket is about, and what was tried: the subject and the customer's newest message on one line, and the
    last things that agents said on it, notes included, oldest first."""
    history = History.of(ticket, frozenset())
    messages = [fact for fact in history.facts if isinstance(fact, Message)]
    theirs = [message.body for message in messages if history.is_customers(message)]
    newest = next((body for body in reversed(theirs) if body.strip()), ticket.description)
    summary = ": ".join(part for part in (ticket.subject, newest) if part.strip())
    said = [message.body for message in messages if history.is_agents(message)]
    tried = tuple(cut_short(body, LONGEST_STEP) for body in said[-STEPS:] if body.strip())
    return cut_short(summary, LONGEST_SUMMARY), tried


def cut_short(text: str, longest: int) -> str:
    """The text on one line, no longer than this."""
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


LONGEST = 10_000
ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A level, policy or requester as templates see it. An unknown requester's name is empty."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The ticket as templates see it. A ticket without a priority says `none`; `number` is what people call it."""

    ref: str
    number: str
    subject: str
    status: str
    priority: str
    requester: Named


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """The links as templates see them; empty where there is none."""

    acknowledge: str = ""
    snooze: str = ""
    approve: str = ""
    reject: str = ""


def no_links(_about: Say | Notify) -> Offered:
    """For texts that nobody acts by: plans, back-tests, and services without a key."""
    return Offered()


Offer = Callable[[Say | Notify], Offered]
Context = dict[str, str | Sequence[str] | Named | Seen | Offered]
FULL: Context = {
    "level": Named(name="Team lead"),
    "policy": Named(name="urgent-unanswered"),
    "reasons": ("customer waiting for 31m (limit 30m)", "priority is urgent"),
    "owner": "Tier 2",
    "next_step": "Duty manager at 14:30",
    "ask": "Call the customer.",
    "checklist": ("Read the log", "Call back"),
    "summary": "Down: nothing works since nine",
    "tried": ("Ann: restarted it", "Ben: asked for the log"),
    "account": "acme",
    "links": Offered(
        acknowledge="https://uptier.example/act/1",
        snooze="https://uptier.example/act/2",
        approve="https://uptier.example/act/3",
        reject="https://uptier.example/act/4",
    ),
    "ticket": Seen(
        ref="acme/4711",
        number="4711",
        subject="Down",
        status="open",
        priority="urgent",
        requester=Named(name="Ann"),
    ),
}
BARE: Context = FULL | {
    "reasons": (),
    "ask": "",
    "checklist": (),
    "summary": "",
    "tried": (),
    "links": Offered(),
    "ticket": Seen(
        ref="acme/1", number="1", subject="", status="new", priority="none", requester=Named(name="")
    ),
}
BARE_LACKS = "subject, requester and reasons"


def render(say: Say, ticket: Ticket, policies: PolicySet, offer: Offer = no_links) -> Note:
    """The text of a note or reply, in the ticket's language if the template has it, else in its first."""
    body = _fill(_body(policies.templates[say.template], ticket.language), _context(say, ticket, offer))
    if not say.public:
        body = "\n\n".join(part for part in (body, "\n".join(_left_out(body, say, ticket))) if part)
    return Note(public=say.public, body=body)


BETWEEN_NOTES = "\n\n"


def texts(
    says: Iterable[Say], ticket: Ticket, policies: PolicySet, offer: Offer = no_links
) -> tuple[Note, ...]:
    """The texts of one plan: all its notes as one (rule 6), before its replies."""
    rendered = [render(each, ticket, policies, offer) for each in says]
    notes = [each.body for each in rendered if not each.public]
    one_note = (Note(public=False, body=BETWEEN_NOTES.join(notes)),) if notes else ()
    return (*one_note, *(each for each in rendered if each.public))


def digest(said: Iterable[Note]) -> str:
    """These texts as one short word, other for other texts; empty without any."""
    listed = [[each.public, each.body] for each in said]
    return sha256(json.dumps(listed).encode()).hexdigest() if listed else ""


def announce(notify: Notify, ticket: Ticket, policies: PolicySet, offer: Offer = no_links) -> tuple[str, str]:
    """Title and text of a notification: the channel's template in its first language, or a sentence of ours. It
    always says what a note does, and where the ticket is."""
    template = policies.channels[notify.channel].template
    if template is None:
        body = f'{ticket.name} has reached level "{notify.level}" of policy "{notify.policy}". Owner: {notify.owner}.'
    else:
        body = _fill(_body(policies.templates[template], None), _context(notify, ticket, offer))
    link = [ticket.link] if ticket.link and ticket.link not in body else []
    lines = [body, *_left_out(body, notify, ticket), *link]
    return f"{ticket.name}: {notify.level} ({notify.policy})", "\n".join(line for line in lines if line)


def check_templates(documents: Iterable[Document]) -> tuple[Problem, ...]:
    """What is wrong with the templates as written. Texts of another type are judged by `parse`."""
    return tuple(
        Problem(
            file=document.name,
            line=document.line(("templates", name, language)),
            code="bad-template",
            message=f'template "{name}" ({language}), line {line} of the text: {message}',
        )
        for document in documents
        for name, language, body in _written(document)
        for line, message in _try_out(body)
    )


def _context(say: Say | Notify, ticket: Ticket, offer: Offer) -> Context:
    """What a template sees. What people wrote stays in the helpdesk, and notes stay among agents."""
    handed: Context = {"ask": "", "checklist": (), "summary": "", "tried": ()}
    if isinstance(say, Say):
        summary, tried = so_far(ticket)
        handed = {
            "ask": say.ask or "",
            "checklist": say.checklist,
            "summary": summary,
            "tried": () if say.public else tried,
        }
    return handed | {
        "level": Named(name=say.level),
        "policy": Named(name=say.policy),
        "reasons": say.reasons,
        "owner": say.owner,
        "next_step": say.next_step,
        "account": ticket.ref.account,
        "links": offer(say),
        "ticket": Seen(
            ref=str(ticket.ref),
            number=ticket.number or ticket.ref.id,
            subject=ticket.subject,
            status=str(ticket.status),
            priority=str(ticket.priority or "none"),
            requester=Named(name=ticket.requester.name if ticket.requester else ""),
        ),
    }


def _try_out(body: str) -> Iterator[tuple[int, str]]:
    """What is wrong with a template: by its syntax, else by filling it with a full and with a bare ticket."""
    found = tuple(faults(ENVIRONMENT, body))
    yield from found
    for context in () if found else (FULL, BARE):
        try:
            _fill(body, context)
        except (TemplateError, TypeError, ValueError) as error:
            yield (
                1,
                f"it fails on a ticket without {BARE_LACKS}: {error}." if context is BARE else f"{error}.",
            )
            return


def _fill(body: str, context: Context) -> str:
    """The text up to the cap; no more is made than is kept."""
    text = ""
    for piece in _compiled(body).generate(context):
        text += piece
        if len(text) > LONGEST:
            return f"{text[: LONGEST - 1]}…".strip()
    return text.strip()


@lru_cache(maxsize=256)
def _compiled(body: str) -> Template:
    return ENVIRONMENT.from_string(body)


def _left_out(body: str, say: Say | Notify, ticket: Ticket) -> Iterator[str]:
    """The lines that a note or notification owes its reader and that its text does not have. A note that hands over
    says what the ticket is about and what was tried."""
    if say.policy not in body or say.level not in body:
        yield f"Policy: {say.policy}. Level: {say.level}."
    if missing := [reason for reason in say.reasons if reason not in body]:
        yield f"Why: {'; '.join(missing)}."
    if isinstance(say, Say):
        if say.hand_off:
            summary, tried = so_far(ticket)
            if summary not in body:
                yield f"About: {summary}"
            if (steps := [step for step in tried if step not in body]) or not tried:
                yield f"Tried: {'; '.join(steps) or 'nothing yet'}"
        if say.ask and say.ask not in body:
            yield f"Asked of you: {say.ask}"
        yield from (f"[ ] {step}" for step in say.checklist if step not in body)
    if say.next_step not in body:
        yield f"Next: {say.next_step}"
    if f"uptier explain {ticket.name}" not in body and f"uptier explain {ticket.ref}" not in body:
        yield f"Ask why: uptier explain {ticket.name}"


def _body(template: TemplateSpec, language: str | None) -> str:
    """The body for `de-AT`: that of `de-at`, else of `de`, else the first. Case and `_` do not matter."""
    by_language = {name.lower().replace("_", "-"): body for name, body in template.bodies.items()}
    wanted = (language or "").lower().replace("_", "-")
    first = next(iter(template.bodies.values()))
    return by_language.get(wanted) or by_language.get(wanted.partition("-")[0]) or first


def _written(document: Document) -> Iterator[tuple[str, str, str]]:
    tables = document.data.get("templates")
    for name, table in tables.items() if isinstance(tables, dict) else ():
        for language, body in table.items() if isinstance(table, dict) else ():
            if isinstance(body, str):
                yield name, language, body


ASKS = re.compile(r"\blinks\.\w")


def asking_for_links(document: Document) -> Iterator[tuple[str, str]]:
    """Name and language of the templates with links to act."""
    yield from ((name, language) for name, language, body in _written(document) if ASKS.search(body))
