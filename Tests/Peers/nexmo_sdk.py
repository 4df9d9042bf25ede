"""Drives Pinpost's Nexmo 2FA and Conversion APIs through Nexmo's published client, unchanged but for where it leads."""

import datetime

import nexmo

from nexmo_peer import API_KEY, API_SECRET, WORDY_KEY, Checks, Numbers, accepted, led_here, received, refused

check = Checks()
numbers = Numbers(5000000)


def client(key=API_KEY, secret=API_SECRET):
    made = nexmo.Client(key=key, secret=secret)
    led_here(made.session)
    return made


def codes():
    to = numbers.take()
    message = accepted(check, "a code", client().send_2fa_message({"to": to, "pin": "482193", "client-ref": "my-ref"}), to)
    check.equal("client-ref", message.get("client-ref"), "my-ref")
    check.equal("what arrives", received(to)["text"], "Your verification code is 482193")
    to = numbers.take()
    accepted(check, "a PIN that is a number", client().send_2fa_message(to=to, pin=4821), to)
    check.equal("what arrives", received(to)["text"], "Your verification code is 4821")


def words():
    to = numbers.take()
    accepted(check, "words of their own", client(WORDY_KEY).send_2fa_message(to=to, pin="1234", shop="Acme"), to)
    check.equal("what arrives", received(to)["text"], "Acme: 1234")
    message = refused(check, "a word that is missing", client(WORDY_KEY).send_2fa_message(to=to, pin="1234"), 2)
    check.equal("its name", message["error-text"], "Missing shop param")


def refusals():
    to = numbers.take()
    refused(check, "a wrong secret", client(secret="wrong").send_2fa_message(to=to, pin="1"), 4)
    refused(check, "no number", client().send_2fa_message(pin="1"), 2)
    refused(check, "no PIN", client().send_2fa_message(to=to), 2)
    refused(check, "a PIN of letters", client().send_2fa_message(to=to, pin="abcd"), 3)
    refused(check, "a number of nobody", client().send_2fa_message(to="12", pin="1"), 34)
    refused(check, "another campaign", client().send_event_alert_message(to=to), 19)


def conversions():
    to = numbers.take()
    message = accepted(check, "a code", client().send_2fa_message(to=to, pin="482193"), to)
    for delivered in (True, False):
        answer = client().submit_sms_conversion(message["message-id"], delivered, datetime.datetime(2026, 1, 1, 12))
        check.equal(f"{delivered}", answer, b"OK")
    check.equal("now", client().submit_sms_conversion(message["message-id"]), b"OK")
    check.equal("of a message of nobody", client().submit_sms_conversion("0A0000001234567B"), b"OK")
    voice = client().post("api.nexmo.com", "/conversions/voice", {"message-id": message["message-id"], "delivered": True})
    check.equal("of a call", voice, b"OK")
    check.raises(
        "a wrong secret", nexmo.AuthenticationError,
        lambda: client(secret="wrong").submit_sms_conversion(message["message-id"]))
    check.raises("no id", nexmo.ClientError, lambda: client().submit_sms_conversion(None))


for section in (codes, words, refusals, conversions):
    with check.section(section.__name__):
        section()
check.end()
