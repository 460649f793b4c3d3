"""deploy/quickstart as a new user runs it, from a copy of the committed files: live samples, a range, nothing left."""

import os
import pathlib
import signal
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD_S = 600  # it compiles everything, beside all other tests
FILES = ["deploy", "include", "meson.build", "meson_options.txt", "proto", "src"]

pytestmark = [pytest.mark.timeout(2 * BUILD_S), pytest.mark.xdist_group("quickstart")]


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A tree of its own: the build goes below it, and nothing may be written anywhere else."""
    copy = tmp_path_factory.mktemp("quickstart")
    subprocess.run(["cp", "-r", *(str(TOP / name) for name in FILES), str(copy)], check=True)
    return copy


def processes_of(tree):
    """Command lines of live processes that were started from the tree's build folder or work in it."""
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            environ = (process / "environ").read_bytes()
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if b"QUICKSTART_TEST=" + str(tree).encode() in environ.split(b"\0") and command:
            found.append(command)
    return found


def start(tree, *args):
    environment = {**os.environ, "QUICKSTART_TEST": str(tree)}
    # A shell cannot trap what was ignored when it began, as SIGINT is where the tests run in the background.
    return subprocess.Popen(["env", "--default-signal=INT", str(tree / "deploy" / "quickstart"), *args],
                            env=environment, text=True, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def test_seconds(tree):
    """With --seconds it ends by itself, with status 0, and nothing is left running."""
    before = {path for path in tree.rglob("*")}
    running = start(tree, "--seconds", "4")
    output, _ = running.communicate(timeout=BUILD_S)
    assert running.returncode == 0, output
    live, table = output.split("== meterctl ls")
    for instance in ("nats-server", "meterd", "bursts"):
        assert f"Z  {instance}" in live and f"\n{instance} " in table
    assert "== everything is taken down" in output
    assert processes_of(tree) == []
    written = {path for path in tree.rglob("*")} - before
    assert all(path.is_relative_to(tree / "build") for path in written)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_signal(tree, name):
    """Ctrl-C takes everything down and exits 0."""
    running = start(tree)
    for line in running.stdout:
        if "meterctl range" in line:
            break
    running.send_signal(getattr(signal, name))
    output, _ = running.communicate(timeout=BUILD_S)
    assert running.returncode == 0, output
    assert processes_of(tree) == []


@pytest.mark.parametrize("args", [["--seconds"], ["--seconds", "0"], ["--seconds", "x"], ["--what"]])
def test_wrong_option(tree, args):
    """One line that says what is wrong, and exit status 2, before anything starts."""
    running = start(tree, *args)
    output, _ = running.communicate(timeout=60)
    assert running.returncode == 2
    assert len(output.splitlines()) == 1
