"""`uptier drill`: a scenario, or archived tickets, played through the policies of a config, beside a simulated helpdesk
on a clock that jumps: who would be called when, and what they would read.

Nothing of the config but its policies is used, and of an account its name, its kind and who is a VIP there: the
helpdesk, its credentials, the database and the addresses of channels are the drill's own."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from html import escape
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any, Literal

from adapters.simulation.demo import DemoDesk, Mail, Someone, lacking
from adapters.simulation.server import serve
from connector import logs
from connector.app.service import Service
from connector.clock import ManualClock
from connector.config.secrets import Secrets
from connector.config.settings import AccountSettings, Channel, Settings
from connector.config.settings import Service as ServiceSettings
from connector.demo import taking_part
from connector.intake.inbox import OrderRefused, submit_order
from connector.notify.sender import Speaker
from connector.render import many, plain
from connector.report.formats import POLICY, STYLE
from connector.store import ledger
from connector.store.archive import Archive, Row
from connector.store.ledger import LedgerEntry
from policies.language.document import Document, listed, read
from policies.language.policy import PolicySet
from policies.model import Instant, Need, Status, TicketRef, Who, spell
from policies.past import UNASKED, asking_silenced
from policies.replay import Acted, Ordered, Shown
from policies.scenario import FILES, Scenario, Script, archived
from policies.written_life import Cast, Wrong, since

SEEN_AFTER = 61
"""Seconds after which a change shows in every feed."""

ANYWHERE = "UPTIER_SECRET_DRILL"
"""The variable, of the drill's own, that stands for every address of a channel."""

