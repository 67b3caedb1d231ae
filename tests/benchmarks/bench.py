"""Product and peers back to back on the same simulated helpdesks, on this machine: `make bench`.

    python -m tests.benchmarks.bench [--runs 5] [--before REV] [--only NAME,NAME] [--peers PYTHON] [--write]

Each figure is the median of the runs. `--before` measures an older commit beside this one, in a worktree that is
removed again; `--peers` names the Python that has FastAPI, Celery and redis. `--write` renews RESULTS.md. Product,
helpdesk and peer are processes of their own; CPU is what the kernel says of the product's alone. Only ratios of one run
mean anything: all of it shares the machine.
"""

import argparse
import asyncio
import contextlib
import hmac
import json
import os
import platform
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import time
from base64 import b64encode
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from adapters.simulation.demo import WEBHOOK_SECRET
from connector.demo import CONFIG
from tests.crash.soak import free_port

ROOT = Path(__file__).parents[2]
RESULTS = Path(__file__).with_name("RESULTS.md")
VENDORS = ("zendesk", "freshdesk", "servicenow")
WRITES = {
    "zendesk": ("PUT", "/tickets/"),
    "freshdesk": ("PUT", "/tickets/"),
    "servicenow": ("PATCH", "/incident/"),
}
PATIENCE = 180.0
OVERDUE = 3600
TICK = os.sysconf("SC_CLK_TCK")

START_CAP = "due_at_start = 100000\n"
ONE_LEVEL = CONFIG[: CONFIG.rindex("[[policy.level]]")].replace(
    "[templates.", f"[service.caps]\nescalations_per_hour = 100000\n{START_CAP}\n[templates.", 1
)


@dataclass(frozen=True, slots=True)
class Helpdesk:
    """A simulated helpdesk's process."""

    vendor: str
    url: str
    client: httpx.Client

    def ask(self, what: str, **words: Any) -> Any:
        """One of `tests.benchmarks.helpdesk`'s answers."""
        answer = self.client.post(f"{self.url}/_bench/{what}", json=words)
        answer.raise_for_status()
        return answer.json()

    def writes(self) -> dict[str, float]:
        """When the first write to each ticket came in."""
        method, path = WRITES[self.vendor]
        found: dict[str, float] = {}
        for at, how, where in self.ask("arrivals"):
            if how == method and path in where:
                found.setdefault(where.rpartition("/")[2].removesuffix(".json"), at)
        return found

    def await_writes(self, many: int) -> dict[str, float]:
        """Once so many tickets have been written to."""
        until = time.monotonic() + PATIENCE
        while len(found := self.writes()) < many:
            if time.monotonic() > until:
                raise TimeoutError(f"{len(found)} of {many} writes came in {PATIENCE:.0f} s")
            time.sleep(0.25)
        return found


@contextmanager
def helpdesk(vendor: str) -> Iterator[Helpdesk]:
    """A furnished account without limits."""
    command = [sys.executable, "-m", "tests.benchmarks.helpdesk", vendor]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            with httpx.Client(timeout=PATIENCE, trust_env=False) as client:
                yield Helpdesk(vendor, url, client)
        finally:
            process.kill()


@dataclass(frozen=True, slots=True)
class Product:
    """A running `uptier run` of a tree of ours."""

    process: "subprocess.Popen[bytes]"
    listen: str
    database: Path

    def cpu(self) -> float:
        """User and system seconds so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def mib(self, of: str = "VmRSS") -> float:
        """Resident memory, or the most that there was (`VmHWM`)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition(f"{of}:")[2].split()[0]) / 1024

    def rest(self, seconds: float = 3.0) -> None:
        """Until it has done next to nothing for a while."""
        until = time.monotonic() + PATIENCE
        quiet, last = 0.0, self.cpu()
        while quiet < seconds and time.monotonic() < until:
            time.sleep(0.5)
            now = self.cpu()
            quiet, last = (quiet + 0.5 if now - last < 0.05 else 0.0), now


