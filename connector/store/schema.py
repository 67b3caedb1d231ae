"""The tables, the same on SQLite and PostgreSQL. Instants are epoch seconds; JSON is text made by `codec`."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    Table,
    TypeDecorator,
    UniqueConstraint,
    literal_column,
    true,
)
from sqlalchemy import Text as AnyText
from sqlalchemy.engine import Dialect

from adapters.http import clean

HEAD = "0028"
"""The newest migration. A database that stands here is opened without loading Alembic."""

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


class Text(TypeDecorator[str]):
    """Text from anywhere, made fit to be stored: what a helpdesk sends must not stop its ticket."""

    impl = AnyText
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 (the library's)
        """See SQLAlchemy."""
        return None if value is None else clean(value)


row_id = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite counts up by itself only for a column declared INTEGER."""


def _words(*words: str) -> list[Any]:
    """Words that stand in the statement itself: a database finds no index over some rows by a parameter."""
    return [literal_column(f"'{word}'") for word in words]


inbox = Table(
    "inbox",
    metadata,
    Column("id", row_id, primary_key=True),
    Column("account", Text, nullable=False),
    Column("delivery", Text, nullable=False),
    Column("ticket", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("hint", Text, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("done_at", BigInteger),
    Column("due", BigInteger),
    Column("urgent", Boolean, nullable=False, server_default=true()),
    UniqueConstraint("account", "delivery"),
)
still_open = inbox.c.done_at.is_(None)
Index(
    "ix_inbox_open",
    inbox.c.account,
    inbox.c.ticket,
    sqlite_where=still_open,
    postgresql_where=still_open,
)
Index(
    "ix_inbox_next",
    inbox.c.account,
    inbox.c.urgent,
    inbox.c.due,
    inbox.c.id,
    sqlite_where=still_open,
    postgresql_where=still_open,
)
Index("ix_inbox_done", inbox.c.done_at)

ticket = Table(
    "ticket",
    metadata,
    Column("account", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("facts", Text, nullable=False),
    Column("trace", Text, nullable=False),  # the judgements of the last look; `null` of one that kept words
    Column("revision", Text, nullable=False),
    Column("settled_revision", Text),
    Column("status", Text, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("next_look", BigInteger),
    Column("gone", Text),
    Column("matched", Boolean, nullable=False),
    Column("owner", Text),
    Column("policy_hash", Text),
    Column("requester", Text),
    Column("assignee", Text),
    Column("organization", Text),
    Column("created", BigInteger),
    Column("looks", BigInteger, nullable=False, server_default="0"),
)
is_open_ticket = ticket.c.status.not_in(_words("solved", "closed")) & ticket.c.gone.is_(None)
"""Tickets that somebody still has to see to."""
Index("ix_ticket_status", ticket.c.account, ticket.c.status)
Index(
    "ix_ticket_open",
    ticket.c.account,
    ticket.c.assignee,
    sqlite_where=is_open_ticket,
    postgresql_where=is_open_ticket,
)
Index("ix_ticket_requester", ticket.c.account, ticket.c.requester, ticket.c.created)
Index("ix_ticket_organization", ticket.c.account, ticket.c.organization, ticket.c.created)

standing = Table(
    "standing",
    metadata,
    Column("account", Text, primary_key=True),
    Column("ticket", Text, primary_key=True),
    Column("policy", Text, primary_key=True),
    Column("memory", Text, nullable=False),
    Column("due", BigInteger),
    Column("acts", BigInteger),
    Column("coming", Text),
)
acts_sometime = standing.c.acts.is_not(None)
acts_later = standing.c.due < standing.c.acts
nobody_knows = standing.c.acts.is_(None) & standing.c.due.is_not(None)
"""What comes: that of which it is known when it acts; of that, what waits from being due until it acts; the rest."""
Index(
    "ix_standing_acts",
    standing.c.account,
    standing.c.acts,
    standing.c.ticket,
    sqlite_where=acts_sometime,
    postgresql_where=acts_sometime,
)
Index(
    "ix_standing_later",
    standing.c.account,
    standing.c.acts,
    standing.c.ticket,
    standing.c.due,
    sqlite_where=acts_later,
    postgresql_where=acts_later,
)
Index(
    "ix_standing_unknown",
    standing.c.account,
    standing.c.due,
    standing.c.ticket,
    sqlite_where=nobody_knows,
    postgresql_where=nobody_knows,
)

episode = Table(
    "episode",
    metadata,
    Column("key", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("ticket", Text, nullable=False),
    Column("policy", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("ended", BigInteger),
    Column("reason", Text),
    Column("owner", Text),
    Column("level", Text),
    Column("memory", Text, nullable=False),
)
Index("ix_episode_ticket", episode.c.account, episode.c.ticket)
Index("ix_episode_ended", episode.c.ended)

write = Table(
    "write",
    metadata,
    Column("key", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("ticket", Text, nullable=False),
    Column("episodes", Text, nullable=False),
    Column("policy", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("place", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("request", Text, nullable=False),
    Column("receipt", Text),
    Column("error", Text),
    Column("planned_at", BigInteger, nullable=False),
    Column("sent_at", BigInteger),
    Column("settled_at", BigInteger),
    Column("look", BigInteger, nullable=False, server_default="0"),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("next_try", BigInteger),
    Column("missing", Text, nullable=False, server_default="[]"),
)
Index(
    "ix_write_next_try",
    write.c.sent_at,
    sqlite_where=write.c.next_try.is_not(None),
    postgresql_where=write.c.next_try.is_not(None),
)
is_open_write = write.c.state.in_(_words("planned", "sending", "unknown"))
Index(
    "ix_write_open",
    write.c.account,
    write.c.ticket,
    write.c.planned_at,
    sqlite_where=is_open_write,
    postgresql_where=is_open_write,
)
Index("ix_write_ticket", write.c.account, write.c.ticket, write.c.state)
Index("ix_write_state", write.c.state)

receipt = Table(
    "receipt",
    metadata,
    Column("account", Text, primary_key=True),
    Column("ticket", Text, primary_key=True),
    Column("fact", Text, primary_key=True),
    Column("write", Text, nullable=False),
    Column("episodes", Text, nullable=False),
)

notice = Table(
    "notice",
    metadata,
    Column("key", Text, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("ticket", Text, nullable=False),
    Column("episodes", Text, nullable=False),
    Column("policy", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("gathered", Boolean, nullable=False),
    Column("message", Text),
    Column("error", Text),
    Column("planned_at", BigInteger, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("settled_at", BigInteger),
    Column("since", BigInteger),
)
Index("ix_notice_due", notice.c.state, notice.c.channel, notice.c.due)
Index("ix_notice_ticket", notice.c.account, notice.c.ticket)
Index(
    "ix_notice_since",
    notice.c.since,
    sqlite_where=notice.c.since.is_not(None),
    postgresql_where=notice.c.since.is_not(None),
)
Index("ix_notice_settled", notice.c.channel, notice.c.settled_at)

timer = Table(
    "timer",
    metadata,
    Column("account", Text, primary_key=True),
    Column("ticket", Text, primary_key=True),
    Column("due", BigInteger, nullable=False),
    Column("why", Text, nullable=False),
    Column("holds", Boolean, nullable=False),
    Column("urgent", Boolean, nullable=False, server_default=true()),
    Column("since", BigInteger),
)
Index("ix_timer_due", timer.c.due)
Index("ix_timer_next", timer.c.account, timer.c.urgent, timer.c.due)
Index(
    "ix_timer_since",
    timer.c.since,
    sqlite_where=timer.c.since.is_not(None),
    postgresql_where=timer.c.since.is_not(None),
)

escalated = Table(
    "escalated",
    metadata,
    Column("account", Text, primary_key=True),
    Column("ticket", Text, primary_key=True),
    Column("rank", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("waits_since", BigInteger, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("policies", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("team", Text, nullable=False),
    Column("assignee", Text, nullable=False),
    Column("acknowledged_by", Text, nullable=False),
    Column("enforced", Boolean, nullable=False),
    Column("words", Text, nullable=False),
    Column("row", Text, nullable=False),
)
"""One row a ticket on which an episode runs, as the list of the console shows and asks for it."""
Index(
    "ix_escalated_rank",
    escalated.c.rank,
    escalated.c.at,
    escalated.c.waits_since,
    escalated.c.account,
    escalated.c.ticket,
    escalated.c.acknowledged_by,  # all are counted by how they stand without reading a row
)
Index("ix_escalated_waits_since", escalated.c.waits_since, escalated.c.account, escalated.c.ticket)
Index("ix_escalated_owner", escalated.c.owner, escalated.c.rank, escalated.c.at)
Index("ix_escalated_team", escalated.c.team, escalated.c.rank, escalated.c.at)

hold = Table(
    "hold",
    metadata,
    Column("account", Text, primary_key=True),
    Column("ticket", Text, primary_key=True),
    Column("scope", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("policy", Text, nullable=False, server_default=""),
    Column("coming", Text),
)
Index("ix_hold_since", hold.c.account, hold.c.since, hold.c.ticket)

aside = Table(
    "aside",
    metadata,
    Column("account", Text, primary_key=True),
    Column("ticket", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("why", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("tried_at", BigInteger, nullable=False),
    Column("next_try", BigInteger, nullable=False),
)

ledger = Table(
    "ledger",
    metadata,
    Column("id", row_id, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("account", Text, nullable=False),
    Column("ticket", Text, nullable=False),
    Column("policy", Text, nullable=False),
    Column("episode", Text, nullable=False),
    Column("level", Text),
    Column("what", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("owner", Text),
    Column("text", Text, nullable=False),
    Column("policy_hash", Text, nullable=False),
    Column("data", Text, nullable=False),
)
Index("ix_ledger_ticket", ledger.c.account, ledger.c.ticket, ledger.c.id)
Index("ix_ledger_what", ledger.c.account, ledger.c.what, ledger.c.at)

cursor = Table(
    "cursor",
    metadata,
    Column("account", Text, primary_key=True),
    Column("feed", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("updated", BigInteger, nullable=False),
)

account = Table(
    "account",
    metadata,
    Column("name", Text, primary_key=True),
    Column("first_seen_at", BigInteger, nullable=False),
    Column("paused_reason", Text),
    Column("paused_at", BigInteger),
    Column("census_at", BigInteger),
)

hook = Table(
    "hook",
    metadata,
    Column("account", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("address", Text, nullable=False),
    Column("vendor_id", Text),
    Column("at", BigInteger, nullable=False),
)

first_run = Table(
    "first_run",
    metadata,
    Column("account", Text, primary_key=True),
    Column("policy", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("enforced", BigInteger),
    Column("stage", Text, nullable=False, server_default="observed"),
)

pause = Table(
    "pause",
    metadata,
    Column("account", Text, primary_key=True),
    Column("bucket", Text, primary_key=True),
    Column("until", BigInteger, nullable=False),
    Column("since", BigInteger),
)

spent = Table(
    "spent",
    metadata,
    Column("account", Text, primary_key=True),
    Column("bucket", Text, primary_key=True),
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("requests", Integer, nullable=False),
)

request_count = Table(
    "request_count",
    metadata,
    Column("account", Text, primary_key=True),
    Column("hour", BigInteger, primary_key=True, autoincrement=False),
    Column("purpose", Text, primary_key=True),
    Column("requests", Integer, nullable=False),
)

vendor_limit = Table(
    "vendor_limit",
    metadata,
    Column("account", Text, primary_key=True),
    Column("bucket", Text, primary_key=True),
    Column("total", Integer, nullable=False),
    Column("remaining", Integer, nullable=False),
    Column("seconds", Integer, nullable=False),
    Column("heard_at", BigInteger, nullable=False),
)

lease = Table(
    "lease",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("until", BigInteger, nullable=False),
)

directory = Table(
    "directory",
    metadata,
    Column("account", Text, primary_key=True),
    Column("people", Text, nullable=False),
    Column("read_at", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False, server_default="0"),
)

served = Table(
    "served",
    metadata,
    Column("account", Text, primary_key=True),
    Column("group_id", Text, primary_key=True),
    Column("person_id", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
)

policy_text = Table(
    "policy_text",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("text", Text, nullable=False),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_ran", BigInteger),
)

played = Table(
    "played",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("policies", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("written", Text, nullable=False),
    Column("found", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("accepted", Text),
    Column("accepted_at", BigInteger),
    Column("accepted_by", Text),
)

node = Table(
    "node",
    metadata,
    Column("name", Text, primary_key=True),
    Column("roles", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("failing", Text, nullable=False),
    Column("skews", Text, nullable=False),
)

user = Table(
    "console_user",
    metadata,
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("password", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("zone", Text, nullable=False, server_default=""),
    Column("language", Text, nullable=False, server_default=""),
)

session = Table(
    "console_session",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("user", Text, nullable=False),
    Column("csrf", Text, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("told", Text),
)

view = Table(
    "console_view",
    metadata,
    Column("user", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("address", Text, nullable=False),
)

link = Table(
    "link",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("verb", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("ticket", Text, nullable=False),
    Column("policy", Text, nullable=False),
    Column("episode", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("used", BigInteger),
)
Index("ix_link_until", link.c.until)
Index("ix_link_ticket", link.c.account, link.c.ticket)

login_try = Table(
    "login_try",
    metadata,
    Column("key", Text, primary_key=True),
    Column("attempt", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
)

token = Table(
    "console_token",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("user", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    Column("until", BigInteger),
    Column("used", BigInteger),
)
