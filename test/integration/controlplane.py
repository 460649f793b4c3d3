"""A stand-in for the control plane: it answers for the resources of instances, well or badly."""

import json

import pb
from messages import ERROR_CODE, ERROR_TEXT, JSON_TYPE, to_rfc3339

STEADY = {"cpu_percent": 12.5, "memory_used_mb": 100, "memory_limit_mb": 512, "network_in_mb": 3.0,
          "network_out_mb": 4.0}
ZEROS = dict.fromkeys(STEADY, 0)  # what the reference's providers answer for "not found"

# Bodies that are no ResourceUsage in either encoding.
GARBAGE = [b"\xff" * 20, b"\x09\x00\x00", b"{", b'{"cpu_percent":"much"}', b'{"cpu_percent":1}}',
           b"\x09\x00\x00\x00\x00\x00\x00\xf8\x7f", b"not at all"]  # the former: a NaN


def usage_body(usage, encoding):
    """usage: the fields of ResourceUsage, with "at" in Unix ms for at_unix_ms."""
    if encoding == "json":
        said = dict(usage)
        if "at" in said:
            said["at"] = to_rfc3339(said["at"])
        return json.dumps(said).encode()
    return pb.ResourceUsage(**{"at_unix_ms" if name == "at" else name: value
                               for name, value in usage.items()}).SerializeToString()


class ControlPlane:
    """Answers controlplane.instances.resources.* on a connection of its own.

    mode, which may change at any time, is the name of one of the methods answer_*; modes has those
    of single instances. usage(n) is what mode "good" answers to the nth question about an instance;
    None = nothing.
    """

    def __init__(self, client, encoding="protobuf", prefix="controlplane"):
        self.mode = "good"
        self.modes = {}
        self.usage = lambda n: STEADY
        self.encoding = encoding
        self.questions = {}  # instance id: how many
        self._unanswered = {}  # instance id: the last question, for mode "late"
        self._client = client
        self._subject = f"{prefix}.instances.resources.*"
        self.join()

    def rejoin(self, client):
        """Goes on with another connection: the first has ended."""
        self._client = client
        self.join()

    def join(self):
        self._subscription = self._client.sub(self._subject, on_message=self._on_question)
        self._client.flush()

    def leave(self):
        """From now on NATS answers "no responders"."""
        self._subscription.unsub()
        self._client.flush()

    def _on_question(self, question):
        assert question.data == b"" and question.reply
        instance = question.subject.rpartition(".")[2]
        n = self.questions.get(instance, 0)
        self.questions[instance] = n + 1
        getattr(self, f"answer_{self.modes.get(instance, self.mode)}")(instance, n, question)

    def reply(self, question, body, headers=None):
        self._client.pub(question.reply, body, headers=headers)

    def answer_good(self, _instance, n, question):
        usage = self.usage(n)
        if usage is None:
            return
        headers = {"Content-Type": JSON_TYPE} if self.encoding == "json" else None
        self.reply(question, usage_body(usage, self.encoding), headers)

    def answer_late(self, instance, _n, question):
        """Each question is answered when the next one has come: meterd no longer waits for it."""
        late, self._unanswered[instance] = self._unanswered.get(instance), question
        if late:
            self.reply(late, usage_body(STEADY, self.encoding))

    def answer_now(self):
        """What mode "late" has not answered yet."""
        for late in self._unanswered.values():
            self.reply(late, usage_body(STEADY, self.encoding))

    def answer_garbage(self, _instance, n, question):
        self.reply(question, GARBAGE[n % len(GARBAGE)])

    def answer_zeros(self, _instance, _n, question):
        self.reply(question, usage_body(ZEROS, self.encoding))

    def answer_empty(self, _instance, _n, question):
        self.reply(question, b"")

    def answer_error(self, _instance, _n, question):
        self.reply(question, b"", {ERROR_CODE: "404", ERROR_TEXT: "no such instance"})

    def answer_silent(self, _instance, _n, _question):
        pass
