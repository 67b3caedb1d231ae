"""Plays ticket lives to `policies.evaluate` and tells what differs from what is expected (`README.md`)."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import policies.evaluate as engine
from connector.store import codec
from policies.history import counted, recognise
from policies.language.document import Document, read
from policies.language.parse import parse
from policies.model import (
    Act,
    Agent,
    Change,
    Counts,
    Directory,
    Group,
    Message,
    Metric,
    Need,
    Order,
    Person,
    Priority,
    Stage,
    Status,
    Target,
    Ticket,
    TicketRef,
    Who,
)
from policies.plan import Assign, ChangeTags, Follow, Notify, RaisePriority, Say, SetField
from policies.rules.calendars import build
from policies.rules.outcomes import Outcome, settle
from policies.state import How, Standing, Wrote

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Options:
    """How a life is looked at: at every minute up to so many after the first look, with all standings serialised before
    every look, and once more after each, which must plan nothing."""

    minutes: int = 0
    cut: bool = False
    twice: bool = False


def instant(text):
    form = "%Y-%m-%dT%H:%M:%SZ" if text.count(":") == 2 else "%Y-%m-%dT%H:%MZ"
    return int(datetime.strptime(text, form).replace(tzinfo=UTC).timestamp())


def iso(at):
    """The minute, rounded up."""
    return datetime.fromtimestamp(-(-at // 60) * 60, UTC).strftime("%Y-%m-%dT%H:%MZ")


# ---------------------------------------------------------------- policies, calendars, directory


def load_rules(folder):
    """The policies as `check` reads them, and their calendars."""
    documents = []
    for file in sorted((folder / "policies").glob("*.toml")):
        document = read(file.name, file.read_text())
        assert isinstance(document, Document), document
        documents.append(document)
    parsed = parse(documents)
    assert parsed.policies is not None, [each for each in parsed.problems if each.severity == "error"]
    return parsed.policies, load_calendars(parsed.policies, folder)


def load_calendars(rules, folder):
    days = json.loads((folder / "holidays.json").read_text())
    return {
        name: build(spec, frozenset(d for region in spec.holidays for d in days[region]), range(2026, 2028))
        for name, spec in rules.calendars.items()
    }


def load_directory(rules, account):
    data = json.loads((FOLDER / "directory.json").read_text())
    ids = {name: f"g{n}" for n, name in enumerate(data["groups"], 1)}
    people = sorted(
        {m for g in data["groups"].values() for m in g["members"]}
        | set(data["default_groups"])
        | set(rules.leads.values())
        | set(rules.managers)
        | set(rules.managers.values())
    )
    agents = []
    for n, address in enumerate(people, 1):
        member = {ids[g] for g, x in data["groups"].items() if address in x["members"]}
        loads = [x["members"][address] for x in data["groups"].values() if address in x["members"]]
        agents.append(
            Agent(
                person=Person(id=f"u{n}", name=address.split("@")[0].title(), address=address),
                groups=frozenset(member),
                default_group=ids.get(data["default_groups"].get(address, "")),
                available=address not in data["away"],
                open_load=max(loads, default=0),
            )
        )
    return Directory(
        account=account,
        groups=tuple(Group(id=i, name=n) for n, i in ids.items()),
        agents=tuple(agents),
        leads=rules.leads,
        managers=rules.managers,
        on_call={**{g: x["on_call"] for g, x in data["groups"].items() if x["on_call"]}, **rules.on_call},
    )


# ---------------------------------------------------------------- one ticket at a helpdesk


class Desk:
    """The ticket as a helpdesk keeps it."""

    def __init__(self, account, directory):
        self.d, self.sequence, self.followers, self.receipts = directory, 0, set(), {}
        self.hidden, self.stamp = frozenset(), None
        self.person = {a.person.address: a.person for a in directory.agents}
        self.group = {g.name: g for g in directory.groups}
        self.ref = TicketRef(account, "1")
        self.customer = Person(id="cu", name="Cleo", address="cleo@initech.test")
        self.ticket = None

    def who(self, actor):
        if actor == "customer":
            return Who.CUSTOMER, "cu"
        if actor == "trigger":
            return Who.AUTOMATION, None
        if actor == "bot":
            return Who.BOT, "bot"
        return Who.AGENT, self.person[actor].id

    def act(self, at, actor):
        self.sequence += 1
        at = at if self.stamp is None else self.stamp  # the helpdesk's clock is not ours
        who, person = self.who(actor)
        if self.ticket is not None:
            self.ticket = replace(self.ticket, updated=at, revision=str(self.sequence))
        return Act(sequence=self.sequence, id=f"f{self.sequence}", at=at, who=who, person=person)

    def value(self, name):
        t = self.ticket
        if name == "tags":
            return tuple(sorted(t.tags))
        if name in ("group", "assignee"):
            held = getattr(t, name)
            return held.id if held else None
        if name.startswith("custom."):
            return t.custom.get(name[7:])
        if name.startswith("requester."):
            return getattr(t.requester, name[10:])
        return getattr(t, name)

    def put(self, name, value):
        t = self.ticket
        if name == "tags":
            t = replace(t, tags=frozenset(value))
        elif name == "group":
            t = replace(t, group=self.group[value] if value else None)
        elif name == "assignee":
            t = replace(t, assignee=self.person[value] if value else None)
        elif name.startswith("custom."):
            t = replace(t, custom={**t.custom, name[7:]: value})
        elif name.startswith("requester."):
            t = replace(t, requester=replace(t.requester, **{name[10:]: value}))
        elif name == "status":
            t = replace(t, status=Status(value), status_name=value)
        elif name == "priority":
            t = replace(t, priority=None if value is None else Priority(value))
        else:
            t = replace(t, **{name: value if value is not None else ("" if name == "subject" else None)})
        self.ticket = t

    def say(self, act, public, auto=False):
        self.ticket = replace(
            self.ticket,
            messages=(*self.ticket.messages, Message(act=act, public=public, body="…", auto_reply=auto)),
        )

    def change(self, act, values):
        """All changed fields of one audit. `values` maps a field to its new value as a life writes it."""
        for name, value in values.items():
            before = self.value(name)
            self.put(name, value)
            after = self.value(name)
            if before != after:
                self.ticket = replace(
                    self.ticket,
                    changes=(*self.ticket.changes, Change(act=act, field=name, before=before, after=after)),
                )

    def shown(self, now):
        """The ticket as the product's user may read it: a hidden field is told as hidden, and holds no value."""
        ticket = replace(self.ticket, read_at=now)
        for name in self.hidden:
            ticket = replace(ticket, **{name: None})
        if self.hidden:
            ticket = replace(ticket, changes=tuple(c for c in ticket.changes if c.field not in self.hidden))
        if self.hidden and hasattr(ticket, "hidden"):
            ticket = replace(ticket, hidden=self.hidden)
        return recognise(ticket, self.receipts)

    def apply(self, at, fact):
        kind, actor = fact["kind"], fact.get("actor", "customer")
        self.stamp = instant(fact["stamp"]) if "stamp" in fact else None
        if kind in ("hide", "show"):
            fields = frozenset(fact["fields"])
            self.hidden = self.hidden | fields if kind == "hide" else self.hidden - fields
        elif kind == "created":
            said = {
                "status": "new",
                "priority": None,
                "group": None,
                "assignee": None,
                "channel": "email",
                "subject": "",
                "tags": [],
            } | fact["fields"]
            act = self.act(at, actor)
            self.ticket = Ticket(
                ref=self.ref,
                link="",
                subject="",
                status=Status.NEW,
                status_name="new",
                requester=self.customer,
                created=at,
                updated=at,
                read_at=at,
                revision=str(self.sequence),
                loaded=frozenset(Need),
                counts=Counts(
                    replies=0, reopens=0, reassignments=0, bounces=0, group_moves=0, group_bounces=0
                ),
            )
            for name, value in said.items():
                self.put(name, value)
            if actor != "trigger":
                self.say(act, public=True)
        elif kind == "customer_message":
            self.say(self.act(at, actor), public=True)
        elif kind == "auto_reply":
            self.say(self.act(at, actor), public=True, auto=True)
        elif kind in ("agent_reply", "agent_note"):
            self.say(self.act(at, actor), public=kind == "agent_reply")
        elif kind in ("change", "foreign_write"):
            act = self.act(at, "bot" if kind == "foreign_write" else actor)
            if fact.get("message"):
                self.say(act, public=True)
            self.change(act, fact.get("fields", {}))
            if fact.get("add") or fact.get("remove"):
                self.change(
                    act, {"tags": (self.ticket.tags | set(fact.get("add", []))) - set(fact.get("remove", []))}
                )
        elif kind in ("solved", "closed", "reopened"):
            self.change(self.act(at, actor), {"status": "open" if kind == "reopened" else kind})
        elif kind in ("deleted", "spam", "merged"):
            self.act(at, actor)
            self.ticket = replace(self.ticket, gone=kind)
        elif kind == "restored":
            self.act(at, actor)
            self.ticket = replace(self.ticket, gone=None)
        elif kind == "sla":
            metric, op = Metric(fact["metric"]), fact["op"]
            others = tuple(t for t in self.ticket.targets if t.metric is not metric)
            mine = next((t for t in self.ticket.targets if t.metric is metric), None)
            due = instant(fact["due"]) if "due" in fact else mine.due
            if op == "set":
                mine = Target(
                    metric=metric,
                    stage=Stage.ACTIVE,
                    due=due,
                    start=instant(fact["start"]) if fact.get("start") else None,
                )
            else:
                stage = {
                    "moved": mine.stage,
                    "paused": Stage.PAUSED,
                    "resumed": Stage.ACTIVE,
                    "achieved": Stage.ACHIEVED,
                }[op]
                mine = replace(mine, stage=stage, due=due)
            self.ticket = replace(self.ticket, targets=(*others, mine))
        else:
            raise ValueError(kind)
        self.stamp = None
        self.ticket = replace(self.ticket, counts=counted(self.ticket))

    def carry_out(self, at, wanted, episodes):
        """One write of ours. Returns what really changed, in the words of expected.json, and the receipt."""
        done, before = (
            {},
            {
                n: self.value(n)
                for n in (
                    "group",
                    "assignee",
                    "priority",
                    "tags",
                    *(f"custom.{c}" for c in self.ticket.custom),
                )
            },
        )
        tags, said = self.ticket.tags, False
        for each in wanted:
            a = each.action
            if isinstance(a, Assign):
                self.ticket = replace(self.ticket, group=a.group, assignee=a.assignee)
                done["assign"] = assigned(a)
            elif isinstance(a, RaisePriority):
                self.ticket = replace(self.ticket, priority=a.at_least)
                done["priority"] = a.at_least.value
            elif a.kind == "put_back":
                self.ticket = replace(self.ticket, priority=a.to)
                done["priority"] = a.to.value if a.to else "none"
            elif isinstance(a, ChangeTags):
                self.ticket = replace(self.ticket, tags=(tags - a.remove) | a.add)
            elif isinstance(a, SetField):
                self.put(a.field, a.value)
                done.setdefault("set", {})[a.field] = a.value
            elif isinstance(a, Follow):
                if a.person.address not in self.followers:
                    self.followers.add(a.person.address)
                    done["follow"] = sorted({*done.get("follow", []), a.person.address})
            elif isinstance(a, Say):
                said = True
                done["replies" if a.public else "notes"] = 1
            elif isinstance(a, Notify):
                done["notify"] = sorted({*done.get("notify", []), a.channel})
            else:
                raise TypeError(a)
        added, removed = sorted(self.ticket.tags - tags), sorted(tags - self.ticket.tags)
        done |= {k: v for k, v in (("tags_add", added), ("tags_remove", removed)) if v}
        names = [*before, *(f"custom.{c}" for c in self.ticket.custom if f"custom.{c}" not in before)]
        changed = [(n, before.get(n), self.value(n)) for n in names if before.get(n) != self.value(n)]
        if not changed and not said:
            return done, ()
        act = self.act(at, "bot")
        self.receipts[act.id] = frozenset(episodes)
        for a in (e.action for e in wanted if isinstance(e.action, Say)):
            self.say(act, public=a.public)
        self.ticket = replace(
            self.ticket,
            changes=(
                *self.ticket.changes,
                *(Change(act=act, field=n, before=b, after=a) for n, b, a in changed),
            ),
        )
        self.ticket = replace(self.ticket, counts=counted(self.ticket))
        return done, tuple(Wrote(field=n, before=b, after=a, fact=act.id) for n, b, a in changed)


