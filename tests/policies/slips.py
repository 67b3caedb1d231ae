"""Slips of the pen in a config: each gives one finding of `check`, and each has a near miss that gives none."""

from dataclasses import dataclass

from policies.language.references import Known, KnownAccount

BASE = """\
[service]
mode = "enforce"
default_owner = "Escalations"
[accounts.acme.fields]
tier = 1
[people."ann@acme.test"]
manager = "lee@acme.test"
[groups."Tier 1"]
lead = "ann@acme.test"
[templates.handoff]
en = "{{ level.name }}"
[calendars.office]
timezone = "Europe/London"
hours = { mon-fri = "09:00-17:00" }
[channels.leads]
url = "secret:leads"
quiet = { calendar = "office" }
digest = { above = 5, within = "10m" }
[sla.standard]
first_reply = { urgent = "1h" }
[[policy]]
name = "plain"
clock = "created"
[policy.when]
status = ["new", "open"]
[[policy.level]]
name = "one"
after = "30m"
note = "handoff"
[[policy.level]]
name = "two"
after = "2h"
owner = "Duty"
note = "handoff"
[[policy]]
name = "deadline"
clock = "next_reply"
[policy.when]
status = "open"
[[policy.level]]
name = "soon"
before = "20m"
note = "handoff"
"""

QUIET = 'quiet = { calendar = "office" }'
DIGEST = 'digest = { above = 5, within = "10m" }'
HERE = "# here"
KNOWN = Known(
    accounts={
        "acme": KnownAccount(
            groups=frozenset({"Tier 1", "Tier 2", "Duty", "Escalations"}),
            staffed=frozenset({"Tier 1", "Tier 2"}),
            people=frozenset({"ann@acme.test", "Ann", "lee@acme.test"}),
        )
    },
    startless=frozenset({"acme"}),
)


@dataclass(frozen=True)
class Slip:
    """Where `old` stands in the base, `wrong` gives one finding in its line marked `# here`; `near` gives none."""

    code: str
    old: str
    wrong: str
    near: str
    severity: str = "error"

    def __str__(self) -> str:
        return f"{self.code}: {self.wrong.splitlines()[-1]}"


FIRST = 'name = "plain"\nclock = "created"\n'
WHEN = 'status = ["new", "open"]\n'
ONE = 'name = "one"\nafter = "30m"\nnote = "handoff"\n'
SOON = 'before = "20m"\n'
HOURS = 'hours = { mon-fri = "09:00-17:00" }\n'
ZONE = 'timezone = "Europe/London"\n'
SLA = 'first_reply = { urgent = "1h" }\n'


def policy(code: str, wrong: str, near: str, severity: str = "error") -> Slip:
    """A slip among the keys of the first policy, behind its clock."""
    return Slip(code, FIRST, f"{FIRST}{wrong}\n", f"{FIRST}{near}\n", severity)


def line(code: str, wrong: str, near: str, severity: str = "error") -> Slip:
    """A slip in the first policy's `when`."""
    return Slip(code, WHEN, f"{WHEN}{wrong}\n", f"{WHEN}{near}\n", severity)


def level(code: str, wrong: str, near: str, severity: str = "error") -> Slip:
    """A slip among the keys of the first level."""
    return Slip(code, ONE, f"{ONE}{wrong}\n", f"{ONE}{near}\n", severity)


def hours(code: str, wrong: str, near: str) -> Slip:
    """A slip in the calendar, behind its zone."""
    return Slip(code, HOURS, f"{wrong}\n", f"{near}\n")


DEADLINE = '[[policy]]\nname = "deadline"\n'
ADDS = """[[policy]]
name = "adds"
clock = "created"
[policy.when]
status = "open"
[[policy.level]]
name = "x"
after = "1h"
tags = ["hot"]
"""
REMOVES = """[[policy]]
name = "removes"
clock = "created"
[policy.when]
status = "open"
[[policy.level]]{here}
name = "y"
after = "1h"
untag = ["{tag}"]
"""
SPEAKS = f"[policy.when]\n{WHEN}[[policy.level]]\n{ONE}"


