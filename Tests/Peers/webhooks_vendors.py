"""Looks over what customers of Infobip, Bandwidth and Nexmo were told, by what each vendor has published of its callbacks.

WEBHOOKS_FILE has a JSON object a line: `method`, `target`, `fields` with names in lower case, `body`. The first part of the
path names the vendor; of Nexmo the second names how receipts are asked for.
"""

import copy
import datetime
import hashlib
import hmac
import json
import os
import re
import urllib.parse

from peer import Checks

SIGNATURE_SECRET = os.environ["NEXMO_SIGNATURE_SECRET"]
AUTHORIZATION = os.environ["INFOBIP_AUTHORIZATION"]

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
# How many of each are expected: each customer of Nexmo has one message that arrives and one that does not, with two receipts
# each; the others have three messages and are told of the end only.
EXPECTED = {"infobip": 3, "bandwidth": 3, "nexmo GET": 4, "nexmo POST-FORM": 4, "nexmo POST-JSON": 4}

INFOBIP_GROUPS = ["OK", "PENDING", "UNDELIVERABLE", "DELIVERED", "EXPIRED", "REJECTED"]
INFOBIP_ERROR_GROUPS = ["OK", "HANDSET_ERRORS", "USER_ERRORS", "OPERATOR_ERRORS"]

NEXMO_STATUSES = {"delivered", "expired", "failed", "rejected", "accepted", "buffered", "unknown"}
NEXMO_CODES = {*range(16), *range(50, 55), 99}
# What the vendor's own PHP library asks for.
NEXMO_REQUIRED = {
    "err-code", "message-timestamp", "msisdn", "network-code", "price", "scts", "status", "to", "messageId",
}
NEXMO_KNOWN = NEXMO_REQUIRED | {"client-ref", "api-key", "timestamp", "nonce", "sig"}


class Wrong(Exception):
    pass


def need(is_right, what):
    if not is_right:
        raise Wrong(what)


def recent(moment, what):
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    age = datetime.datetime.now(tz=datetime.timezone.utc) - moment
    need(datetime.timedelta(seconds=-90) < age < datetime.timedelta(minutes=10), f"{what} is not now: {moment}")


def text(value, pattern, what):
    need(isinstance(value, str) and re.fullmatch(pattern, value), f"{what}: {value!r}")
    return value


def members(value, required, optional, what):
    need(isinstance(value, dict), f"{what} is no object")
    need(set(required) <= set(value), f"{what} lacks {set(required) - set(value)}")
    need(set(value) <= {*required, *optional}, f"{what} has {set(value) - {*required, *optional}}")


