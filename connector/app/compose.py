"""What a process of a fleet does, and its parts put together."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from os import getpid
from secrets import token_hex
from socket import gethostname
from typing import Literal, get_args

from adapters.base import AdapterFactory
from connector.app.canary import Canary
from connector.app.databases import queue_address
from connector.app.leases import ALARM, FORGET, NOTIFY, Leaseholder, OneOfMany, Sole, poll_lease
from connector.app.supervision import Ailments
from connector.clock import Clock, ClockSkew
from connector.config.holidays import calendars
from connector.config.secrets import SecretError, Secrets, too_short
from connector.config.settings import Caps, Settings
from connector.config.values import entries
from connector.engine import Engine
from connector.engine.local import LocalEngine
from connector.intake.feeds import Feeds
from connector.intake.polling import change_to, touched_tickets
from connector.notify.eligibility import Recheck
from connector.notify.notifier import Notifier
from connector.notify.sender import Speaker
from connector.store import accounts, forgetting
from connector.store.database import Store, advisory_lock
from connector.work import starts
from connector.work.budget import Budget, Desk, Tally, rests, tally
from connector.work.context import InForce, Read, Rules
from connector.work.links import Links
from connector.work.worker import Worker
from policies.language.policy import PolicySet
from policies.model import Instant

Role = Literal["receiver", "worker", "poller", "console"]
ALL: frozenset[Role] = frozenset(get_args(Role))


def roles_named(text: str) -> frozenset[Role]:
    """`receiver,worker`: the roles named. ValueError if one is unknown."""
    named = [each.strip() for each in text.split(",") if each.strip()]
    unknown = [each for each in named if each not in ALL]
    if unknown or not named:
        raise ValueError(
            f"--roles {text!r}: name one or more of {', '.join(sorted(ALL))}, with commas between"
        )
    return frozenset(role for role in ALL if role in named)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a running service is made of. `name` is the process's own among all on its database."""

    name: str
    store: Store
    clock: Clock
    ailments: Ailments
    desks: Mapping[str, Desk]
    rules: InForce
    engine: Engine
    rescue: Callable[[], None] | None
    leases: Leaseholder
    worker: Worker
    feeds: Feeds
    skews: ClockSkew
    notifier: Notifier
    canary: Canary
    links: Links | None


def compose(
    settings: Settings,
    policies: PolicySet,
    clock: Clock,
    secrets: Secrets,
    store: Store,
    roles: frozenset[Role] = ALL,
    speaker: Callable[[Mapping[str, str], Callable[[str], str]], Speaker] = Speaker,
) -> Parts:
    """Put the parts together; `speaker` makes what sends to channels. SecretError and ValueError say which
    setting is wrong."""
    desks = {
        name: open_desk(name, settings, clock, secrets, tally(store, name, clock))
        for name in settings.accounts
    }
    ailments = Ailments(lambda: int(clock.monotonic()))
    me = f"{gethostname()}:{getpid()}:{token_hex(4)}"
    engine, rescue, leases = _filled(settings, clock, secrets, store, desks, roles, ailments, me)
    read, links = Read(clock), links_of(settings, secrets)
    rules = InForce(take_up(store, policies, clock.now(), tuple(desks), settings.service.caps))
    skews = ClockSkew()
    worker = Worker(
        store=store,
        clock=clock,
        desks=desks,
        rules=rules,
        caps=settings.service.caps,
        read=read,
        skews=skews,
        links=links,
    )
    known = addresses(settings)
    for channel in spoken_to(policies, settings):
        secrets.get(known[channel])
    notifier = Notifier(
        store=store,
        clock=clock,
        rules=rules,
        recheck=partial(Recheck, store, clock, desks, rules),
        speaker=speaker(known, secrets.get),
        ailments=ailments,
        links=links,
    )
    feeds = Feeds(
        store=store,
        clock=clock,
        engine=engine,
        worker=worker,
        rules=rules,
        read=read,
        leases=leases,
        ailments=ailments,
        with_webhook=frozenset(name for name, said in settings.accounts.items() if said.webhook),
    )
    return Parts(
        name=me,
        store=store,
        clock=clock,
        ailments=ailments,
        desks=desks,
        rules=rules,
        engine=engine,
        rescue=rescue,
        leases=leases,
        worker=worker,
        feeds=feeds,
        skews=skews,
        notifier=notifier,
        canary=Canary(),
        links=links,
    )


