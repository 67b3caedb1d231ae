"""Plays ticket lives to `policies.evaluate` and tells what differs from what is expected (`README.md`)."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import policies.evaluate as engine
from connector.store import codec
from policies.language.document import Document, read
from policies.language.parse import parse
from policies.model import (
    Agent,
    Counts,
    Directory,
    Group,
    Metric,
    Need,
    Order,
    Person,
    Stage,
    Status,
    Target,
    Ticket,
    TicketRef,
    Who,
)
from policies.plan import Assign, ChangeTags, Follow, Notify, RaisePriority, Say, SetField
from policies.replay import (
    Acted,
    Life,
    Looked,
    Ordered,
    Rulebook,
    Ruled,
    Said,
    Shown,
    planned,
    replay,
    with_value,
)
from policies.rules.calendars import build
from policies.state import How, Standing

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Options:
    """How a life is looked at: at every minute up to so many after the first look, with all standings serialised before
    every look (which a test sees to), and once more after each, which must plan nothing."""

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


# ---------------------------------------------------------------- the facts of a life, as events


class Facts:
    """Turns the facts of a life into the events that `replay` plays."""

    def __init__(self, account, directory):
        self.hidden, self.targets = frozenset(), {}
        self.person = {a.person.address: a.person for a in directory.agents}
        self.group = {g.name: g for g in directory.groups}
        self.directory, self.account = directory, account

    def who(self, actor):
        if actor == "customer":
            return Who.CUSTOMER, "cu"
        if actor == "trigger":
            return Who.AUTOMATION, None
        if actor == "bot":
            return Who.BOT, "bot"
        return Who.AGENT, self.person[actor].id

    def sets(self, fields):
        """Fields as a life writes them, as a change tells them."""
        return tuple((name, self.told(name, value)) for name, value in fields.items())

    def told(self, name, value):
        if name == "tags":
            return tuple(sorted(value))
        if name == "group":
            return self.group[value].id if value else None
        if name == "assignee":
            return self.person[value].id if value else None
        return "" if name == "subject" and value is None else value

    def newborn(self, fact):
        """The ticket as it was created."""
        at = instant(fact["t"])
        ticket = Ticket(
            ref=TicketRef(self.account, "1"),
            link="",
            subject="",
            status=Status.NEW,
            status_name="new",
            channel="email",
            requester=Person(id="cu", name="Cleo", address="cleo@initech.test"),
            created=at,
            updated=at,
            read_at=at,
            revision="0",
            loaded=frozenset(Need),
            counts=Counts(replies=0, reopens=0, reassignments=0, bounces=0, group_moves=0, group_bounces=0),
        )
        for name, value in self.sets(fact["fields"]):
            ticket = with_value(ticket, name, value, self.directory)
        return ticket

    def events(self, fact):
        """What one fact is."""
        kind, actor, at = fact["kind"], fact.get("actor", "customer"), instant(fact["t"])
        nobody = kind in ("sla", "hide", "show")
        who, person = (None, None) if nobody else self.who("bot" if kind == "foreign_write" else actor)
        did = partial(
            Acted, at=at, who=who, person=person, stamp=instant(fact["stamp"]) if "stamp" in fact else None
        )
        if kind in ("hide", "show"):
            fields = frozenset(fact["fields"])
            self.hidden = self.hidden | fields if kind == "hide" else self.hidden - fields
            yield Shown(at=at, fields={"hidden": self.hidden})
        elif kind == "created":
            yield did(says=() if actor == "trigger" else (SAID,))
        elif kind in ("customer_message", "agent_reply"):
            yield did(says=(SAID,))
        elif kind == "agent_note":
            yield did(says=(replace(SAID, public=False),))
        elif kind == "auto_reply":
            yield did(says=(replace(SAID, auto_reply=True),))
        elif kind in ("change", "foreign_write"):
            yield did(
                says=(SAID,) if fact.get("message") else (),
                sets=self.sets(fact.get("fields", {})),
                adds=frozenset(fact.get("add", [])),
                removes=frozenset(fact.get("remove", [])),
            )
        elif kind in ("solved", "closed", "reopened"):
            yield did(sets=(("status", "open" if kind == "reopened" else kind),))
        elif kind in ("deleted", "spam", "merged", "restored"):
            yield did()
            yield Shown(at=at, fields={"gone": None if kind == "restored" else kind})
        elif kind == "sla":
            metric, op = Metric(fact["metric"]), fact["op"]
            mine = self.targets.pop(metric, None)
            due = instant(fact["due"]) if "due" in fact else mine.due
            if op == "set":
                start = instant(fact["start"]) if fact.get("start") else None
                mine = Target(metric=metric, stage=Stage.ACTIVE, due=due, start=start)
            else:
                stage = {
                    "moved": mine.stage,
                    "paused": Stage.PAUSED,
                    "resumed": Stage.ACTIVE,
                    "achieved": Stage.ACHIEVED,
                }[op]
                mine = replace(mine, stage=stage, due=due)
            self.targets[metric] = mine
            yield Shown(at=at, fields={"targets": tuple(self.targets.values())})
        else:
            raise ValueError(kind)


SAID = Said(body="…")


def written(step, followers):
    """What a step really changed, in the words of expected.json."""
    done, before, after = {}, step.before.ticket, step.after.ticket
    for each in step.plan.wanted:
        a = each.action
        if isinstance(a, Assign):
            done["assign"] = assigned(a)
        elif isinstance(a, RaisePriority):
            done["priority"] = a.at_least.value
        elif a.kind == "put_back":
            done["priority"] = a.to.value if a.to else "none"
        elif isinstance(a, ChangeTags):
            pass
        elif isinstance(a, SetField):
            done.setdefault("set", {})[a.field] = a.value
        elif isinstance(a, Follow):
            if a.person.address not in followers:
                followers.add(a.person.address)
                done["follow"] = sorted({*done.get("follow", []), a.person.address})
        elif isinstance(a, Say):
            done["replies" if a.public else "notes"] = 1
        elif isinstance(a, Notify):
            done["notify"] = sorted({*done.get("notify", []), a.channel})
        else:
            raise TypeError(a)
    added, removed = sorted(after.tags - before.tags), sorted(before.tags - after.tags)
    return done | {k: v for k, v in (("tags_add", added), ("tags_remove", removed)) if v}


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
        self.account = life.get("account", "acme")
        self.directory = load_directory(rules, self.account)
        self.first_run = {n: instant(t) for n, t in life.get("first_run", {}).items() if n in names}
        self.out = {n: {"levels": [], "ends": []} for n in names}
        self.plans, self.shown, self.counts, self.trouble, self.followers = [], {}, {}, [], set()
        self.told = {}  # minute and verb of an order to what became of it

    def active(self, now):
        """The rules at an instant, after what has been changed of them until then."""
        kept = tuple(
            replace(p, mode=self.mode[p.name]) if p.name in self.mode else p
            for p in self.rules.policies
            if p.name in self.names and p.name not in self.removed and self.first_run.get(p.name, now) <= now
        )
        first = {p.name: self.first_run.get(p.name, 0) for p in kept}
        return Rulebook(
            policies=replace(self.rules, policies=kept), calendars=self.calendars, first_ran=first
        )

    def step(self, step):
        now, plan = step.now, step.plan
        wishes = dict_of(CAPTURED)
        CAPTURED.clear()
        self.answer(now, plan, step.orders)
        observed = {p.policy: p for p in plan.occurrences if p.what == "observed"}
        rules = Rulebook(
            policies=plan.scene.policies, calendars=self.calendars, first_ran=plan.scene.first_ran
        )
        self.active_policies = rules.policies
        for name in observed:  # what an observed level would have wanted
            forced = replace(
                rules.policies,
                policies=tuple(replace(p, mode="enforce") for p in rules.policies.policies if p.name == name),
            )
            before = replace(step.before, standings=tuple(map(as_fired, step.before.standings)))
            planned(before, replace(rules, policies=forced), self.directory, now)
            wishes |= dict_of(CAPTURED)
            CAPTURED.clear()
        lost = {}
        for each in plan.left_out:
            lost.setdefault(each.policy, []).append(each.what.removeprefix("set "))
        by, ended, done = [], {e.key: e for e in plan.ended}, written(step, self.followers)
        for row in step.lines:
            self.record(now, row, wishes, lost, ended, by, plan)
        order = self.names
        by = sorted(set(by), key=lambda x: (x[0], order.index(x[1])))
        undone = [
            name for name in order if any(r.what == "deescalated" and r.policy == name for r in step.lines)
        ]
        if undone and not by and any(x.what == "priority" for x in plan.left_out):
            done.setdefault("priority", "none")  # said to be impossible: as good as done
        if undone and not by and done:
            self.plans.append({"minute": iso(now), "by": undone, "undone": True, **done})
        elif by:
            self.plans.append({"minute": iso(now), "by": [name for _, name in by], **done})
        elif done:
            self.trouble.append(f"{iso(now)} wrote {done} for nobody")
        if any(row.what == "held" for row in step.lines):
            self.trouble.append(f"{iso(now)} a loop")
        elif step.is_quiet and self.options.twice:
            again = planned(step.after, rules, self.directory, now)
            CAPTURED.clear()
            if again.wanted or again.occurrences:
                self.trouble.append(f"{iso(now)} second plan not empty: {again.wanted} {again.occurrences}")

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
            policy = next(p for p in self.active_policies.policies if p.name == row.policy)
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
            observe = self.rules.mode(policy, self.account) == "observe"
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

    def event(self, fact, facts):
        """A fact as events; of one that changes the rules, what they are from then on."""
        at = instant(fact["t"])
        if fact["kind"] == "policy_removed":
            self.removed.add(fact["policy"])
        elif fact["kind"] == "mode":
            self.mode[fact["policy"]] = fact["mode"]
        elif fact["kind"] == "order":
            quiet = instant(fact["until"]) if "until" in fact else None
            order = Order(
                verb=fact["verb"],
                who=fact["actor"],
                at=at,
                policy=fact.get("policy"),
                level=fact.get("level"),
                until=quiet,
            )
            return [Ordered(order=order)]
        elif fact["kind"] != "begins":
            return list(facts.events(fact))
        return [Ruled(at=at, rules=self.active(at))]

    def run(self):
        created, facts = self.life["facts"][0], Facts(self.account, self.directory)
        born, until = instant(created["t"]), instant(self.life["until"])
        first = instant(self.life["first_seen"]) if "first_seen" in self.life else born
        rules = self.active(first)
        begins = [{"t": self.life["first_run"][name], "kind": "begins"} for name in self.first_run]
        told = sorted([*self.life["facts"], *begins], key=lambda fact: instant(fact["t"]))
        events = [event for fact in told for event in self.event(fact, facts)]
        looks = {instant(t) for t in self.life.get("looks", [])}
        if self.options.minutes:
            looks |= set(range(first, min(until, first + 60 * self.options.minutes) + 1, 60))
        events = sorted([*events, *(Looked(at=at) for at in looks)], key=lambda event: event.at)
        life = Life(ticket=facts.newborn(created), events=tuple(events), first_seen=first)
        CAPTURED.clear()
        for step in replay(life, rules, self.directory, until):
            self.step(step)
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


def cutting(ticket, policies, standings, *rest):
    """`evaluate` on standings that were written out and read back."""
    return engine.evaluate(ticket, policies, cut(standings), *rest)


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
