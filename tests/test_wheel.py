"""What is installed: a wheel, made from the source distribution too, that holds what it needs and no test."""

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.timeout(600)  # it builds, installs and plays what takes a while
RUN = """import json, sys
from connector.cli import app
for words in json.loads(sys.argv[1]):
    try:
        app(words)
    except SystemExit as end:
        if end.code:
            sys.exit(f"{words} ended with {end.code}")
"""


def built(target: str, source: Path, folder: Path) -> Path:
    """The distribution that the build backend makes of a tree, without asking any index."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (made,) = folder.glob("*.whl" if target == "wheel" else "*.tar.gz")
    return made


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, made from the unpacked source distribution, as an index would make it."""
    folder = tmp_path_factory.mktemp("built")
    with tarfile.open(built("sdist", ROOT, folder / "sdist")) as packed:
        packed.extractall(folder / "source", filter="data")
    (source,) = (folder / "source").iterdir()
    return built("wheel", source, folder / "wheel")


def test_the_wheel_holds_simulators_and_the_example_and_no_test(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
        (metadata,) = [file.read(name).decode() for name in names if name.endswith("/METADATA")]
    tops = {name.split("/")[0] for name in names}
    info = {top for top in tops if top.startswith("uptier-")}
    assert tops - info == {"policies", "adapters", "connector"}
    assert not [name for name in names if "/tests/" in name or "/test_" in name or name.endswith(".pyc")]
    for vendor in ("zendesk", "freshdesk", "servicenow"):
        assert f"adapters/{vendor}/simulator/app.py" in names
    assert [name for name in names if name.endswith(".data/data/share/uptier/config.example.toml")]
    tree = {
        str(path.relative_to(ROOT))
        for top in ("policies", "adapters", "connector")
        for path in (ROOT / top).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert tree <= set(names), "what is read at run time is packed too"
    needed = [line for line in metadata.splitlines() if line.startswith("Requires-Dist")]
    assert not [line for line in needed for tool in ("pytest", "ruff", "mypy", "playwright") if tool in line]


def test_the_installed_wheel_plays_the_demo(wheel: Path, tmp_path: Path) -> None:
    """Its own files alone stand on the path, beside the packages that it needs; nothing of this tree does."""
    site = tmp_path / "site"
    pip = ("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(site), str(wheel))
    subprocess.run([sys.executable, *pip], check=True, capture_output=True)
    assert (site / "share" / "uptier" / "config.example.toml").is_file()
    env = {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE_", "UPTIER_"))}
    env["PYTHONPATH"] = str(site)

    def run(*commands: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", RUN, json.dumps(commands)]
        return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)

    where = [sys.executable, "-c", "import connector, policies, adapters; print(connector.__file__)"]
    found = subprocess.run(where, cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
    assert found.stdout.startswith(str(site))
    done = run(("--help",), ("init", "--help"), ("fields",), ("schema",), ("drill",))
    assert done.returncode == 0, done.stderr
    done = run(("demo", "--format", "json"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["said"][-1] == "All came out as told."