def reply(code: str, wrong: str, near: str) -> Slip:
    """A slip about a public reply, which the policy allows."""
    return Slip(code, SPEAKS, f"public = true\n{SPEAKS}{wrong}\n", f"public = true\n{SPEAKS}{near}\n")


WHOLE = [
    level(
        "unknown-skill",
        "assign = { group = 'Tier 2', agent = 'least_loaded', skill = 'bills' } # here",
        "assign = { group = 'Tier 2', agent = 'least_loaded', skill = 'by_tag' }",
    ),
    level(
        "skill-without-strategy",
        "assign = { group = 'Tier 2', skill = 'by_tag' } # here",
        "assign = { group = 'Tier 2', agent = 'round_robin', skill = 'by_tag' }",
    ),
    Slip(
        "substitute-circle",
        'manager = "lee@acme.test"\n',
        "substitute = 'ann@acme.test' # here\n",
        "substitute = 'lee@acme.test'\n",
        "warning",
    ),
    Slip(
        "bad-date",
        'manager = "lee@acme.test"\n',
        "absent = ['2026-02-30'] # here\n",
        "absent = ['2026-02-27..2026-02-28']\n",
    ),
    Slip(
        "bad-date",
        'manager = "lee@acme.test"\n',
        "absent = ['2026-02-03..2026-02-02'] # here\n",
        "absent = ['2026-02-03..2026-02-03']\n",
    ),
    Slip("not-public", SOON, f"{SOON}reply = 'handoff' # here\n", SOON),
    Slip(
        "contradiction",
        f"[policy.when]\n{WHEN}",
        f"[policy.unless]\nstatus = ['new', 'open']\n[policy.when] # here\n{WHEN}",
        f"[policy.unless]\nstatus = 'new'\n[policy.when]\n{WHEN}",
    ),
    Slip(
        "contradiction",
        f"[policy.when]\n{WHEN}",
        f"[policy.when] # here\n{WHEN}priority = {{ at_least = 'high', at_most = 'normal' }}\n",
        f"[policy.when]\n{WHEN}priority = {{ at_least = 'high', at_most = 'high' }}\n",
    ),
    Slip(
        "contradiction",
        f"[policy.when]\n{WHEN}",
        f"[policy.unless] # here\ntags = {{ has = 'a' }}\n[policy.when]\n{WHEN}tags = {{ has = 'a' }}\n",
        f"[policy.unless]\ntags = {{ has = 'b' }}\n[policy.when]\n{WHEN}tags = {{ has = 'a' }}\n",
    ),
    Slip(
        "no-target",
        'clock = "next_reply"\n[policy.when]\nstatus = "open"',
        "clock = 'first_reply' # here\n[policy.when]\npriority = ['urgent', 'high']",
        "clock = 'first_reply'\n[policy.when]\npriority = ['urgent', 'high']\n[policy.unless]\npriority = 'high'",
        "warning",
    ),
    Slip(
        "nobody-at-night",
        'owner = "Duty"\n',
        "owner = 'Duty'\nwithin = 'office' # here\n",
        "owner = 'Duty'\nwithin = 'office'\notherwise = { owner = 'Tier 2' }\n",
        "warning",
    ),
    level(
        "empty-audience",
        "within = 'office'\nassign = { group = 'Tier 2', agent = 'least_loaded' } # here\n"
        "otherwise = { assign = { group = 'Duty', agent = 'least_loaded' } }",
        "within = 'office'\nassign = { group = 'Tier 2', agent = 'least_loaded' }\n"
        "otherwise = { assign = { group = 'Tier 1', agent = 'least_loaded' } }",
        "warning",
    ),
    level(
        "empty-audience",
        "assign = { group = 'Duty', agent = 'least_loaded' } # here",
        "assign = { group = 'Tier 2', agent = 'least_loaded' }",
        "warning",
    ),
    level(
        "empty-audience",
        "assign = { group = 'Tier 2', agent = 'on_call' } # here",
        "assign = { group = 'Tier 2', agent = 'round_robin' }",
        "warning",
    ),
    Slip(
        "undo-each-other",
        DEADLINE,
        f"{ADDS}{REMOVES.format(tag='hot', here=' # here')}{DEADLINE}",
        f"{ADDS}{REMOVES.format(tag='cold', here='')}{DEADLINE}",
        "warning",
    ),
    Slip(
        "fixed-offset",
        'timezone = "Europe/London"',
        "timezone = 'Etc/GMT+5' # here",
        "timezone = 'UTC'",
        "warning",
    ),
    Slip(
        "missing-locale",
        BASE[: BASE.index("[calendars.office]")],
        BASE[: BASE.index("[calendars.office]")]
        .replace("[service]", "[service]\nlanguages = ['en', 'de']")
        .replace("[templates.handoff]", "[templates.handoff] # here"),
        BASE[: BASE.index("[calendars.office]")].replace("[service]", "[service]\nlanguages = ['en']"),
    ),
    Slip(
        "nothing-to-say-it-in",
        'owner = "Duty"\nnote = "handoff"\n',
        "owner = 'Duty'\nask = 'Call.' # here\n",
        "note = 'handoff'\nask = 'Call.'\n",
    ),
    level("missing", "hand_off = true # here", "hand_off = true\nask = 'Call.'"),
    level("wrong-type", "hand_off = 'yes' # here", "hand_off = false"),
    level(
        "no-within",
        "otherwise = { owner = 'Duty' } # here",
        "otherwise = { owner = 'Duty' }\nwithin = 'office'",
    ),
    level("unknown-calendar", "within = 'offic' # here", "within = 'office'"),
]

