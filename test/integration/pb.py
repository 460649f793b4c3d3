"""The official protobuf implementation of our .proto files, generated anew by protoc on import.

It is the independent check of the bytes that meterd reads and writes.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

PROTO = Path(__file__).resolve().parents[2] / "proto"
FILES = ["sample.proto", "query.proto", "lifecycle.proto"]

_generated = tempfile.TemporaryDirectory(prefix="meterd-pb-")
subprocess.run(["protoc", f"--proto_path={PROTO}", f"--python_out={_generated.name}", *FILES],
               check=True, stdin=subprocess.DEVNULL)
sys.path.insert(0, _generated.name)

from lifecycle_pb2 import LifecycleEvent, ResourceUsage, Target  # noqa: E402,F401
from query_pb2 import (Aggregate, Align, LatestReply, ListReply,  # noqa: E402,F401
                       ListRequest, RangeReply, RangeRequest)
from sample_pb2 import Sample  # noqa: E402,F401
