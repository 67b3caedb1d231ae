"""A life out of its own history comes to the same: what policies did to it they do again, without its words too."""

from dataclasses import replace
from random import Random

import pytest

from policies.history import recognise
from policies.model import Change, Instant, Metric, Need, Priority, Stage, Status, Target, Ticket, Who
from policies.past import (
    ANSWERS,
    UNASKED,
    Sieve,
    asking_silenced,
    life_of,
    questions,
    read_by,
    replies,
    silenced,
    spelling,
    unknown_past,
    with_writes,
)
from policies.plan import Wanted
from policies.replay import Acted, Life, Rulebook, Said, Step, replay
from policies.state import Wrote
from tests.policies import lives
from tests.policies.lives import DIRECTORY, LADDER, NEWBORN, at, policy

LIVES = 150
SECRET = "Rumpelstiltskin"
TEXTS = (
    LADDER,
    policy(
        name="words",
        when='status = ["new", "open"]\nsubject = { contains = "log in" }\nphrases = { has = "complaint" }',
    ),
    policy(
        'after = "20m"\nassign = { group = "Duty", agent = "cat@acme.test" }\n'
        'priority = { at_least = "urgent" }\nnote = "handoff"',
        'after = "90m"\nowner = "Escalations"\ntags = ["l9"]\nuntag = ["vip"]\nnote = "handoff"',
        name="vips",
        clock="untouched",
        when='status = ["new", "open", "pending"]\ntags = { has = "vip" }',
    ),
    policy(name="bounced", clock="in_status", when='status = "open"\nreassignments = { at_least = 1 }'),
    policy(name="never", when='type = "incident"\nstatus = ["new", "open"]'),
)
POLICIES = lives.rules("".join(TEXTS))
RULES = Rulebook(policies=POLICIES, calendars=lives.calendars(POLICIES), first_ran={})
UNTIL = at(600)


def any_life(seed: int) -> Life:
    """Some hours of a ticket that customers, agents and rules touch."""
    chance = Random(seed)  # noqa: S311 - the same lives each time
    born = replace(
        NEWBORN,
        priority=chance.choice([None, *Priority]),
        group=chance.choice([None, lives.TIER1, lives.TIER2]),
        assignee=chance.choice([None, None, lives.ANN]),
        tags=frozenset(chance.sample(["vip", "eu", "l1"], chance.randrange(3))),
        counts=NEWBORN.counts,
    )
    events = [Acted(at=at(0), who=Who.CUSTOMER, person="cleo", says=(Said(body=SECRET),))]
    minute = 0
    for _ in range(chance.randrange(7)):
        minute += chance.choice([0, 1, 7, 40, 100])
        events.append(an_act(chance, at(minute) + chance.randrange(59)))
    events.sort(key=lambda each: each.at)
    return Life(ticket=born, events=tuple(events))


def an_act(chance: Random, when: Instant) -> Acted:
    """Anything that anybody may do in one go."""
    who, person = chance.choice(
        [(Who.CUSTOMER, "cleo"), (Who.AGENT, "ann"), (Who.AGENT, "ben"), (Who.AUTOMATION, None)]
    )
    bodies = ("Thanks.", "I am fed up, this is a complaint.", SECRET)
    said = (Said(public=chance.random() < 0.8, body=chance.choice(bodies)),) if chance.random() < 0.7 else ()
    sets: dict[str, str | None] = {}
    if who is not Who.CUSTOMER and chance.random() < 0.7:
        name, values = chance.choice(
            [
                ("status", [*Status]),
                ("priority", [*Priority]),
                ("group", ["g1", "g2", "g3", None]),
                ("assignee", ["ann", "ben", "cat", None]),
            ]
        )
        sets[name] = chance.choice(values)  # type: ignore[arg-type]
    adds = frozenset({"vip"}) if chance.random() < 0.2 else frozenset[str]()
    return Acted(at=when, who=who, person=person, says=said, sets=tuple(sets.items()), adds=adds)