POLICIES = [
    policy("unknown-key", "stopon = ['assigned'] # here", "stop_on = ['assigned']"),
    policy("unknown-account", "accounts = ['acmee'] # here", "accounts = ['acme']"),
    policy("empty", "accounts = [] # here", "accounts = ['acme']"),
    policy("wrong-type", "accounts = 'acme' # here", "accounts = ['acme']"),
    policy("wrong-type", "accounts = [\n'acme',\n3] # here", "accounts = [\n'acme']"),
    policy("unknown-value", "mode = 'watch' # here", "mode = 'observe'"),
    policy("unknown-calendar", "calendar = 'offices' # here", "calendar = 'office'"),
    policy("wrong-type", "calendar = 3 # here", "calendar = 'office'"),
    policy("empty", "calendar = '' # here", "calendar = 'office'"),
    policy("unknown-value", "stop_on = [\n'assigned',\n'reply' # here\n]", "stop_on = ['agent_reply']"),
    policy("unknown-value", "pause_on = ['solved'] # here", "pause_on = ['pending']"),
    policy("unknown-value", "counts_as_reply = ['note'] # here", "counts_as_reply = ['internal']"),
    policy("unknown-value", "backlog = 'leave' # here", "backlog = 'skip'"),
    Slip("missing", '[[policy]]\nname = "plain"\n', "[[policy]] # here\n", '[[policy]]\nname = "x"\n'),
    Slip(
        "missing",
        '[[policy]]\nname = "plain"\nclock = "created"\n',
        '[[policy]] # here\nname = "plain"\n',
        '[[policy]]\nname = "plain"\nclock = "untouched"\n',
    ),
    Slip("empty", 'name = "plain"', "name = '  ' # here", "name = ' x '"),
    Slip("unknown-clock", 'clock = "created"', "clock = 'create' # here", "clock = 'untouched'"),
    Slip(
        "suggest-pending",
        'clock = "created"',
        "clock = 'since_agent_reply' # here",
        "clock = 'in_status'",
        "warning",
    ),
    Slip(
        "cannot-pause",
        'clock = "created"',
        "clock = 'customer_waiting'\npause_on = ['pending'] # here",
        "clock = 'in_status'\npause_on = ['pending']",
    ),
    Slip(
        "cannot-pause",
        'clock = "next_reply"',
        "clock = 'next_reply'\npause_on = ['pending'] # here",
        "clock = 'next_reply'",
    ),
    Slip("duplicate", 'name = "deadline"', "name = 'plain' # here", "name = 'Plain'"),
    Slip(
        "missing",
        f"[[policy]]\n{FIRST}[policy.when]\n{WHEN}",
        f"[[policy]] # here\n{FIRST}",
        f"[[policy]]\n{FIRST}[policy.when]\n{WHEN}",
    ),
    Slip("wrong-type", f"[policy.when]\n{WHEN}", "when = 'open' # here\n", "when = { status = 'open' }\n"),
]

