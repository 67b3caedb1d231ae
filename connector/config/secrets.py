"""Where secrets come from. A config file holds only references, `"secret:NAME"`; the value is looked for in

1. the environment variable `UPTIER_SECRET_NAME`,
2. the file that `UPTIER_SECRET_NAME_FILE` names (Docker and Kubernetes secrets),
3. the file NAME in `$CREDENTIALS_DIRECTORY` (systemd `LoadCredential=`),
4. the keyring of the operating system, service `uptier`,

and the first hit wins. In variables the name is in capitals with `_` for `-`."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from connector.logs import Masker

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend


log = structlog.get_logger()


PREFIX = "secret:"
SERVICE = "uptier"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
OTHERS_MAY_READ = 0o044
REFUSED_BACKENDS = {
    "keyrings.alt": "it keeps secrets in plain text or asks for a passphrase",
    "keyring.backends.null": "it keeps nothing",
    "keyring.backends.fail": "this machine has no keyring",
}

WEBHOOK_LEAST = 16
"""Characters of what signs webhooks. With one webhook at hand, a shorter secret can be tried out."""


class SecretError(Exception):
    """A secret cannot be read or kept; the text names the places and the next step, never a value."""


@dataclass(frozen=True, slots=True)
class Found:
    """A secret and where it was found. Its value does not show when it is printed."""

    value: str
    source: str

    def __repr__(self) -> str:
        return f"Found(source={self.source!r})"


def secret_name(ref: str) -> str:
    """The NAME in `"secret:NAME"`. ValueError, without the text itself, if it is not a reference."""
    name = ref.removeprefix(PREFIX)
    if name == ref or not NAME.fullmatch(name):
        raise ValueError('a secret is written "secret:NAME", NAME from letters, digits, - and _')
    return name


class Secrets:
    """Resolves references, keeps what it resolved, and tells the log masker. Any thread may ask."""

    def __init__(self, masker: Masker, environ: Mapping[str, str]) -> None:
        self._masker = masker
        self._environ = environ
        self._found: dict[str, Found] = {}

    def get(self, ref: str) -> str:
        """The value behind `"secret:NAME"`. Raises SecretError with all four ways if there is none."""
        return self._resolve(ref).value

    def source(self, ref: str) -> str:
        """Where the value is, in words, for `doctor` and logs. Raises SecretError like `get`."""
        return self._resolve(ref).source

    def file_of(self, ref: str) -> Path | None:
        """The file that a variable, or the directory of credentials, names for it; None where a variable holds the
        value itself, or no file is named."""
        name = secret_name(ref)
        if self._environ.get(variable_of(name)):
            return None
        return next((path for path, _ in self._files(name)), None)

    def at_hand(self, ref: str) -> str | None:
        """The value if a variable or a file holds it; no keyring is opened for it."""
        name = secret_name(ref)
        if value := self._environ.get(variable_of(name)):
            return value
        for path, _ in self._files(name):
            with suppress(OSError, UnicodeDecodeError):  # a start says what is wrong with it
                return _bare(path.read_text(encoding="utf-8"))
        return None

    def cannot_keep(self) -> str | None:
        """Why this machine has no keyring that may be used; None if it has one."""
        usable, why = _backends()
        return None if usable else why

    def store(self, name: str, value: str) -> None:
        """Keep a secret in the keyring. Raises SecretError where this machine has none that may be used."""
        from keyring.errors import KeyringError

        secret_name(PREFIX + name)
        self._masker.add(value)
        usable, why = _backends()
        if not usable:
            raise SecretError(
                f"cannot keep secret {name}: {why}.\nUse a variable or a file:\n{_ways(name, keyring=False)}"
            )
        try:
            usable[0].set_password(SERVICE, name, value)
        except KeyringError as error:
            raise SecretError(f"the keyring did not keep secret {name}: {error}; is it unlocked?") from error
        self._found.pop(name, None)

    def remove(self, name: str) -> None:
        """Take a secret out of the keyring; nothing happens where it is not there or the keyring is locked."""
        from keyring.errors import KeyringError

        for backend in _backends()[0]:
            with suppress(KeyringError):
                backend.delete_password(SERVICE, name)
        self._found.pop(name, None)

    def _resolve(self, ref: str) -> Found:
        name = secret_name(ref)
        if name not in self._found:
            found = self._look(name)
            self._masker.add(found.value)
            self._found[name] = found
        return self._found[name]

    def _look(self, name: str) -> Found:
        variable = variable_of(name)
        if value := self._environ.get(variable):
            return Found(value, f"environment variable {variable}")
        for path, why in self._files(name):
            return Found(_read(path, why), f"file {path} ({why})")
        value, why = _from_keyring(name)
        if value:
            return Found(value, f'keyring, service "{SERVICE}"')
        usable, _ = _backends()
        way = (
            f"uptier secret set {name}" if usable else f"put it into a file and name that in {variable}_FILE"
        )
        raise SecretError(
            f"there is no secret {name}. Looked in these places, in this order:\n{_ways(name)}\n"
            f"The keyring said: {why}. Fill one of them, for example: {way}"
        )

    def _files(self, name: str) -> Iterator[tuple[Path, str]]:
        variable = f"{variable_of(name)}_FILE"
        if named := self._environ.get(variable):
            yield Path(named), variable
        if directory := self._environ.get("CREDENTIALS_DIRECTORY"):
            credential = Path(directory) / name
            if credential.exists():
                yield credential, "CREDENTIALS_DIRECTORY"


def too_short(value: str) -> str | None:
    """Why this may not sign webhooks; None if it may."""
    if len(value) >= WEBHOOK_LEAST:
        return None
    return (
        f"a webhook secret has {WEBHOOK_LEAST} characters or more, this one has fewer; make another, such as "
        "`openssl rand -hex 32`, and put it in at both ends"
    )


def variable_of(name: str) -> str:
    """The environment variable that may hold the secret of this name; with `_FILE`, the one that may name its file."""
    return f"UPTIER_SECRET_{name.upper().replace('-', '_')}"


def _ways(name: str, *, keyring: bool = True) -> str:
    variable = variable_of(name)
    return (
        f"  1. environment variable {variable}\n"
        f"  2. the file named by environment variable {variable}_FILE\n"
        f"  3. the file {name} in $CREDENTIALS_DIRECTORY (systemd)"
        + (f'\n  4. the keyring, service "{SERVICE}", user "{name}"' if keyring else "")
    )


def _read(path: Path, why: str) -> str:
    try:
        text = path.read_text(encoding="utf-8")
        open_to_others = path.stat().st_mode & OTHERS_MAY_READ
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise SecretError(
            f"cannot read the secret file {path} ({why}): {reason}; write the secret there, or correct what names it"
        ) from None
    if open_to_others:
        log.warning("secret_file_open", file=str(path), next_step=f"chmod 600 {path}")
    value = _bare(text)
    if not value:
        raise SecretError(f"the secret file {path} ({why}) is empty")
    return value


def _bare(text: str) -> str:
    """What a file holds, without the end of its line."""
    return text.removesuffix("\n").removesuffix("\r")


def _from_keyring(name: str) -> tuple[str | None, str]:
    """The value, or none and why."""
    from keyring.errors import KeyringError

    usable, why = _backends()
    for backend in usable:
        try:
            value = backend.get_password(SERVICE, name)
        except KeyringError as error:
            why = str(error) or "it is locked"
            continue
        if value:
            return value, ""
        why = "it does not hold this name"
    return None, why


def _backends() -> tuple[tuple["KeyringBackend", ...], str]:
    """The keyrings that may be used, best first, and why the others may not."""
    import keyring  # here, because it takes 130 ms and most deployments use variables or files
    from keyring.backends.chainer import ChainerBackend

    chosen = keyring.get_keyring()
    members = tuple(chosen.backends) if isinstance(chosen, ChainerBackend) else (chosen,)
    refused = {member: reason for member in members if (reason := _refusal(type(member)))}
    usable = tuple(member for member in members if member not in refused)
    named = (
        f"{type(m).__module__}.{type(m).__name__} is not used, because {why}" for m, why in refused.items()
    )
    return usable, "; ".join(named)


def _refusal(backend: type) -> str | None:
    if "plaintext" in backend.__name__.lower():
        return REFUSED_BACKENDS["keyrings.alt"]
    home = f"{backend.__module__}."
    return next((why for module, why in REFUSED_BACKENDS.items() if home.startswith(f"{module}.")), None)