@contextmanager
def product(tree: Path, at: Helpdesk, config: str = ONE_LEVEL, poll: str = "10s") -> Iterator[Product]:
    """The service of this tree beside the helpdesk, up and at rest."""
    with TemporaryDirectory(prefix="uptier-bench-") as name:
        folder, listen = Path(name), f"127.0.0.1:{free_port()}"
        facts = at.ask("facts")
        path = folder / "uptier.toml"
        text = config.replace("127.0.0.1:0", listen) + facts["config"] + f'poll = "{poll}"\n'
        if tree != ROOT:  # an older commit does not know every key
            text = text.replace(START_CAP, "")
        path.write_text(text, encoding="utf-8")
        command = [sys.executable, "-c", "from connector.cli import app; app()", "run", "--config", str(path)]
        environment = os.environ | facts["secrets"] | {"PYTHONPATH": str(tree)}
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        try:
            until = time.monotonic() + PATIENCE
            while not _is_ready(listen):
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"the service did not start: {(folder / 'log').read_text()[-2000:]}")
                time.sleep(0.1)
            running = Product(process, listen, folder / "uptier.db")
            running.rest()
            yield running
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()


def _is_ready(listen: str) -> bool:
    try:
        return httpx.get(f"http://{listen}/readyz", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


Figures = dict[str, float]


def escalations(tree: Path, vendor: str, many: int = 120) -> Figures:
    """Many overdue tickets come in at once: calls, CPU and rate of escalating them."""
    with helpdesk(vendor) as at, product(tree, at, poll="10s") as ours:
        before, used = len(at.ask("arrivals")), ours.cpu()
        tickets = at.ask("open", count=many, since=0, at=time.time() - OVERDUE, step=0)
        at.ask("touch", tickets=tickets, every=0)
        found = sorted(at.await_writes(many).values())
        time.sleep(2)
        ours.rest(2)
        calls = len(at.ask("arrivals")) - before
        return {
            f"calls per escalation, {vendor}": calls / many,
            f"CPU per escalation, {vendor}, ms": (ours.cpu() - used) / many * 1000,
            f"writes a second, {vendor}": (many - 1) / (found[-1] - found[0]),
        }


def loop(vendor: str, many: int = 120) -> Figures:
    """The same by the hand-written loop."""
    with helpdesk(vendor) as at:
        tickets = at.ask("open", count=many, since=0, at=time.time() - OVERDUE, step=0)
        secrets = json.dumps(at.ask("facts")["secrets"])
        told = peer("loop", vendor, at.url, secrets, *(str(each) for each in tickets))
        return {
            f"calls per escalation, {vendor}": len(at.ask("arrivals")) / many,
            f"CPU per escalation, {vendor}, ms": told["cpu"] / many * 1000,
            f"writes a second, {vendor}": many / told["seconds"],
        }


def peer(name: str, *words: str, python: str = sys.executable) -> Any:
    """What a peer printed."""
    command = [python, "-m", f"tests.benchmarks.peers.{name}", *words]
    return json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)


def webhooks(tree: Path, vendor: str, many: int = 40) -> Figures:
    """From a webhook on an overdue ticket that an agent has just changed to its write."""
    with helpdesk(vendor) as at, product(tree, at, poll="10m") as ours:
        at.ask("subscribe", service=f"http://{ours.listen}", quiet=True)
        tickets = at.ask("open", count=many, since=0, at=time.time() - OVERDUE, step=0)
        at.client.post(f"{at.url}/_sim/act", json={"act": "drop"}).raise_for_status()
        told = at.ask("touch", tickets=tickets, every=0.3)
        written = at.await_writes(many)
        took = sorted(written[ticket] - said for ticket, said in told.items())
        return {f"webhook to write, just changed, {vendor}, p50 s": statistics.median(took)}


def acknowledged(tree: Path, many: int = 2000, side_by_side: int = 16) -> Figures:
    """Webhooks a second that are durable before their 202."""
    with helpdesk("zendesk") as at, product(tree, at, poll="10m") as ours:
        return {"webhooks acknowledged a second": asyncio.run(_post(ours.listen, many, side_by_side))}


def acknowledged_by_queue(python: str, many: int = 2000, side_by_side: int = 16) -> Figures:
    """The same with FastAPI, Celery and Redis."""
    with helpdesk("zendesk") as at, ExitStack() as stack:
        port, broker = free_port(), free_port()
        token = at.ask("facts")["secrets"]["UPTIER_SECRET_ACME_TOKEN"]
        environment = os.environ | {
            "HELPDESK": at.url,
            "TOKEN": token,
            "REDIS": f"redis://127.0.0.1:{broker}/0",
        }
        app = "tests.benchmarks.peers.queue_app"
        for command in (
            ["redis-server", "--port", str(broker), "--save", "", "--bind", "127.0.0.1"],
            [python, "-m", "uvicorn", f"{app}:app", "--port", str(port), "--no-access-log"],
            [python, "-m", "celery", "-A", app, "worker", "-c", "4", "--loglevel", "ERROR"],
        ):
            process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
        until = time.monotonic() + 30
        while time.monotonic() < until and not _listens(port):
            time.sleep(0.2)
        time.sleep(3)
        return {"webhooks acknowledged a second": asyncio.run(_post(f"127.0.0.1:{port}", many, side_by_side))}


