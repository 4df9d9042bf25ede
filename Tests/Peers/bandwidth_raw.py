"""Asks Pinpost's Bandwidth MFA API what no client library asks: other authorisations, nulls, content types, the fields of its
first version, and requests that are wrong in themselves."""

import base64
import http.client
import os
import urllib.parse
import uuid

from peer import CREDENTIAL, KEY, URL, Checks, Numbers, code_in, received, request, wrong

ACCOUNT = os.environ["BANDWIDTH_ACCOUNT"]
APPLICATION = os.environ["BANDWIDTH_APPLICATION"]
BASIC = "Basic " + base64.b64encode(CREDENTIAL.encode()).decode()
CODE = f"/api/v1/accounts/{ACCOUNT}/code"
# How long a request that is never finished may wait for its answer, seconds.
ANSWER_TIME = 20

check = Checks()
numbers = Numbers(5000000)


def ask(operation, body, **options):
    return request("POST", f"{CODE}/{operation}", body, **{"authorization": BASIC, **options})


def send_request(number, **fields):
    return {
        "to": number, "from": "+19195554321", "applicationId": APPLICATION, "message": "Code {CODE}!", "digits": 6, **fields}


def verify(to, code, **fields):
    return ask("verify", {"to": to, "code": code, "expirationTimeInMinutes": 3, **fields})


def refused(what, status, answer, error=None):
    check.equal(f"{what}, status", answer.status, status)
    check.equal(f"{what}, type", answer.headers["Content-Type"], "application/json")
    if status in (401, 403):
        check.true(f"{what}, message", answer.json.get("message"))
        return
    check.equal(f"{what}, members", sorted(answer.json), ["error", "requestId"])
    check.equal(f"{what}, requestId", str(uuid.UUID(answer.json["requestId"])), answer.json["requestId"])
    if error:
        check.equal(f"{what}, error", answer.json["error"], error)


def authorisations():
    for what, authorization in {"a user": BASIC, "basic": BASIC.replace("Basic", "basic"), "a key": f"Bearer {KEY}"}.items():
        answer = ask("messaging", send_request("+" + numbers.take()), authorization=authorization)
        check.equal(f"{what}, status", answer.status, 200)
    refused("none", 401, ask("messaging", {}, authorization=None))
    for what, authorization in {
        "another scheme": f"App {KEY}", "a wrong key": f"Bearer {KEY}x", "no colon": "Basic " + "YWJj", "no base64": "Basic ***",
    }.items():
        refused(what, 403, ask("messaging", {}, authorization=authorization))
    refused("first who asks, then the body", 401, ask("verify", b"{", authorization=None))


def first_version():
    """Neither a text nor a number of digits, and what later versions ignore."""
    to = "+" + numbers.take()
    answer = ask("messaging", {"to": to, "from": "+19195554321", "applicationId": APPLICATION})
    check.matches("messageId", answer.json.get("messageId"), "[0-9a-z]{29}")
    text = received(to[1:])
    check.matches("the text", text["text"], "Your temporary Shop 2FA code is [0-9]{6}")
    answer = verify(to, text["text"][-6:], applicationId=APPLICATION, **{"from": "+19195554321", "digits": 6})
    check.equal("the right code", answer.text, '{"valid":true}')


def bodies():
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "application/octet-stream"):
        answer = ask("messaging", send_request("+" + numbers.take()), headers={"Content-Type": content_type})
        check.equal(f"{content_type}, status", answer.status, 200)
    to = "+" + numbers.take()
    answer = ask("messaging", send_request(to, scope=None, digits=None, callbackUrl=None, other={"a": [1]}))
    check.equal("nulls are absent", answer.status, 200)
    code = code_in(received(to[1:]))
    check.equal("a wrong code", verify(to, wrong(code), scope=None).text, '{"valid":false}')
    check.equal("the right code", verify(to, code, expirationTimeInMinutes=0.5).text, '{"valid":true}')
    for what, body in {"nothing": b"", "no JSON": b"{", "an array": b"[]", "a form": b"to=%2B41790000000"}.items():
        refused(what, 400, ask("messaging", body))


def fields():
    to = "+" + numbers.take()
    for error, fields in {
        "to number is required": {"to": None}, "from number is required": {"from": None},
        "applicationId is required": {"applicationId": None}, "applicationId is unknown": {"applicationId": "x"},
        "message must contain {CODE}": {"message": "x"}, "digits must be an integer between 4 and 8": {"digits": 9},
        "scope must have 0 to 25 characters": {"scope": "s" * 26},
    }.items():
        for operation in ("messaging", "voice"):
            refused(f"{operation}: {error}", 400, ask(operation, send_request(to, **fields)), error)
    for error, fields in {
        "to number is required": {"to": None}, "code is required": {"code": None},
        "expirationTimeInMinutes is required": {"expirationTimeInMinutes": None},
        "expirationTimeInMinutes must be a number greater than 0 and not greater than 15": {"expirationTimeInMinutes": 16},
    }.items():
        body = {"to": to, "code": "123456", "expirationTimeInMinutes": 3, **fields}
        refused(f"verify: {error}", 400, ask("verify", body), error)


def paths():
    for path in ("/api/v1", "/api/v1/accounts", f"{CODE}/sms", f"{CODE}/verify/"):
        refused(path, 404, request("POST", path, {}, authorization=BASIC), "Not Found")
    answer = request("GET", f"{CODE}/verify", authorization=BASIC)
    refused("GET", 405, answer, "Method Not Allowed")
    check.equal("Allow", answer.headers["Allow"], "POST")


def too_large():
    """Refused before anybody has read it, and in the vendor's form all the same."""
    place = urllib.parse.urlsplit(URL)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=ANSWER_TIME)
    connection.putrequest("POST", f"{CODE}/messaging")
    connection.putheader("Authorization", BASIC)
    connection.putheader("Content-Length", str(1 << 30))
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read().decode()
    check.equal("status", answer.status, 413)
    check.true("error and requestId", '"error":' in body and '"requestId":' in body, body)
    connection.close()


for section in (authorisations, first_version, bodies, fields, paths, too_large):
    with check.section(section.__name__.replace("_", " ")):
        section()
check.end()
