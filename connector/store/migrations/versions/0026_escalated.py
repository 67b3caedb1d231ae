"""What is escalated now is listed from a table of its own, a row a ticket, which each look keeps; views of that list
can be saved, and a session keeps what became of its last orders.

What runs already is listed by what is known of it; the next look at a ticket says the rest."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"

NEVER = 2**62
BATCH = 500


def upgrade() -> None:
    """Two tables, a column, and the rows of what runs."""
    op.create_table(
        "escalated",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("account", "ticket")),
        sa.Column("rank", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("at", "waits_since", "since")),
        *(sa.Column(name, sa.Text(), nullable=False)
          for name in ("policies", "level", "owner", "team", "assignee", "acknowledged_by")),
        sa.Column("enforced", sa.Boolean(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("words", "row")),
        sa.PrimaryKeyConstraint("account", "ticket", name=op.f("pk_escalated")),
    )  # fmt: skip
    first = ["rank", "at", "waits_since", "account", "ticket", "acknowledged_by"]
    op.create_index("ix_escalated_rank", "escalated", first)
    op.create_index("ix_escalated_waits_since", "escalated", ["waits_since", "account", "ticket"])
    op.create_index("ix_escalated_owner", "escalated", ["owner", "rank", "at"])
    op.create_index("ix_escalated_team", "escalated", ["team", "rank", "at"])
    op.create_table(
        "console_view",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("user", "name", "address")),
        sa.PrimaryKeyConstraint("user", "name", name=op.f("pk_console_view")),
    )
    op.add_column("console_session", sa.Column("told", sa.Text(), nullable=True))
    _list()


def _list() -> None:
    """A row a ticket on which an episode runs."""
    connection = op.get_bind()
    found = connection.execute(
        sa.text(
            "SELECT e.account, e.ticket, e.policy, e.started, e.level, e.memory, t.facts, t.owner, s.due "
            "FROM episode e JOIN ticket t ON t.account = e.account AND t.id = e.ticket LEFT JOIN standing s ON "
            "s.account = e.account AND s.ticket = e.ticket AND s.policy = e.policy WHERE e.ended IS NULL "
            "ORDER BY e.account, e.ticket, e.policy"
        )
    )
    rows: dict[tuple[str, str], dict[str, object]] = {}
    for one in found:
        if earlier := rows.get((one.account, one.ticket)):
            earlier["policies"] = f"{earlier['policies']}{one.policy}\n"
            shown = json.loads(str(earlier["row"]))
            earlier["row"] = json.dumps(shown | {"more": [*shown["more"], one.policy]}, ensure_ascii=False)
            continue
        facts, memory = json.loads(one.facts), json.loads(one.memory)
        team, assignee = (facts.get("group") or {}).get("name"), (facts.get("assignee") or {}).get("name")
        passed, answered = memory.get("passed") or [], memory.get("acknowledged_by") or ""
        since = passed[-1]["at"] if passed else one.started
        observed = bool(passed) and all(each["how"] in ("observed", "overtaken") for each in passed)
        rank = 3 if not passed else 2 if observed else 1 if answered else 0
        shown = {
            "ref": [one.account, one.ticket], "subject": facts["subject"], "link": facts["link"],
            "team": team or "", "assignee": assignee or "", "policy": one.policy, "more": [],
            "level": one.level or "", "owner": (one.owner or "") if passed else "", "since": since,
            "at": since if rank == 1 else one.due or (since if passed else NEVER), "next_level": "",
            "next_due": one.due, "awaiting": memory.get("awaiting") or "", "acknowledged_by": answered,
            "snoozed_until": None, "waits_since": None, "observed": observed, "observes": observed, "rank": rank,
        }  # fmt: skip
        rows[one.account, one.ticket] = {
            **{name: shown[name] for name in ("rank", "at", "since", "level", "owner", "team", "assignee",
                                              "acknowledged_by")},
            "account": one.account, "ticket": one.ticket, "waits_since": NEVER,
            "policies": f"\n{one.policy}\n", "enforced": not observed,
            "words": f"{one.account}/{one.ticket} {facts['subject']} {one.policy}",
            "row": json.dumps(shown, ensure_ascii=False),
        }  # fmt: skip
    if rows:
        table = sa.table("escalated", *(sa.column(name) for name in next(iter(rows.values()))))
        listed = list(rows.values())
        for start in range(0, len(listed), BATCH):
            connection.execute(sa.insert(table), listed[start : start + BATCH])