def came(steps: list[Step]) -> list[tuple[Instant, str, str | None, str | None, tuple[Wanted, ...]]]:
    """What fired and what was wanted with it."""
    return [
        (step.now, line.policy, line.level, line.owner, step.plan.wanted)
        for step in steps
        for line in step.lines
        if line.what in ("fired", "overtaken", "ended", "acknowledged", "owner")
    ]


def ended(steps: list[Step]) -> Ticket:
    """The ticket at the end, as an archive would fetch it."""
    last = steps[-1].after
    return recognise(replace(last.ticket, read_at=UNTIL), last.receipts)


def wordless(found: list[tuple[Instant, str, str | None, str | None, tuple[Wanted, ...]]]) -> list[object]:
    """What came of it, without what was quoted."""
    return [(*one[:4], [type(each.action).__name__ for each in one[4]]) for one in found]


def test_a_life_out_of_its_history_comes_to_the_same() -> None:
    asked, packs = questions(POLICIES), POLICIES.packs
    deaf = asking_silenced(POLICIES, asked, {name: spelling(pack) for name, pack in packs.items()})
    sieve, fired = Sieve(deaf), 0
    for seed in range(LIVES):
        life = any_life(seed)
        steps = list(replay(life, RULES, DIRECTORY, UNTIL))
        if any(line.what == "held" for step in steps for line in step.lines):
            continue
        ticket = ended(steps)
        lost = unknown_past(ticket, only_ours=False) & read_by(POLICIES, "acme")
        assert lost == set(), (seed, lost)
        again = list(replay(life_of(ticket, DIRECTORY), RULES, DIRECTORY, UNTIL))
        assert came(again) == came(steps), seed
        silent = silenced(ticket, asked, packs.values())
        assert SECRET not in repr(silent)
        quiet = life_of(silent, DIRECTORY)
        sieved = replace(RULES, policies=sieve.could_hold(quiet))
        assert "never" not in {each.name for each in sieved.policies.policies}
        told = list(replay(quiet, sieved, DIRECTORY, UNTIL))
        assert wordless(came(told)) == wordless(came(steps)), seed
        fired += sum(line.what == "fired" for step in steps for line in step.lines)
    assert fired >= LIVES


def test_what_was_not_asked_about_words_is_unknown() -> None:
    deaf = asking_silenced(POLICIES, (), {})
    ticket = silenced(NEWBORN, {}, ())
    assert ticket.custom[ANSWERS] == ()
    assert UNASKED in read_by(deaf, "acme")
    about = next(each for each in deaf.policies if each.name == "words")
    assert [line.judge(ticket) for line in about.when.lines if line.path in ("subject", "phrases")] == [
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("when", "unless", "plays"),
    [
        ('tags = { has = "vip" }', "", ""),
        ('tags = { has = "late" }', "", "late"),
        ('tags = { has = "l1" }', "", "l1"),
        ('tags = { lacks = "eu" }', "", ""),
        ("tags = { has = \"eu\" }", 'tags = { has = ["eu", "x"] }', ""),
        ('priority = "low"', "", "low"),
        ('group = "Duty"', "", "Duty"),
        ('channel = "email"', "", ""),
    ],
)  # fmt: skip
def test_a_policy_is_left_out_only_where_nobody_changes_what_it_reads(
    when: str, unless: str, plays: str
) -> None:
    def kept(level: str, *events: Acted) -> bool:
        text = policy(level, name="asks", when=f'status = "open"\n{when}', unless=unless)
        born = replace(NEWBORN, status=Status.OPEN, tags=frozenset({"eu"}))
        return bool(Sieve(lives.rules(text)).could_hold(Life(ticket=born, events=events)).policies)

    says, ann = 'after = "30m"\nnote = "handoff"', {"at": at(5), "who": Who.AGENT, "person": "ann"}
    assert not kept(says)
    moved = Acted(**ann, adds=frozenset({"late", "l1"}), sets=(("priority", "low"), ("group", "g3")))  # type: ignore[arg-type]
    assert kept(says, moved) is bool(plays)
    writes = (
        'priority = { at_least = "urgent" }\nassign = { group = "Duty" }\ntags = ["l1"]\nuntag = ["late"]'
    )
    assert kept(f"{says}\n{writes}") is bool(plays)


