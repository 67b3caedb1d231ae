"""A change of a policy, tried against the newest archive before it is written: what would have fired otherwise.

It is `uptier backtest --against`, in a process of its own that gives way to others, one at a time. It ends when nobody
looks at it any more. Nothing is written but its two files of policies, which go with it.
"""

import atexit
import json
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import DEVNULL, Popen
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

import structlog
import tomlkit
from tomlkit.exceptions import TOMLKitError

from connector.config.settings import policies_of
from connector.console.commands import Refused
from connector.store import archive
from connector.store.database import Store
from connector.store.trouble import StoreTrouble
from policies.language.policy import PolicySet
from policies.model import Instant, Seconds

UNSEEN: Seconds = 20
"""So long after the last look at its page a trial ends."""
LOOK_EVERY = 0.2
NICE = 10
SHOWN = 50
"""So many tickets of a difference are listed."""
UPTIER = "from connector.cli import app; app()"
TODAY, CHANGED = "today.toml", "changed.toml"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """The archive that a change is tried against, and which of its days."""

    path: Path
    first: str
    last: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fired:
    """How often a level would have fired, today and with the change, and how many of these were false alarms."""

    policy: str
    level: str
    today: int
    changed: int
    false_today: int
    false_changed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Otherwise:
    """A level that would have come otherwise on a ticket; None where it would not have come."""

    ticket: str
    policy: str
    level: str
    how: str
    before: Instant | None
    after: Instant | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What came of a trial: the levels whose count differs first, the first tickets, and how many these are in all."""

    tickets: int
    incomplete: int
    levels: tuple[Fired, ...]
    hows: tuple[tuple[str, int], ...]
    otherwise: tuple[Otherwise, ...]
    differing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One trial: of which policy, as `text` has it, by whom. It runs while `progress` is not empty."""

    policy: str
    text: str
    who: str
    past: Past
    progress: str = ""
    trouble: str = ""
    found: Found | None = None


@dataclass(slots=True, kw_only=True)
class Trying:
    """One trial at a time for the whole process. Any thread may use it."""

    store: Store
    config: Path | None
    ticks: Callable[[], float] = monotonic
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _trial: Trial | None = None
    _seen: float = 0.0
    _ends: threading.Event = field(default_factory=threading.Event)

    def past(self) -> Past | None:
        """The newest archive with a whole day in it; None if there is none, or this service was given no config."""
        found = []
        for path in archive.registered(self.store) if self.config else ():
            with suppress(StoreTrouble), closing(archive.Archive.open(path)) as file:
                said = file.said()
                first = datetime.fromtimestamp(said.begin + 86_399, UTC).date()
                last = datetime.fromtimestamp(said.end, UTC).date() - timedelta(days=1)
                if first <= last:
                    found.append((said.made, Past(path=path, first=str(first), last=str(last))))
        return max(found, default=(0, None), key=lambda each: each[0])[1]

    def problems(self, policy: str, text: str, running: PolicySet) -> tuple[str, ...]:
        """Why the text is no policy that could run in this one's place; empty if it is."""
        assert self.config is not None
        with TemporaryDirectory(prefix="uptier-try-") as folder:
            path = Path(folder) / CHANGED
            try:
                path.write_text(whole(running, {policy: text}), encoding="utf-8")
            except TOMLKitError as error:
                return (f"This is no TOML: {error}",)
            loaded = policies_of(self.config, path)
        errors = [each for each in loaded.problems if each.severity == "error"]
        return tuple(f"{each.code}: {each.message}" for each in errors)

    def begin(self, policy: str, text: str, who: str, running: PolicySet) -> None:
        """Try this text in the place of a policy. Raises Refused while another trial runs, and without an archive."""
        past = self.past()
        if past is None or self.config is None:
            raise Refused("there is no archive to try it against; uptier archive pull makes one")
        with self._lock:
            if self._trial is not None and self._trial.progress:
                raise Refused(f"{self._trial.who} tries a change at this moment; wait until that is done")
            self._trial = Trial(policy=policy, text=text, who=who, past=past, progress="it begins")
            self._seen = self.ticks()
            self._ends.clear()
        files = {TODAY: whole(running, {}), CHANGED: whole(running, {policy: text})}
        threading.Thread(
            target=self._work, args=(self._trial, self.config, files), name="trial", daemon=True
        ).start()

    def shown(self) -> Trial | None:
        """The trial there is, for somebody who looks at it now."""
        self._seen = self.ticks()
        return self._trial

    def cancel(self) -> None:
        """End what runs."""
        self._ends.set()

    def _work(self, trial: Trial, config: Path, files: Mapping[str, str]) -> None:
        try:
            with TemporaryDirectory(prefix="uptier-try-") as folder:
                self._trial = self._played(trial, config, Path(folder), files)
        except Exception as error:  # the edge of the thread: whoever looks at the page has to be told
            log.exception("trial_failed")
            self._trial = replace(trial, progress="", trouble=f"{type(error).__name__}: {error}")

    def _played(self, trial: Trial, config: Path, folder: Path, files: Mapping[str, str]) -> Trial:
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
        words = ["--config", config.resolve(), "--policies", folder / CHANGED, "--against", folder / TODAY]
        words += ["--archive", trial.past.path, "--from", trial.past.first, "--to", trial.past.last]
        command = [sys.executable, "-c", UPTIER, "backtest", *map(str, words), "--format", "json"]
        out, told = folder / "out", folder / "told"
        with out.open("wb") as stdout, told.open("wb") as stderr:
            process = Popen(  # noqa: S603 (our own words; the policies are in files)
                command, stdin=DEVNULL, stdout=stdout, stderr=stderr, start_new_session=True
            )
            atexit.register(_end, process)
            try:
                with suppress(OSError):
                    os.setpriority(os.PRIO_PROCESS, process.pid, NICE)
                why = self._watched(process, trial, told)
            finally:
                _end(process)
                process.wait()
                atexit.unregister(_end)
        said = told.read_text(encoding="utf-8", errors="replace").strip()
        if why or process.returncode:
            return replace(
                trial, progress="", trouble=why or said[-2000:] or f"it ended with {process.returncode}"
            )
        return replace(trial, progress="", found=found_in(json.loads(out.read_bytes())))

    def _watched(self, process: "Popen[bytes]", trial: Trial, told: Path) -> str:
        """Wait for its end; why it was ended before, empty if it was not."""
        while process.poll() is None:
            if self._ends.wait(LOOK_EVERY):
                return "it was cancelled"
            if self.ticks() - self._seen > UNSEEN:
                return "nobody looked at it any more, so it was ended"
            lines = told.read_text(encoding="utf-8", errors="replace").splitlines()
            self._trial = replace(trial, progress=lines[-1] if lines else "it begins")
        return ""