WHENS = [
    Slip("empty", f"[policy.when]\n{WHEN}", "[policy.when] # here\n", f"[policy.when]\n{WHEN}"),
    Slip(
        "empty",
        f"[policy.when]\n{WHEN}",
        f"[policy.when]\n{WHEN}[policy.unless] # here\n",
        f"[policy.when]\n{WHEN}[policy.unless]\ntype = 'task'\n",
    ),
    Slip("asks-closed", WHEN, "status = [\n'open',\n'closed'] # here\n", "status = [\n'open',\n'solved']\n"),
    Slip(
        "asks-closed",
        WHEN,
        "any = [{ type = 'task' },\n{ status = { in = ['closed'] } }] # here\n",
        "any = [{ type = 'task' }, { status = { not = 'closed' } }]\n",
    ),
    line("unknown-field", "subjetc = 'x' # here", "subject = 'x'"),
    line("unknown-field", "contains = 'x' # here", "subject = { contains = 'x' }"),
    line("unknown-field", "requester.vipp = true # here", "requester.vip = true"),
    line("unmapped-field", "custom.teir = 1 # here", "custom.tier = 1"),
    line("empty", "any = [] # here", "any = [{ type = 'task' }]"),
    line("empty", "all = [\n{ type = 'task' },\n{}] # here", "all = [{ type = 'task' }]"),
    line("wrong-type", "any = { type = 'task' } # here", "any = [{ type = 'task' }]"),
    line("wrong-type", "any = [\n'task' # here\n]", "any = [{ type = 'task' }]"),
    line("empty", "subject = {} # here", "subject = { known = true }"),
    line("unknown-operator", "subject = { contain = 'x' } # here", "subject = { contains = 'x' }"),
    line("wrong-operator", "subject = { over = 3 } # here", "replies = { over = 3 }"),
    line("wrong-operator", "tags = 'vip' # here", "tags = { has = 'vip' }"),
    line("nullable-negation", "type = { not = 'task' } # here", "type = { in = ['task'] }", "warning"),
    line(
        "nullable-negation",
        "assignee = { not_in = ['Ann'] } # here",
        "assignee = { known = false }",
        "warning",
    ),
    line("wrong-type", "replies = { over = 'three' } # here", "replies = { over = 3 }"),
    line("wrong-type", "replies = '3' # here", "replies = 3"),
    line("wrong-type", "subject = 3 # here", "subject = '3'"),
    line("wrong-type", "subject = 2026-01-01 # here", "subject = '2026-01-01'"),
    line("wrong-type", "requester.vip = 'yes' # here", "requester.vip = true"),
    line("wrong-type", "requester.vip = [true] # here", "requester.vip = true"),
    line("wrong-type", "type = { in = 'task' } # here", "type = { in = ['task'] }"),
    line("wrong-type", "subject = { contains = ['a'] } # here", "subject = { contains = 'a' }"),
    line("wrong-type", "subject = { known = 'yes' } # here", "subject = { known = true }"),
    line("wrong-type", "custom.tier = [1, 'a'] # here", "custom.tier = [1, 2]"),
    line("wrong-type", "custom.tier = 2026-01-01 # here", "custom.tier = '2026-01-01'"),
    line("empty", "type = [] # here", "type = ['task']"),
    line("empty", "type = '' # here", "type = { known = false }"),
    line("empty", "type = [\n'task',\n'' # here\n]", "type = ['task', 'question']"),
    line("empty", "subject = { matches = '' } # here", "subject = { matches = '.' }"),
    line("unknown-value", "priority = 'hihg' # here", "priority = 'high'"),
    line("unknown-value", "priority = [\n'low',\n'hihg'] # here", "priority = ['low', 'high']"),
    line("unknown-value", "priority = { at_least = 'top' } # here", "priority = { at_least = 'urgent' }"),
    line("unknown-value", "account = 'other' # here", "account = 'acme'"),
    line("bad-duration", "custom.tier = { over = 'soon' } # here", "custom.tier = { over = '1h' }"),
    line("bad-pattern", "subject = { matches = '(' } # here", "subject = { matches = '[(]' }"),
]