def assigned(a):
    return {"group": a.group.name if a.group else None, "agent": a.assignee.label if a.assignee else None}


# ---------------------------------------------------------------- one life

CAPTURED = []
REAL_AGREE = engine.agree


def capturing(wishes):
    """`evaluate` hands all wishes of a plan to `agree`: what each level wanted is read here. A test puts it there."""
    CAPTURED.append(tuple(wishes))
    return REAL_AGREE(CAPTURED[-1])


def wanted_by(wish, lost):
    level = wish.level
    if wish.is_repeat:
        raw = {"notes": int(level.note is not None), "notify": sorted(level.notify)}
    else:
        raw = {
            "assign": assigned(wish.chosen.assign)
            if wish.chosen and wish.chosen.assign and "assign" not in lost
            else None,
            "priority": wish.priority.value if wish.priority else None,
            "tags_add": sorted(wish.add),
            "tags_remove": sorted(wish.remove),
            "set": {k: v for k, v in level.set if k not in lost},
            "follow": sorted(level.follow),
            "notes": int(level.note is not None),
            "replies": int(level.reply is not None and "reply" not in lost),
            "notify": sorted(level.notify),
        }
    return {k: v for k, v in raw.items() if v}


VERBS = {
    "acknowledged": "acknowledge",
    "snoozed": "snooze",
    "escalated": "escalate",
    "deescalated": "deescalate",
    "approved": "approve",
    "rejected": "reject",
}
WRITES = {"fired": 0, "repeated": 1, "approval asked": 2}


