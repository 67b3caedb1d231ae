"""Secrets come from four places, in a fixed order, and never from plain-text keyrings."""

from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring
from keyring.backends.null import Keyring as NullKeyring
from keyring.errors import KeyringLocked

from connector.config.secrets import Found, SecretError, Secrets, secret_name
from connector.logs import Masker


class MemoryKeyring(KeyringBackend):
    """A keyring that lives as long as the test. Its priority keeps it from being chosen by itself."""

    priority = -1.0

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password


class LockedKeyring(MemoryKeyring):
    """A keyring nobody has unlocked."""

    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked(f"{service}/{username} is locked")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise KeyringLocked(f"{service}/{username} is locked against {len(password)} characters")


class PlaintextKeyring(MemoryKeyring):
    """Stands for the one of keyrings.alt."""


@pytest.fixture(autouse=True)
def vault() -> Iterator[MemoryKeyring]:
    """The keyring of this test; the machine's own is never touched."""
    before, memory = keyring.get_keyring(), MemoryKeyring()
    keyring.set_keyring(memory)
    yield memory
    keyring.set_keyring(before)


def secrets(**environ: str) -> Secrets:
    return Secrets(Masker(), environ)


def test_without_variables_the_keyring_is_asked(vault: MemoryKeyring) -> None:
    vault.kept["uptier", "acme-token"] = "from the keyring"
    found = secrets()
    assert found.get("secret:acme-token") == "from the keyring"
    assert found.source("secret:acme-token") == 'keyring, service "uptier"'


def test_the_first_of_four_places_wins(tmp_path: Path, vault: MemoryKeyring) -> None:
    vault.kept["uptier", "acme-token"] = "4"
    for name, text in (("named", "2\n"), ("acme-token", "3\r\n")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    places = {
        "UPTIER_SECRET_ACME_TOKEN": "1",
        "UPTIER_SECRET_ACME_TOKEN_FILE": str(tmp_path / "named"),
        "CREDENTIALS_DIRECTORY": str(tmp_path),
    }
    seen = []
    for place in (*places, "keyring"):
        seen.append(secrets(**places).get("secret:acme-token"))
        places.pop(place, None)
    assert seen == ["1", "2", "3", "4"]


def test_the_source_names_the_place_and_not_the_value(tmp_path: Path) -> None:
    assert secrets(UPTIER_SECRET_A_B="v").source("secret:a-b") == "environment variable UPTIER_SECRET_A_B"
    (tmp_path / "a").write_text("v")
    (tmp_path / "a").chmod(0o600)
    assert secrets(CREDENTIALS_DIRECTORY=str(tmp_path)).source("secret:a") == (
        f"file {tmp_path / 'a'} (CREDENTIALS_DIRECTORY)"
    )
    assert "hidden" not in repr(Found("hidden", "somewhere"))


def test_where_no_keyring_is_it_is_not_among_what_to_use() -> None:
    keyring.set_keyring(NoKeyring())
    with pytest.raises(SecretError) as none:
        secrets().store("a", "v")
    assert "CREDENTIALS_DIRECTORY" in str(none.value)
    assert "4. the keyring" not in str(none.value)


def test_only_one_newline_is_taken_off_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("two lines\n\n")
    (tmp_path / "a").chmod(0o600)
    assert secrets(CREDENTIALS_DIRECTORY=str(tmp_path)).get("secret:a") == "two lines\n"


@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o400, False), (0o640, True), (0o604, True)])
def test_a_file_others_may_read_is_warned_of(
    tmp_path: Path, mode: int, warned: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a").write_text("value-of-a")
    (tmp_path / "a").chmod(mode)
    assert secrets(CREDENTIALS_DIRECTORY=str(tmp_path)).get("secret:a") == "value-of-a"
    said = capsys.readouterr().out
    assert ("secret_file_open" in said) is warned
    assert "value-of-a" not in said


def test_a_secret_that_is_nowhere_lists_all_four_ways() -> None:
    with pytest.raises(SecretError) as error:
        secrets().get("secret:acme-token")
    text = str(error.value)
    places = [
        "UPTIER_SECRET_ACME_TOKEN\n",
        "UPTIER_SECRET_ACME_TOKEN_FILE",
        "$CREDENTIALS_DIRECTORY",
        "keyring",
    ]
    assert [text.index(place) for place in places] == sorted(text.index(place) for place in places)
    assert "uptier secret set acme-token" in text


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff\xfe"])
def test_a_named_file_that_cannot_be_used_is_said_so(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SecretError, match="UPTIER_SECRET_A_FILE"):
        secrets(UPTIER_SECRET_A_FILE=str(path)).get("secret:a")


@pytest.mark.parametrize(
    ("backend", "why"),
    [
        (NoKeyring(), "no keyring"),
        (NullKeyring(), "keeps nothing"),
        (PlaintextKeyring(), "plain text"),
        (LockedKeyring(), "locked"),
    ],
)
def test_a_keyring_that_does_not_guard_secrets_is_not_used(backend: KeyringBackend, why: str) -> None:
    if isinstance(backend, MemoryKeyring):
        backend.kept["uptier", "a"] = "unguarded"
    keyring.set_keyring(backend)
    with pytest.raises(SecretError, match=why):
        secrets().get("secret:a")
    with pytest.raises(SecretError, match=why):
        secrets().store("a", "value")


def test_a_stored_secret_replaces_the_one_read_before(vault: MemoryKeyring) -> None:
    vault.kept["uptier", "a"] = "old"
    known = secrets()
    assert known.get("secret:a") == "old"
    known.store("a", "new")
    assert vault.kept == {("uptier", "a"): "new"}
    assert known.get("secret:a") == "new"


def test_every_secret_read_or_stored_is_masked_from_then_on() -> None:
    masker = Masker()
    known = Secrets(masker, {"UPTIER_SECRET_A": "read-value"})
    known.get("secret:a")
    known.store("b", "stored-value")
    assert masker.mask("read-value, stored-value") == "***, ***"


@pytest.mark.parametrize("ref", ["plain-value", "secret:", "secret:../etc/passwd", "secret:a b", "SECRET:a"])
def test_what_is_no_reference_is_refused_without_showing_it(ref: str) -> None:
    with pytest.raises(ValueError, match="secret:NAME") as error:
        secret_name(ref)
    assert ref not in str(error.value).replace("secret:NAME", "")