LEVELS = [
    level("unknown-key", "asign = { group = 'Tier 2' } # here", "assign = { group = 'Tier 2' }"),
    level("unknown-value", "kind = 'functionl' # here", "kind = 'functional'"),
    level("unknown-value", "clock = 'created' # here", "kind = 'priority'"),
    Slip("two-dues", SOON, "after = '5m'\nbefore = '20m' # here\n", "after = '5m'\n"),
    Slip("needs-deadline", 'after = "30m"', "before = '30m' # here", 'after = "30m"'),
    Slip("no-start", SOON, "at = 75 # here\n", "before = '1h'\n"),
    Slip(
        "out-of-range",
        'clock = "next_reply"\n[policy.when]\nstatus = "open"\n[[policy.level]]\nname = "soon"\nbefore = "20m"',
        "clock = 'first_reply'\nwhen = { priority = 'urgent' }\n[[policy.level]]\nname = 'soon'\nat = 101 # here",
        "clock = 'first_reply'\nwhen = { priority = 'urgent' }\n[[policy.level]]\nname = 'soon'\nat = 100",
    ),
    Slip(
        "wrong-type",
        'clock = "next_reply"\n[policy.when]\nstatus = "open"\n[[policy.level]]\nname = "soon"\nbefore = "20m"',
        "clock = 'first_reply'\nwhen = { priority = 'urgent' }\n[[policy.level]]\nname = 'soon'\nat = 7.5 # here",
        "clock = 'first_reply'\nwhen = { priority = 'urgent' }\n[[policy.level]]\nname = 'soon'\nat = 7",
    ),
    Slip(
        "missing",
        '[[policy.level]]\nname = "one"\n',
        "[[policy.level]] # here\n",
        '[[policy.level]]\nname = "1"\n',
    ),
    Slip(
        "missing",
        '[[policy.level]]\nname = "one"\nafter = "30m"\n',
        "[[policy.level]] # here\nname = 'one'\n",
        "[[policy.level]]\nname = 'one'\nafter = '0m'\n",
    ),
    Slip("bad-duration", 'after = "30m"', "after = '30' # here", "after = '30s'"),
    Slip("bad-duration", 'after = "30m"', "after = '5m1h' # here", "after = '1h5m'"),
    Slip("wrong-type", 'after = "30m"', "after = 30 # here", "after = '30m'"),
    Slip(
        "days-on-calendar",
        f'{FIRST}[policy.when]\n{WHEN}[[policy.level]]\nname = "one"\nafter = "30m"',
        f"{FIRST}calendar = 'office'\n[policy.when]\n{WHEN}[[policy.level]]\nname = \"one\"\nafter = '1d' # here",
        f"{FIRST}calendar = 'office'\n[policy.when]\n{WHEN}[[policy.level]]\nname = \"one\"\nafter = '1h'",
    ),
    Slip(
        "does-nothing",
        f"[[policy.level]]\n{ONE}",
        "[[policy.level]] # here\nname = 'one'\nafter = '30m'\n",
        "[[policy.level]]\nname = 'one'\nafter = '30m'\nowner = 'Duty'\n",
    ),
    Slip(
        "no-level",
        '[[policy]]\nname = "deadline"',
        "[[policy]] # here\nname = 'none'\nclock = 'created'\nwhen = { type = 'task' }\n[[policy]]\nname = 'deadline'",
        "[[policy]]\nname = 'deadline'",
    ),
    level("unknown-channel", "notify = ['leeds'] # here", "notify = ['leads']"),
    level("empty", "notify = [] # here", "notify = ['leads']"),
    level("wrong-type", "notify = 'leads' # here", "notify = ['leads']"),
]

