"""As nexmo_sdk.py, through the client's successor."""

import datetime

import vonage

from nexmo_peer import API_KEY, API_SECRET, Checks, Numbers, accepted, led_here, received, refused

check = Checks()
numbers = Numbers(5100000)


def client(secret=API_SECRET):
    made = vonage.Client(key=API_KEY, secret=secret)
    led_here(made.session)
    return made


def codes():
    to = numbers.take()
    answer = client().short_codes.send_2fa_message({"to": to, "pin": "482193", "client-ref": "my-ref"})
    message = accepted(check, "a code", answer, to)
    check.equal("client-ref", message.get("client-ref"), "my-ref")
    check.equal("what arrives", received(to)["text"], "Your verification code is 482193")
    refused(check, "a wrong secret", client("wrong").short_codes.send_2fa_message(to=to, pin="1"), 4)
    refused(check, "no number", client().short_codes.send_2fa_message(pin="1"), 2)
    refused(check, "another campaign", client().short_codes.send_marketing_message(to=to), 19)


def a_stale_token():
    """A client that used another of the vendor's APIs before sends its token along."""
    to = numbers.take()
    made = client()
    made.headers["Authorization"] = "Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln"
    accepted(check, "beside a token", made.short_codes.send_2fa_message(to=to, pin="482193"), to)


def conversions():
    to = numbers.take()
    message = accepted(check, "a code", client().short_codes.send_2fa_message(to=to, pin="482193"), to)
    for delivered in (True, False):
        moment = datetime.datetime(2026, 1, 1, 12)
        answer = client().sms.submit_sms_conversion(message["message-id"], delivered, moment)
        check.equal(f"{delivered}", answer, b"OK")
    check.equal("of a message of nobody", client().sms.submit_sms_conversion("0A0000001234567B"), b"OK")
    check.raises(
        "a wrong secret", vonage.errors.AuthenticationError,
        lambda: client("wrong").sms.submit_sms_conversion(message["message-id"]))


for section in (codes, a_stale_token, conversions):
    with check.section(section.__name__.replace("_", " ")):
        section()
check.end()