def _end(process: "Popen[bytes]") -> None:
    """End a process and those that it began."""
    with suppress(ProcessLookupError, PermissionError):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def whole(running: PolicySet, instead: Mapping[str, str]) -> str:
    """All policies as one file, some of them as these texts have them. Raises TOMLKitError for what is no TOML."""
    parts = []
    for policy in running.policies:
        text = instead.get(policy.name)
        if text is not None:
            tomlkit.parse(text)
        parts.append(toml_of(policy.text) if text is None else text)
    return "\n\n".join(parts) + "\n"


def toml_of(text: str) -> str:
    """A policy, as it is kept, as a file would have it."""
    said = json.loads(text)
    levels = said.pop("level", [])
    return tomlkit.dumps({"policy": [{**said, "level": levels}]})


def found_in(said: Mapping[str, Any]) -> Found:
    """What `uptier backtest --format json` says of two versions."""
    counts = [
        Counter((each["policy"], each["level"]) for each in of["firings"]) for of in (said["against"], said)
    ]
    needless = [
        Counter((each["policy"], each["level"]) for each in of["firings"] if each["false_alarm"])
        for of in (said["against"], said)
    ]
    levels = [
        Fired(
            policy=key[0],
            level=key[1],
            today=counts[0][key],
            changed=counts[1][key],
            false_today=needless[0][key],
            false_changed=needless[1][key],
        )
        for key in counts[0] | counts[1]
    ]
    moved: Sequence[Mapping[str, Any]] = said["differences"]
    return Found(
        tickets=said["tickets"],
        incomplete=said["incomplete"]["tickets"],
        levels=tuple(sorted(levels, key=lambda each: (each.today == each.changed, each.policy, each.level))),
        hows=tuple(Counter(each["how"] for each in moved).most_common()),
        otherwise=tuple(
            Otherwise(
                ticket=f"{each['account']}/{each['ticket']}",
                policy=each["policy"],
                level=each["level"],
                how=each["how"],
                before=each["before"] and each["before"]["at"],
                after=each["after"] and each["after"]["at"],
            )
            for each in moved[:SHOWN]
        ),
        differing=len(moved),
    )
