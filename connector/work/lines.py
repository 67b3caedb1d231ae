"""Ledger lines for what happened to an episode, and for how a write ended."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from adapters.base import Note, NotTaken, Receipt, RefusedPart, VendorAction
from connector.store.ledger import Line
from connector.store.writes import KeptWrite, State
from policies.model import Directory, Instant, TicketRef
from policies.plan import Occurrence, SetField
from policies.rules.ladder import untimed
from policies.state import Episode, Standing


def line_of(ref: TicketRef, occurrence: Occurrence, remembered: Iterable[Standing]) -> Line:
    """The ledger's line for an occurrence; the policy text's hash is that of the episode."""
    running = {one.episode.key: one.episode for one in remembered if one.episode is not None}
    episode = running.get(occurrence.episode)
    return Line(
        at=occurrence.at,
        account=ref.account,
        ticket=ref.id,
        what=occurrence.what,
        policy=occurrence.policy,
        episode=occurrence.episode,
        level=occurrence.level,
        owner=occurrence.owner,
        who=occurrence.who,
        text=occurrence.text,
        policy_hash=episode.policy_hash if episode else "",
        data=lateness(occurrence, episode),
    )


def lateness(occurrence: Occurrence, episode: Episode | None) -> dict[str, int]:
    """When a level was due, and how many seconds after that it was decided. Nothing where something else than Uptier
    decided when it fired: a person, or a condition that came to hold after the level's time."""
    if occurrence.what not in ("fired", "observed") or episode is None:
        return {}
    passed = next((each for each in reversed(episode.passed) if each.level == occurrence.level), None)
    if passed is None or passed.due is None or untimed(episode, passed):
        return {}
    return {"due": passed.due, "late": max(passed.at - passed.due, 0)}


WORDS: dict[State, str] = {
    State.DONE: "written",
    State.REFUSED: "write refused",
    State.STALE: "write dropped",
    State.UNKNOWN: "write unknown",
}
NAMES = {"assign": "assignment", "put_back": "priority put back", "follow": "follower"}


def name_of(action: VendorAction) -> str:
    """What the action writes, by its own name."""
    match action:
        case Note():
            return "reply" if action.public else "note"
        case SetField():
            return f"field {action.field}"
    return NAMES.get(action.kind, action.kind)


def line_about(kept: KeptWrite, state: State, text: str, receipt: Receipt | None, now: Instant) -> Line:
    """The ledger's line for a write that ended so, with what the helpdesk remarked."""
    remarks = receipt.remarks if receipt else ()
    named = text or "; ".join(name_of(action) for action in kept.write.intent)
    told = (f"the helpdesk remarks: {remark}" for remark in remarks)
    data = {"key": kept.write.key, "attempt": kept.attempt, "tries": kept.tries, "remarks": list(remarks)}
    return _of_write(kept, WORDS[state], "; ".join([named, *told]), now, data)


def refused_lines(kept: KeptWrite, parts: Iterable[RefusedPart], now: Instant) -> list[Line]:
    """One line for each part that the helpdesk named as refused, with its own name and words for it."""
    return [
        _of_write(
            kept,
            "part refused",
            f"{part.field or 'something else'} ({part.vendor_field}): {part.text}",
            now,
            {"key": kept.write.key} | asdict(part),
        )
        for part in parts
    ]


def untaken_lines(kept: KeptWrite, receipt: Receipt, directory: Directory | None, now: Instant) -> list[Line]:
    """One line for each part that the helpdesk answered with success and did not do."""
    return [
        _of_write(kept, "not taken", untaken(part, directory), now, {"key": kept.write.key} | asdict(part))
        for part in receipt.not_taken
    ]


def untaken(part: NotTaken, directory: Directory | None) -> str:
    """What was wanted and what stands, for a person."""
    wanted, found = spelled(part.wanted, directory), spelled(part.found, directory)
    return "; ".join(filter(None, (f"{part.field} is {found} after the write, not {wanted}", part.why)))


def partly_line(kept: KeptWrite, lacks: Iterable[str], now: Instant) -> Line:
    """The line that says how the level came out where not all of it stands."""
    return _of_write(kept, "partly", f"without {', '.join(sorted(set(lacks)))}", now, {"key": kept.write.key})


def spelled(value: object, directory: Directory | None) -> str:
    """A common value for a person: groups and people by their names."""
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(sorted(spelled(each, directory) for each in value)) or "empty"
    if value is None or value == "":
        return "empty"
    groups = directory.groups if directory else ()
    people = [agent.person for agent in directory.agents] if directory else []
    names = {each.id: each.name for each in groups} | {each.id: each.label for each in people}
    return names.get(str(value), str(value))


def _of_write(kept: KeptWrite, what: str, text: str, now: Instant, data: dict[str, Any]) -> Line:
    ref = kept.write.ref
    return Line(
        at=now,
        account=ref.account,
        ticket=ref.id,
        policy=kept.policy,
        episode=min(kept.episodes, default=""),
        level=kept.level,
        what=what,
        text=text,
        data=data,
    )
