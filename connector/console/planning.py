"""The plan that the console shows: made in a thread, kept in memory until the next one is asked for."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import structlog

from connector.app.applying import Applied, outcome
from connector.console.commands import Refused
from connector.store.database import Store
from connector.work.plans import ManyPlan, give, refusal
from policies.model import Instant

Progress = Callable[[str], None]
Make = Callable[[str | None, str | None, Progress], ManyPlan]
"""Makes a plan of a policy, or of all, on an account, or on all."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What there is to see: how far the making is, empty if none is under way; the last plan; what became of its lines,
    where they were ordered; why it cannot be applied; and what went wrong."""

    progress: str = ""
    plan: ManyPlan | None = None
    applied: Applied | None = None
    refused: str = ""
    trouble: str = ""


class Planning:
    """One plan at a time for the whole process. Any thread may use it."""

    def __init__(
        self, store: Store, accounts: tuple[str, ...], now: Callable[[], Instant], make: Make
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._now = now
        self._make = make
        self._lock = threading.Lock()
        self._shown = Shown()
        self._ordered = ""

    def begin(self, policy: str | None, account: str | None) -> None:
        """Make a plan, in place of the one there is. Raises Refused while another is being made."""
        with self._lock:
            if self._shown.progress:
                raise Refused("a plan is being made; wait until it is there")
            self._shown = Shown(progress="begins")
        threading.Thread(target=self._work, args=(policy, account), name="plan", daemon=True).start()

    def apply(self, asked: str, who: str) -> None:
        """Have the service do what the plan with this hash says. Raises Refused."""
        plan = self._shown.plan
        if plan is None or plan.hash != asked:
            raise Refused("another plan was made meanwhile; look at that one")
        if (why := refusal(plan, self._accounts, self._now())) is not None:
            raise Refused(f"the plan is not applied: {why}")
        with self._store.writing() as connection:
            give(connection, plan, who, self._now())
        self._ordered = plan.hash

    def shown(self) -> Shown:
        """What there is to see now."""
        shown = self._shown
        if shown.plan is None:
            return shown
        return replace(
            shown,
            refused=refusal(shown.plan, self._accounts, self._now()) or "",
            applied=outcome(self._store, shown.plan) if self._ordered == shown.plan.hash else None,
        )

    def _work(self, policy: str | None, account: str | None) -> None:
        def progress(text: str) -> None:
            self._shown = Shown(progress=text)

        try:
            made = Shown(plan=self._make(policy, account, progress))
        except Exception as error:  # the edge of the thread: whoever looks at the page has to be told
            log.exception("plan_failed")
            made = Shown(trouble=f"{type(error).__name__}: {error}")
        self._shown = made


def asked_for(
    said: Mapping[str, str], policies: tuple[str, ...], accounts: tuple[str, ...]
) -> tuple[str | None, str | None]:
    """The policy and the account that a form names; None for all. Raises Refused for one that is not there."""
    policy, account = said.get("policy") or None, said.get("account") or None
    if policy is not None and policy not in policies:
        raise Refused(f'there is no policy "{policy}"')
    if account is not None and account not in accounts:
        raise Refused(f"there is no account {account}")
    return policy, account