CHANNELS = [
    Slip(code, f"{where}\n", f"{wrong} # here\n", f"{near}\n")
    for where, code, wrong, near in (
        (QUIET, "unknown-calendar", 'quiet = { calendar = "ofice" }', 'quiet = { calendar = "office" }'),
        (QUIET, "missing", "quiet = {}", ""),
        (QUIET, "wrong-type", 'quiet = "office"', ""),
        (QUIET, "unknown-key", 'quite = { calendar = "office" }', ""),
        (QUIET, "unknown-template", 'template = "handof"', 'template = "handoff"'),
        (DIGEST, "missing", "digest = { above = 5 }", ""),
        (DIGEST, "out-of-range", 'digest = { above = 0, within = "10m" }', ""),
        (
            DIGEST,
            "out-of-range",
            'digest = { above = 1, within = "0m" }',
            'digest = { above = 1, within = "1s" }',
        ),
        (DIGEST, "bad-duration", 'digest = { above = 1, within = "soon" }', ""),
    )
]

ACTIONS = [
    level("unknown-owner", "owner = 'Tier 9' # here", "owner = 'Tier 2'"),
    level("unknown-function", "owner = 'boss_of(group)' # here", "owner = 'lead_of(group)'"),
    level("wrong-argument", "owner = 'lead_of(owner)' # here", "owner = 'lead_of(assignee)'"),
    level("wrong-argument", "owner = 'manager_of(group)' # here", "owner = 'manager_of(owner)'"),
    level("wrong-argument", "owner = 'on_call(group)' # here", "owner = 'on_call(Duty)'"),
    level("wrong-argument", "owner = 'on_call()' # here", "owner = 'on_call(Tier 1)'"),
    level("unknown-group", "owner = 'on_call(Tier 9)' # here", "owner = 'on_call(Tier 2)'"),
    level("empty", "assign = {} # here", "assign = { group = 'Duty' }"),
    level("wrong-type", "assign = 'Duty' # here", "assign = { group = 'Duty' }"),
    level("unknown-key", "assign = { team = 'Duty' } # here", "assign = { group = 'Duty' }"),
    level("unknown-group", "assign = { group = 'Dutty' } # here", "assign = { group = 'Duty' }"),
    level(
        "unknown-person",
        "assign = { agent = 'zed@acme.test' } # here",
        "assign = { agent = 'ann@acme.test' }",
    ),
    level("wrong-type", "priority = 'high' # here", "priority = { at_least = 'high' }"),
    level("missing", "priority = {} # here", "priority = { at_least = 'low' }"),
    level(
        "unknown-key", "priority = { at_least = 'low', is = 'low' } # here", "priority = { at_least = 'low' }"
    ),
    level("unknown-value", "priority = { at_least = 'hihg' } # here", "priority = { at_least = 'high' }"),
    level("empty", "tags = [] # here", "tags = ['a']"),
    level("wrong-type", "untag = 'a' # here", "untag = ['a']"),
    reply("unknown-template", "reply = 'handof' # here", "reply = 'handoff'"),
    level("unknown-person", "follow = [\n'Ann',\n'Zed'] # here", "follow = ['Ann', 'lee@acme.test']"),
    level("empty", "set = {} # here", "set = { custom.tier = 2 }"),
    level("not-settable", "set = { group = 'Duty' } # here", "set = { 'custom.tier' = 2 }"),
    level("unmapped-field", "set = { custom.teir = 2 } # here", "set = { custom = { tier = 2 } }"),
    level("wrong-type", "set = { custom.tier = [1] } # here", "set = { custom.tier = true }"),
    level("missing", "repeat = { times = 3 } # here", "repeat = { every = '1h', times = 3 }"),
    level("missing", "repeat = { every = '1h' } # here", "repeat = { every = '1s', times = 1 }"),
    level(
        "unknown-key",
        "repeat = { every = '1h', times = 1, until = 'x' } # here",
        "repeat = { every = '1h', times = 1 }",
    ),
    level(
        "out-of-range", "repeat = { every = '0m', times = 3 } # here", "repeat = { every = '1s', times = 3 }"
    ),
    level(
        "out-of-range",
        "repeat = { every = '1h', times = 0 } # here",
        "repeat = { every = '1h', times = 1000 }",
    ),
    level(
        "wrong-type", "repeat = { every = '1h', times = true } # here", "repeat = { every = '1h', times = 1 }"
    ),
    Slip(
        "nothing-to-repeat",
        ONE,
        "name = 'one'\nafter = '30m'\ntags = ['a']\nrepeat = { every = '1h', times = 1 } # here\n",
        "name = 'one'\nafter = '30m'\ntags = ['a']\nnote = 'handoff'\nrepeat = { every = '1h', times = 1 }\n",
    ),
]