Kind = Literal["happens", "calls", "told", "reads", "hears", "trouble"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that happened in a drill, to the ticket of this name. `who` is who acts, or is called, or hears of it;
    `words` is what they read."""

    at: Instant
    kind: Kind
    ticket: str
    text: str
    who: str = ""
    words: str = ""
    policy: str = ""
    level: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A drill that was played. `remarks` is what is to be known of it, `untouched` are policies in which nothing
    happened, each with why."""

    scenario: Scenario
    account: str
    lines: tuple[Line, ...]
    remarks: tuple[str, ...]
    untouched: Mapping[str, str]

    @property
    def calls(self) -> tuple[Line, ...]:
        """Who was called."""
        return tuple(line for line in self.lines if line.kind == "calls")


def packs() -> Mapping[str, Document]:
    """The scenarios that come with this version."""
    return {name: pack(name) for name in FILES}


def pack(name: str) -> Document:
    """One of them."""
    text = files("policies").joinpath("scenarios", f"{name}.toml").read_text(encoding="utf-8")
    made = read(name, text)
    assert isinstance(made, Document)
    return made


# --- what stands for the helpdesk and the channels ---------------------------------------------------------------


class Recorder(Speaker):
    """Takes what channels would hear, and sends nothing."""

    def __init__(self, _references: Mapping[str, str], _secret: object) -> None:
        self.heard: list[tuple[str, str, str]] = []

    def take_up(self, references: Mapping[str, str]) -> None:
        """Addresses are nothing to it."""

    def __call__(self, channel: str, title: str, body: str) -> None:
        """Keep the message."""
        self.heard.append((channel, title, body))


def simulated_settings(
    settings: Settings, account: str, desk: DemoDesk, folder: Path, scenario: Scenario
) -> Settings:
    """The settings of the drill: one account, the simulated one, and channels without addresses."""
    said = settings.accounts[account]
    made: dict[str, Any] = read_config(desk.config())
    vips = {script.customer.address for script in scenario.scripts if script.customer.vip}
    one = AccountSettings.model_validate(
        {
            **made,
            "assignment_acknowledges": said.assignment_acknowledges,
            "vip_organizations": said.vip_organizations,
            "vip_addresses": {*said.vip_addresses, *filter(None, vips)},
        }
    )
    service = ServiceSettings.model_validate(
        {
            "database": "sqlite:///drill.db",
            "listen": "127.0.0.1:0",
            "mode": "enforce",
            "languages": settings.service.languages,
            "caps": {"escalations_per_hour": 100_000, "writes_per_day": 100_000, "due_at_start": 100_000},
        },
        context={"folder": folder},
    )
    channels = {name: Channel(url="secret:drill") for name in settings.channels}
    return Settings(service=service, accounts={account: one}, channels=channels)


def read_config(text: str) -> dict[str, Any]:
    """The account's table of a config file."""
    made = read("drill", text)
    assert isinstance(made, Document)
    (table,) = made.data["accounts"].values()
    return dict(table)


def drilled(policies: PolicySet, scenario: Scenario) -> PolicySet:
    """The policies, all of them enforced, with those away who are away in the scenario."""
    staff = policies.staff
    away = {name: (*staff.absences.get(name, ()), *some) for name, some in scenario.absences.items()}
    return replace(
        policies,
        policies=tuple(replace(each, mode=None) for each in policies.policies),
        modes={"": "enforce"},
        staff=replace(staff, absences={**staff.absences, **away}),
    )


def called(label: str, taken: Mapping[str, str]) -> str:
    """A name for somebody of whom an address may be all that is known."""
    name = label.partition("@")[0].replace(".", " ").title() if "@" in label else label
    return label if name in taken.values() else name


def people_of(scenario: Scenario) -> Iterator[Someone]:
    """The staff, as the helpdesk has them."""
    names: dict[str, str] = {}
    for person in scenario.people:
        names[person.label] = called(person.label, names) if person.name == person.label else person.name
        spelled = "".join(each if each.isalnum() else "." for each in person.label.lower())
        yield Someone(
            label=person.label,
            name=names[person.label],
            address=person.address or f"{spelled}@staff.example",
            groups=tuple(name for name, labels in scenario.groups.items() if person.id in labels),
        )


def customers_of(scenario: Scenario) -> Iterator[Someone]:
    """Who writes."""
    met = {one.label: one for script in scenario.scripts for one in (script.customer, *script.others)}
    for label, person in met.items():
        yield Someone(label=label, name=person.name, address=person.label, organization=person.organization)


# --- playing it ----------------------------------------------------------------------------------------------------


class NotPlayed(Exception):
    """This drill cannot be played; the text says why and what to do."""


MOST = 30
"""So many archived tickets are played in one drill."""


def out_of(
    path: Path, tickets: Sequence[str], policies: PolicySet, account: str, start: str | None
) -> tuple[Scenario, PolicySet]:
    """These tickets of an archive as a scenario, all of the account's if none is named, and the policies as they ask an
    archive without words. Raises NotPlayed and StoreTrouble."""
    with closing(Archive.open(path)) as archive:
        said, directory = archive.said(), archive.directories().get(account)
        if directory is None:
            others = listed(sorted(archive.directories()), "and") or "no account"
            raise NotPlayed(f"{path} holds {others}, not {account}; choose with --account")
        rows = tuple(rows_of(archive, account, tickets))
    lives = [row.ticket() for row in rows]
    if any(UNASKED in each.hidden for each in lives):
        policies = asking_silenced(policies, said.asked, said.packs)
    unknown = Counter(name for row in rows for name in sorted(row.unknown))
    try:
        return archived(lives, directory, policies, dict(unknown.most_common()), start), policies
    except Wrong as wrong:
        raise NotPlayed(str(wrong)) from None


def rows_of(archive: Archive, account: str, tickets: Sequence[str]) -> Iterator[Row]:
    """The rows of these tickets, of all if none is named. Raises NotPlayed for one that is not there, or too many."""
    many_there = archive.counted(account).kept
    if not tickets and many_there == 0:
        raise NotPlayed(f"{archive.path} holds no ticket of {account}")
    if (len(tickets) or many_there) > MOST:
        raise NotPlayed(
            f"{archive.path} holds {many(many_there, 'ticket')} of {account}, and a drill plays up to {MOST}; name "
            f"some: {account}/4711"
        )
    if not tickets:
        yield from (row for row in archive.rows() if row.account == account)
    for said in dict.fromkeys(tickets):
        row = archive.row(TicketRef(account, said.removeprefix(f"{account}/")))
        if row is None:
            raise NotPlayed(f"{archive.path} does not hold {said} of account {account}")
        yield row


@contextmanager
def stage(
    settings: Settings, policies: PolicySet, scenario: Scenario, account: str
) -> Iterator["Performance"]:
    """The service beside a simulated helpdesk, an hour before the drill begins. Raises NotPlayed."""
    adapter = settings.accounts[account].adapter
    found = {entry.name: (entry, made) for entry, made in taking_part()}
    if adapter not in found:
        raise NotPlayed(f"there is no simulated {adapter}; choose another with --account")
    entry, made = found[adapter]
    if lacks := lacking(made):
        raise NotPlayed(
            f"the simulated {adapter} plays no drills: `Desk` in {entry.module}.demo has no {listed(lacks, 'and')}; "
            "update it, or choose another account with --account"
        )
    clock = ManualClock(scenario.start - 3600)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="uptier-drill-")))
        masker = logs.Masker()
        logs.configure(
            masker, clock, stack.enter_context((folder / "uptier.log").open("w", encoding="utf-8"))
        )
        app: Any = entry.load()(clock.now)
        desk = made(app=app, url=stack.enter_context(serve(app)))
        groups, staff = tuple(scenario.groups), tuple(people_of(scenario))
        desk.fill(groups, staff, tuple(customers_of(scenario)))
        secrets = Secrets(masker, {**desk.secrets(), ANYWHERE: "nowhere"})
        own = simulated_settings(settings, account, desk, folder, scenario)
        service = stack.enter_context(
            Service(own, drilled(policies, scenario), clock, secrets, speaker=Recorder)
        )
        yield Performance(
            scenario=scenario, account=account, desk=desk, clock=clock, service=service, policies=policies
        )


