"""Drives all operations of Pinpost's Bandwidth MFA API through Bandwidth's published client, unchanged but for its host."""

import json
import os
import re
import time
import uuid

import bandwidth
from bandwidth.exceptions import ApiException, BadRequestException, ForbiddenException, UnauthorizedException

from peer import CREDENTIAL, URL, Checks, Numbers, code_in, inbox, received, wrong

ACCOUNT = os.environ["BANDWIDTH_ACCOUNT"]
# Named `Shop`.
APPLICATION = os.environ["BANDWIDTH_APPLICATION"]
SENDER = "+19195554321"
MESSAGE = "{NAME} {SCOPE}: Code {CODE}!"

LOCKED = "This number has exceeded verification attempts, please wait 2 minutes"
# How long a lock may last at most, seconds; and how often it is looked at.
LOCK_TIME = 35
LOCK_PAUSE = 0.2

check = Checks()
numbers = Numbers(4000000)


def mfa_api(username=None, password=None):
    return bandwidth.MFAApi(bandwidth.ApiClient(bandwidth.Configuration(
        host=URL + "/api/v1", ignore_operation_servers=True, username=username, password=password)))


user, password = CREDENTIAL.split(":")
mfa = mfa_api(user, password)


def number():
    return "+" + numbers.take()


def code_request(to, **fields):
    return bandwidth.CodeRequest(**{
        "to": to, "from": SENDER, "applicationId": APPLICATION, "scope": "2FA", "message": MESSAGE, "digits": 6, **fields})


def send(to, **fields):
    return mfa.generate_messaging_code(ACCOUNT, code_request(to, **fields))


def verify(to, code, minutes=3, scope="2FA", more=None):
    request = bandwidth.VerifyCodeRequest(to=to, scope=scope, expiration_time_in_minutes=minutes, code=code)
    request.additional_properties = more or {}
    return mfa.verify_code(ACCOUNT, request).valid


def inbox_of(to, count=1):
    return received(to[1:], count)


def refused(what, kind, status, call):
    error = check.raises(what, kind, call)
    check.equal(f"{what}, status", error and error.status, status)
    return json.loads(error.body) if error else {}


def named(what, kind, status, text, call):
    """A refusal in the form that the client has a model for."""
    body = refused(what, kind, status, call)
    check.equal(f"{what}, error", body.get("error"), text)
    model = bandwidth.models.MfaRequestError.from_dict(body)
    check.equal(f"{what}, requestId", str(uuid.UUID(model.request_id)), model.request_id)


def messaging():
    to = number()
    answer = send(to)
    check.equal("its type", type(answer).__name__, "MessagingCodeResponse")
    check.matches("messageId", answer.message_id, r"[0-9]{13}[0-9a-z]{16}")
    text = inbox_of(to)
    check.matches("the text", text["text"], r"Shop 2FA: Code [0-9]{6}!")
    # The provider that this one went to wants no plus sign.
    check.equal("its sender", text["from"].lstrip("+"), SENDER[1:])
    code = code_in(text)
    check.equal("a wrong code", verify(to, wrong(code)), False)
    check.equal("the right code", verify(to, code), True)
    check.equal("the right code again", verify(to, code), False)
    check.equal("ids are new", send(to).message_id == answer.message_id, False)


def voice():
    to = number()
    answer = mfa.generate_voice_code(ACCOUNT, code_request(to, digits=8))
    check.equal("its type", type(answer).__name__, "VoiceCodeResponse")
    check.matches("callId", answer.call_id, r"c-[0-9a-f]{8}-[0-9a-f-]{36}")
    check.equal("its length", len(answer.call_id), 47)
    call = inbox_of(to)
    check.matches("the digits are apart", call["text"], r"Shop 2FA: Code (?:[0-9], ){7}[0-9]!")
    check.equal("the channel", call["channel"], "voice")
    check.equal("the right code", verify(to, code_in(call), minutes=3.0), True)


