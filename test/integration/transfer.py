"""A transfer of known size between two network namespaces, and what was published of it."""

import subprocess
import sys

from messages import MIB
from processes import eventually

PIECES = 48
SIZE = PIECES * MIB
PIECE_S = 0.04  # pause after each, so that several intervals see a part of the whole
MTU = 9000  # few headers: the payload is 99 % of the bytes that the interfaces count

RECEIVE = """
import socket, sys
server = socket.create_server((sys.argv[1], 7000))
print("listening", flush=True)
connection, _ = server.accept()
n = 0
while data := connection.recv(1 << 20):
    n += len(data)
print(n, flush=True)
"""

SEND = f"""
import socket, sys, time
connection = socket.create_connection((sys.argv[1], 7000))
for _ in range({PIECES}):
    connection.sendall(bytes({SIZE // PIECES}))
    time.sleep({PIECE_S})
connection.close()
"""


def in_namespace_of(process, *command):
    return ["nsenter", "--net", "--target", str(process.pid), *command]


def run_in(process, *command):
    subprocess.run(in_namespace_of(process, *command), check=True)


def transfer(sender, receiver, address):
    """SIZE bytes over TCP to address, which is receiver's."""
    server = subprocess.Popen(in_namespace_of(receiver, sys.executable, "-c", RECEIVE, address),
                              stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout.readline() == "listening\n"
        run_in(sender, sys.executable, "-c", SEND, address)
        assert int(server.communicate(timeout=20)[0]) == SIZE
    finally:
        server.kill()
        server.wait()


def all_samples(watch):
    """Of a watch, up to one that was read after this was called."""
    held = len(watch.received())
    eventually("two more samples", lambda: len(watch.received()) >= held + 2)
    return [sample for _, sample in watch.received()]


def total(samples, field):
    """Bytes: the rates times the intervals that they are over."""
    return sum(sample[field] * (sample["at"] - before["at"]) / 1000
               for before, sample in zip(samples, samples[1:]))
