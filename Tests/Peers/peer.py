"""What the scripts of this folder share: they drive a running Pinpost as a customer does, and look into the inbox of the
simulated carrier as a recipient does.

The environment says where: PINPOST_URL, PINPOST_KEY, CARRIER_URL. Each check prints a line; the script fails with the list
of those that failed.
"""

import contextlib
import json
import os
import re
import sys
import time
import traceback
import urllib.error
import urllib.parse
import urllib.request

URL = os.environ["PINPOST_URL"]
KEY = os.environ["PINPOST_KEY"]
# May look at everything and send nothing.
READER_KEY = os.environ.get("PINPOST_READER_KEY")
CARRIER_URL = os.environ["CARRIER_URL"]
# A user name and its password, `name:password`.
CREDENTIAL = os.environ.get("PINPOST_CREDENTIAL")

ID = re.compile(r"[0-9A-F]{32}")
# Of the right form, and nobody's.
NO_ID = "0123456789ABCDEF0123456789ABCDEF"

# How long a message may take from its acceptance to the handset; how often the inbox is looked at; and how long one request
# may take. Seconds.
ARRIVAL_TIME = 30
LOOK_PAUSE = 0.02
REQUEST_TIME = 20


class Checks:
    def __init__(self):
        self.failed = []
        self.passed = 0
        self.section_name = ""

    @contextlib.contextmanager
    def section(self, name):
        """What raises in it fails this section, and the others go on."""
        self.section_name = name
        try:
            yield
        except Exception as error:
            traceback.print_exc(file=sys.stdout)
            self.true("goes through", False, f"{type(error).__name__}: {error}")

    def true(self, what, is_true, detail=""):
        what = f"{self.section_name}: {what}"
        if is_true:
            self.passed += 1
            print(f"ok      {what}", flush=True)
        else:
            self.failed.append(f"{what}: {detail}" if detail else what)
            print(f"FAILED  {self.failed[-1]}", flush=True)
        return bool(is_true)

    def equal(self, what, actual, expected):
        return self.true(what, actual == expected, f"{actual!r} where {expected!r} was expected")

    def matches(self, what, actual, pattern):
        return self.true(what, re.fullmatch(pattern, actual or ""), f"{actual!r} is not {getattr(pattern, 'pattern', pattern)}")

    def members(self, what, actual, expected):
        """Compares what is expected of an object, member by member."""
        for name, value in expected.items():
            self.equal(f"{what}, {name}", actual.get(name), value)

    def raises(self, what, kind, call):
        """The answer that `call` raises, which has to be an error of exactly this kind; None when there is none."""
        try:
            result = call()
        except Exception as error:
            self.true(what, type(error) is kind, f"{type(error).__name__} where {kind.__name__} was expected: {error}")
            return error if hasattr(error, "body") else None
        self.true(what, False, f"returned {result!r} where {kind.__name__} was expected")
        return None

    def envelope(self, what, body, message_id):
        """Checks an error in the vendor's form and returns it."""
        try:
            error = json.loads(body)["requestError"]["serviceException"]
        except (KeyError, TypeError, ValueError):
            self.true(f"{what}, envelope", False, f"{body!r}")
            return {}
        self.equal(f"{what}, messageId", error.get("messageId"), message_id)
        self.true(f"{what}, text", isinstance(error.get("text"), str) and error["text"], f"{error!r}")
        return error

    def end(self):
        print(f"{self.passed} checks passed, {len(self.failed)} failed.")
        for failure in self.failed:
            print(f"FAILED  {failure}")
        sys.exit(1 if self.failed else 0)


class Response:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.text = status, headers, body.decode()

    @property
    def json(self):
        return json.loads(self.text)


def request(method, path, body=None, headers=None, url=URL, authorization=f"App {KEY}"):
    """A plain request. `body` that is neither bytes nor None is sent as JSON."""
    headers = dict(headers or {})
    if authorization is not None:
        headers.setdefault("Authorization", authorization)
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        headers.setdefault("Content-Type", "application/json")
    asked = urllib.request.Request(url + path, data=body, headers=headers, method=method)
    try:
        with urllib.request.urlopen(asked, timeout=REQUEST_TIME) as answer:
            return Response(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        return Response(error.code, error.headers, error.read())


def inbox(to):
    query = urllib.parse.urlencode({"to": to})
    lines = request("GET", f"/inbox?{query}", url=CARRIER_URL, authorization=None).text.splitlines()
    return [json.loads(line) for line in lines if line]


def received(to, count=1):
    """The newest message to a recipient, once there are so many."""
    deadline = time.monotonic() + ARRIVAL_TIME
    while True:
        messages = inbox(to)
        if len(messages) >= count:
            return messages[count - 1]
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(messages)} of {count} messages reached {to} within {ARRIVAL_TIME} s")
        time.sleep(LOOK_PAUSE)


def code_in(message, before="Code ", after="!"):
    """The code in a text; spoken, its characters are apart."""
    apart = ", " if message["channel"] == "voice" else ""
    found = re.search(f"{re.escape(before)}([0-9A-Z](?:{apart}[0-9A-Z])*){re.escape(after)}", message["text"])
    if not found:
        raise ValueError(f"there is no code in {message['text']!r}")
    return found[1].replace(", ", "")


def wrong(code):
    """Another code, as long and of the same characters."""
    return ("1" if code[0] == "0" else "0") + code[1:]


class Numbers:
    """Swiss mobile numbers that nothing was sent to yet."""

    def __init__(self, first):
        self.next = first

    def take(self):
        self.next += 1
        return f"4179{self.next:07}"