LADDERS = [
    level("no-level-before", "clock = 'since_last_level' # here", "kind = 'functional'"),
    Slip("duplicate", 'name = "two"', "name = 'one' # here", "name = 'One'"),
    Slip("order", 'after = "2h"', "after = '30m' # here", "after = '30m1s'", "warning"),
    Slip(
        "order",
        SOON,
        "before = '20m'\nnote = 'handoff'\n[[policy.level]]\nname = 'sooner'\nbefore = '21m' # here\n",
        "before = '20m'\nnote = 'handoff'\n[[policy.level]]\nname = 'later'\nafter = '0m'\n",
        "warning",
    ),
    Slip(
        "order",
        'after = "2h"',
        "after = '10m' # here",
        "clock = 'since_last_level'\nafter = '10m'",
        "warning",
    ),
]

CALENDARS = [
    Slip("unknown-key", ZONE, f"{ZONE}closes = ['2026-12-24'] # here\n", f"{ZONE}closed = ['2026-12-24']\n"),
    Slip(
        "missing",
        f"[calendars.office]\n{ZONE}",
        "[calendars.office] # here\n",
        "[calendars.office]\ntimezone = 'UTC'\n",
    ),
    Slip("bad-timezone", ZONE, "timezone = 'Europe/Lodnon' # here\n", "timezone = 'Asia/Kathmandu'\n"),
    Slip("wrong-type", ZONE, "timezone = 1 # here\n", "timezone = 'UTC'\n"),
    Slip(
        "missing",
        f"[calendars.office]\n{ZONE}{HOURS}",
        f"[calendars.office] # here\n{ZONE}",
        f"[calendars.office]\n{ZONE}{HOURS}",
    ),
    hours("empty", "hours = {} # here", "hours = { sun = '00:00-24:00' }"),
    hours("wrong-type", "hours = '09:00-17:00' # here", "hours = { mon-sun = '09:00-17:00' }"),
    hours("bad-day", "hours = { monday = '09:00-17:00' } # here", "hours = { mon = '09:00-17:00' }"),
    hours("bad-day", "hours = { fri-mon = '09:00-17:00' } # here", "hours = { fri-sun = '09:00-17:00' }"),
    hours("bad-day", "hours = { mon- = '09:00-17:00' } # here", "hours = { mon-mon = '09:00-17:00' }"),
    hours(
        "duplicate",
        "hours = { mon-fri = '09:00-17:00', fri = '09:00-12:00' } # here",
        "hours = { mon-thu = '09:00-17:00', fri = '09:00-12:00' }",
    ),
    hours("empty", "hours = { mon = [] } # here", "hours = { mon = ['09:00-17:00'] }"),
    hours("wrong-type", "hours = { mon = 9 } # here", "hours = { mon = '09:00-17:00' }"),
    hours("bad-hours", "hours = { mon = '9-17' } # here", "hours = { mon = '09:00-17:00' }"),
    hours("bad-hours", "hours = { mon = '09:00-24:01' } # here", "hours = { mon = '09:00-24:00' }"),
    hours(
        "bad-hours",
        "hours = { mon = '22:00-06:00' } # here",
        "hours = { mon = '22:00-24:00', tue = '00:00-06:00' }",
    ),
    hours("bad-hours", "hours = { mon = '09:00-09:00' } # here", "hours = { mon = '09:00-09:01' }"),
    hours(
        "bad-hours",
        "hours = { mon = [\n'13:00-17:00',\n'09:00-12:00'] } # here",
        "hours = { mon = ['09:00-12:00', '12:00-17:00'] }",
    ),
    hours("bad-region", f"{HOURS}holidays = ['uk'] # here", f"{HOURS}holidays = ['GB', 'GB-SCT']"),
    hours("wrong-type", f"{HOURS}closed = '2026-12-24' # here", f"{HOURS}closed = [2026-12-24]"),
    hours("bad-date", f"{HOURS}closed = ['2026-02-29'] # here", f"{HOURS}closed = ['2028-02-29']"),
    hours("bad-date", f"{HOURS}closed = ['20261224'] # here", f"{HOURS}closed = ['2026-12-24']"),
    hours(
        "bad-date",
        f"{HOURS}open = {{ 2026-13-01 = '10:00-12:00' }} # here",
        f"{HOURS}open = {{ 2026-12-01 = '10:00-12:00' }}",
    ),
    hours(
        "bad-hours",
        f"{HOURS}open = {{ 2026-12-01 = '12:00-10:00' }} # here",
        f"{HOURS}open = {{ 2026-12-01 = '10:00-12:00' }}",
    ),
    hours(
        "open-and-closed",
        f"{HOURS}closed = ['2026-12-24']\nopen = {{ 2026-12-24 = '10:00-12:00' }} # here",
        f"{HOURS}closed = ['2026-12-24']\nopen = {{ 2026-12-26 = '10:00-12:00' }}",
    ),
]

