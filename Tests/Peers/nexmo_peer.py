"""What the scripts for Nexmo share: parts of its answers, and a way for clients that know one address only."""

import os
import urllib.parse

import requests
import requests.adapters

from peer import URL, Checks, Numbers, received, request  # noqa: F401

API_KEY, API_SECRET = os.environ["NEXMO_CREDENTIAL"].split(":")
SIGNATURE_SECRET = os.environ["NEXMO_SIGNATURE_SECRET"]
# Of a template of its own.
WORDY_KEY = os.environ["NEXMO_WORDY_KEY"]

MESSAGE_ID = r"[0-9A-Za-z]{16}"


class ToPinpost(requests.adapters.HTTPAdapter):
    """Clients fix `https://` and the vendor's host: what they send to it goes to Pinpost, and nothing else of it changes."""

    def send(self, request, **options):
        pieces = urllib.parse.urlsplit(request.url)
        here = urllib.parse.urlsplit(URL)
        request.url = urllib.parse.urlunsplit((here.scheme, here.netloc, pieces.path, pieces.query, ""))
        request.headers.pop("Host", None)
        return super().send(request, **options)


def led_here(session):
    session.mount("https://", ToPinpost())
    return session


def part(check, what, answer):
    """The one message of an answer, whose values are strings."""
    check.equal(f"{what}, message-count", answer.get("message-count"), "1")
    message = answer["messages"][0]
    check.true(f"{what}, strings", all(isinstance(value, str) for value in message.values()), f"{message!r}")
    return message


def accepted(check, what, answer, to):
    message = part(check, what, answer)
    check.equal(f"{what}, status", message.get("status"), "0")
    check.matches(f"{what}, message-id", message.get("message-id"), MESSAGE_ID)
    check.equal(f"{what}, to", message.get("to"), to)
    return message


def refused(check, what, answer, status):
    message = part(check, what, answer)
    check.equal(f"{what}, status", message.get("status"), str(status))
    check.true(f"{what}, error-text", message.get("error-text"), f"{message!r}")
    return message