@dataclass(slots=True, kw_only=True)
class Performance:
    """A drill while it is played."""

    scenario: Scenario
    account: str
    desk: DemoDesk
    clock: ManualClock
    service: Service
    policies: PolicySet
    lines: list[Line] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    read: dict[str, int] = field(default_factory=dict)
    befell: dict[str, set[str]] = field(default_factory=dict)
    seen: int = 0
    heard: int = 0

    def play(self) -> None:
        """From an hour before it begins to its end."""
        self.look()
        ahead = sorted(self.agenda(), key=lambda each: each[:2])
        glances: list[Instant] = []
        while True:
            now = self.clock.now()
            due = self.service.next_due()
            times = (
                *(each[0] for each in ahead[:1]),
                *glances[:1],
                *(() if due is None else (max(due, now + 1),)),
            )
            at = min(times, default=self.scenario.until + 1)
            if at > self.scenario.until:
                break
            self.clock.advance(max(at - now, 0))
            while ahead and ahead[0][0] <= self.clock.now():
                self.happen(*ahead.pop(0)[2:])
                glances.append(self.clock.now() + SEEN_AFTER)
            glances = [each for each in glances if each > self.clock.now()]
            self.look()

    def agenda(self) -> Iterator[tuple[Instant, int, Script, Acted | Ordered | Shown | None]]:
        """Everything that people do, in order."""
        for script in self.scenario.scripts:
            yield script.ticket.created, 0, script, None
            for number, event in enumerate(script.events, 1):
                yield event.at, number, script, event

    def happen(self, script: Script, event: Acted | Ordered | Shown | None) -> None:
        """People do this now."""
        try:
            match event:
                case None:
                    self.comes_in(script)
                case Ordered():
                    self.is_ordered(script, event)
                case Shown():
                    self.is_promised(script, event)
                case Acted():
                    self.is_done(script, event)
        except ValueError as refused:
            self.note("trouble", script, f"the simulated helpdesk does not take it: {refused}")

    def comes_in(self, script: Script) -> None:
        """A customer writes a new ticket."""
        ticket = script.ticket
        self.desk.receive(
            script.word,
            Mail(
                customer=script.customer.label,
                subject=ticket.subject,
                description=ticket.description,
                status=None if ticket.status is Status.NEW else ticket.status,
                priority=ticket.priority,
                group=ticket.group.name if ticket.group else None,
                assignee=ticket.assignee.label if ticket.assignee else None,
                tags=tuple(sorted(ticket.tags)),
                agent=script.opener,
                id=ticket.ref.id if script.keeps_id else None,
            ),
        )
        self.names[str(self.desk.tickets[script.word])] = script.word
        who = f"{script.customer.name}{', a VIP,' if script.customer.vip else ''}"
        wrote = f"{script.opener} writes for {who}" if script.opener else f"{who} writes"
        into = f" to {ticket.group.name}" if ticket.group else ""
        text = f'{wrote}{into}, {ticket.priority or "no priority"}: "{ticket.subject}"'
        self.note("happens", script, text, who=script.customer.name, words=ticket.description)

    def is_done(self, script: Script, event: Acted) -> None:
        """Somebody writes, or changes something."""
        named = {each.id: each for each in (script.customer, *script.others)}
        writer = named.get(event.person or "", script.customer)
        agent = event.person if event.who is Who.AGENT else None
        label = next((each.label for each in self.scenario.people if each.id == agent), None)
        who = writer.name if event.who is Who.CUSTOMER else label or "an automation"
        for said in event.says:
            if event.who is Who.CUSTOMER:
                how = "answers by a machine" if said.auto_reply else "writes"
            else:
                how = "replies" if said.public else "notes"
            self.note("happens", script, f"{who} {how}", who=who, words=said.body)
            body = said.body or "…"
            if event.who is Who.CUSTOMER:
                author = None if writer is script.customer else writer.label
                self.desk.write(script.word, body, author=author, automatic=said.auto_reply)
            else:
                self.desk.say(script.word, label, body, public=said.public)
        fields: dict[str, Any] = dict(event.sets)
        if event.adds or event.removes:
            tags = self.desk.show(script.word).tags
            fields["tags"] = tuple(sorted((tags | event.adds) - event.removes))
        if fields:
            told = ", ".join(
                f"{name} {'are' if name == 'tags' else 'is'} now {spoken(name, value)}"
                for name, value in fields.items()
            )
            self.note("happens", script, f"{who}: {told}", who=who)
            self.desk.change(script.word, label, fields)

    def is_promised(self, script: Script, event: Shown) -> None:
        """The helpdesk sets a target for when the ticket is to be solved."""
        (target,) = event.fields["targets"]
        self.desk.promise(script.word, target.due)
        due = since(target.due, self.scenario.start)
        self.note("happens", script, f"the helpdesk's own target: solved by {due}")

    def is_ordered(self, script: Script, event: Ordered) -> None:
        """Somebody gives an order."""
        order = event.order
        span = "" if order.until is None else spell(order.until - order.at)
        self.note("happens", script, f"{order.who} orders {order.verb}", who=order.who)
        try:
            submit_order(
                self.service.parts.store,
                self.ref(script),
                verb=order.verb,
                who=order.who,
                now=self.clock.now(),
                policies=self.policies,
                reason="drill",
                level=order.level,
                span=span,
            )
        except OrderRefused as refused:
            self.note("trouble", script, f"the order was refused: {refused}")

    def ref(self, script: Script) -> TicketRef:
        """The ticket in the helpdesk."""
        return TicketRef(self.account, str(self.desk.tickets[script.word]))

    def note(self, kind: Kind, script: Script, text: str, *, who: str = "", words: str = "") -> None:
        """Something happened now."""
        self.lines.append(
            Line(at=self.clock.now(), kind=kind, ticket=script.word, text=text, who=who, words=words)
        )

    def look(self) -> None:
        """One round of the service, and what came of it."""
        self.service.once(lambda _: None)
        with self.service.parts.store.reading() as connection:
            news = tuple(map(ledger.in_words, ledger.onward(connection, self.seen)))
        for line in news:
            self.seen = line.id or self.seen
            self.befell.setdefault(line.policy, set()).add(line.what)
            absent = line.owner in self.scenario.absences
            self.lines += told(line, self.names.get(line.ticket, line.ticket), self.policies, absent)
        for ticket in dict.fromkeys(line.ticket for line in news if line.what == "written"):
            self.lines += self.written_on(ticket)
        speaker = self.service.parts.notifier.speaker
        assert isinstance(speaker, Recorder)
        for channel, title, body in speaker.heard[self.heard :]:
            text = f"channel {channel} hears: {title}"
            words = self.without_address(body)
            self.lines.append(
                Line(at=self.clock.now(), kind="hears", ticket="", text=text, who=channel, words=words)
            )
        self.heard = len(speaker.heard)

    def written_on(self, ticket: str) -> Iterator[Line]:
        """What stands on the ticket by now that Uptier wrote and nobody has read yet."""
        adapter = self.service.parts.desks[self.account].adapter
        whole = adapter.load(TicketRef(self.account, ticket), frozenset({Need.MESSAGES}))
        ours = [each for each in whole.messages if each.act.who in (Who.BOT, Who.OURS)]
        for message in ours[self.read.get(ticket, 0) :]:
            how = "the customer reads" if message.public else "on the ticket stands"
            yield Line(
                at=self.clock.now(),
                kind="reads",
                ticket=self.names.get(ticket, ticket),
                text=how,
                words=self.without_address(message.body),
            )
        self.read[ticket] = len(ours)

    def without_address(self, text: str) -> str:
        """The text with no address of the simulated helpdesk, which ends with the drill."""
        return text.replace(self.desk.url, "https://HELPDESK")


