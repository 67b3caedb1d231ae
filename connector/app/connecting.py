"""How an account's helpdesk is made to tell us of changes, and no longer: what `uptier connect` and `disconnect` do.

What is made is kept by a name of its own before it is made, and by its id once the helpdesk told that. So a call that
was killed leaves nothing that the next one would make twice, and nothing is ever removed that was not made here.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from adapters.base import Adapter, Hook, Hooks, MakesHooks, TellsHookSetUp
from connector.app.compose import open_desk
from connector.clock import Clock
from connector.config.secrets import PREFIX, SecretError, Secrets, secret_name, variable_of
from connector.config.settings import Settings
from connector.intake.receiver import KIND
from connector.render import away
from connector.store import holds, inbox
from connector.store import hooks as kept
from connector.store.database import Store
from connector.store.hooks import MadeHook
from connector.work.budget import Desk
from connector.work.context import Read
from policies.model import Instant, Seconds, spell

LOOKS_EVERY: Seconds = 1
SAYS_EVERY: Seconds = 10
AFTER_REFUSAL: Seconds = 10
"""How long a good webhook is waited for once one was refused."""

OTHERS_MAY_READ = 0o077


class CannotConnect(Exception):
    """What stands in the way of it, and the next step."""


def address_of(settings: Settings, account: str) -> str:
    """Where the helpdesk is to post to. Raises CannotConnect where no outside address is named."""
    if settings.service.outside is None:
        raise CannotConnect(
            "the helpdesk posts to an address that it can reach, and the config names none: write "
            'outside = "https://YOUR-UPTIER-HOST" under [service]'
        )
    return f"{settings.service.outside.rstrip('/')}/hooks/{account}"


def desk_of(settings: Settings, account: str, clock: Clock, secrets: Secrets) -> Desk:
    """The account for a command of its own. It needs no webhook secret yet: that may be what is to be fetched."""
    bare = settings.accounts[account].model_copy(update={"webhook": {}})
    without = settings.model_copy(update={"accounts": {**settings.accounts, account: bare}})
    return open_desk(account, without, clock, secrets)


def hooks_of(adapter: Adapter) -> Hooks | None:
    """The account's webhooks, where a program may make them."""
    return adapter.hooks if isinstance(adapter, MakesHooks) else None


def set_up_of(adapter: Adapter, address: str, webhook: Mapping[str, str]) -> str:
    """What a person clicks and pastes. Raises CannotConnect where the adapter does not know."""
    if not isinstance(adapter, TellsHookSetUp):
        raise CannotConnect(
            f"the adapter {adapter.name} can set no webhook up and does not say how; its own documentation does. "
            f"Webhooks go to {address}"
        )
    return adapter.hook_set_up(address, webhook)


@dataclass(frozen=True, slots=True, kw_only=True)
class HookPlan:
    """What is to be done at the helpdesk: keep `stands`, which posts to `address` already (`ours` says whether it was
    made here), else make one of the name `makes`; and remove what was made here and is of no use."""

    account: str
    address: str
    stands: Hook | None
    ours: bool
    makes: str
    removes: tuple[Hook, ...]

    def lines(self, posts: str) -> list[str]:
        """In words; `posts` is what a webhook posts."""
        said = [
            f'remove the webhook "{hook.name}" ({hook.id}), which uptier made: {self._why(hook)}'
            for hook in self.removes
        ]
        if self.stands is None:
            return [*said, f'make the webhook "{self.makes}", which posts {posts} to {self.address}']
        whose = "uptier made it" if self.ours else "uptier did not make it and will not change it"
        return [
            *said,
            f'keep the webhook "{self.stands.name}" ({self.stands.id}), which posts there already; {whose}',
        ]

    def _why(self, hook: Hook) -> str:
        if hook.address != self.address:
            return f"it posts to {hook.address}"
        return "it is switched off" if not hook.active else "there is another one"


