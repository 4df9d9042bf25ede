"""Asks Pinpost's Infobip 2FA API what no client library asks: other authorisations, nulls, content types, the older path,
and requests that are wrong in themselves."""

import base64
import http.client
import urllib.parse

from peer import CREDENTIAL, ID, KEY, NO_ID, URL, Checks, Numbers, code_in, received, request, wrong

WIDE = {"sendPinPerPhoneNumberLimit": "1000/1d", "verifyPinLimit": "1000/1s"}

check = Checks()
numbers = Numbers(2000000)


def made(path, body, **options):
    answer = request("POST", path, body, **options)
    if answer.status != 200:
        raise ValueError(f"{path}: {answer.status} {answer.text}")
    return answer.json


def application(**configuration):
    body = {"name": "raw", "configuration": {**WIDE, **configuration}}
    return made("/2fa/2/applications", body)["applicationId"]


def template(app, **fields):
    body = {"messageText": "Code {{pin}}!", "pinType": "NUMERIC", **fields}
    return made(f"/2fa/2/applications/{app}/messages", body)["messageId"]


def sent(app, message, version=2):
    to = numbers.take()
    answer = made(f"/2fa/{version}/pin", {"applicationId": app, "messageId": message, "to": to})
    return answer["pinId"], code_in(received(to)), to


def refused(what, status, message_id, answer):
    check.equal(f"{what}, status", answer.status, status)
    check.equal(f"{what}, type", answer.headers["Content-Type"], "application/json")
    return check.envelope(what, answer.text, message_id)


def authorisations():
    basic = CREDENTIAL and "Basic " + base64.b64encode(CREDENTIAL.encode()).decode()
    for value in (f"App {KEY}", f"app {KEY}", f"Bearer {KEY}", f"IBSSO {KEY}", basic):
        if value:
            answer = request("GET", "/2fa/2/applications", authorization=value)
            check.equal(f"{value.split()[0]}, status", answer.status, 200)
    unknown = KEY[:-1] + ("0" if KEY[-1] != "0" else "1")
    broken = base64.b64encode(b"no colon").decode()
    wrong_password = base64.b64encode((CREDENTIAL or "nobody:").encode() + b"x").decode()
    for what, value in {
        "none": None, "an empty one": "", "no scheme": KEY, "no key": "App", "a key of nobody": f"App {unknown}",
        "two keys": f"App {KEY} {KEY}", "another scheme": f"Digest {KEY}", "Basic of no name": f"Basic {broken}",
        "Basic of a wrong password": f"Basic {wrong_password}", "Basic that is none": "Basic ***",
        "a key that is no ASCII": "App schlüssel",
    }.items():
        refused(what, 401, "UNAUTHORIZED", request("GET", "/2fa/2/applications", authorization=value))
    refused("first the key, then the path", 401, "UNAUTHORIZED", request("GET", "/2fa/2/nothing", authorization=None))
    refused(
        "first the key, then the body", 401, "UNAUTHORIZED",
        request("POST", "/2fa/2/pin", b"{", authorization=None))