def changed(*pairs: tuple[str, object, object]) -> Ticket:
    """A ticket with these changes in its history."""
    life = lives.Life()
    acts = [life.act(each, Who.AGENT, "ann") for each in range(1, len(pairs) + 1)]
    changes = [
        Change(act=act, field=name, before=before, after=after)  # type: ignore[arg-type]
        for act, (name, before, after) in zip(acts, pairs, strict=True)
    ]
    return replace(NEWBORN, changes=tuple(changes))


@pytest.mark.parametrize(
    ("ticket", "lost"),
    [
        (changed(("priority", "low", "normal"), ("priority", "normal", "high")), set()),
        (changed(("priority", "low", "urgent")), {"priority"}),
        (changed(("priority", "low", "normal"), ("priority", "urgent", "high")), {"priority"}),
        (changed(("tags", ("a",), ())), set()),
        (changed(("tags", (), ("a",))), {"tags"}),
        (replace(NEWBORN, hidden=frozenset({"changes"})), {"status", "group", "tags"}),
        (replace(NEWBORN, actors_hidden=True), {"priority", "assignee", "reopens"}),
        (replace(NEWBORN, targets=(Target(metric=Metric.RESOLUTION, stage=Stage.ACTIVE, due=at(9)),)), {"targets"}),
    ],
)  # fmt: skip
def test_a_history_with_a_gap_says_so(ticket: Ticket, lost: set[str]) -> None:
    found = unknown_past(ticket, only_ours=False)
    assert found >= lost
    assert bool(found & {"status", "priority", "group", "assignee", "tags", "targets"}) is bool(lost)


def test_what_is_taken_away_and_put_back_in_the_moment_of_creation_is_no_beginning() -> None:
    """As on six incidents of a published log, whose assignee leaves and comes back within the stamp of the creation."""
    back = changed(("assignee", "ben", None), ("assignee", None, "ben"))
    moment = [replace(each, act=replace(each.act, at=NEWBORN.created)) for each in back.changes]
    life = life_of(replace(back, assignee=lives.BEN, changes=tuple(moment)), DIRECTORY)
    assert life.ticket.assignee == lives.BEN
    acts = [event for event in life.events if isinstance(event, Acted)]
    assert [act.sets for act in acts] == [(("assignee", None),), (("assignee", "ben"),)]
    life = life_of(replace(back, assignee=lives.BEN, changes=tuple(moment[1:])), DIRECTORY)
    assert (life.ticket.assignee, life.events) == (lives.BEN, ())


def test_what_only_we_wrote_is_undone_where_no_history_is_told() -> None:
    ticket = replace(NEWBORN, actors_hidden=True, group=lives.DUTY, tags=frozenset({"l1", "eu"}))
    wrote = (
        Wrote(field="group", before="g1", after="g2", fact="r1"),
        Wrote(field="tags", before=("eu",), after=("eu", "l1"), fact="r1"),
        Wrote(field="group", before="g2", after="g3", fact="r2"),
    )
    whole = with_writes(ticket, wrote)
    assert not unknown_past(whole, only_ours=True) & {"group", "tags"}
    born = life_of(whole, DIRECTORY).ticket
    assert (born.group, born.tags) == (lives.TIER1, frozenset({"eu"}))


def test_a_target_is_shown_while_it_ran() -> None:
    life = lives.Life().customer(0).agent(50)
    met = Target(metric=Metric.FIRST_REPLY, stage=Stage.ACHIEVED, due=at(40), start=at(5), breached=True)
    ticket = replace(life.ticket, targets=(met,), loaded=frozenset(Need))
    shown = [event for event in life_of(ticket, DIRECTORY).events if not isinstance(event, Acted)]
    assert [event.at for event in shown] == [at(5), at(50)]
    assert replies(ticket) == [at(50)]
    first, last = (event.fields["targets"][0] for event in shown)  # type: ignore[union-attr]
    assert (first.stage, first.breached, last.stage, last.breached) == (
        Stage.ACTIVE,
        False,
        Stage.ACHIEVED,
        True,
    )
