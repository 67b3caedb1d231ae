"""The first enforced look of a policy on an account: if more tickets are already due than a person wants escalated at
once, they are held until somebody releases them (rule 14).

What is due is known at once where the policy has observed the account before. Where it has not, a ticket that is
already due is held until enough of the others have been looked at.
"""

import shlex

import structlog
from sqlalchemy import Connection

from connector.config.settings import Caps
from connector.store import accounts, holds, ledger, notices, tickets
from connector.store.accounts import Start
from connector.store.database import Store, advisory_lock
from connector.store.holds import Hold
from connector.store.ledger import LedgerEntry
from connector.store.notices import Notice
from policies.language.policy import Policy, PolicySet
from policies.model import Instant, TicketRef
from policies.plan import Plan
from policies.rules.judgement import coming
from policies.rules.observe import could_hold

log = structlog.get_logger()

DEADLINES = frozenset({"first_reply", "next_reply", "resolution"})


def take_up_modes(
    connection: Connection, policies: PolicySet, account: str, caps: Caps, now: Instant
) -> None:
    """Remember what is enforced on the account from now on, and judge what begins by it. What is no longer enforced
    holds nothing back."""
    serving = {policy.name: policy for policy in policies.serving(account)}
    enforced = [name for name, policy in serving.items() if policies.mode(policy, account) == "enforce"]
    for name in accounts.take_up_modes(connection, account, enforced, now):
        holds.let_go(connection, account, name, now)
    judge(connection, policies, account, caps, now)


def judge(
    connection: Connection,
    policies: PolicySet,
    account: str,
    caps: Caps,
    now: Instant,
    besides: TicketRef | None = None,
) -> None:
    """Say of each start that is not decided yet whether too many tickets were due, if that is known by now. `besides`
    those that are known to have been, so was the ticket that is looked at."""
    by_name = {policy.name: policy for policy in policies.serving(account)}
    for start in accounts.starts(connection, account, "counting"):
        policy, most = by_name.get(start.policy), caps.due_at_start
        if policy is None or policy.backlog == "skip":
            found, known = 0, True
        else:
            found = accounts.due_at_start(connection, start, now, besides)
            known = found <= most and has_seen_all(connection, policy, start, most - found, now, besides)
        if found > most:
            hold_back(connection, policies, start, found, most, now)
        elif known:
            accounts.set_stage(connection, account, start.policy, "running")
            holds.let_go(connection, account, start.policy, now)


def has_seen_all(
    connection: Connection, policy: Policy, start: Start, room: int, now: Instant, besides: TicketRef | None
) -> bool:
    """Whether no more than `room` tickets that nobody has looked at yet may be due. Where the list of open tickets is
    refused to us, these are all that are known: nothing would ever tell more."""
    known = accounts.get(connection, start.account)
    if known is None:
        return False
    if known.census_at is None and holds.aside_of(connection, start.account, "", holds.OPEN_TICKETS) is None:
        return False
    least = 0 if policy.clock in DEADLINES else min(level.after or 0 for level in policy.levels)
    possible = 0
    for row in tickets.not_looked_at(connection, start.account, start.policy, besides):
        if row is None or (row.created + least <= now and could_hold(policy, row)):
            possible += 1
            if possible > room:
                return False
    return True


def hold_back(
    connection: Connection, policies: PolicySet, start: Start, found: int, most: int, now: Instant
) -> None:
    """Hold all that was due, and say so at once: in the ledger, in the log, and on every channel of the policy, or on
    all where it has none."""
    accounts.set_stage(connection, start.account, start.policy, "held", now)
    command = release_command(start.account, start.policy)
    text = (
        f'{found} tickets on {start.account} were already due when policy "{start.policy}" was first enforced there, '
        f"more than {most}: nothing is written to them until somebody says {command}"
    )
    line = LedgerEntry(at=now, account=start.account, ticket="", policy=start.policy, what="held", text=text)
    ledger.append(connection, [line])
    log.error("held", account=start.account, policy=start.policy, due=found, next=command)
    own = (each for each in policies.policies if each.name == start.policy)
    spoken = {channel for policy in own for level in policy.levels for channel in level.channels}
    answers = f" {policies.default_owner} answers for it." if policies.default_owner else ""
    for channel in sorted(spoken or policies.channels):
        notice = Notice(
            key=f"{start.account}:{start.policy}:start:{now}:notify:{channel}",
            channel=channel,
            ref=TicketRef(start.account, ""),
            episodes=frozenset(),
            policy=start.policy,
            level="",
            title=f'{found} tickets are held: policy "{start.policy}" on {start.account}',
            body=f"{text}. `uptier due` lists them.{answers}",
        )
        notices.plan(connection, notice, now)


def release_command(account: str, policy: str) -> str:
    """What ends such a hold."""
    return f"uptier release {account} --policy {shlex.quote(policy)}"


def in_the_way(
    connection: Connection, plan: Plan, policies: PolicySet, caps: Caps, now: Instant
) -> Hold | None:
    """The hold on a ticket that was due already at the start of a policy that acts on it now. A
    release of the ticket or its account ends it for the ticket."""
    ref = plan.ref
    mine = backlog(connection, plan)
    released = max(ledger.last_released(connection, ref)) if mine else 0
    mine = tuple(one for one in mine if one.enforced > released or one.stage == "counting")
    if not mine:
        return None
    if any(one.stage == "counting" for one in mine):
        judge(connection, policies, ref.account, caps, now, besides=ref)
    still = {one.policy for one in accounts.starts(connection, ref.account, "counting", "held")}
    name = next((one.policy for one in mine if one.policy in still), None)
    if name is None:
        return None
    why = f'it was due already when policy "{name}" was first enforced: {release_command(ref.account, name)}'
    return Hold(ref=ref, scope="start", why=why, since=now, policy=name)


def backlog(connection: Connection, plan: Plan) -> tuple[Start, ...]:
    """The starts, not over yet, by which this plan would do what was due before them."""
    starts = accounts.starts(connection, plan.ref.account, "counting", "held")
    if not starts:
        return ()
    ahead, running = coming(plan, held=True), {one.policy: one.running for one in plan.standings}
    acting = {
        name: ahead[name].due
        for name, one in running.items()
        if one is not None
        and name in ahead
        and ((one.under_way is not None and one.under_way.at == plan.now) or one.asking is not None)
    }
    return tuple(
        one
        for one in starts
        if one.policy in acting and (one.stage == "counting" or acting[one.policy] <= one.enforced)
    )


def settle_starts(store: Store, policies: PolicySet, caps: Caps, now: Instant) -> bool:
    """Decide the starts of which all is known by now; True if any was."""
    with store.reading() as connection:
        before = accounts.starts(connection, None, "counting")
    for account in sorted({one.account for one in before}):
        with store.writing() as connection:
            advisory_lock(connection, f"decisions {account}")
            judge(connection, policies, account, caps, now)
    if not before:
        return False
    with store.reading() as connection:
        return accounts.starts(connection, None, "counting") != before