def plan(store: Store, hooks: Hooks, account: str, address: str, read: Read) -> HookPlan:
    """What is to be done, after a look at what stands there. What an earlier call left half made is known by its name
    from now on. Raises HelpdeskError."""
    there = read(hooks.listed)
    with store.writing() as connection:
        known = kept.every(connection, account)
        mine = {one.name: one for one in known}
        ids = {one.vendor_id for one in known}
        ours = tuple(hook for hook in there if hook.id in ids or hook.name in mine)
        for one in known:
            found = next((hook.id for hook in ours if one.name == hook.name), None)
            if one.vendor_id is None and found is not None:
                kept.made(connection, account, one.name, found)
            elif one.vendor_id is not None and one.vendor_id not in {hook.id for hook in ours}:
                kept.forget(connection, account, one.name)
    stands = next((hook for hook in ours if hook.address == address and hook.active), None)
    strange = next(
        (hook for hook in there if hook not in ours and hook.address == address and hook.active), None
    )
    begun = (one.name for one in known if one.vendor_id is None and one.address == address)
    begun_name = next((name for name in begun if name not in {hook.name for hook in ours}), None)
    return HookPlan(
        account=account,
        address=address,
        stands=stands or strange,
        ours=stands is not None,
        makes=begun_name or f"Uptier {account} {token_hex(4)}",
        removes=tuple(hook for hook in ours if hook != stands),
    )


def carry_out(store: Store, hooks: Hooks, todo: HookPlan, now: Instant) -> Hook:
    """Do it, and answer the webhook that posts to our address then. Raises HelpdeskError; called again after that it
    goes on."""
    hook = todo.stands
    if hook is None:
        with store.writing() as connection:
            known = {one.name for one in kept.every(connection, todo.account)}
            if todo.makes not in known:
                kept.intend(connection, todo.account, todo.makes, todo.address, now)
        hook = hooks.make(todo.makes, todo.address)
        with store.writing() as connection:
            kept.made(connection, todo.account, todo.makes, hook.id)
    for old in todo.removes:
        remove(store, hooks, todo.account, old)
    return hook


def remove(store: Store, hooks: Hooks, account: str, hook: Hook) -> None:
    """Remove a webhook that was made here, by its id. Raises HelpdeskError."""
    hooks.remove(hook.id)
    with store.writing() as connection:
        for one in kept.every(connection, account):
            if one.vendor_id == hook.id:
                kept.forget(connection, account, one.name)


def made_here(store: Store, hooks: Hooks, account: str, read: Read) -> tuple[Hook, ...]:
    """The webhooks at the helpdesk that were made here. Raises HelpdeskError."""
    with store.reading() as connection:
        known = kept.every(connection, account)
    if not known:
        return ()
    return tuple(
        hook
        for hook in read(hooks.listed)
        if hook.id in {one.vendor_id for one in known} or hook.name in {one.name for one in known}
    )


def forget_all(store: Store, account: str) -> None:
    """Nothing that was made here is left at the helpdesk."""
    with store.writing() as connection:
        for one in kept.every(connection, account):
            kept.forget(connection, account, one.name)


def all_kept(store: Store, account: str) -> tuple[MadeHook, ...]:
    """What is known to have been made here, or to be about to."""
    with store.reading() as connection:
        return kept.every(connection, account)


def reference_of(settings: Settings, account: str) -> str:
    """The secret by which the account's webhooks are known, as the config calls it or would call it."""
    said = settings.accounts[account].webhook_secrets
    return next(iter(said.values()), f"{PREFIX}{account}-webhook")


def keep_secret(secrets: Secrets, ref: str, value: str, file: Path | None) -> str:
    """Keep what the helpdesk signs with in the keyring, or in this file; where it is then, in words. Raises SecretError
    or CannotConnect."""
    name = secret_name(ref)
    if file is None:
        secrets.store(name, value)
        return "kept in the keyring"
    write_secret(file, value)
    return f"kept in {file}; {variable_of(name)}_FILE must name that file where `uptier run` runs"


def unkept(secrets: Secrets, webhook: Mapping[str, str]) -> list[str]:
    """What is to be done about the secrets that this table names and that are not kept anywhere yet."""
    said = []
    for ref in webhook.values():
        if not ref.startswith(PREFIX):
            continue
        try:
            secrets.get(ref)
        except SecretError:
            name = secret_name(ref)
            made = f"{ref} is not kept yet. Make a long one, such as `openssl rand -hex 32`, keep it with"
            ways = f"`uptier secret set {name}` or in a file that {variable_of(name)}_FILE names, and start"
            said += ["", f"{made} {ways} `uptier run` anew."]
    return said


def shadowed(secrets: Secrets, ref: str, value: str) -> str | None:
    """Where another value is found under this name before the one that was kept."""
    other = secrets.at_hand(ref)
    if other is None or other == value:
        return None
    return f"{secrets.source(ref)} holds another value for {ref} and is looked at first; change it there"


