"""Processes whose use of CPU and memory is known: see worker.c."""

import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("worker.c")


def build(directory):
    """Compiles worker.c and returns the path of the program, which runs where no libraries are."""
    program = Path(directory) / "worker"
    subprocess.run(["cc", "-O1", "-Wall", "-Werror", "-static", "-o", program, SOURCE, "-pthread"],
                   check=True)
    return program


class Worker:
    """Busy for duty percent of each period; own_network: in a network namespace of its own.

    runner: a command that starts it elsewhere, and whose process is the one that pid names.
    """

    def __init__(self, program, duty=0, period_ms=100, own_network=False, runner=(), env=None):
        namespace = ["unshare", "--net"] if own_network else []
        self._popen = subprocess.Popen([*runner, *namespace, program, str(duty), str(period_ms)],
                                       text=True, env=env, stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE)
        self.cpu_seconds()  # an answer: it runs, and in its own namespace

    @property
    def pid(self):
        return self._popen.pid

    def cpu_seconds(self):
        """CPU time it has used, by its own getrusage()."""
        return self._ask("cpu") / 1e6

    def take_anonymous(self, size):
        self._ask(f"anon {size}")

    def take_shared(self, size):
        self._ask(f"shared {size}")

    def map_file(self, path):
        self._ask(f"file {path}")

    def resident_bytes(self):
        """RssAnon + RssShmem of /proc/<pid>/status."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return sum(int(line.split()[1]) * 1024 for line in lines
                   if line.startswith(("RssAnon:", "RssShmem:")))

    def _ask(self, command):
        self._popen.stdin.write(command + "\n")
        self._popen.stdin.flush()
        return int(self._popen.stdout.readline())

    def kill(self):
        self._popen.kill()
        self._popen.communicate()