def nulls():
    """As the community's client sends them, one for every field that is not set."""
    app = made("/2fa/2/applications", {
        "applicationId": None, "name": "nulls", "enabled": None,
        "configuration": {
            "allowMultiplePinVerifications": None, "pinAttempts": 5, "pinTimeToLive": None, "verifyPinLimit": None,
            "sendPinPerApplicationLimit": None, "sendPinPerPhoneNumberLimit": None}})
    check.members("defaults for nulls", app["configuration"], {
        "allowMultiplePinVerifications": True, "pinAttempts": 5, "pinTimeToLive": "15m", "verifyPinLimit": "1/3s"})
    check.equal("enabled for null", app["enabled"], True)
    plain = made("/2fa/2/applications", {"name": "nulls", "configuration": None})
    check.equal("a configuration that is null", plain["configuration"]["pinAttempts"], 10)
    app = app["applicationId"]
    answer = request("PUT", f"/2fa/2/applications/{app}", {"name": "other", "enabled": None, "configuration": None})
    check.equal("null changes nothing", answer.json["configuration"]["pinAttempts"], 5)
    message = made(f"/2fa/2/applications/{app}/messages", {
        "applicationId": None, "language": None, "messageId": None, "messageText": "Code {{pin}}!", "pinLength": None,
        "pinPlaceholder": None, "pinType": "NUMERIC", "regional": None, "repeatDTMF": None, "senderId": None,
        "speechRate": None, "voiceName": None})
    check.true("no null in the answer", None not in message.values(), f"{message!r}")
    check.equal("pinLength for null", message["pinLength"], 4)
    to = numbers.take()
    answer = made("/2fa/2/pin?ncNeeded=True", {
        "applicationId": app, "messageId": message["messageId"], "fromId": None, "from": None, "to": to,
        "placeholders": None})
    check.true("no null in the answer", None not in answer.values(), f"{answer!r}")
    made(f"/2fa/2/pin/{answer['pinId']}/resend", {"placeholders": None})
    check.equal("sent again", code_in(received(to, 2)), code_in(received(to)))
    made("/2fa/2/pin/voice", {
        "applicationId": app, "messageId": message["messageId"], "fromId": None, "to": numbers.take(),
        "placeholders": None})


def bodies():
    app = application()
    message = template(app)
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "application/json; charset=UTF-8"):
        answer = request(
            "POST", "/2fa/2/applications", b'{"name": "typed"}', headers={"Content-Type": content_type})
        check.equal(f"{content_type}, status", answer.status, 200)
        check.equal(f"{content_type}, answer's type", answer.headers["Content-Type"], "application/json")
    answer = request("POST", "/2fa/2/applications", {"name": "more", "colour": "green", "configuration": {"size": 3}})
    check.equal("unknown members, status", answer.status, 200)
    pin_id, pin, to = sent(app, message)
    ways = {"no body": None, "an empty object": {}, "no placeholders": {"trackDelivery": False}}
    for count, (what, body) in enumerate(ways.items(), 2):
        answer = request("POST", f"/2fa/2/pin/{pin_id}/resend", body)
        check.equal(f"sent again with {what}", (answer.status, answer.json.get("pinId")), (200, pin_id))
        check.equal(f"the same PIN with {what}", code_in(received(to, count)), pin)
    answer = request("POST", f"/2fa/2/pin/{pin_id}/verify", {"pin": pin})
    check.equal("right", answer.json, {"pinId": pin_id, "msisdn": to, "verified": True, "attemptsRemaining": 0})
    answer = request("PUT", f"/2fa/2/applications/{app}", {"name": "raw", "configuration": {"pinAttempts": 3}})
    check.members("members of a configuration that are not named stay", answer.json["configuration"], {
        "pinAttempts": 3, "verifyPinLimit": "1000/1s"})


def older_path():
    app = made("/2fa/1/applications", {"name": "v1", "configuration": WIDE})["applicationId"]
    message = made(f"/2fa/1/applications/{app}/messages", {
        "pinType": "NUMERIC", "messageText": "Code {{pin}}!"})["messageId"]
    pin_id, pin, to = sent(app, message, version=1)
    check.matches("pinId", pin_id, ID)
    answer = request("POST", f"/2fa/1/pin/{pin_id}/verify", {"pin": wrong(pin)})
    check.equal("wrong", answer.json, {
        "pinId": pin_id, "msisdn": to, "verified": False, "attemptsRemaining": 9, "pinError": "WRONG_PIN"})
    answer = request("POST", f"/2fa/2/pin/{pin_id}/verify", {"pin": pin})
    check.equal("right, by the newer path", (answer.status, answer.json["verified"]), (200, True))
    refused("no application", 404, "NOT_FOUND", request("GET", f"/2fa/1/applications/{NO_ID}"))


