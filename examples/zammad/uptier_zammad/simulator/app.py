"""Play one Zammad: an ASGI app for tests and the demo, written from Zammad's documentation and what its source tells.

It imports nothing of the adapter or of policies: an error in the adapter's translation cannot cancel itself.

Played under /api/v1: users/me and users/{id}, groups, ticket_states, ticket_priorities, tickets/{id} (GET, PUT),
tickets/search by condition (POST), ticket_articles/by_ticket/{id}, ticket_history/{id}, tags (list, add, remove). Every
other path answers 501, and so do conditions that are not played. Not imitated without saying so: permissions of users
and groups beyond "full", SLA calculation, core workflows, the search index.

The account's time is `now`, also in the Date header: run it as `adapters.simulation.server.serve` does. Out of the box
there is the bot, with the token below. Everything else comes from `app.state.zammad.seed(...)` or POST /_sim/seed.
"""

import time
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request

from adapters.simulation.answers import Answer, Dialect, Refused, Reply, read_json, refused
from adapters.simulation.control import app_of
from uptier_zammad.simulator import reads, writes
from uptier_zammad.simulator.reads import Call
from uptier_zammad.simulator.state import Switches, Zammad

BOT = "uptier@acme.test"
TOKEN = "zammad-simulator-token"  # noqa: S105 (it opens a simulator)

Handler = Callable[[Call], Reply]
PLAYED: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "users/{id}", reads.user),
    ("GET", "groups", reads.groups),
    ("GET", "ticket_states", reads.states),
    ("GET", "ticket_priorities", reads.priorities),
    ("POST", "tickets/search", reads.search),
    ("GET", "tickets/{id:int}", reads.ticket),
    ("GET", "ticket_articles/by_ticket/{id:int}", reads.articles),
    ("GET", "ticket_history/{id:int}", reads.history),
    ("GET", "tags", reads.tags),
    ("PUT", "tickets/{id:int}", writes.update),
    ("POST", "tags/add", writes.add_tag),
    ("DELETE", "tags/remove", writes.remove_tag),
)


def create(now: Callable[[], float] = time.time, **switches: Any) -> Starlette:
    """Make an account of its own; nothing is shared between two.

    `now` gives epoch seconds. `switches` are the fields of `Switches`; TypeError names an unknown one.
    The account is at `app.state.zammad`.
    """
    desk = Zammad(now, Switches(**switches))
    made = desk.seed(users=[{"name": "Uptier", "email": BOT}])
    desk.access.tokens[TOKEN] = made["users"][0]
    dialect = Dialect(preset=preset, not_played=not_played)
    played = [([method], f"/api/v1/{path}", served(desk, handler)) for method, path, handler in PLAYED]
    return app_of(desk, "zammad", dialect, played)


def served(desk: Zammad, handler: Handler) -> Answer:
    """Know the caller, let the handler answer, and note whether it wrote."""

    def answer(request: Request, content: bytes) -> Reply:
        with desk.lock:
            caller = desk.access.caller(request.headers.get("authorization", ""))
            call = Call(
                desk=desk,
                caller=caller,
                params=request.path_params,
                query=request.query_params,
                body=read_json(content, preset(400)),
            )
            reply = handler(call)
            request.scope["uptier.logged"].applied = handler in writes.WRITES
            return reply

    return answer


def preset(status: int) -> Reply:
    """The usual answer of a status."""
    return Reply(status=status, body={"error": f"The simulator was told to answer {status}."})


def not_played(what: str) -> Refused:
    """The answer where the simulator does not know better."""
    return refused(501, {"error": f"The simulator does not play {what}."})