def _listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


async def _post(listen: str, many: int, side_by_side: int) -> float:
    """Post signed events of tickets nobody knows over kept connections; how many a second were taken."""
    host, _, port = listen.partition(":")
    waiting = list(range(many))

    async def one() -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        while waiting:
            number = waiting.pop()
            writer.write(_event(number, listen))
            await writer.drain()
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 202"), head
            length = int(head.lower().partition(b"content-length:")[2].split()[0])
            await reader.readexactly(length)
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(side_by_side)))
    return many / (time.perf_counter() - began)


def _event(number: int, listen: str) -> bytes:
    body = json.dumps(
        {
            "id": f"event-{number}",
            "type": "zen:event-type:ticket.subject_changed",
            "subject": f"zen:ticket:{100000 + number}",
            "detail": {"id": str(100000 + number)},
        }
    ).encode()
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    signature = b64encode(hmac.digest(WEBHOOK_SECRET.encode(), stamp.encode() + body, "sha256")).decode()
    head = (
        "POST /hooks/acme HTTP/1.1",
        f"Host: {listen}",
        "Content-Type: application/json",
        f"X-Zendesk-Webhook-Signature: {signature}",
        f"X-Zendesk-Webhook-Signature-Timestamp: {stamp}",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def deadlines(tree: Path, many: int = 500, within: float = 15.0, lead: float = 60.0) -> Figures:
    """How late the writes of many deadlines come that lie within seconds of each other."""
    with helpdesk("zendesk") as at:
        first = time.time() + lead
        at.ask("open", count=many, since=0, at=first - 1800, step=within / many)
        with product(tree, at, poll="10m"):
            written = at.await_writes(many)
        due = {
            str(number): int(first - 1800 + (number - 1) * within / many) + 1800
            for number in range(1, many + 1)
        }
        late = sorted(written[ticket] - due[ticket] for ticket in written)
        name = f"{many} deadlines in {within:.0f} s"
        return {
            f"{name}: late by, p50 s": statistics.median(late),
            f"{name}: late by, p99 s": late[int(len(late) * 0.99)],
        }


def export(tree: Path, many: int = 10000) -> Figures:
    """Tickets a second from Zendesk's export, mapped and kept; none is to be escalated."""
    with helpdesk("zendesk") as at:
        at.ask("open", count=many, since=0, at=time.time() - 100, step=0)
        with product(tree, at, config=ONE_LEVEL.replace('"urgent"', '"low"')) as ours:
            until = time.monotonic() + PATIENCE
            while _kept(ours.database) < many and time.monotonic() < until:
                time.sleep(0.1)
            pages = [when for when, _, path in at.ask("arrivals") if "/incremental/" in path]
            span = max(pages) - min(pages)
            return {
                "tickets kept a second": many / max(span, 0.01),
                "memory meanwhile, MiB": ours.mib("VmHWM"),
            }


def _kept(database: Path) -> int:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return int(connection.execute("select count(*) from ticket").fetchone()[0])


def pulled(how: str, many: int = 10000) -> Figures:
    """The same export by a peer that throws it away."""
    with helpdesk("zendesk") as at:
        at.ask("open", count=many, since=0, at=time.time() - 100, step=0)
        token = at.ask("facts")["secrets"]["UPTIER_SECRET_ACME_TOKEN"]
        told = peer("pull", how, at.url, token)
        return {
            "tickets kept a second": many / told["seconds"],
            "memory meanwhile, MiB": told["mib"],
        }


def at_rest(tree: Path) -> Figures:
    """Memory of a service with nothing to do, and how long `uptier --help` takes."""
    with helpdesk("zendesk") as at, product(tree, at) as ours:
        memory = ours.mib()
    command = [sys.executable, "-c", "from connector.cli import app; app()", "--help"]
    took = []
    for _ in range(3):
        began = time.perf_counter()
        subprocess.run(
            command, env=os.environ | {"PYTHONPATH": str(tree)}, stdout=subprocess.DEVNULL, check=True
        )
        took.append(time.perf_counter() - began)
    return {"idle, MiB": memory, "uptier --help, s": min(took)}


Scenario = tuple[str, Callable[[Path], Figures], Mapping[str, Callable[[], Figures]]]


def scenarios(python: str | None) -> list[Scenario]:
    """What is measured: of our tree, and of the peers by name."""
    found: list[Scenario] = [
        (f"escalations-{vendor}", partial(escalations, vendor=vendor), {"httpx loop": partial(loop, vendor)})
        for vendor in VENDORS
    ]
    found += [(f"webhooks-{vendor}", partial(webhooks, vendor=vendor), {}) for vendor in VENDORS]
    queue = {"FastAPI, Celery, Redis": partial(acknowledged_by_queue, python)} if python else {}
    found.append(("acknowledged", acknowledged, queue))
    found.append(("deadlines", deadlines, {}))
    found.append(("export", export, {"httpx": partial(pulled, "httpx"), "zenpy": partial(pulled, "zenpy")}))
    found.append(("rest", at_rest, {}))
    return found


@dataclass
class Table:
    """The figures by name, and under each the runs of every subject."""

    runs: dict[str, dict[str, list[float]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )

    def note(self, subject: str, figures: Figures) -> None:
        for name, value in figures.items():
            self.runs[name][subject].append(value)
            sys.stderr.write(f"  {subject}: {name} = {value:.4g}\n")

    def markdown(self, subjects: list[str]) -> str:
        """One row a figure: the median of each subject."""
        head = ["", *subjects]
        rows = [head, ["---"] * len(head)]
        for name, found in self.runs.items():
            medians = (
                f"{statistics.median(found[each]):.4g}" if found.get(each) else "" for each in subjects
            )
            rows.append([name, *medians])
        return "\n".join(f"| {' | '.join(row)} |" for row in rows)


@contextmanager
def checked_out(revision: str | None) -> Iterator[Path | None]:
    """An older commit of ours in a folder of its own."""
    if revision is None:
        yield None
        return
    with TemporaryDirectory(prefix="uptier-before-") as folder:
        tree = Path(folder) / "tree"
        subprocess.run(
            ["git", "worktree", "add", "--detach", "-f", str(tree), revision], cwd=ROOT, check=True
        )
        try:
            yield tree
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(tree)], cwd=ROOT, check=True)