class Run:
    """One life, played minute by minute as far as anything can happen."""

    def __init__(self, life, rules, calendars, options):
        self.life, self.rules, self.calendars, self.options = life, rules, calendars, options
        names = [p.name for p in rules.policies if p.name in life["policies"]]
        self.names, self.mode, self.removed = names, {}, set()
        self.desk = Desk(life.get("account", "acme"), load_directory(rules, life.get("account", "acme")))
        self.first_run = {n: instant(t) for n, t in life.get("first_run", {}).items() if n in names}
        self.standings, self.next_look = (), None
        self.out = {n: {"levels": [], "ends": []} for n in names}
        self.plans, self.shown, self.counts, self.trouble, self.looks = [], {}, {}, [], 0
        self.orders, self.told = [], {}  # orders that wait for the look; minute and verb to what became of it

    def active(self, now):
        kept = tuple(
            replace(p, mode=self.mode[p.name]) if p.name in self.mode else p
            for p in self.rules.policies
            if p.name in self.names and p.name not in self.removed and self.first_run.get(p.name, now) <= now
        )
        return replace(self.rules, policies=kept)

    def judge(self, now, rules=None, standings=None, orders=()):
        rules = rules or self.active(now)
        CAPTURED.clear()
        self.looks += 1
        standings = self.standings if standings is None else standings
        standings = cut(standings) if self.options.cut else standings
        first = {p.name: self.first_run.get(p.name, 0) for p in rules.policies}
        plan = engine.evaluate(
            self.desk.shown(now), rules, standings, self.desk.d, self.calendars, now, first, orders
        )
        return plan, dict_of(CAPTURED)

    def look(self, now):
        """Look until nothing happens any more."""
        for _ in range(9):
            before, orders, self.orders = self.standings, tuple(self.orders), []
            plan, wishes = self.judge(now, orders=orders)
            self.answer(now, plan, orders)
            observed = {p.policy: p for p in plan.occurrences if p.what == "observed"}
            for name in observed:  # what an observed level would have wanted
                rules = self.active(now)
                forced = replace(
                    rules,
                    policies=tuple(replace(p, mode="enforce") for p in rules.policies if p.name == name),
                )
                wishes |= self.judge(now, forced, tuple(map(as_fired, self.standings)))[1]
            lost = {}
            for each in plan.left_out:
                lost.setdefault(each.policy, []).append(each.what.removeprefix("set "))
            rows, by = list(plan.occurrences), []
            self.standings = plan.standings
            ended = {e.key: e for e in plan.ended}
            done = {}
            if plan.wanted:
                helpdesk = [w for w in plan.wanted if not isinstance(w.action, Notify)]
                episodes = tuple(dict.fromkeys(k for w in helpdesk for k in w.episodes))
                done, wrote = self.desk.carry_out(now, plan.wanted, episodes)
                if helpdesk:
                    outcome = Outcome(key="w", episodes=episodes, result="done", at=now, wrote=wrote)
                    self.standings, more = settle(self.standings, outcome)
                    rows += more
            for row in rows:
                self.record(now, row, wishes, lost, ended, by, plan)
            order = self.names
            by = sorted(set(by), key=lambda x: (x[0], order.index(x[1])))
            undone = [
                name for name in order if any(r.what == "deescalated" and r.policy == name for r in rows)
            ]
            if undone and not by and any(x.what == "priority" for x in plan.left_out):
                done.setdefault("priority", "none")  # said to be impossible: as good as done
            if undone and not by and done:
                self.plans.append({"minute": iso(now), "by": undone, "undone": True, **done})
            elif by:
                self.plans.append({"minute": iso(now), "by": [name for _, name in by], **done})
            elif done:
                self.trouble.append(f"{iso(now)} wrote {done} for nobody")
            self.next_look = plan.next_look
            if not plan.wanted and self.standings == before:
                break
        else:
            self.trouble.append(f"{iso(now)} a loop")
        if self.options.twice:
            plan, _ = self.judge(now)
            if plan.wanted or plan.occurrences:
                self.trouble.append(f"{iso(now)} second plan not empty: {plan.wanted} {plan.occurrences}")

    def answer(self, now, plan, orders):
        """What became of the orders: each leaves a line, and an order that one policy obeyed is not refused."""
        for row in plan.occurrences:
            verb = VERBS.get(row.what)
            if row.what == "order refused":
                self.told.setdefault((iso(now), row.text.split()[0]), [])
            elif verb and row.who != "uptier":
                rows = self.told.setdefault((iso(now), verb), [])
                level = {"level": row.level} if row.level else {}
                rows.append({"minute": iso(now), "verb": verb, "outcome": "done", **level})
        for order in orders:
            if (iso(now), order.verb) not in self.told:
                self.trouble.append(f"{iso(now)} the order to {order.verb} left no line")

    def record(self, now, row, wishes, lost, ended, by, plan):
        if row.policy not in self.out:
            return
        mine, number = self.out[row.policy], self.shown.get(row.episode)
        if row.what in ("fired", "observed", "overtaken", "skipped", "repeated", "refused", "approval asked"):
            if number is None:
                self.counts[row.policy] = number = self.counts.get(row.policy, 0) + 1
                self.shown[row.episode] = number
            what = {"observed": "fired", "repeated": "repeat", "approval asked": "asked"}.get(
                row.what, row.what
            )
            told = {"minute": iso(now), "episode": number, "level": row.level, "outcome": what}
            told["owner"] = row.owner if what in ("fired", "repeat", "skipped") else None
            told["actions"] = {}
            if what in ("fired", "repeat") and row.policy in wishes:
                told["actions"] = wanted_by(wishes[row.policy], lost.get(row.policy, []))
            if what == "fired" and lost.get(row.policy):
                told["overruled"] = sorted(lost[row.policy])
            policy = next(p for p in self.active(now).policies if p.name == row.policy)
            if what == "asked":
                asks = next(x for x in policy.levels if x.name == row.level).approval
                told["actions"] = {
                    k: v
                    for k, v in (("notes", int(asks.note is not None)), ("notify", sorted(asks.notify)))
                    if v
                }
                said = (w.action for w in plan.wanted if isinstance(w.action, (Say, Notify)))
                told["owner"] = row.owner or next(
                    (a.owner for a in said if (a.policy, a.level) == (row.policy, row.level)), None
                )
            observe = self.rules.mode(policy, self.desk.ref.account) == "observe"
            if observe:
                told["observe"] = True
            elif row.what in WRITES:
                by.append((WRITES[row.what], row.policy))
            mine["levels"].append(told)
        elif row.what == "ended":
            episode = ended[row.episode]
            fired = [
                p.level
                for p in episode.passed
                if p.how.value in ("fired", "observed") and p.at >= episode.started
            ]
            mine["ends"].append(
                {"minute": iso(now), "episode": number, "reason": row.text.replace(" ", ":"), "fired": fired}
            )

    def run(self):
        facts = [(instant(f["t"]), f) for f in self.life["facts"]]
        first = instant(self.life["first_seen"]) if "first_seen" in self.life else facts[0][0]
        until, at, now = instant(self.life["until"]), 0, facts[0][0]
        stops = sorted(
            {t for t, _ in facts if t >= first}
            | {first}
            | {max(first, t) for t in self.first_run.values()}
            | {instant(t) for t in self.life.get("looks", [])}
        )
        every = (
            range(first, min(until, first + 60 * self.options.minutes) + 1, 60)
            if self.options.minutes
            else ()
        )
        stops = sorted({*stops, *every})
        while True:
            soon = [t for t in stops if t > now or (t == now and at == 0)][:1]
            if at == 0 and facts[0][0] < first:
                soon = [first]
            if self.next_look is not None:
                soon.append(max(self.next_look, now + 1))
            if not soon or min(soon) > until:
                break
            now = min(soon)
            while at < len(facts) and facts[at][0] <= now:
                fact = facts[at][1]
                at += 1
                if fact["kind"] == "policy_removed":
                    self.removed.add(fact["policy"])
                elif fact["kind"] == "mode":
                    self.mode[fact["policy"]] = fact["mode"]
                elif fact["kind"] == "order":
                    quiet = instant(fact["until"]) if "until" in fact else None
                    self.orders.append(
                        Order(
                            verb=fact["verb"],
                            who=fact["actor"],
                            at=now,
                            policy=fact.get("policy"),
                            level=fact.get("level"),
                            until=quiet,
                        )
                    )
                else:
                    self.desk.apply(instant(fact["t"]), fact)
            if self.desk.hidden and not hasattr(self.desk.ticket, "hidden"):
                self.trouble.append("a Ticket cannot say that a field is hidden")
            self.look(now)
        refused = [[{"minute": minute, "verb": verb, "outcome": "refused"}] for minute, verb in self.told]
        orders = [row for rows, no in zip(self.told.values(), refused, strict=False) for row in rows or no]
        return {"policies": self.out, "plans": self.plans, "orders": orders}


