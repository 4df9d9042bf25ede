"""Verifies every event in a file through the library that the authors of Standard Webhooks published.

WEBHOOKS_FILE has a JSON object a line: `method`, `target`, `fields` with names in lower case, `body`. WEBHOOKS_SECRETS is an
object: the secrets of each path, every one of which must verify what came to it.
"""

import datetime
import json
import os
import urllib.parse

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from peer import Checks

SECRETS = json.loads(os.environ["WEBHOOKS_SECRETS"])
STRANGERS_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
# The library takes what is five minutes old at most.
LONG_AGO = datetime.timedelta(minutes=6)

check = Checks()


def secrets(event):
    return SECRETS[urllib.parse.urlsplit(event["target"]).path]


def verifies(secret, event):
    try:
        return Webhook(secret).verify(event["body"], event["fields"]) == json.loads(event["body"])
    except WebhookVerificationError:
        return False


def changed(event, **fields):
    return event | {"fields": event["fields"] | {name.replace("_", "-"): value for name, value in fields.items()}}


with open(os.environ["WEBHOOKS_FILE"], encoding="utf-8") as file:
    events = [json.loads(line) for line in file]

with check.section("every event"):
    check.true("there are some", events)
    refused = [event for event in events if not all(verifies(secret, event) for secret in secrets(event))]
    check.equal(f"all {len(events)} verify", [event["fields"].get("webhook-id") for event in refused], [])
    check.equal("all are posted", {event["method"] for event in events}, {"POST"})
    check.equal("all are JSON", {event["fields"]["content-type"] for event in events}, {"application/json"})
    for event in events:
        body = json.loads(event["body"])
        if set(body) != {"type", "timestamp", "data"}:
            check.true("has the form that is asked for", False, sorted(body))
        datetime.datetime.fromisoformat(body["timestamp"])

with check.section("controls"):
    event = events[0]
    secret = secrets(event)[0]
    flipped = event["body"].replace('"sequence":1', '"sequence":3')
    check.true("the byte was flipped", flipped != event["body"])
    check.true("a flipped byte is refused", not verifies(secret, event | {"body": flipped}))
    check.true("a stranger's secret is refused", not verifies(STRANGERS_SECRET, event))
    check.true("another id is refused", not verifies(secret, changed(event, webhook_id="evt_" + "0" * 32)))
    check.true("no signature is refused", not verifies(secret, changed(event, webhook_signature="")))
    # Signed rightly, and too late.
    then = datetime.datetime.now(tz=datetime.timezone.utc) - LONG_AGO
    signature = Webhook(secret).sign(event["fields"]["webhook-id"], then, event["body"])
    old = changed(event, webhook_timestamp=str(int(then.timestamp())), webhook_signature=signature)
    check.true("an old time is refused", not verifies(secret, old))
    now = datetime.datetime.now(tz=datetime.timezone.utc)
    signature = Webhook(secret).sign(event["fields"]["webhook-id"], now, event["body"])
    new = changed(event, webhook_timestamp=str(int(now.timestamp())), webhook_signature=signature)
    check.true("the same at this time is not", verifies(secret, new))

check.end()
