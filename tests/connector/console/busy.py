"""A busy day for the console's pages: some 160 tickets that are escalated, of several teams, policies, levels and
modes, some acknowledged, snoozed, held or only observed, the customers of most still waiting. Everything is what the
service itself made of a simulated Zendesk.

    python -m tests.connector.console.busy FOLDER        serves it until it is interrupted; log in as olga;
                                                          each line on standard input is a round
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from adapters.simulation.demo import Mail, Someone
from connector.intake.inbox import OrderRefused, submit_order
from connector.store import holds
from connector.store.holds import Hold
from tests.connector.console.conftest import PASSWORD, SECRETS, Shown
from tests.connector.each import Each, each

GROUPS = ("Tier 1", "Tier 2", "Billing", "Duty managers", "Escalations")
NAMES = (
    "Ann Meyer",
    "Dana Okafor",
    "Eli Brandt",
    "Farah Nouri",
    "Gil Pereira",
    "Hana Sato",
    "Ivo Novak",
    "Jo Lind",
)
STAFF = (
    *(
        Someone(label=name, name=name, address=f"{name[:3].lower()}@acme.test", groups=(GROUPS[place % 3],))
        for place, name in enumerate(NAMES)
    ),
    Someone(label="Kim Duval", name="Kim Duval", address="kim@acme.test", groups=GROUPS[3:]),
)
FIRMS = (
    "Initech",
    "Globex",
    "Umbrella Logistics",
    "Hooli",
    "Stark Freight",
    "Wayne Health",
    "Vandelay Imports",
)
CUSTOMERS = tuple(
    Someone(
        label=f"c{place}",
        name=f"{first} of {firm}",
        address=f"{first.lower()}.{place}@{firm.split()[0].lower()}.test",
        organization=firm,
    )
    for place, (first, firm) in enumerate(
        (first, firm) for first in ("Cleo", "Marta", "Piotr", "Ravi", "Sofia") for firm in FIRMS
    )
)
SUBJECTS = (
    "Invoice shows the wrong VAT rate for our Rotterdam office",
    "Cannot log in since this morning",
    "Export hangs at 98 % and then the browser tab crashes",
    "Please cancel order 88-2201, it was placed twice",
    "Webhook deliveries are late by an hour or more",
    "Where is our replacement part?",
    "API answers 502 every few minutes in production",
    "Re: Re: Fwd: still no answer about the contract renewal",
    "Printer queue stuck on all three sites, nobody can ship",
    "Password reset mail never arrives",
    "Data of the wrong customer is shown after switching accounts",
)

CONFIG = """[service]
database      = "sqlite:///uptier.db"
listen        = "127.0.0.1:0"
mode          = "enforce"
default_owner = "Escalations"

[service.caps]
due_at_start = 10000

[templates.handoff]
en = "{{ policy.name }}, {{ level.name }}: {{ reasons | join('; ') }}. Owner: {{ owner }}. {{ next_step }}"

[[policy]]
name    = "vip-unanswered"
clock   = "customer_waiting"
stop_on = ["agent_reply"]
[policy.when]
tags     = { has = "vip" }
[[policy.level]]
name   = "Second line"
after  = "15m"
owner  = "Tier 2"
assign = { group = "Tier 2" }
note   = "handoff"
[[policy.level]]
name   = "Duty managers"
after  = "1h"
owner  = "Duty managers"
assign = { group = "Duty managers" }
note   = "handoff"

[[policy]]
name    = "urgent-unanswered"
clock   = "customer_waiting"
stop_on = ["agent_reply"]
[policy.when]
priority = "urgent"
[policy.unless]
tags = { has = "no-escalation" }
[[policy.level]]
name   = "Second line"
after  = "30m"
owner  = "Tier 2"
assign = { group = "Tier 2" }
note   = "handoff"
[[policy.level]]
name   = "Duty managers"
after  = "2h"
owner  = "Duty managers"
assign = { group = "Duty managers" }
[[policy.level]]
name   = "Head of support"
after  = "6h"
owner  = "Escalations"
note   = "handoff"

[[policy]]
name    = "customer-waits-long"
clock   = "customer_waiting"
stop_on = ["agent_reply"]
[policy.when]
status  = ["new", "open"]
[[policy.level]]
name  = "Reminder"
after = "3h"
tags  = ["waits-long"]
[[policy.level]]
name  = "Team lead"
after = "8h"
owner = "Duty managers"

[[policy]]
name    = "billing-trial"
clock   = "created"
mode    = "observe"
[policy.when]
group = "Billing"
[[policy.level]]
name  = "Billing lead"
after = "20m"
owner = "Billing"
"""

MINUTE = 60


def fill(here: Each, many: int = 160) -> None:
    """A day's tickets, and what people did about them."""
    desk, now = here.desk, here.clock.now()
    for number in range(many):
        age = (number * 37) % 600 + 4
        tags = tuple(name for name, every in (("vip", 6), ("eu", 2)) if number % every == 0)
        mail = Mail(
            customer=CUSTOMERS[number % len(CUSTOMERS)].label,
            subject=SUBJECTS[number % len(SUBJECTS)],
            description="Please help.",
            priority=("urgent", "urgent", "high", "normal", "urgent")[number % 5],
            group=GROUPS[number % 3],
            assignee=NAMES[number % len(NAMES)] if number % 4 == 1 else None,
            tags=tags,
        )
        desk.receive(f"t{number}", mail, now - age * MINUTE)
    here.round()
    here.round(1)
    for number in range(0, many, 9):
        order(here, f"t{number}", "acknowledge")
    for number in range(5, many, 23):
        order(here, f"t{number}", "snooze", reason="the customer asked for it", span="2h")
    here.round(1)
    with here.service.parts.store.writing() as connection:
        for number in range(7, many, 40):
            why = "it was assigned 6 times today, and comes back"
            holds.put_hold(
                connection, Hold(ref=here.ref(f"t{number}"), scope="loop", why=why, since=here.clock.now())
            )


def order(here: Each, word: str, verb: str, **more: str) -> None:
    """One that a person leaves, if there is anything for it to be about."""
    parts = here.service.parts
    with suppress(OrderRefused):
        submit_order(
            parts.store, here.ref(word), verb=verb, who="dana", now=here.clock.now(), policies=parts.rules().policies,
            **more,  # type: ignore[arg-type]
        )  # fmt: skip


@contextmanager
def busy(folder: Path, many: int = 160) -> Iterator[Shown]:
    """The service beside it, with its pages served."""
    with each("zendesk", folder, config=CONFIG, secrets=SECRETS, furnished=False) as here:
        here.desk.fill(GROUPS, STAFF, CUSTOMERS)
        fill(here, many)
        url = here.service._listen()
        yield Shown(here=here, url=url)
        here.service.stop()


if __name__ == "__main__":
    with busy(Path(sys.argv[1])) as shown:
        shown.user("olga", "operator")
        sys.stderr.write(f"{shown.url} olga {PASSWORD}\n")
        with suppress(KeyboardInterrupt):
            while sys.stdin.readline():
                shown.here.round(0.1)