def as_fired(standing):
    """So that what an observed level would have wanted can be asked for."""
    if standing.episode is None:
        return standing
    passed = tuple(replace(p, how=How.FIRED) if p.how is How.OBSERVED else p for p in standing.episode.passed)
    return replace(standing, episode=replace(standing.episode, passed=passed))


def dict_of(captured):
    return {w.policy: w for wishes in captured for w in wishes}


def cut(standings):
    return tuple(codec.load(Standing, codec.dump(Standing, one)) for one in standings)


# ---------------------------------------------------------------- comparing


def normal(result):
    """The same words on both sides: sets sorted, the parts that are not compared left out."""
    policies = {}
    for name, p in result.get(
        "policies", {k: v for k, v in result.items() if k not in ("plans", "orders")}
    ).items():
        rows = []
        top = {(r["minute"], r["episode"]): r["level"] for r in p["levels"] if r["outcome"] == "skipped"}
        for r in p["levels"]:
            keeps = r["outcome"] in ("fired", "repeat", "asked") or (
                r["outcome"] == "skipped" and top[r["minute"], r["episode"]] == r["level"]
            )
            row = {k: r[k] for k in ("minute", "episode", "level", "outcome")} | {
                "owner": r["owner"] if keeps else None
            }
            row["actions"] = (
                sorted_parts(r["actions"]) if r["outcome"] in ("fired", "repeat", "asked") else {}
            )
            if r.get("overruled"):
                row["overruled"] = sorted(r["overruled"])
            if r.get("observe"):
                row["observe"] = True
            rows.append(row)
        policies[name] = {"levels": rows, "ends": p["ends"]}
    return {
        "policies": policies,
        "plans": [sorted_parts(r) for r in result["plans"]],
        "orders": result.get("orders", []),
    }


