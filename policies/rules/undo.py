"""Undo: what episodes wrote is taken back, running or ended, whatever their policy says by now; and an undo is taken
back in the same way (rule 15).

It is remembered beside the episodes until it is done, because the policy may have been changed, set to observe or
removed since. While it goes on, nothing else is done to the ticket.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from policies.history import PUBLIC, History
from policies.model import Directory, Order, Status, Ticket
from policies.plan import Action, Occurrence, Wanted
from policies.rules.episode import ended_line, has_passed
from policies.rules.observe import Scene, verdict_of
from policies.rules.orders import said
from policies.rules.own_writes import UNDO_TRIES, Undone, keys_of, undone
from policies.state import Episode, How, Standing, Undo

SUFFIX = ":undo"
DEESCALATED = "deescalated"


def undo_of(key: str) -> str:
    """The key of the undo of this episode, or of this undo."""
    return f"{key}{SUFFIX}"


def is_undo(key: str) -> bool:
    """Whether the key is that of an undo, and not of an episode."""
    return key.endswith(SUFFIX)


def puts_back(key: str) -> bool:
    """Whether the undo of this key puts back what an undo has taken back."""
    return key.count(SUFFIX) % 2 == 0


def meant(key: str, past: Iterable[Episode]) -> tuple[Episode, ...]:
    """What an undo of this key takes back, the oldest first: of an episode, it and all of its policy since, which began
    on what it left; of an undo, that undo alone. `past` has the undos beside the episodes, as episodes."""
    known = {each.key: each for each in past}
    found = known.get(key)
    if found is None or is_undo(key):
        return () if found is None else (found,)
    later = (
        each
        for each in known.values()
        if each.policy == found.policy and each.number >= found.number and not is_undo(each.key)
    )
    free = (each for each in later if not each.undone and each.reason != DEESCALATED)
    return tuple(sorted(free, key=lambda each: each.number))


def taken_back(episode: Episode) -> bool:
    """Whether a person has had it taken back, and not put back since."""
    undone = bool(episode.undone) and not puts_back(episode.undone)
    return undone or episode.reason == DEESCALATED


def to_undo(episode: Episode) -> str:
    """What is to be undone so that nothing stands of what the episode wrote: it, or what put it back."""
    return episode.undone or episode.key


def obstacle(key: str, past: Sequence[Episode], standing: Standing | None) -> str | None:
    """Why this episode, or undo, cannot be taken back; None if it can."""
    found = next((each for each in past if each.key == key), None)
    if found is None:
        return f"there is no {key}"
    if standing is not None and standing.undo is not None:
        return f"{standing.undo.key} is under way"
    if is_undo(key):
        last = next((each.undone for each in past if each.undone.startswith(key)), key)
        return None if last == key else f"{key} was taken back already; take that back: uptier undo {last}"
    if found.undone and puts_back(found.undone):
        return f"{key} was taken back and put back again; to take that back: uptier undo {found.undone}"
    if found.undone:
        return f"{key} was taken back already; to put that back: uptier undo {found.undone}"
    return f"{key} was de-escalated already" if found.reason == DEESCALATED else None


def together(taken: Sequence[Episode]) -> Episode:
    """Everything that these wrote, as the writes of one episode."""
    wrote = dict.fromkeys(each for episode in taken for each in episode.wrote)
    keys = frozenset(key for episode in taken for key in keys_of(episode))
    return replace(taken[-1], wrote=tuple(wrote), inherits=keys)


def found_back(ticket: Ticket, of: Episode, directory: Directory) -> Undone:
    """What leads from the ticket as it is to how `of` found it."""
    return undone(ticket, History.of(ticket, PUBLIC), of, directory)


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """The memory with what is being taken back, the lines for the ledger, and the episodes to be kept as they are
    now."""

    standings: tuple[Standing, ...]
    said: tuple[Occurrence, ...] = ()
    kept: tuple[Episode, ...] = ()


def begin(scene: Scene, standings: tuple[Standing, ...]) -> Begun:
    """Carry out the orders to undo: the running episode ends, and what is to be put back is remembered."""
    known = {each.policy: each for each in standings}
    lines: list[Occurrence] = []
    kept: dict[str, Episode] = {}
    for order in scene.orders:
        if order.verb != "undo" or order.policy is None or order.episode is None:
            continue
        past = [kept.get(each.key, each) for each in scene.past]
        state = known.get(order.policy) or Standing(policy=order.policy)
        why = obstacle(order.episode, past, state)
        taken = meant(order.episode, past)
        if why is not None or not taken:
            text = f"undo {order.because}; {why or 'nothing is left of it'}"
            lines.append(said("order refused", order, text, policy=order.policy, episode=order.episode))
            continue
        key, of = undo_of(order.episode), together(taken)
        for each in marked(key, of, past):
            runs = state.running is not None and state.running.key == each.key
            over = replace(each, ended=scene.now, reason="undone", under_way=None) if runs else each
            kept[each.key] = over
            if over.key == order.episode or has_fired(
                over
            ):  # what was only observed has nothing to take back
                lines.append(undone_line(key, order, over))
            if runs:
                state = replace(state, episode=over)
                lines += [ended_line(over)] if has_passed(over) else []
        if state.episode is not None and state.episode.key in kept:
            state = replace(state, episode=kept[state.episode.key])
        stays = state.running is not None
        state = replace(
            state, undo=Undo(key=key, of=of, because=order.because), undone=state.undone or not stays
        )
        known[order.policy] = state
        lines += left_lines(scene, state)
    return Begun(standings=tuple(known.values()), said=tuple(lines), kept=tuple(kept.values()))


def has_fired(episode: Episode) -> bool:
    """Whether a level has really fired in it."""
    return any(each.how is How.FIRED for each in episode.passed[episode.before :])


def marked(key: str, of: Episode, past: Iterable[Episode]) -> Iterator[Episode]:
    """The episodes that this undo takes back, or puts back, with its key."""
    for each in past:
        if not is_undo(each.key) and (each.key in of.inherits or each.undone in of.inherits - {""}):
            yield replace(each, undone=key)


def undone_line(key: str, order: Order, episode: Episode) -> Occurrence:
    """The ledger's line for an episode that is taken back, or put back; it names what takes that back."""
    what = "put back" if puts_back(key) else "undone"
    text = f"{order.because}; to take that back: uptier undo {key}"
    return said(what, order, text, policy=episode.policy, episode=episode.key)


