"""What grows with the tickets that are known, and what does not: `make growth`.

    python -m tests.benchmarks.growth [--tickets 10000,100000,1000000] [--policies 1000] [--write]

One service beside a simulated Zendesk, on SQLite; the tickets are put into its database, as a census and their looks
would leave them, but for the traces of the looks. Every tenth waits for a level that comes later and has its timer; a
thousand people have the others.
Milliseconds are the best of some tries, with the helpdesk in the same process; statements are what the database was
asked. `--write` renews the table in RESULTS.md.
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from sqlalchemy import Connection, Engine, event, text

from connector.demo import CONFIG
from tests.connector.console.conftest import Shown
from tests.connector.each import Each, each

RESULTS = Path(__file__).with_name("RESULTS.md")
BEGIN, END = "<!-- grown -->", "<!-- to here -->"
TRIES = 3
DAY = 86400

A_POLICY = """
[[policy]]
name    = "product-{number}"
clock   = "customer_waiting"
stop_on = ["agent_reply", "acknowledged"]
[policy.when]
status  = ["new", "open"]
tags    = {{ has = "product-{number}" }}
[[policy.level]]
name  = "told"
after = "30m"
owner = "Tier 2"
tags  = ["told"]
"""


def config(policies: int) -> str:
    """The demo's policy, which assigns to whoever has least, and so many beside it."""
    to_least = CONFIG.replace('group = "Tier 2" }', 'group = "Tier 2", agent = "least_loaded" }')
    return to_least + "".join(A_POLICY.format(number=number) for number in range(policies - 1))


def copy_ticket(connection: Connection, store_as: str, many: int, now: int) -> None:
    """So many tickets like this one, which was looked at, with what is remembered and set for every tenth."""
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {many})"  # noqa: S608
    connection.execute(text("UPDATE ticket SET trace = '[]'"))  # of a thousand policies it is long
    ids, later = "CAST(1000000 + i AS TEXT)", f"{now + DAY} + i % {30 * DAY}"
    names = [column[1] for column in connection.execute(text("PRAGMA table_info(ticket)"))]
    other = {
        "id": ids,
        "facts": f"""replace(facts, '"{store_as}"', '"' || {ids} || '"')""",
        "next_look": f"CASE WHEN i % 10 = 0 THEN {later} END",
        "assignee": "CASE WHEN i % 10 > 0 THEN CAST(5000 + i % 1000 AS TEXT) END",
        "requester": "CAST(9000 + i / 10 AS TEXT)",
        "organization": "CAST(7000 + i / 1000 AS TEXT)",
        "created": f"{now} - i % {90 * DAY}",
    }
    columns = ", ".join(other.get(name, name) for name in names)
    connection.execute(
        text(
            f"INSERT INTO ticket ({', '.join(names)}) {numbers} SELECT {columns} FROM ticket, n WHERE id = :like"  # noqa: S608 (numbers, and columns of our own)
        ),
        {"like": store_as},
    )
    connection.execute(
        text(
            "INSERT INTO timer (account, ticket, due, why, holds, urgent) "
            "SELECT account, id, next_look, 'a level', false, true FROM ticket "
            "WHERE length(id) = 7 AND next_look IS NOT NULL"
        )
    )
    connection.execute(
        text(
            "INSERT INTO standing (account, ticket, policy, memory, due, acts, coming) "
            "SELECT s.account, t.id, s.policy, s.memory, t.next_look, t.next_look, s.coming FROM ticket t "
            "JOIN standing s ON s.account = t.account AND s.ticket = :like "
            "WHERE length(t.id) = 7 AND t.next_look IS NOT NULL AND s.due IS NOT NULL"
        ),
        {"like": store_as},
    )
    connection.execute(text("ANALYZE"))


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds at best, and statements."""

    took: float
    asked: int

    def __str__(self) -> str:
        return f"{self.took:.1f} ms, {self.asked}"


def cost(call: Callable[[int], object], tries: int = TRIES) -> Cost:
    """Of one call; it is told which try it is."""
    took, asked = [], [0]

    def ran(*_: object) -> None:
        asked[0] += 1

    event.listen(Engine, "before_cursor_execute", ran)
    try:
        for number in range(tries):
            began = time.perf_counter()
            call(number)
            took.append(time.perf_counter() - began)
    finally:
        event.remove(Engine, "before_cursor_execute", ran)
    found = Cost(took=min(took) * 1000, asked=round(asked[0] / tries))
    sys.stderr.write(f"{found}\n")
    return found


def measured(folder: Path, many: int, policies: int) -> dict[str, Cost]:
    """What each of them costs with so many tickets known."""
    with each("zendesk", folder, config=config(policies)) as one:
        parts = one.service.parts
        words = [f"due-{number}" for number in range(TRIES)]
        one.opened("like", *words)
        one.round()
        one.round(1)
        with parts.store.writing() as connection:
            copy_ticket(connection, one.ref("like").id, many, one.clock.now())
        one.service._listen()
        found = {
            "idle tick": cost(lambda _: parts.engine.tick()),
            "sweep": cost(lambda _: parts.engine.sweep()),
            "look at one ticket": cost(lambda _: parts.worker.work(one.ref("like"))),
            **pages(one),
        }
        one.clock.advance(31 * 60)
        parts.worker.work(one.ref("like"))
        found["escalation"] = cost(lambda number: parts.worker.work(one.ref(words[number])))
        assert all("fired" in one.whats(word) for word in words)
        one.service.stop()
        return found


def pages(one: Each) -> dict[str, Cost]:
    """The pages that people open first."""
    url = one.service._listen()
    with Shown(here=one, url=url).logged_in("grower", "admin") as client:
        client.timeout = httpx.Timeout(600)

        def page(path: str) -> Cost:
            def shown(_: int) -> None:
                answer = client.get(path)
                assert answer.status_code == 200, answer.text

            return cost(shown)

        return {f"page {path}": page(path) for path in ("/", "/due", "/health")}


def table(sizes: list[int], policies: int) -> str:
    """Each size a column."""
    found: dict[str, list[str]] = {}
    for many in sizes:
        with TemporaryDirectory(prefix="uptier-growth-") as folder:
            for name, each_cost in measured(Path(folder), many, policies).items():
                found.setdefault(name, []).append(str(each_cost))
    heads = [f"{many:,} tickets" for many in sizes]
    lines = [f"| with {policies:,} policies: ms, statements | {' | '.join(heads)} |"]
    lines.append("|---" * (len(sizes) + 1) + "|")
    lines += [f"| {name} | {' | '.join(row)} |" for name, row in found.items()]
    return "\n".join(lines)


def main() -> None:
    """The command."""
    said = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    said.add_argument("--tickets", default="10000,100000,1000000")
    said.add_argument("--policies", type=int, default=1000)
    said.add_argument("--write", action="store_true")
    asked = said.parse_args()
    drawn = table([int(one) for one in asked.tickets.split(",")], asked.policies)
    sys.stdout.write(drawn + "\n")
    if asked.write:
        page = RESULTS.read_text(encoding="utf-8")
        before, _, rest = page.partition(BEGIN)
        RESULTS.write_text(f"{before}{BEGIN}\n\n{drawn}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main()