def play(settings: Settings, policies: PolicySet, scenario: Scenario, account: str) -> Played:
    """Play the scenario on this account's policies. Raises NotPlayed."""
    with stage(settings, policies, scenario, account) as performance:
        performance.play()
    return Played(
        scenario=scenario,
        account=account,
        lines=tuple(performance.lines),
        remarks=tuple(remarks(settings, policies, scenario, account)),
        untouched=MappingProxyType(dict(untouched(policies, account, performance.befell))),
    )


def remarks(settings: Settings, policies: PolicySet, scenario: Scenario, account: str) -> Iterator[str]:
    """What is otherwise in this drill than it would be."""
    roles = scenario.roles
    known = Cast(policies, {}).people
    made_up = sorted(each.label for each in scenario.people if each.label not in known)
    if roles and made_up:
        yield f"The config does not say who works there; made up for this drill: {listed(made_up, 'and')}."
    if roles and not roles.leads:
        yield f'The config names no lead of {roles.group}: write [groups."{roles.group}"] lead, or choose --group.'
    yield from scenario.remarks
    if scenario.absences:
        yield f"Absent: {listed(sorted(scenario.absences), 'and')}."
    serving = policies.serving(account)
    observing = [each.name for each in serving if policies.mode(each, account) == "observe"]
    if observing:
        yield f"Played as if enforced; by now these only observe and call nobody: {listed(observing, 'and')}."
    if settings.accounts[account].fields:
        yield "The simulated helpdesk has none of the account's custom fields: what asks for one finds no value."


