"""All that `uptier run` runs, started and stopped in order, and what a run of `--once` came to."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import structlog
from prometheus_client import make_asgi_app
from sqlalchemy import Connection
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from adapters.http import clean
from connector.app.compose import ALL, Role, addresses, compose, take_up
from connector.app.databases import working_on
from connector.app.leases import ALARM, FORGET, NOTIFY, RENEW_EVERY, poll_lease
from connector.app.listener import Listener
from connector.app.metrics import Metrics
from connector.app.scheduler import Scheduler, ThreadExecutor
from connector.clock import Clock, Steps, SystemClock
from connector.config.secrets import Secrets
from connector.config.settings import Loaded, Settings
from connector.config.values import host_and_port, is_loopback
from connector.intake.inbox import GroupCommit
from connector.intake.receiver import Refusals, receiver
from connector.intake.slow_client import BoundedBodies
from connector.notify.sender import Speaker
from connector.render import many
from connector.report.alarms import look_at_alarms
from connector.store import accounts, fleet, forgetting, holds, inbox, ledger, notices, tickets, users, writes
from connector.store.database import SLACK, Store, database_skew, mend_spans, shared_now
from connector.store.fleet import Failing, Node
from connector.store.forgetting import Forgotten, forget
from connector.store.holds import SetAside
from connector.store.opening import file_of
from connector.store.revision import left_behind
from connector.store.trouble import StoreTrouble
from connector.store.writes import State
from connector.work.budget import keep_spending, lane_of
from connector.work.starts import settle_starts
from policies.language.policy import PolicySet
from policies.language.references import KnownAccount
from policies.model import Instant, Seconds
from policies.policy_tests import PolicyTest
from policies.rules.assignment import lacking, waiting_levels

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from connector.console.access import Access


log = structlog.get_logger()


NEEDS_HUMAN = ("write refused", "part refused", "not taken", "account paused", "notification failed")
SHOWN = ("fired", "observed", "overtaken", "ended", "written", "notified", "held", *NEEDS_HUMAN)


SAID = {"overtaken": "overtaken (a later level was due too)"}
"""How an event is counted where its own word says too little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Counts of one run. `needs_human` are sentences; empty when all is well. Where they are nothing but looks that
    wait, for their share of requests or as the helpdesk said, `waits_until` is when the last of them may go on."""

    looks: int
    counts: dict[str, int]
    needs_human: tuple[str, ...]
    waits_until: Instant | None = None

    def lines(self) -> list[str]:
        """The summary for a person."""
        counted = (
            ", ".join(f"{count} {SAID.get(what, what)}" for what, count in self.counts.items())
            or "nothing to do"
        )
        return [
            f"{many(self.looks, 'look')}: {counted}.",
            *(f"needs a human: {text}" for text in self.needs_human),
        ]

    def as_json(self) -> dict[str, object]:
        """The same for a program."""
        return asdict(self)


def summarise(connection: Connection, before: int, looks: int, troubled: Sequence[str]) -> Summary:
    """The ledger behind the line `before`, what is of unknown fate, and what was in trouble, in sentences."""
    counts: Counter[str] = Counter()
    about: list[tuple[str, str]] = []
    for line in ledger.onward(connection, before):
        if line.what in SHOWN:
            counts[line.what] += 1
        if line.what in NEEDS_HUMAN:
            ticket = f"{line.account}/{line.ticket}" if line.ticket else line.account
            about.append((ticket, f"{line.what}: {line.text}"))
    about += [
        (str(hold.ref), f"held: {hold.why}; `uptier release` lets it go on")
        for hold in holds.every(connection)
    ]
    apart = holds.every_aside(connection)
    about += [(one.name, f"set aside: {one.why}") for one in apart]
    looks_apart = {one.name for one in apart if one.kind == holds.LOOK}
    coming = inbox.coming_timers(connection, 1000)
    waiting = [timer for timer in coming if timer.holds and str(timer.ref) not in looks_apart]
    about += [(str(timer.ref), f"not done yet, run again: {timer.why}") for timer in waiting]
    unknown = writes.everywhere(connection, State.UNKNOWN)
    about += [(str(kept.write.ref), "the fate of a write is unknown; run again") for kept in unknown]
    names = tickets.names(connection, (key for key, _ in about))
    said = [*troubled, *(f"{names[key]}: {text}" for key, text in about)]
    said += [
        f"channel {channel}: {many(count, 'notification')} could not be sent yet; uptier notify test {channel}"
        for (channel, how), count in sorted(notices.counts(connection).items())
        if how == "failing"
    ]
    until = max((timer.due for timer in waiting), default=None) if len(said) == len(waiting) else None
    return Summary(
        looks=looks, counts=dict(sorted(counts.items())), needs_human=tuple(said), waits_until=until
    )


TICK: Seconds = 1
SWEEP: Seconds = 10
LIST: Seconds = 60
ONCE_WAITS: Seconds = 10
ONCE_ROUNDS = 200
"""How often at most, so that one run ends whatever a helpdesk answers."""

UNREADY_AFTER: Seconds = 60
"""A thread or job of ours that fails for longer is said by `/readyz` with 503."""

NAMED = 50
"""How many of what is set aside `/readyz` names."""

STOP_WITHIN: Seconds = 8
SILENT: Seconds = 15
"""A scheduler that has looked for nothing that long hangs."""

PLAYED_EVERY: Seconds = 86400
"""How often the tests of the policies are played though nobody changed them."""

ALARMS_EVERY: Seconds = 60
"""How often it is seen whether an alarm is to be looked at; each says itself how often it is measured."""

TRIED_EVERY: Seconds = 3600
"""Where what came of them could not be kept, they are played again that much later."""

HANGS = "has not looked what is due for {:.0f} s; restart this process"


class Service:
    """One process of Uptier: `once`, or `start` and `stop`, inside `with`. It holds an embedded database alone, and
    does everything; on PostgreSQL it does what its roles say, beside others. `parts` is what it is made of, `metrics`
    what it counts; `config` is the file of these settings, if the console may try changes."""

    def __init__(
        self,
        settings: Settings,
        policies: PolicySet,
        clock: Clock,
        secrets: Secrets,
        roles: frozenset[Role] = ALL,
        tests: tuple[PolicyTest, ...] = (),
        speaker: Callable[[Mapping[str, str], Callable[[str], str]], Speaker] = Speaker,
        config: Path | None = None,
    ) -> None:
        self._settings = settings
        self._config = config
        self._roles = roles
        self._secret = secrets.get
        self._stack = ExitStack()
        if roles != ALL and file_of(settings.service.database) is not None:
            raise ValueError("--roles splits the work between processes, which needs PostgreSQL")
        store = self._stack.enter_context(working_on(settings, secrets))
        try:
            self.parts = compose(settings, policies, clock, secrets, store, roles, speaker)
        except BaseException:
            self._stack.close()
            raise
        self.parts.canary.take_up(tests)
        self._steps, self._stepped_back = Steps(), 0
        self._scheduler = Scheduler(
            self.parts.ailments,
            executors={"default": ThreadExecutor()},
            job_defaults={"coalesce": True, "misfire_grace_time": None},
        )
        self._inbox = GroupCommit(store, self.parts.engine, self.parts.ailments)
        parts = self.parts
        self.metrics = Metrics(
            store,
            parts.desks,
            clock.now,
            parts.skews,
            parts.ailments,
            lambda connection: parts.canary.health_of(connection, parts.rules().policies, parts.desks),
        )
        self._access: Access | None = None
        self._listener: Listener | None = None
        self._refusals = Refusals()
        self._paused: dict[str, str | None] = {}
        self._aside: tuple[SetAside, ...] = ()
        self._channels: dict[str, int] = {}
        self._said_trouble: str | None = None

    def __enter__(self) -> "Service":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def start(self) -> str:
        """Listen, look and read from now on; answers the base URL."""
        url = self._listen()
        parts = self.parts
        if "worker" in self._roles:
            self._work()
        if "poller" in self._roles:
            self._read_feeds()
        if self._roles & {"worker", "poller"}:
            self._renew()
            self._every("leases", self._renew, RENEW_EVERY)
        if "receiver" in self._roles:
            self._every("refusals", self._keep_refusals, SWEEP)
        self._every("health", self.take_pulse, TICK)
        self._every("clock", self._see_clocks, SWEEP, at_once=True)
        self._every("spending", self._keep_spending, 60)
        if parts.store.path is None:
            self._every("node", self._tell_others, SWEEP, at_once=True)
        self._every("spans", self._mend_spans, SWEEP, at_once=True)
        self._show_metrics()
        self._scheduler.start()
        log.info(
            "started",
            url=url,
            roles=sorted(self._roles),
            accounts=sorted(parts.desks),
            policies=len(parts.rules().policies.policies),
        )
        return url

    def _work(self) -> None:
        parts = self.parts
        parts.engine.sweep()
        parts.engine.run(parts.worker.work)
        self._every("tick", parts.engine.tick, TICK)
        self._every("sweep", parts.engine.sweep, SWEEP)
        self._every("starts", self._settle_starts, SWEEP)
        if parts.rescue is not None:
            self._every("rescue", parts.rescue, SWEEP)
        self._every("notify", self._notify, TICK)
        self._every("forget", self._forget, 3600)
        if self._settings.alarm:
            self._every("alarms", self._watch_alarms, ALARMS_EVERY, at_once=True)
        self._every("policy tests", self._play_tests_daily, TRIED_EVERY, at_once=True)

    def _play_tests_daily(self) -> None:
        canary = self.parts.canary
        if canary.kept_at is None or self.parts.clock.now() - canary.kept_at >= PLAYED_EVERY:
            self._play_tests()

    def _play_tests(self) -> None:
        parts = self.parts
        parts.canary.play(parts.rules().policies, self._settings.accounts, parts.store, parts.clock.now())

    def _settle_starts(self) -> bool:
        parts = self.parts
        caps = self._settings.service.caps
        return settle_starts(parts.store, parts.rules().policies, caps, parts.clock.now())

    def _mend_spans(self) -> None:
        """After a step back twice: what was under way meanwhile may still have been stamped by the time before."""
        if self._steps.since_last(SLACK) < 0:
            self._stepped_back = 2
        mend_spans(self.parts.store, self.parts.clock)
        if self._stepped_back:
            mend_spans(self.parts.store, self.parts.clock, own=True)
            self._stepped_back -= 1

    def _read_feeds(self) -> None:
        feeds = self.parts.feeds
        for desk in self.parts.desks.values():
            self._at_once(f"greet {desk.name}", partial(feeds.greet, desk))
            self._every(f"list {desk.name}", partial(feeds.list_open, desk), LIST, at_once=True)
            self._every(f"follow {desk.name}", partial(feeds.follow, desk), desk.poll, at_once=True)
            self._every(f"listen {desk.name}", partial(feeds.listen, desk), LIST)

    def _renew(self) -> None:
        """An account that this process reads from now on is read at once."""
        won = self.parts.leases.renew()
        if not self._scheduler.running or "poller" not in self._roles:
            return
        for desk in self.parts.desks.values():
            if poll_lease(desk.name) in won:
                self._at_once(f"list {desk.name}", partial(self.parts.feeds.list_open, desk))
                self._at_once(f"follow {desk.name}", partial(self.parts.feeds.follow, desk))

    def _keep_spending(self) -> None:
        parts = self.parts
        keep_spending(parts.store, parts.desks.values(), parts.clock.now(), dict(parts.worker.looked))

    def _notify(self) -> None:
        if self.parts.leases.has(NOTIFY):
            self.parts.notifier.tick()

    def _watch_alarms(self) -> None:
        parts = self.parts
        if parts.leases.has(ALARM):
            alarms = [each.alarm() for each in self._settings.alarm]
            look_at_alarms(parts.store, alarms, parts.rules(), parts.clock.now())

    def _forget(self) -> None:
        hashes = [policy.hash for policy in self.parts.rules().policies.policies]
        with self.parts.store.writing() as connection:
            forgetting.note_in_force(connection, hashes, self.parts.clock.now())
        if self.parts.leases.has(FORGET):
            self.forget()

    def stop(self) -> bool:
        """Take nothing more in, let what is under way end. False if something did not end in time; it is in
        the database and the next start goes on with it."""
        monotonic = SystemClock().monotonic
        until = monotonic() + STOP_WITHIN
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        if self._listener is not None:
            self._listener.stop(STOP_WITHIN / 2)
        kept = self._inbox.stop(max(0, until - monotonic()))
        drained = self.parts.engine.stop(max(0, until - monotonic()))
        quiet = self.parts.notifier.stop(max(0, until - monotonic()))
        self.parts.leases.give_back()
        with suppress(StoreTrouble):
            self._keep_spending()
        if self.parts.store.path is None:
            self._is_gone()
        log.info("stopped", drained=kept and drained and quiet)
        return kept and drained and quiet

    def reload(self, loaded: Loaded) -> bool:
        """Run these policies from the next look on. False, and everything stays as it is, if they have errors
        (rule 13) or the database does not keep them. Settings of the service and its accounts are read at the
        start only; channels are not."""
        problems = [str(each) for each in loaded.problems if each.severity == "error"]
        if loaded.policies is None or loaded.settings is None:
            return _refused(problems, "uptier check")
        if loaded.settings.model_copy(update={"channels": self._settings.channels}) != self._settings:
            log.warning("settings_not_reloaded", next="restart to use the new [service] and [accounts]")
        parts = self.parts
        try:
            rules = take_up(
                parts.store,
                loaded.policies,
                parts.clock.now(),
                tuple(parts.desks),
                self._settings.service.caps,
            )
        except StoreTrouble as trouble:
            return _refused([str(trouble)], "reload again once the database works")
        parts.notifier.speaker.take_up(addresses(loaded.settings))
        parts.rules.replace(rules)
        parts.canary.take_up(loaded.tests)
        if self._scheduler.running and "worker" in self._roles:
            self._at_once("policy tests after a reload", self._play_tests)
        with suppress(StoreTrouble):  # the job does it too
            parts.engine.sweep()
        log.info("reloaded", policies=len(loaded.policies.policies), hash=loaded.policies.hash)
        return True

    def idle(self, timeout: float) -> bool:
        """Whether nothing waits and nothing is under way, at the latest after `timeout` seconds."""
        return self.parts.engine.idle(timeout)

    def once(self, progress: Callable[[str], None]) -> Summary:
        """Visit every account, then work until nothing is due within ten seconds."""
        parts = self.parts
        parts.leases.renew()
        with parts.store.reading() as connection:
            before = ledger.newest_id(connection)
        troubled = []
        for desk in parts.desks.values():
            progress(f"{desk.name}: reading the directory, the open tickets and the changes")
            if not all([parts.feeds.follow(desk), parts.feeds.list_open(desk)]):
                troubled.append(f"{desk.name}: the helpdesk could not be read; see the log")
        looks = 0
        for _ in range(ONCE_ROUNDS):
            looks += parts.engine.drain(parts.worker.work)
            if self._settle_starts():
                continue
            parts.notifier.deliver()
            if parts.store.trouble is not None:
                raise StoreTrouble(parts.store.trouble)
            progress("looking at tickets")
            due = self.next_due()
            if due is None or due > parts.clock.now() + ONCE_WAITS:
                break
            parts.clock.sleep(max(due - parts.clock.now(), 0.05))
        else:
            troubled.append(f"something was always due again, {ONCE_ROUNDS} times over; see the log")
        self._keep_spending()
        troubled += [f"{one.name}: {one.why}" for one in parts.ailments.current()]
        with parts.store.reading() as connection:
            for name in parts.desks:
                if (read := accounts.read_directory(connection, name)) is not None:
                    known, policies = KnownAccount.of(read.directory), parts.rules().policies
                    set_aside = waiting_levels(
                        policies, name, known
                    )  # what is to be enforced is told as such
                    lacks = (one for one in lacking(policies, name, known) if one not in set_aside)
                    troubled += [f"{name}: {one.said}" for one in lacks]
            return summarise(connection, before, looks, troubled)

    def at_rest(self) -> bool:
        """Whether no look and no message is due within ten seconds, so that a round is over."""
        due = self.next_due()
        return due is None or due > self.parts.clock.now() + ONCE_WAITS

    def next_due(self) -> Instant | None:
        """When a look or a message is due next; None if nothing waits."""
        with self.parts.store.reading() as connection:
            paused = {one.name for one in accounts.every(connection) if one.paused_at is not None}
            coming = inbox.coming_timers(connection, 200)
            told = notices.next_due(connection)
        now = self.parts.clock.now()
        open_desks = {name: desk for name, desk in self.parts.desks.items() if name not in paused}
        looks = (
            max(timer.due, now + open_desks[timer.ref.account].budget.rests_for(lane_of(timer.urgent)))
            for timer in coming
            if timer.ref.account in open_desks
        )
        return min((*looks, *([] if told is None else [told])), default=None)

    def _listen(self) -> str:
        if "receiver" in self._roles:
            self._inbox.start()
        adapters = MappingProxyType({name: desk.adapter for name, desk in self.parts.desks.items()})
        app = receiver(
            adapters,
            self._inbox,
            self.parts.clock.now,
            lambda: self.ready()[0],
            lambda answer: self.metrics.webhooks.labels(answer).inc(),
            self._refusals,
            self._console(),
        )
        said, ailments = self._settings.service, self.parts.ailments
        self._listener = Listener("receiver", app, said.address, "listen", ailments, said.proxies)
        self._listener.start()
        return self._listener.url

    def _console(self) -> "list[BaseRoute]":
        if "console" not in self._roles:
            return []
        from connector.console.compose import access_of, console  # slow to import, and `--once` shows no page

        self._access = access_of(self._settings, self.parts)
        return console(self._settings, self.parts, self._access, self._secret, self._failing, self._config)

    def invitation(self) -> str | None:
        """The path of a link that makes the first administrator, once and within ten minutes. None where a user exists,
        where no console is, and where others than who sits at this machine might reach it: who starts the service must
        have said that nobody does."""
        said = self._settings.service
        if self._access is None or not is_loopback(said.address[0]) or said.names or said.proxies:
            return None
        word = self._access.invite()
        return None if word is None else f"/first?word={word}"

    def make_user(self, name: str, role: users.Role, password: str) -> None:
        """Somebody who may log in, as `uptier user add` makes them."""
        from connector.console.access import hasher

        with self.parts.store.writing() as connection:
            user = users.User(name=name, role=role, password=hasher.hash(password))
            users.keep(connection, user, self.parts.clock.now())

    def _see_clocks(self) -> None:
        parts = self.parts
        parts.skews.note("", database_skew(parts.store, parts.clock))

    def _failing(self) -> tuple[Failing, ...]:
        """What fails in this process, the scheduler among it, which cannot tell of itself."""
        now, silent = self.parts.clock.now(), self._scheduler.silent_for()
        found = self.parts.ailments.told(now)
        if silent <= SILENT:
            return found
        return (*found, Failing(name="scheduler", why=HANGS.format(silent), since=now - int(silent), times=1))

    def _tell_others(self) -> None:
        """Leave word of this process for those that show the fleet."""
        parts, failing = self.parts, self._failing()
        skews = parts.skews.seen()
        with parts.store.writing() as connection:
            now = shared_now(connection, parts.clock)
            roles = tuple(sorted(self._roles))
            node = Node(name=parts.name, roles=roles, at=now, failing=failing, skews=skews)
            fleet.keep(connection, node)

    def _is_gone(self) -> None:
        with suppress(StoreTrouble), self.parts.store.writing() as connection:
            fleet.forget(connection, self.parts.name)

    def ready(self) -> tuple[bool, dict[str, object]]:
        """Whether this process can do its work, and what keeps it from that. Answered in an event loop, so from
        memory."""
        paused, trouble = self._paused, self.parts.store.trouble
        writes = ("receiver" not in self._roles or self._inbox.well()) and trouble is None
        failing = self.parts.ailments.current()
        facts: dict[str, object] = {"inbox": "well" if writes else "not writing", "paused": paused}
        if trouble is not None:
            facts["database"] = clean(trouble)
        if failing:
            facts["failing"] = {one.name: one.why for one in failing}
        if self._aside:
            facts["aside"] = [f"{one.name}: {one.kind}: {one.why}" for one in self._aside[:NAMED]]
        if self._channels:
            facts["channels"] = {name: f"{many} not sent yet" for name, many in self._channels.items()}
        now = self.parts.clock.monotonic()
        lasting = [one for one in failing if now - one.since > UNREADY_AFTER]
        silent = self._scheduler.silent_for()
        if silent > SILENT:
            facts["scheduler"] = HANGS.format(silent)
        return writes and not paused and not lasting and silent <= SILENT, facts

    def take_pulse(self) -> None:
        """Know what is paused, set aside or failing, and whether a database that failed to write does so again."""
        store = self.parts.store
        if store.trouble is not None and not store.refuses:
            self._try_to_write(store)
        with store.asking() as connection:
            outgrown = left_behind(connection)
        if outgrown is not None and not store.refuses:
            self._stand_aside(outgrown)
        with store.reading() as connection:
            known = accounts.every(connection)
            self._aside = holds.every_aside(connection)
            self._channels = notices.failing(connection)
        self._paused = {one.name: one.paused_reason for one in known if one.paused_at is not None}

    def _keep_refusals(self) -> None:
        self._refusals.keep(self.parts.store, self.parts.clock.now())

    def _stand_aside(self, why: str) -> None:
        """The tables went on to where this version cannot follow: take no more work, and say so until the end."""
        store = self.parts.store
        store.refuse_writes(f"{why}; stop this process and run the new version")
        for job in self._scheduler.get_jobs():
            if job.id != "health":
                self._scheduler.remove_job(job.id)
        self.parts.engine.stop(0)
        self._said_trouble = store.trouble
        log.error("version_outgrown", reason=store.trouble, next="stop this process and run the new version")

    def _try_to_write(self, store: Store) -> None:
        """Said once when it begins and once when it is over."""
        if self._said_trouble != store.trouble:
            self._said_trouble = store.trouble
            log.error("database_in_trouble", reason=store.trouble, next="nothing is lost; webhooks get 503")
        with suppress(StoreTrouble), store.writing() as connection:
            accounts.save_cursor(connection, "", "pulse", str(self.parts.clock.now()), self.parts.clock.now())
        if store.trouble is None:
            self._said_trouble = None
            log.warning("database_works_again")

    def _every(
        self, name: str, call: Callable[[], object], seconds: Seconds, *, at_once: bool = False
    ) -> None:
        job = partial(self.parts.ailments.attempt, name, call)
        self._scheduler.add_job(job, "interval", seconds=seconds, id=name, max_instances=1)
        if at_once:
            self._at_once(name, call)

    def _at_once(self, name: str, call: Callable[[], object]) -> None:
        job = partial(self.parts.ailments.attempt, name, call)
        self._scheduler.add_job(job, id=f"{name} at once", replace_existing=True)

    def _show_metrics(self) -> None:
        address = self._settings.service.metrics
        if address is None:
            return
        numbers = make_asgi_app(self.metrics.registry)
        shown = BoundedBodies(
            Starlette(routes=[Route("/readyz", self._tell_ready), Mount("/", numbers)]), str
        )
        listener = Listener("metrics", shown, host_and_port(address), "metrics", self.parts.ailments)
        listener.start()
        self._stack.callback(listener.stop, STOP_WITHIN / 4)

    async def _tell_ready(self, _request: Request) -> Response:
        """What `/readyz` says without a word more, with all that is known."""
        well, facts = self.ready()
        return JSONResponse(facts | {"ready": well}, 200 if well else 503)

    def forget(self) -> Forgotten:
        """Forget what the retention says."""
        kept, parts = self._settings.service.retention, self.parts
        return forget(
            parts.store, parts.clock.now(), texts=kept.texts, tickets=kept.tickets, ledger=kept.ledger
        )


def _refused(problems: list[str], what_next: str) -> bool:
    log.error("reload_refused", problems=problems, next=f"{what_next}; the old policies run on")
    return False