def infobip(event):
    need(event["method"] == "POST", "method")
    need(event["fields"].get("authorization") == AUTHORIZATION, "authorization")
    need(event["fields"]["content-type"] == "application/json", "content-type")
    body = json.loads(event["body"])
    members(body, {"results"}, (), "the report")
    need(len(body["results"]) == 1, "one result")
    result = body["results"][0]
    members(
        result, {"messageId", "to", "sentAt", "doneAt", "messageCount", "status", "error"},
        {"bulkId", "sender", "from", "mccMnc", "callbackData", "price"}, "the result",
    )
    text(result["messageId"], UUID, "messageId")
    text(result["to"], r"[1-9][0-9]{6,14}", "to")
    for name in "sentAt", "doneAt":
        text(result[name], r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000", name)
        recent(datetime.datetime.strptime(result[name], "%Y-%m-%dT%H:%M:%S.%f%z"), name)
    need(type(result["messageCount"]) is int and result["messageCount"] >= 1, "messageCount")
    status, error = result["status"], result["error"]
    members(status, {"groupId", "groupName", "id", "name", "description"}, {"action"}, "status")
    need(INFOBIP_GROUPS[status["groupId"]] == status["groupName"], f"status {status}")
    need(status["groupId"] > 1, "only ends are reported")
    members(error, {"groupId", "groupName", "id", "name", "description", "permanent"}, (), "error")
    need(INFOBIP_ERROR_GROUPS[error["groupId"]] == error["groupName"], f"error {error}")
    need(isinstance(error["permanent"], bool), "permanent")
    need((status["groupName"] == "DELIVERED") == (error["id"] == 0), f"{status} with {error}")
    return status["groupName"]


def bandwidth(event):
    need(event["method"] == "POST", "method")
    need(event["target"] == "/bandwidth?order=9", "the address is the message's, whole")
    need(event["fields"]["content-type"].split(";")[0] == "application/json", "content-type")
    body = json.loads(event["body"])
    failed = body.get("type") == "message-failed"
    members(
        body, {"type", "time", "description", "platform", "message"} | ({"errorCode"} if failed else set()), (), "body")
    need(body["type"] in ("message-delivered", "message-failed"), "type")
    recent(datetime.datetime.strptime(text(body["time"], r".*Z", "time"), "%Y-%m-%dT%H:%M:%S%z"), "time")
    need(body["platform"] in ("NorthAmericaSMS", "GlobalSMS"), "platform")
    members(body["message"], {"id"}, (), "message")
    text(body["message"]["id"], r"\d{13}[0-9a-z]{16}", "id")
    if failed:
        need(type(body["errorCode"]) is int, "errorCode is an integer")
        need(body["platform"] == "NorthAmericaSMS" or body["errorCode"] == 995, "abroad")
    else:
        need(body["description"] == "ok", "description")
    return f"{body['type']} {body['platform']}"


def signature(parameters, method):
    """The vendor's rule: sorted by name, `&` and `=` in values replaced, each after an ampersand."""
    parts = [f"&{name}={re.sub('[&=]', '_', value)}" for name, value in sorted(parameters.items()) if name != "sig"]
    signed = "".join(parts)
    if method == "md5hash":
        return hashlib.md5((signed + SIGNATURE_SECRET).encode()).hexdigest()
    return hmac.new(SIGNATURE_SECRET.encode(), signed.encode(), method).hexdigest()


def single(pairs):
    need(len({name for name, _ in pairs}) == len(pairs), "a name stands twice")
    return dict(pairs)


def nexmo(event):
    pieces = urllib.parse.urlsplit(event["target"])
    how = pieces.path.split("/")[2]
    query = single(urllib.parse.parse_qsl(pieces.query, keep_blank_values=True, strict_parsing=True))
    need(query.get("shop") == "a&b", "the customer's own query")
    kind = event["fields"].get("content-type")
    if how == "GET":
        need(event["method"] == "GET" and event["body"] == "", "GET")
        parameters = query
    elif how == "POST-FORM":
        need(event["method"] == "POST" and kind == "application/x-www-form-urlencoded", "a form")
        parameters = single(urllib.parse.parse_qsl(event["body"], keep_blank_values=True, strict_parsing=True))
    else:
        need(event["method"] == "POST" and kind == "application/json", "JSON")
        parameters = json.loads(event["body"])
        need(all(isinstance(value, str) for value in parameters.values()), "all are texts")
    own = {name: value for name, value in parameters.items() if name != "shop"}
    need(NEXMO_REQUIRED <= set(own), f"lacks {NEXMO_REQUIRED - set(own)}")
    need(set(own) <= NEXMO_KNOWN, f"has {set(own) - NEXMO_KNOWN}")
    need(own["status"] in NEXMO_STATUSES, "status")
    need(int(own["err-code"]) in NEXMO_CODES, "err-code")
    need((own["status"] in ("delivered", "accepted", "buffered")) == (own["err-code"] == "0"), "status and err-code")
    text(own["msisdn"], r"[1-9][0-9]{6,14}", "msisdn")
    text(own["messageId"], r"[0-9A-Za-z]{16}", "messageId")
    text(own["price"], r"\d+\.\d{8}", "price")
    recent(datetime.datetime.strptime(text(own["scts"], r"\d{10}", "scts"), "%y%m%d%H%M"), "scts")
    recent(datetime.datetime.strptime(own["message-timestamp"], "%Y-%m-%d %H:%M:%S"), "message-timestamp")
    need(own.get("client-ref") == "order=7&more", "client-ref")
    need(own.get("api-key") == {"GET": "nxget000", "POST-FORM": "nxform00", "POST-JSON": "nxjson00"}[how], "api-key")
    recent(datetime.datetime.fromtimestamp(int(own["timestamp"]), tz=datetime.timezone.utc), "timestamp")
    need(own.get("nonce"), "nonce")
    need(own["sig"].lower() == signature(parameters, "md5hash" if how == "GET" else "sha256"), "sig")
    return own["status"]


VALIDATORS = {"infobip": infobip, "bandwidth": bandwidth, "nexmo": nexmo}


def vendor(event):
    return urllib.parse.urlsplit(event["target"]).path.split("/")[1]


def group(event):
    parts = urllib.parse.urlsplit(event["target"]).path.split("/")
    return " ".join(parts[1:])


def problem(event):
    try:
        VALIDATORS[vendor(event)](event)
    except (Wrong, KeyError, IndexError, TypeError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    return None


with open(os.environ["WEBHOOKS_FILE"], encoding="utf-8") as file:
    events = [json.loads(line) for line in file]

check = Checks()

with check.section("every request"):
    for event in events:
        what = problem(event)
        check.true(f"{group(event)} is what the vendor says", what is None, f"{what}\n{event}")
    counts = {name: sum(group(event) == name for event in events) for name in EXPECTED}
    check.equal("there are as many as there should be", counts, EXPECTED)

with check.section("what they say"):
    said = {}
    for event in events:
        if problem(event) is None:
            said.setdefault(group(event), []).append(VALIDATORS[vendor(event)](event))
    said = {name: sorted(words) for name, words in said.items()}
    check.equal("Infobip", said.get("infobip"), ["DELIVERED", "DELIVERED", "UNDELIVERABLE"])
    check.equal(
        "Bandwidth", said.get("bandwidth"),
        ["message-delivered GlobalSMS", "message-delivered NorthAmericaSMS", "message-failed GlobalSMS"])
    for how in "GET", "POST-FORM", "POST-JSON":
        check.equal(f"Nexmo, {how}", said.get(f"nexmo {how}"), ["accepted", "accepted", "delivered", "failed"])

with check.section("the vendor's own examples"):
    # From its documentation: what signs here is what it signs with.
    SIGNATURE_SECRET, kept = "sigsecret", SIGNATURE_SECRET
    example = {
        "msisdn": "16365553226", "to": "12345", "network-code": "310260", "messageId": "0A0000001234567B",
        "price": "0.05000000", "status": "delivered", "scts": "2001011400", "err-code": "0", "api-key": "nxkey000",
        "message-timestamp": "2020-01-01 12:00:00", "timestamp": "1577880000",
        "nonce": "ec11dd3e-1e7f-4db5-9467-82b02cd223b9",
    }
    check.equal(
        "signed receipt", signature(example, "sha256"), "56edb613184cce3c10b39c268a04e5548f7ebb9c1eb2d0c0bc610e93653fbbd9")
    SIGNATURE_SECRET = kept

with check.section("controls"):
    for event in events:
        wrong = copy.deepcopy(event)
        wrong["target"] = wrong["target"].replace("delivered", "accepted").replace("status=failed", "status=delivered")
        wrong["body"] = re.sub(r"delivered|failed|DELIVERED|UNDELIVERABLE|accepted", "expired", wrong["body"], count=1)
        if (wrong["target"], wrong["body"]) != (event["target"], event["body"]):
            check.true(f"{group(event)} that was changed is refused", problem(wrong) is not None, wrong)

check.end()