def _filled(
    settings: Settings,
    clock: Clock,
    secrets: Secrets,
    store: Store,
    desks: Mapping[str, Desk],
    roles: frozenset[Role],
    ailments: Ailments,
    me: str,
) -> tuple[Engine, Callable[[], None] | None, Leaseholder]:
    """The engine that suits the database, what rescues its looks from dead processes, and who may do what."""
    may_rest = partial(rests, desks)
    if store.path is not None:
        return LocalEngine(store, clock, ailments, rests=may_rest), None, Sole()
    from connector.engine.fleet import FleetEngine  # the embedded database needs no queue

    address = queue_address(settings, secrets)
    engine = FleetEngine(store, clock, ailments, address=address, accounts=tuple(desks), rests=may_rest)
    feeds = map(poll_lease, desks) if "poller" in roles else ()
    names = (*feeds, *((NOTIFY, FORGET, ALARM) if "worker" in roles else ()))
    return engine, engine.rescue, OneOfMany(store, clock, me, names)


def links_of(settings: Settings, secrets: Secrets) -> Links | None:
    """What makes links in messages; None where the config does not ask for them. Raises SecretError."""
    said, channels = settings.service, settings.channels
    if said.link_key is None or said.outside is None:
        return None
    key = secrets.get(said.link_key)
    if too_short(key) is not None:
        raise SecretError(
            "[service] link_key: a key has 16 characters or more; `openssl rand -hex 32` makes one"
        )
    told = Counter(each.url for each in channels.values())
    shared = frozenset(name for name, each in channels.items() if told[each.url] > 1)
    return Links(key=key.encode(), outside=said.outside.rstrip("/"), shared=shared)


def addresses(settings: Settings) -> Mapping[str, str]:
    """The references to the channels' addresses, by channel."""
    return {name: channel.url for name, channel in settings.channels.items()}


def spoken_to(policies: PolicySet, settings: Settings) -> frozenset[str]:
    """The channels that some policy notifies where it is enforced, and those of alarms."""
    alarms = frozenset(channel for alarm in settings.alarm for channel in alarm.notify)
    return alarms | frozenset(
        channel
        for account in settings.accounts
        for policy in policies.serving(account)
        if policies.mode(policy, account) == "enforce"
        for level in policy.levels
        for channel in level.channels
    )


def open_desk(
    name: str, settings: Settings, clock: Clock, secrets: Secrets, counted: Tally | None = None
) -> Desk:
    """One account, with the adapter that its entry point makes. Without `counted` its requests are counted here."""
    said = settings.accounts[name]
    factory: AdapterFactory = entries("uptier.adapters")[said.adapter].load()
    for key, ref in said.webhook_secrets.items():
        if (why := too_short(secrets.get(ref))) is not None:
            raise SecretError(f'account "{name}", webhook.{key}: {why}')
    budget = Budget(name, said.budget, clock, counted)
    adapter = factory(settings.account(name, secrets.get), budget)
    return Desk(name=name, adapter=adapter, budget=budget, poll=said.poll)


def take_up(store: Store, policies: PolicySet, now: Instant, names: tuple[str, ...], caps: Caps) -> Rules:
    """Run these policies from now on: their texts are kept, and the tickets on which one that decides otherwise could
    matter are owed a look (their rows say so, so that a crash forgets none). New words ask for none."""
    with store.reading() as connection:
        change = change_to(connection, policies)
    met = {name: touched_tickets(store, name, change) for name in names} if change else {}
    with store.writing() as connection:
        advisory_lock(connection, "policies")
        for name in names:
            accounts.ensure(connection, name, now)
        first_ran = {
            name: accounts.first_ran(connection, name, [p.name for p in policies.serving(name)], now)
            for name in names
        }
        for policy in policies.policies:
            forgetting.keep_policy_text(connection, policy.hash, policy.text, now)
        is_still = change_to(connection, policies) == change
        if is_still and change:
            for name, refs in met.items():
                change.wake(connection, name, refs, now)
            change.keep(connection, now)
        for name in names:
            starts.take_up_modes(connection, policies, name, caps, now)
        accounts.save_cursor(connection, "", "policies", policies.hash, now)
    if not is_still:  # another process has taken up others meanwhile
        return take_up(store, policies, now, names, caps)
    return Rules(policies=policies, calendars=calendars(policies, now), first_ran=first_ran)
