"""What comes next on each ticket, so that it can be listed in order; and which level of which policy is held.

Filled from the last look's trace: idle tickets are not looked at for days, and each look costs requests."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Five columns and an index."""
    op.add_column("standing", sa.Column("due", sa.BigInteger(), nullable=True))
    op.add_column("standing", sa.Column("acts", sa.BigInteger(), nullable=True))
    op.add_column("standing", sa.Column("coming", sa.Text(), nullable=True))
    op.add_column("hold", sa.Column("policy", sa.Text(), nullable=False, server_default=""))
    op.add_column("hold", sa.Column("coming", sa.Text(), nullable=True))
    there = sa.text("due IS NOT NULL")
    op.create_index("ix_standing_due", "standing", ["due"], sqlite_where=there, postgresql_where=there)
    fill(op.get_bind())


def fill(connection: sa.Connection) -> None:
    """Tell of every running episode the level that its ticket's last trace shows next, as a look would."""
    asked = sa.text(
        "SELECT e.account, e.ticket, e.policy, e.memory, t.trace, t.owner FROM episode e "
        "JOIN ticket t ON t.account = e.account AND t.id = e.ticket WHERE e.ended IS NULL"
    )
    rows = connection.execute(asked, execution_options={"stream_results": True})
    found = [
        told | {"account": row.account, "ticket": row.ticket, "policy": row.policy}
        for row in rows  # one after the other: a trace is long
        if (told := next_level(row)) is not None
    ]
    if found:
        update = sa.text(
            "UPDATE standing SET due = :due, acts = :acts, coming = :coming "
            "WHERE account = :account AND ticket = :ticket AND policy = :policy"
        )
        connection.execute(update, found)


def next_level(row: Any) -> dict[str, Any] | None:
    """The level that waits, asks or was only observed, by the trace of its policy; None where nothing comes."""
    traces = [each for each in json.loads(row.trace) if each["policy"] == row.policy]
    episode = json.loads(row.memory)
    if not traces:
        return None
    trace, passed = traces[0], episode["passed"][-1:]
    observes = trace["mode"] == "observe"
    seen = [each for each in passed if each["how"] == "observed" and not episode["acknowledged"]]
    if seen:
        level, due, why = seen[0]["level"], seen[0]["due"] or seen[0]["at"], seen[0]["why"]
    else:
        ahead = [
            each for each in trace["levels"] if each["state"] == "waiting" or "approval" in each["state"]
        ]
        ahead = [each for each in ahead if each["due"] is not None]
        if not ahead:
            return None
        first = min(ahead, key=lambda each: each["due"])
        level, due, why = first["name"], first["due"], first["text"]
    asks = not seen and level == episode["awaiting"]
    if asks:
        why = f"{why}; {'would wait' if observes else 'waits'} for approval"
    real = any(each["how"] in ("fired", "refused", "rejected") for each in episode["passed"])
    to = seen[0]["owner"]["name"] if seen and seen[0]["owner"] else None
    acts = None if asks else max(due, episode["snoozed_until"] or due)
    told = {
        "level": level, "due": due, "acts": acts, "observes": observes, "why": why,
        "owner": row.owner if real else None, "to": to,
    }  # fmt: skip
    return {"due": due, "acts": acts, "coming": json.dumps(told, ensure_ascii=False)}