def write_secret(file: Path, value: str) -> None:
    """Write a file that its owner alone may read, whole or not at all. One that holds this already is left, one that
    holds anything else is refused: CannotConnect."""
    try:
        if file.exists():
            if file.read_text(encoding="utf-8").removesuffix("\n") != value:
                raise CannotConnect(
                    f"{file} is there and holds something else; name another file, or remove that one"
                )
            if file.stat().st_mode & OTHERS_MAY_READ:
                file.chmod(0o600)
            return
        beside = file.with_name(f".{file.name}.{token_hex(4)}")
        try:
            with os.fdopen(
                os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
            ) as out:
                out.write(f"{value}\n")
                out.flush()
                os.fsync(out.fileno())
            beside.rename(file)
        except OSError:
            with suppress(OSError):
                beside.unlink()
            raise
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it holds no text"
        raise CannotConnect(f"{file} cannot be written: {why}") from error


def tested(status: int | None, address: str) -> tuple[bool, str]:
    """Whether the helpdesk's own test came through, and in words what that says."""
    if status is None:
        return (
            False,
            f"its test got no answer from {address}; see whether that address leads here from outside",
        )
    if 200 <= status < 300:
        return True, "its test arrived, and the signature is the right one"
    if status == 401:
        return False, (
            "its test arrived, and the signature was refused: the running service does not know this secret yet. "
            "Start it anew and connect again"
        )
    return False, (
        f"its test was answered with {status} by {address}; does `uptier run` run, and does the proxy lead /hooks/ to "
        "its `listen`?"
    )


def lacks(settings: Settings, account: str, secrets: Secrets) -> list[str]:
    """What has to be done before a webhook is taken in, each with its step: nobody pastes anything in vain."""
    said, ref = [], reference_of(settings, account)
    if settings.service.outside is None:
        said.append(
            'write outside = "https://YOUR-UPTIER-HOST" under [service]: the address that the helpdesk reaches'
        )
    if not settings.accounts[account].webhook_secrets:
        said.append(f'write webhook = {{ secret = "{ref}" }} under [accounts.{account}]')
    told = settings.accounts[account].webhook or {"secret": ref}
    return said + [line for line in unkept(secrets, told) if line]


def make_secret(secrets: Secrets, ref: str, file: Path) -> str:
    """Make the secret that a person pastes in, and keep it in this new file; where it is then, in words. Raises
    CannotConnect where one is kept already: two would be one too many."""
    if secrets.at_hand(ref) is None:
        return f"the secret to paste in is made and {keep_secret(secrets, ref, token_hex(32), file)}"
    if secrets.file_of(ref) == file.absolute():
        return f"the secret to paste in is the one in {file}"
    raise CannotConnect(
        f"{secrets.source(ref)} holds a value for {ref} already, so {file} was not made; leave --secret-file out and "
        "paste that one in"
    )


def last_taken(store: Store, account: str, now: Instant) -> str | None:
    """When a webhook was last taken in, in words; None where none ever was."""
    with store.reading() as connection:
        last = inbox.last_webhook(connection, account)
    return None if last is None else taken_words(last, now)


def taken_words(at: Instant, now: Instant) -> str:
    """That a webhook was taken in then."""
    return "a webhook came and was taken" + (f", {spell(now - at)} ago" if now > at else " just now")


def await_webhook(
    store: Store, account: str, clock: Clock, patience: Seconds, progress: Callable[[Seconds], None]
) -> tuple[bool, str]:
    """Whether a webhook of the account is taken in within so many seconds, and what is known if none is. `progress`
    hears now and then how many seconds are left. After a refused one there is a little time for a good one."""
    began, until = clock.now(), clock.monotonic() + patience
    says, refusal = clock.monotonic(), ""
    while True:
        with store.reading() as connection:
            last = inbox.last_webhook(connection, account)
            refused = holds.aside_of(connection, account, "", KIND)
        if last is not None and last >= began:
            return True, taken_words(last, clock.now())
        if refused is not None and refused.tried_at >= began:
            if not refusal:
                until = min(until, clock.monotonic() + AFTER_REFUSAL)
            refusal = f"a webhook came and was refused: {refused.why}"
        left = until - clock.monotonic()
        if left <= 0:
            before = f"; the last one was taken {away(last, clock.now())}" if last is not None else ""
            return False, refusal or (
                f"no webhook came{before}; what changes is found by polling meanwhile. Where its secret was set or "
                "changed since `uptier run` started, restart that: it reads secrets at its start only"
            )
        if clock.monotonic() >= says:
            progress(int(left))
            says += SAYS_EVERY
        clock.sleep(min(LOOKS_EVERY, left))