def left_lines(scene: Scene, state: Standing) -> Iterator[Occurrence]:
    """The ledger's lines for what stays as it is."""
    undo = state.undo
    if undo is None:
        return
    ticket = scene.ticket
    stands = untouchable(ticket)
    found = found_back(ticket, undo.of, scene.directory)
    parts = ((None, stands),) if stands else (*found.left_out, *found.changed)
    for what, why in parts:
        yield left_line(scene, state.policy, undo.key, why if what is None else f"{what}: {why}")


def left_line(scene: Scene, policy: str, key: str, text: str) -> Occurrence:
    """One of them."""
    return Occurrence(what="left out", policy=policy, episode=key, at=scene.now, text=text)


def untouchable(ticket: Ticket) -> str:
    """Why nothing on the ticket can be put back; empty if it can."""
    if ticket.gone:
        return f"the ticket is {ticket.gone}"
    return "the ticket is closed" if ticket.status is Status.CLOSED else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoingOn:
    """The memory after this look, what is to be written for the one undo whose turn it is, and lines for the ledger."""

    standings: tuple[Standing, ...]
    wanted: tuple[Wanted, ...] = ()
    said: tuple[Occurrence, ...] = ()


def go_on(scene: Scene, standings: tuple[Standing, ...]) -> GoingOn:
    """Go on putting back: one policy's at a time. One is over once nothing is left to put back, or it has been tried
    often enough; from then on the policy waits until `when` is false, if it still holds."""
    wanted: tuple[Wanted, ...] = ()
    after: list[Standing] = []
    lines: list[Occurrence] = []
    for state in standings:
        undo = state.undo
        if undo is None:
            after.append(state)
            continue
        actions: tuple[Action, ...] = ()
        if not untouchable(scene.ticket):
            actions = found_back(scene.ticket, undo.of, scene.directory).actions
        if actions and undo.tries < UNDO_TRIES:
            wanted = wanted or tuple(Wanted(action=each, episodes=(undo.key,)) for each in actions)
            after.append(state)
            continue
        if actions:
            what = ", ".join(dict.fromkeys(each.kind for each in actions))
            lines.append(
                left_line(scene, state.policy, undo.key, f"{what}: the helpdesk did not take it back")
            )
        after.append(finished(scene, state))
    return GoingOn(standings=tuple(after), wanted=wanted, said=tuple(lines))


def finished(scene: Scene, state: Standing) -> Standing:
    """The memory once an undo is over."""
    policy = next(
        (each for each in scene.policies.serving(scene.ticket.ref.account) if each.name == state.policy), None
    )
    if not state.undone or policy is None or state.running is not None:
        return replace(state, undo=None)
    verdict = verdict_of(policy, scene.ticket)
    holds = verdict.holds or verdict.unknown
    return replace(state, undo=None, undone=holds, matched=holds)