def several():
    to = number()
    codes = []
    for count, digits in enumerate((4, 5, 7, 8), 1):
        send(to, digits=digits)
        codes.append(code_in(inbox_of(to, count)))
        check.equal("as many digits", len(codes[-1]), digits)
    for code in reversed(codes):
        check.equal("each of several", verify(to, code), True)


def scopes():
    to = number()
    send(to, scope="login")
    code = code_in(inbox_of(to), before="Code ")
    check.equal("another scope", verify(to, code), False)
    check.equal("another application", verify(to, code, scope="login", more={"applicationId": "x"}), False)
    check.equal("its own", verify(to, code, scope="login", more={"applicationId": APPLICATION}), True)
    send(to, scope=None)
    check.equal("none is 2FA", verify(to, code_in(inbox_of(to, 2)), scope="2FA"), True)


def callbacks():
    to = number()
    request = code_request(to)
    request.additional_properties = {"callbackUrl": "https://shop.example/mfa"}
    check.matches("with a callback", mfa.generate_messaging_code(ACCOUNT, request).message_id, r"[0-9a-z]{29}")
    check.equal("the right code", verify(to, code_in(inbox_of(to))), True)


def lock():
    """As the vendor's own smoke test: wrong codes until 429, a pause, and then 200 again."""
    to = number()
    codes = 0
    error = None
    while error is None and codes < 50:
        try:
            check.equal("a wrong code", verify(to, "123456"), False)
            codes += 1
        except ApiException as raised:
            error = raised
    check.equal("wrong codes until the lock", codes, 5)
    check.equal("locked, status", error and error.status, 429)
    check.equal("locked, error", json.loads(error.body)["error"], LOCKED)
    deadline = time.monotonic() + LOCK_TIME
    while True:
        try:
            valid = verify(to, "123456")
            break
        except ApiException as raised:
            if raised.status != 429 or time.monotonic() > deadline:
                raise
            time.sleep(LOCK_PAUSE)
    check.equal("after the lock", valid, False)


def bad_requests():
    to = number()
    unknown = "applicationId is unknown"
    named("an unknown application", BadRequestException, 400, unknown, lambda: send(to, applicationId="not_an_app_id"))
    named(
        "an unknown application's call", BadRequestException, 400, unknown,
        lambda: mfa.generate_voice_code(ACCOUNT, code_request(to, applicationId="not_an_app_id")))
    named("a text without {CODE}", BadRequestException, 400, "message must contain {CODE}", lambda: send(to, message="x"))
    check.equal("nothing was sent", inbox(to[1:]), [])


def strangers():
    to = number()
    calls = {
        "messaging": lambda api, account: api.generate_messaging_code(account, code_request(to)),
        "voice": lambda api, account: api.generate_voice_code(account, code_request(to)),
        "verify": lambda api, account: api.verify_code(account, bandwidth.VerifyCodeRequest(
            to=to, expiration_time_in_minutes=3, code="123456")),
    }
    for what, call in calls.items():
        body = refused(f"{what} without credentials", UnauthorizedException, 401, lambda: call(mfa_api(), ACCOUNT))
        check.equal(f"{what} without credentials, message", body.get("message"), "Unauthorized")
        for why, api, account in (
            ("a wrong password", mfa_api(user, password + "x"), ACCOUNT), ("another account", mfa, ACCOUNT + "1"),
        ):
            body = refused(f"{what}, {why}", ForbiddenException, 403, lambda: call(api, account))
            model = bandwidth.models.MfaForbiddenRequestError.from_dict(body)
            check.true(f"{what}, {why}, message", re.match("User is not authorized", model.message or ""))
    check.equal("nothing was sent", inbox(to[1:]), [])


for section in (messaging, voice, several, scopes, callbacks, lock, bad_requests, strangers):
    with check.section(section.__name__.replace("_", " ")):
        section()
check.end()
