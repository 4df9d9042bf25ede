"""Conversions through the fourth version of Vonage's client, which has nothing for short codes."""

import requests
from vonage import Auth, Vonage
from vonage_http_client.errors import AuthenticationError

from nexmo_peer import API_KEY, API_SECRET, SIGNATURE_SECRET, URL, Checks, Numbers, accepted, led_here

check = Checks()
numbers = Numbers(5200000)


def client(**auth):
    made = Vonage(Auth(api_key=API_KEY, **auth))
    led_here(made.http_client._session)
    return made


def sent():
    to = numbers.take()
    # The client would send JSON; the form's name is what its conversions have too.
    answer = requests.post(
        f"{URL}/sc/us/2fa/json", headers={"Content-Type": "application/json"}, timeout=20,
        data={"to": to, "pin": 482193, "api_key": API_KEY, "api_secret": API_SECRET})
    return accepted(check, "a code", answer.json(), to)["message-id"]


def basic():
    """A form that calls itself JSON."""
    made = client(api_secret=API_SECRET)
    check.equal("reported", made.sms.submit_sms_conversion(sent(), True), None)
    answer = made.http_client.last_response
    check.equal("answer", (answer.status_code, answer.text), (200, "OK"))
    check.raises(
        "a wrong secret", AuthenticationError,
        lambda: client(api_secret="wrong").sms.submit_sms_conversion("0A0000001234567B", True))


def signed():
    """Over the time of the conversion."""
    made = client(signature_secret=SIGNATURE_SECRET, signature_method="sha256")
    made.sms.submit_sms_conversion(sent(), False, "2020-01-01 12:00:00")
    check.equal("answer", made.http_client.last_response.text, "OK")
    check.raises(
        "another secret", AuthenticationError,
        lambda: client(signature_secret="x", signature_method="sha256").sms.submit_sms_conversion("0A00", True))


for section in (basic, signed):
    with check.section(section.__name__):
        section()
check.end()
