"""From a plan to the requests that carry it out: texts rendered, keys given, gaps named. Nothing is sent."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from adapters.base import ActionKind, Adapter, Note, VendorAction, Write
from connector.store.notices import Notice
from connector.work.messages import announce, render
from policies.language.policy import PolicySet
from policies.model import Ticket
from policies.plan import Notify, Occurrence, Plan, Say, Wanted

BETWEEN_NOTES = "\n\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chained:
    """A write of this plan, the episodes it is made for, and the level that the first of them is at."""

    write: Write
    episodes: frozenset[str]
    policy: str
    level: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Intents:
    """The writes of one plan in sending order, and what the helpdesk cannot do of it.

    `unsent` are the episodes that wanted something of which nothing is left to send: it holds already. `notices`
    go to channels outside the helpdesk, in no order with the writes.
    """

    chain: tuple[Chained, ...] = ()
    left_out: tuple[str, ...] = ()
    unsent: tuple[str, ...] = ()
    notices: tuple[Notice, ...] = ()


def prepare(adapter: Adapter, ticket: Ticket, plan: Plan, policies: PolicySet) -> Intents:
    """The fewest requests for what the plan wants. What the vendor cannot do is named, never sent."""
    under_way = levels_under_way(plan)
    notices = tuple(notices_of(ticket, plan, under_way, policies))
    for_helpdesk = [wanted for wanted in plan.wanted if not isinstance(wanted.action, Notify)]
    able = [wanted for wanted in for_helpdesk if kind_of(wanted) in adapter.capabilities.actions]
    unable = tuple(
        f"{adapter.name} cannot do this: {kind_of(wanted)}" for wanted in for_helpdesk if wanted not in able
    )
    if not able:
        return Intents(left_out=unable, unsent=tuple(under_way), notices=notices)
    policy, level, key = named(able[0], under_way, plan)
    prepared = adapter.prepare(ticket, tuple(rendered(able, ticket, policies)), key)
    episodes = frozenset(episode for wanted in able for episode in wanted.episodes)
    chain = tuple(
        Chained(write=write, episodes=episodes, policy=policy, level=level) for write in prepared.writes
    )
    left_over = () if chain else tuple(under_way)
    return Intents(chain=chain, left_out=(*unable, *prepared.gaps), unsent=left_over, notices=notices)


def notices_of(
    ticket: Ticket, plan: Plan, under_way: dict[str, tuple[str, str]], policies: PolicySet
) -> Iterator[Notice]:
    """What the plan has channels hear, worded, each with the key that keeps it from being said twice."""
    for wanted in plan.wanted:
        if isinstance(wanted.action, Notify):
            policy, level, key = named(wanted, under_way, plan)
            title, body = announce(wanted.action, ticket, policies)
            yield Notice(
                key=f"{key}:notify:{wanted.action.channel}",
                channel=wanted.action.channel,
                ref=ticket.ref,
                episodes=frozenset(wanted.episodes),
                policy=policy,
                level=level,
                title=title,
                body=body,
            )


def levels_under_way(plan: Plan) -> dict[str, tuple[str, str]]:
    """By episode, the policy and the level that this plan is to carry out."""
    return {
        one.episode.key: (one.policy, one.episode.under_way.level)
        for one in plan.standings
        if one.episode is not None and one.episode.under_way is not None
    }


def named(wanted: Wanted, under_way: dict[str, tuple[str, str]], plan: Plan) -> tuple[str, str, str]:
    """Policy, level and key of the plan's writes, by the first episode that asked for any of them. A repeat
    is not under way; it is told from the firing by how often it was said before. Nor is a level that only notifies."""
    episode = wanted.episodes[0]
    if episode in under_way:
        policy, level = under_way[episode]
        return policy, level, f"{episode}:{level}"
    running = next(one.episode for one in plan.standings if one.episode and one.episode.key == episode)
    if running.undoing:
        return running.policy, "", f"{episode}:de-escalated-{running.undoing}"
    asked = next((each.level for each in plan.occurrences if is_question(each, episode)), None)
    if asked is not None:
        return running.policy, asked, f"{episode}:{asked}:approval"
    level = running.passed[-1].level if running.passed else ""
    again = f":again-{running.repeated}" if running.repeated else ""
    return running.policy, level, f"{episode}:{level}{again}"


def is_question(occurrence: Occurrence, episode: str) -> bool:
    """Whether this episode asks for approval in this plan."""
    return occurrence.what == "approval asked" and occurrence.episode == episode


def kind_of(wanted: Wanted) -> ActionKind | None:
    """What a vendor calls this action among its capabilities; None for what never goes to a helpdesk."""
    action = wanted.action
    if isinstance(action, Notify):
        return None
    if isinstance(action, Say):
        return "reply" if action.public else "note"
    return action.kind


def rendered(able: Iterable[Wanted], ticket: Ticket, policies: PolicySet) -> Iterator[VendorAction]:
    """The actions with their texts; all notes of a plan become one (rule 6), before any reply."""
    notes: list[str] = []
    replies: list[Note] = []
    for wanted in able:
        action = wanted.action
        if isinstance(action, Say):
            note = render(action, ticket, policies)
            if note.public:
                replies.append(note)
            else:
                notes.append(note.body)
        elif not isinstance(action, Notify):
            yield action
    if notes:
        yield Note(public=False, body=BETWEEN_NOTES.join(notes))
    yield from replies