def untouched(policies: PolicySet, account: str, befell: Mapping[str, set[str]]) -> Iterator[tuple[str, str]]:
    """The policies by which nobody was called, and why."""
    serving = policies.serving(account)
    for policy in policies.policies:
        what = befell.get(policy.name, set())
        if policy not in serving:
            yield policy.name, f"it does not serve {account}"
        elif not what:
            yield policy.name, "no ticket of this drill fits it"
        elif not what & CALLS.keys():
            lacks = "no target of it came near" if policy.on_deadline else "no level of it fell due"
            yield policy.name, f"it applied, and {lacks}"


def spoken(name: str, value: object) -> str:
    """The value of a field in words."""
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    if value is None:
        return "nobody" if name == "assignee" else "none"
    return str(value)


NOBODY = "nobody in particular"
CALLS = {"fired": "", "repeated": " again", "approval asked": " for approval"}
QUIET = frozenset({"started", "written", "notified", "owner", "fired late"})
TROUBLE = frozenset(
    {"held", "write refused", "part refused", "not taken", "refused", "left out", "not notified", "set aside"}
)


def told(line: LedgerEntry, ticket: str, policies: PolicySet, absent: bool) -> Iterator[Line]:
    """What a line of the ledger is in a drill; `absent` says whether its owner is. A level that tells nobody calls
    nobody."""
    if line.what in QUIET:
        return
    calls = line.what in CALLS and not is_silent(policies, line.policy, line.level)
    kind: Kind = "calls" if calls else "trouble" if line.what in TROUBLE else "told"
    of = f"{line.policy}, {line.level}" if line.level else line.policy
    text = ": ".join(filter(None, (line.what, line.text)))
    if calls:
        text = f"{line.owner or NOBODY}{', who is absent,' if absent else ''} is called{CALLS[line.what]}"
    elif line.what in CALLS:
        text = "done without a word to anybody"
    yield Line(
        at=line.at,
        kind=kind,
        ticket=ticket,
        text=f"{text} ({of})" if of else text,
        who=line.owner or NOBODY if calls else "",
        policy=line.policy,
        level=line.level or "",
    )


def is_silent(policies: PolicySet, policy: str, name: str | None) -> bool:
    """Whether this level neither writes nor gives the ticket to anybody, nor tells a channel."""
    levels = [each for one in policies.policies if one.name == policy for each in one.levels]
    meant = [way for each in levels if each.name == name for way in each.variants]
    return bool(meant) and not any(
        way.note or way.reply or way.assign or way.follow or way.notify or way.hand_off for way in meant
    )


# --- telling it ----------------------------------------------------------------------------------------------------

MARKS: Mapping[Kind, str] = {
    "calls": "!",
    "reads": "",
    "hears": "",
    "trouble": "?",
    "told": "",
    "happens": "",
}


def heading(played: Played) -> str:
    """What was played, when and where."""
    scenario = played.scenario
    begins = datetime.fromtimestamp(scenario.start, scenario.timezone).strftime("%A %Y-%m-%d %H:%M %Z")
    return f'Drill "{scenario.title}" on account {played.account}, from {begins}'


def minutes(played: Played, line: Line) -> str:
    """When it happened, in hours and minutes since the drill began."""
    start = played.scenario.start
    return since(line.at - (line.at - start) % 60, start)