REST = [
    Slip(
        "unknown-key",
        SLA,
        f"{SLA}second_reply = {{ urgent = '1h' }} # here\n",
        f"{SLA}next_reply = {{ urgent = '1h', high = '1h', normal = '1h', low = '1h' }}\n",
    ),
    Slip("unknown-account", SLA, f"{SLA}accounts = ['acmee'] # here\n", f"{SLA}accounts = ['acme']\n"),
    Slip("unknown-calendar", SLA, f"{SLA}calendar = 'offices' # here\n", f"{SLA}calendar = 'office'\n"),
    Slip("empty", f"[sla.standard]\n{SLA}", "[sla.standard] # here\n", f"[sla.standard]\n{SLA}"),
    Slip("empty", SLA, "first_reply = {} # here\n", "first_reply = { low = '1h' }\n"),
    Slip("unknown-key", SLA, "first_reply = { urgnet = '1h' } # here\n", "first_reply = { urgent = '1h' }\n"),
    Slip("wrong-type", SLA, "first_reply = '1h' # here\n", "first_reply = { urgent = '1h' }\n"),
    Slip(
        "bad-duration", SLA, "first_reply = { urgent = 'now' } # here\n", "first_reply = { urgent = '0m' }\n"
    ),
    Slip(
        "days-on-calendar",
        SLA,
        "calendar = 'office'\nfirst_reply = { urgent = '2d' } # here\n",
        "first_reply = { urgent = '2d' }\n",
    ),
    Slip(
        "empty",
        '[templates.handoff]\nen = "{{ level.name }}"\n',
        "[templates.handoff] # here\n",
        "[templates.handoff]\nde = 'x'\n",
    ),
    Slip("empty", 'en = "{{ level.name }}"', "en = '' # here", "en = 'x'"),
    Slip(
        "unknown-key",
        'manager = "lee@acme.test"',
        "manger = 'lee@acme.test' # here",
        "manager = 'lee@acme.test'",
    ),
    Slip(
        "unknown-key", 'lead = "ann@acme.test"', "led = 'ann@acme.test' # here", "on_call = 'ann@acme.test'"
    ),
    Slip("wrong-type", 'lead = "ann@acme.test"', "lead = ['ann@acme.test'] # here", "lead = 'ann@acme.test'"),
    Slip("operator-word", "tier = 1", "tier = 1\nknown = 2 # here", "tier = 1\nknown_ = 2"),
    Slip(
        "missing",
        '[service]\nmode = "enforce"\ndefault_owner = "Escalations"',
        "[service] # here\nmode = 'enforce'",
        "[service]\nmode = 'observe'",
    ),
    Slip(
        "unknown-owner",
        'default_owner = "Escalations"',
        "default_owner = 'Escalation' # here",
        "default_owner = 'Ann'",
    ),
]

SLIPS = [*WHOLE, *POLICIES, *WHENS, *LEVELS, *CHANNELS, *ACTIONS, *LADDERS, *CALENDARS, *REST]
