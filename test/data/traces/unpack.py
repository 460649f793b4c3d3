"""unpack.py INPUT.xz OUTPUT: what xz -d does, with nothing but Python."""

import lzma
import shutil
import sys

with lzma.open(sys.argv[1]) as packed, open(sys.argv[2], "wb") as out:
    shutil.copyfileobj(packed, out)