def tally(played: Played) -> tuple[tuple[str, int, str], ...]:
    """Who was called how often, and when first."""
    found: dict[str, list[Line]] = {}
    for line in played.calls:
        found.setdefault(line.who, []).append(line)
    return tuple((who, len(lines), minutes(played, lines[0])) for who, lines in found.items())


def as_text(played: Played) -> Iterator[str]:
    """The transcript, in lines."""
    scenario = played.scenario
    yield heading(played)
    yield scenario.summary
    yield "Simulated: no helpdesk and no channel was reached."
    yield from played.remarks
    yield ""
    wide = max((len(script.word) for script in scenario.scripts), default=0)
    for line in played.lines:
        yield f"{minutes(played, line):>6}  {line.ticket:{wide}} {MARKS[line.kind]:1} {line.text}"
        for words in line.words.splitlines():
            yield f"{'':6}  {'':{wide}}   | {words}".rstrip()
    yield ""
    for who, times, first in tally(played):
        yield f"{who}: called {many(times, 'time')}, first at {first}"
    if not played.calls:
        yield "Nobody was called."
    for name, why in played.untouched.items():
        yield f"Not touched: {name}: {why}"
    if scenario.questions:
        yield ""
        yield "To talk about:"
        yield from (f"  - {each}" for each in scenario.questions)


def as_row(played: Played) -> dict[str, object]:
    """The drill for a program; instants are seconds since 1970."""
    scenario = played.scenario
    return {
        "scenario": scenario.title,
        "account": played.account,
        "start": scenario.start,
        "group": scenario.roles.group if scenario.roles else None,
        "lines": [asdict(line) for line in played.lines],
        "called": [{"who": who, "times": times, "first": first} for who, times, first in tally(played)],
        "remarks": list(played.remarks),
        "untouched": dict(played.untouched),
        "questions": list(scenario.questions),
    }


OWN_STYLE = """
.drill td { vertical-align: top; }
.drill tr.calls { font-weight: 600; }
.drill tr.trouble td { font-style: italic; }
.drill pre { white-space: pre-wrap; font: inherit; font-weight: 400; margin: .3rem 0 0; padding-left: .6rem;
  border-left: 3px solid currentColor; opacity: .85; }
.room { min-height: 4rem; border-bottom: 1px solid currentColor; }
"""


def as_html(played: Played) -> str:
    """One page to walk through with a team; it loads nothing."""
    return "\n".join(page(played)) + "\n"


def page(played: Played) -> Iterator[str]:
    """The page, piece by piece."""
    scenario, name = played.scenario, escape(heading(played))
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{name}</title>\n<style>{STYLE}{OWN_STYLE}</style>\n</head>\n<body>\n<h1>{name}</h1>"
    yield f"<p>{escape(scenario.summary)}</p>\n<ul>\n<li>Simulated: no helpdesk and no channel was reached.</li>"
    yield from (f"<li>{escape(each)}</li>" for each in played.remarks)
    yield "</ul>\n<h2>Who is called</h2>"
    calls = [(who, str(times), first) for who, times, first in tally(played)]
    yield table(("Who", "Times", "First at"), calls) if calls else "<p>Nobody.</p>"
    yield "<h2>What happens</h2>"
    yield '<table class="drill">\n<thead><tr><th scope="col">After</th><th scope="col">Ticket</th>'
    yield '<th scope="col">What</th></tr></thead>\n<tbody>'
    for line in played.lines:
        words = f"<pre>{escape(line.words)}</pre>" if line.words else ""
        yield (
            f'<tr class="{line.kind}"><td>{minutes(played, line)}</td><td>{escape(plain(line.ticket))}</td>'
            f"<td>{escape(plain(line.text))}{words}</td></tr>"
        )
    yield "</tbody>\n</table>"
    if played.untouched:
        yield "<h2>Policies that this drill did not touch</h2>"
        yield table(("Policy", "Why"), [*played.untouched.items()])
    if scenario.questions:
        yield "<h2>To talk about</h2>"
        yield from (f'<p>{escape(each)}</p>\n<div class="room"></div>' for each in scenario.questions)
    yield "</body>\n</html>"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of words."""
    titles = "".join(f'<th scope="col">{escape(each)}</th>' for each in head)
    body = "\n".join(f"<tr>{''.join(f'<td>{escape(plain(each))}</td>' for each in row)}</tr>" for row in rows)
    return f"<table>\n<thead><tr>{titles}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"