def mistakes():
    app = application()
    message = template(app)
    pin_id, pin, _ = sent(app, message)
    for what, body in {
        "no JSON": b"{", "nothing": b"", "an array": b"[]", "a string": b'"x"', "null": b"null",
        "no UTF-8": b'{"name": "\xff"}', "two values": b"{}{}", "a nul": b'{"name": "a\\u0000b"}',
    }.items():
        refused(f"application of {what}", 400, "BAD_REQUEST", request("POST", "/2fa/2/applications", body))
    for what, path, body, field in [
        ("no name", "/2fa/2/applications", {}, "name"),
        ("a name of null", "/2fa/2/applications", {"name": None}, "name"),
        ("a name that is a number", "/2fa/2/applications", {"name": 1}, "name"),
        ("no type of PIN", f"/2fa/2/applications/{app}/messages", {"messageText": "{{pin}}"}, "pinType"),
        ("no text", f"/2fa/2/applications/{app}/messages", {"pinType": "HEX"}, "messageText"),
        ("a language of nobody", f"/2fa/2/applications/{app}/messages",
         {"pinType": "HEX", "messageText": "{{pin}}", "language": "xx"}, "language"),
        ("no content", f"/2fa/2/applications/{app}/email/messages", {}, "emailTemplateId"),
        ("no application", "/2fa/2/pin", {"messageId": message, "to": "41793026727"}, "applicationId"),
        ("no message", "/2fa/2/pin", {"applicationId": app, "to": "41793026727"}, "messageId"),
        ("no recipient", "/2fa/2/pin", {"applicationId": app, "messageId": message}, "to"),
        ("no PIN", f"/2fa/2/pin/{pin_id}/verify", {}, "pin"),
    ]:
        found = refused(what, 400, "BAD_REQUEST", request("POST", path, body))
        check.true(f"{what}, validationErrors", field in (found.get("validationErrors") or {}), f"{found!r}")
    refused("no msisdn", 400, "BAD_REQUEST", request("GET", f"/2fa/2/applications/{app}/verifications"))
    refused("an id in lower case", 400, "BAD_REQUEST",
            request("POST", f"/2fa/2/pin/{NO_ID.lower()}/verify", {"pin": "1234"}))
    answer = request("POST", f"/2fa/2/pin/{pin_id}/verify", {"pin": pin})
    check.equal("mistakes cost no attempt", answer.json.get("verified"), True)


def nowhere():
    for path in ("/2fa", "/2fa/", "/2fa/2", "/2fa/2/", "/2fa/2/nothing", "/2fa/3/applications", "/2fa/2/applications/",
                 f"/2fa/2/pin/{NO_ID}", f"/2fa/2/pin/{NO_ID}/resend/pigeon", f"/2fa/2/pin/{NO_ID}/verify/more"):
        refused(path, 404, "NOT_FOUND", request("GET", path))
    for method, path in {"DELETE": "/2fa/2/applications", "PATCH": "/2fa/2/pin", "GET": "/2fa/2/pin"}.items():
        answer = request(method, path)
        check.true(f"{method} {path}, status", answer.status in (404, 405), f"{answer.status}")
        check.true(f"{method} {path}, envelope", "requestError" in answer.text, answer.text)


def too_much():
    """What the web server refuses before anybody reads it."""
    host = urllib.parse.urlsplit(URL)
    connection = http.client.HTTPConnection(host.hostname, host.port, timeout=20)
    connection.putrequest("POST", "/2fa/2/applications")
    connection.putheader("Authorization", f"App {KEY}")
    connection.putheader("Content-Length", str(1 << 30))
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read().decode()
    check.equal("a body that is announced too long, status", answer.status, 413)
    check.true("a body that is announced too long, envelope", "requestError" in body, body)


for section in (authorisations, nulls, bodies, older_path, mistakes, nowhere, too_much):
    with check.section(section.__name__.replace("_", " ")):
        section()
check.end()
