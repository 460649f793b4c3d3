"""Adds up test results: count.py STATUS:JUNIT_FILE... prints "N passed, N failed[, N skipped]".

STATUS is the exit status of what wrote the file. One that is not 0 without a failure in the file,
or with no file at all, counts as one failure: a build that broke, a test program that died. Exits
with 1 when anything failed.
"""

import sys
import xml.etree.ElementTree as ElementTree


def count(path):
    """(passed, failed, skipped) of one file; no file holds nothing."""
    passed = failed = skipped = 0
    try:
        cases = ElementTree.parse(path).iter("testcase")
    except (FileNotFoundError, ElementTree.ParseError):
        cases = []
    for case in cases:
        results = {result.tag for result in case}
        if results & {"failure", "error"}:
            failed += 1
        elif "skipped" in results:
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def main(arguments):
    passed = failed = skipped = 0
    for argument in arguments:
        status, _, path = argument.partition(":")
        counts = count(path)
        passed += counts[0]
        failed += counts[1] or int(status != "0")
        skipped += counts[2]
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
