"""Asks Pinpost's Nexmo APIs what the client libraries do not: GET, JSON, XML, signatures, Basic, and what is wrong in itself."""

import base64
import hashlib
import hmac
import http.client
import time
import urllib.parse
import xml.etree.ElementTree

from nexmo_peer import (
    API_KEY, API_SECRET, MESSAGE_ID, SIGNATURE_SECRET, URL, Checks, Numbers, accepted, received, refused, request)

check = Checks()
numbers = Numbers(5300000)

PATH = "/sc/us/2fa/json"


def ask(method, path, parameters=None, body=None, **options):
    query = f"?{urllib.parse.urlencode(parameters)}" if parameters else ""
    answer = request(method, path + query, body, authorization=options.pop("authorization", None), **options)
    check.equal(f"{method} {path}, status", answer.status, 200)
    return answer


def parameters(**changes):
    return {"to": numbers.take(), "pin": "482193", "api_key": API_KEY, "api_secret": API_SECRET, **changes}


def signed(given):
    given = {name: value for name, value in given.items() if name != "api_secret"}
    given["timestamp"] = str(int(time.time()))
    text = "".join(f"&{name}={str(given[name]).replace('&', '_').replace('=', '_')}" for name in sorted(given))
    return {**given, "sig": hmac.new(SIGNATURE_SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()}


def ways():
    given = parameters()
    accepted(check, "GET", ask("GET", PATH, given).json, given["to"])
    given = parameters()
    accepted(check, "POST of a query", ask("POST", PATH, given).json, given["to"])
    for content_type in ("application/json", "text/javascript", "text/x-json", "application/x-www-form-urlencoded"):
        given = parameters(pin=4821)
        answer = ask("POST", PATH, body=given, headers={"Content-Type": content_type})
        accepted(check, f"JSON as {content_type}", answer.json, given["to"])
        check.equal("what arrives", received(given["to"])["text"], "Your verification code is 4821")


def xml_form():
    given = parameters(**{"client-ref": "<&>"})
    answer = ask("GET", "/sc/us/2fa/xml", given)
    check.true("type", "xml" in answer.headers["Content-Type"])
    root = xml.etree.ElementTree.fromstring(answer.text)
    check.equal("root", root.tag, "mt-submission-response")
    check.equal("count", root.find("messages").get("count"), "1")
    message = root.find("messages/message")
    check.equal("status", message.findtext("status"), "0")
    check.matches("messageId", message.findtext("messageId"), MESSAGE_ID)
    check.equal("clientRef", message.findtext("clientRef"), "<&>")
    root = xml.etree.ElementTree.fromstring(ask("GET", "/sc/us/2fa/xml").text)
    check.equal("a refusal's status", root.findtext("messages/message/status"), "2")


def proofs():
    given = signed(parameters(**{"client-ref": "a&b=c"}))
    accepted(check, "a signature", ask("POST", PATH, given).json, given["to"])
    given = signed(parameters())
    accepted(check, "in upper case", ask("GET", PATH, {**given, "sig": given["sig"].upper()}).json, given["to"])
    refused(check, "of something else", ask("GET", PATH, {**given, "pin": "1"}).json, 14)
    refused(check, "a wrong secret", ask("GET", PATH, parameters(api_secret="x")).json, 4)
    basic = "Basic " + base64.b64encode(f"{API_KEY}:{API_SECRET}".encode()).decode()
    to = numbers.take()
    accepted(check, "Basic", ask("POST", PATH, {"to": to, "pin": "1234"}, authorization=basic).json, to)
    refused(check, "nobody", ask("POST", PATH, {"to": to, "pin": "1234"}).json, 2)


def mistakes():
    for what, body in {"no JSON": b"{", "an array": b"[1]", "no UTF-8": b"to=%ff"}.items():
        refused(check, what, ask("POST", PATH, body=body).json, 3)
    refused(check, "another method", ask("PUT", PATH, parameters()).json, 3)
    refused(check, "no such path", ask("POST", "/sc/us/nothing", parameters()).json, 19)
    host = urllib.parse.urlsplit(URL)
    connection = http.client.HTTPConnection(host.hostname, host.port, timeout=20)
    connection.putrequest("POST", PATH)
    connection.putheader("Content-Length", str(1 << 30))
    connection.endheaders()
    answer = connection.getresponse()
    check.equal("a body that is announced too long, status", answer.status, 200)
    check.true("a body that is announced too long, envelope", b'"status":"12"' in answer.read())


for section in (ways, xml_form, proofs, mistakes):
    with check.section(section.__name__.replace("_", " ")):
        section()
check.end()
