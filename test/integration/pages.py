"""Pages captured from real programs, and those of later times made of them, told as a story to whoever asks."""

import lzma
import random
import re

from processes import ROOT, eventually
from web import WebServer

CAPTURED = ROOT / "test/data/exposition"
TEXT = "text/plain; version=0.0.4"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


class Page:
    """A captured page with a histogram of one label set, which can be told anew.

    labels: that set without le; counts: of its buckets, cumulative.
    """

    def __init__(self, name, family):
        self.family = family
        self.content_type = OPENMETRICS if name.endswith(".openmetrics") else TEXT
        self.captured = lzma.open(CAPTURED / f"{name}.txt.xz").read()
        lines = self.captured.decode().splitlines()
        told = [line for line in lines if line.startswith(f"{family}_")]
        self._before = lines[:lines.index(told[0])]
        self._after = [line for line in lines[len(self._before):] if line not in told]
        buckets = [re.fullmatch(r".*_bucket\{(.*)\} (\d+)", line) for line in told if "_bucket{" in line]
        self.labels = re.sub(r'\ble="[^"]+",|,\ble="[^"]+"', "", buckets[0][1])
        self.counts = [int(each[2]) for each in buckets]
        self._bounds = [re.search(r'\ble="([^"]+)"', each[1])[1] for each in buckets]

    def tell(self, histograms):
        """The page with these: labels → counts."""
        lines = [line for labels, counts in histograms.items() for line in (
            *(f'{self.family}_bucket{{{labels},le="{bound}"}} {n}' for bound, n in zip(self._bounds, counts)),
            f"{self.family}_sum{{{labels}}} {counts[-1]}", f"{self.family}_count{{{labels}}} {counts[-1]}")]
        return "\n".join([*self._before, *lines, *self._after, ""]).encode()


class Story:
    """One page after the other, the first as it was captured: what may happen between two looks."""

    def __init__(self, page, seed):
        self._chance = random.Random(seed)
        n = len(page.counts)
        one, other = page.labels, page.labels.replace('="', '="other-', 1)
        self.page = page
        self.pages = [page.captured]
        self._histograms = {one: page.counts}
        self._then(one)
        self._then()  # nobody asked for anything
        self._then(one, buckets=[n // 2])
        self._then(one, buckets=[n - 1])  # all took longer than the last bound
        self._histograms[other] = [0] * n
        self._then(other)  # one more label set, which there is nothing to compare with
        self._then(one, other)
        self._histograms[one] = [0] * n
        self._then(one, other)  # one began anew
        gone = self._histograms.pop(other)
        self._then(one)
        self._histograms[other] = gone
        self._then(one, other)  # and is back again
        self._then(one, other)

    def _then(self, *grown, buckets=None):
        for labels in grown:
            self._histograms[labels] = self._grow(self._histograms[labels], buckets)
        self.pages.append(self.page.tell(self._histograms))

    def _grow(self, counts, buckets):
        """By requests in these buckets alone, or in all, and most around one of them."""
        peak = self._chance.randrange(len(counts) - 1)
        requests = [self._chance.randrange(1000) // (1 + (i - peak) ** 2) for i in range(len(counts))]
        if buckets:
            requests = [100 if i in buckets else 0 for i in range(len(counts))]
        return [count + sum(requests[:i + 1]) for i, count in enumerate(counts)]


class Replay(WebServer):
    """Tells whoever asks at /<reader>/<name> that story: page after page, then the last again and again."""

    def __init__(self, stories):
        self._stories = stories
        self._asked = {}
        super().__init__(self._tell)

    def url(self, reader, name):
        return f"http://{self.address}{path_of(reader, name)}"

    def _tell(self, path):
        asked = self._asked[path] = self._asked.get(path, 0) + 1
        story = self._stories[path.rpartition("/")[2]]
        return 200, story.page.content_type, story.pages[min(asked, len(story.pages)) - 1]

    def wait_told(self, reader):
        """Until it has taken in all stories: it asks for more."""
        for name, story in self._stories.items():
            eventually(f"{name} was told to {reader}",
                       lambda: self._asked.get(path_of(reader, name), 0) > len(story.pages))


def path_of(reader, name):
    return f"/{reader}/{name}"