def sorted_parts(row):
    return {
        k: sorted(v) if k in ("notify", "follow", "tags_add", "tags_remove") else v
        for k, v in row.items()
        if v not in (None, [], {}, 0)
    }


def differences(mine, theirs):
    found = []
    for name in {**theirs["policies"], **mine["policies"]}:
        for part in ("levels", "ends"):
            a, b = (x["policies"].get(name, {}).get(part, []) for x in (theirs, mine))
            found += [("-", name, part, r) for r in a if r not in b] + [
                ("+", name, part, r) for r in b if r not in a
            ]
            if not found and a != b:
                found.append(("~", name, part, "order or number of rows"))
    for part in ("plans", "orders"):
        a, b = theirs[part], mine[part]
        found += [("-", "", part, r) for r in a if r not in b] + [("+", "", part, r) for r in b if r not in a]
    a, b = theirs["plans"], mine["plans"]
    if not found and a != b:
        found.append(("~", "", "plans", "order or number of rows"))
    return found


def brief(entry):
    sign, name, part, row = entry
    if isinstance(row, str):
        return f"{sign} {name} {part}: {row}"
    what = row.get("level") or row.get("reason") or row.get("verb") or ", ".join(row.get("by", []))
    more = row.get("outcome", "")
    if part == "plans":
        more = ", ".join(f"{k} {json.dumps(v)}" for k, v in row.items() if k not in ("minute", "by"))
    elif row.get("owner"):
        more += f", owner {row['owner']}"
    return " ".join(f"{sign} {part.removesuffix('s')} {name} {row['minute'][5:]} {what} {more}".split())


def play(life, rules, calendars, expected, options):
    """The differences of one life, a line each, and what the product did."""
    run = Run(life, rules, calendars, options)
    mine = normal(run.run())
    found = differences(mine, normal(expected))
    lines = [f"{brief(entry)}   {json.dumps(entry[3])}" for entry in found]
    return lines + ["! " + text for text in dict.fromkeys(run.trouble)], mine