def versions(python: str | None) -> str:
    """The machine, and what everything was run with."""
    names = ["httpx", "zenpy", "sqlalchemy", "uvicorn"]
    script = (
        "import sys,importlib.metadata as m;print(', '.join(f'{n} {m.version(n)}' for n in sys.argv[1:]))"
    )
    told = subprocess.run(
        [sys.executable, "-c", script, *names], capture_output=True, text=True, check=True
    ).stdout
    if python:
        words = [python, "-c", script, "fastapi", "celery", "redis"]
        told += subprocess.run(words, capture_output=True, text=True, check=True).stdout
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}"
    return f"{machine}; {', '.join(told.split(chr(10))).strip(', ')}"


def main() -> None:
    """Measure, print, and write."""
    parser = argparse.ArgumentParser(description="Measure Uptier and its peers beside each other.")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--before", help="an older commit to measure beside this tree")
    parser.add_argument("--only", default="", help="names of scenarios, with commas between")
    parser.add_argument("--peers", help="the Python that has FastAPI, Celery and redis")
    parser.add_argument("--write", action="store_true", help="renew RESULTS.md")
    chosen = parser.parse_args()
    python = chosen.peers if chosen.peers and shutil.which("redis-server") else None
    wanted = set(filter(None, chosen.only.split(",")))
    table, subjects = Table(), ["Uptier"]
    with checked_out(chosen.before) as before:
        if before:
            subjects.insert(0, f"Uptier at {chosen.before[:7]}")
        for name, of_ours, of_peers in scenarios(python):
            if wanted and name not in wanted:
                continue
            subjects += [each for each in of_peers if each not in subjects]
            for run in range(chosen.runs):
                sys.stderr.write(f"{name}, run {run + 1} of {chosen.runs}\n")
                if before:
                    table.note(subjects[0], of_ours(before))
                table.note("Uptier", of_ours(ROOT))
                for called, measure in of_peers.items():
                    table.note(called, measure())
    made = table.markdown(subjects)
    sys.stdout.write(made + "\n")
    if chosen.write:
        head, _, _ = RESULTS.read_text(encoding="utf-8").partition("<!-- measured -->")
        told = f"<!-- measured -->\n\nMedians of {chosen.runs} runs on {versions(python)}.\n\n{made}\n"
        RESULTS.write_text(head + told, encoding="utf-8")


if __name__ == "__main__":
    main()
