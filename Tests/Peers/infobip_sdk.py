"""Drives all operations of Pinpost's Infobip 2FA API through Infobip's published client, unchanged but for its host."""

import re
import time

from infobip_api_client import ApiClient, Configuration
from infobip_api_client.api.tfa_api import TfaApi
from infobip_api_client.exceptions import (
    ApiException,
    BadRequestException,
    ForbiddenException,
    NotFoundException,
    UnauthorizedException,
)
from infobip_api_client.models import (
    TfaApplicationConfiguration,
    TfaApplicationRequest,
    TfaCreateEmailMessageRequest,
    TfaCreateMessageRequest,
    TfaIndiaDltOptions,
    TfaLanguage,
    TfaPinType,
    TfaRegionalOptions,
    TfaResendPinRequest,
    TfaResendPinRequestViaEmail,
    TfaStartAuthenticationRequest,
    TfaStartEmailAuthenticationRequest,
    TfaUpdateEmailMessageRequest,
    TfaUpdateMessageRequest,
    TfaVerifyPinRequest,
)

from peer import ID, KEY, NO_ID, READER_KEY, URL, Checks, Numbers, code_in, inbox, received, wrong

DEFAULTS = {
    "allowMultiplePinVerifications": True,
    "pinAttempts": 10,
    "pinTimeToLive": "15m",
    "sendPinPerApplicationLimit": "10000/1d",
    "sendPinPerPhoneNumberLimit": "3/1d",
    "verifyPinLimit": "1/3s",
}
# No limit that these checks could meet.
WIDE = {"send_pin_per_phone_number_limit": "1000/1d", "verify_pin_limit": "1000/1s"}
# How long a code that lives for five seconds may seem to live.
EXPIRY_TIME = 30

check = Checks()
numbers = Numbers(1000000)


def tfa_api(key):
    configuration = Configuration(host=URL, api_key={"APIKeyHeader": key}, api_key_prefix={"APIKeyHeader": "App"})
    return TfaApi(ApiClient(configuration))


tfa = tfa_api(KEY)


def application(**configuration):
    request = TfaApplicationRequest(
        name="checks", configuration=TfaApplicationConfiguration(**{**WIDE, **configuration}))
    return tfa.create_tfa_application(request).application_id


def template(application_id, text="Code {{pin}}!", pin_type=TfaPinType.NUMERIC, **fields):
    request = TfaCreateMessageRequest(message_text=text, pin_type=pin_type, **fields)
    return tfa.create_tfa_message_template(application_id, request).message_id


def start(application_id, message_id, to, **fields):
    return TfaStartAuthenticationRequest(application_id=application_id, message_id=message_id, to=to, **fields)


def sent(application_id, message_id):
    """The id of a new PIN, the PIN, and whom it was sent to."""
    to = numbers.take()
    answer = tfa.send_tfa_pin_code_over_sms(start(application_id, message_id, to))
    return answer.pin_id, code_in(received(to)), to


def verify(pin_id, pin):
    return tfa.verify_tfa_phone_number(pin_id, TfaVerifyPinRequest(pin=pin))


def is_answer(what, answer, pin_id, to, verified, remaining, error):
    check.members(what, answer.to_dict(), {
        "pinId": pin_id, "msisdn": to, "verified": verified, "attemptsRemaining": remaining, "pinError": error,
    })


def applications():
    made = tfa.create_tfa_application_with_http_info(TfaApplicationRequest(name="By its name only"))
    check.equal("create answers 200", made.status_code, 200)
    plain = made.data.to_dict()
    check.matches("applicationId", plain["applicationId"], ID)
    check.members("created", plain, {"name": "By its name only", "enabled": True, "configuration": DEFAULTS})

    given = {
        "allowMultiplePinVerifications": False, "pinAttempts": 5, "pinTimeToLive": "d",
        "sendPinPerApplicationLimit": "5000/12h", "sendPinPerPhoneNumberLimit": "2/90m", "verifyPinLimit": "2/4s",
    }
    whole = tfa.create_tfa_application(
        TfaApplicationRequest(
            name="Günther & Söhne", enabled=False, configuration=TfaApplicationConfiguration.from_dict(given))
    ).to_dict()
    check.members(
        "created whole", whole, {"name": "Günther & Söhne", "enabled": False, "configuration": given})
    check.equal("get", tfa.get_tfa_application(whole["applicationId"]).to_dict(), whole)

    listed = [each.to_dict() for each in tfa.get_tfa_applications()]
    check.true("the list has both", plain in listed and whole in listed, f"{listed!r}")

    renamed = tfa.update_tfa_application(whole["applicationId"], TfaApplicationRequest(name="Another")).to_dict()
    check.equal("an update leaves what it does not name", renamed, {**whole, "name": "Another"})
    reset = tfa.update_tfa_application(
        whole["applicationId"],
        TfaApplicationRequest(
            name="Another", enabled=True, configuration=TfaApplicationConfiguration(pin_attempts=7))).to_dict()
    check.equal(
        "an update takes what the client fills in", reset,
        {**whole, "name": "Another", "enabled": True, "configuration": {**DEFAULTS, "pinAttempts": 7}})
    check.equal("get after the update", tfa.get_tfa_application(whole["applicationId"]).to_dict(), reset)


def templates():
    app = application()
    other = application()
    made = tfa.create_tfa_message_template_with_http_info(
        app,
        TfaCreateMessageRequest(
            message_text="Hi {{firstName}}, your PIN is {{pin}}.", pin_type=TfaPinType.ALPHANUMERIC, pin_length=6,
            sender_id="Company", language=TfaLanguage.PT_BR, voice_name="Joanna", repeat_dtmf="1#", speech_rate=1.5,
            regional=TfaRegionalOptions(
                india_dlt=TfaIndiaDltOptions(
                    principal_entity_id="1001", content_template_id="2002", tele_marketer_id="3003"))))
    check.equal("create answers 200", made.status_code, 200)
    whole = made.data.to_dict()
    check.matches("messageId", whole["messageId"], ID)
    check.members("created", whole, {
        "applicationId": app, "messageText": "Hi {{firstName}}, your PIN is {{pin}}.", "pinType": "ALPHANUMERIC",
        "pinLength": 6, "senderId": "Company", "language": "pt_br", "voiceName": "Joanna", "repeatDTMF": "1#",
        "speechRate": 1.5, "pinPlaceholder": "{{pin}}",
        "regional": {
            "indiaDlt": {"principalEntityId": "1001", "contentTemplateId": "2002", "teleMarketerId": "3003"}},
    })
    small = tfa.create_tfa_message_template(
        app, TfaCreateMessageRequest(message_text="{{pin}}", pin_type=TfaPinType.HEX)).to_dict()
    check.members("created small", small, {
        "messageText": "{{pin}}", "pinType": "HEX", "pinLength": 4, "senderId": None, "speechRate": None})

    mail = tfa.create_tfa_email_message_template_with_http_info(
        app, TfaCreateEmailMessageRequest(email_template_id=1234, var_from="company@example.com"))
    check.equal("create for e-mail answers 200", mail.status_code, 200)
    letter = mail.data.to_dict()
    check.matches("messageId for e-mail", letter["messageId"], ID)
    check.members("created for e-mail", letter, {
        "applicationId": app, "emailTemplateId": 1234, "from": "company@example.com", "pinLength": 4,
        "pinType": "NUMERIC", "landingPageId": None})

    listed = [each.to_dict() for each in tfa.get_tfa_message_templates(app)]
    check.equal("the list has those of every channel", listed, [whole, small, letter])
    check.equal("another application has none of them", tfa.get_tfa_message_templates(other), [])
    check.equal("get", tfa.get_tfa_message_template(app, whole["messageId"]).to_dict(), whole)
    check.equal("get for e-mail", tfa.get_tfa_message_template(app, letter["messageId"]).to_dict(), letter)

    update = TfaUpdateMessageRequest(message_text="Your PIN: {{pin}}", speech_rate=2)
    changed = tfa.update_tfa_message_template(app, whole["messageId"], update).to_dict()
    check.equal("an update leaves what it does not name", changed, {
        **whole, "messageText": "Your PIN: {{pin}}", "speechRate": 2})
    check.equal("get after the update", tfa.get_tfa_message_template(app, whole["messageId"]).to_dict(), changed)
    update = TfaUpdateEmailMessageRequest(landing_page_id="1_23456", pin_length=6, pin_type=TfaPinType.ALPHA)
    changed = tfa.update_tfa_email_message_template(app, letter["messageId"], update).to_dict()
    check.equal("an update for e-mail leaves what it does not name", changed, {
        **letter, "landingPageId": "1_23456", "pinLength": 6, "pinType": "ALPHA"})
    check.equal(
        "get for e-mail after the update", tfa.get_tfa_message_template(app, letter["messageId"]).to_dict(), changed)

    for what, call in {
        "get": lambda: tfa.get_tfa_message_template(other, whole["messageId"]),
        "update": lambda: tfa.update_tfa_message_template(other, whole["messageId"], TfaUpdateMessageRequest()),
        "update for e-mail":
            lambda: tfa.update_tfa_email_message_template(other, letter["messageId"], TfaUpdateEmailMessageRequest()),
    }.items():
        check.raises(f"{what} under another application", NotFoundException, call)


def texts():
    app = application()
    message = template(app, "Code {{pin}}! Hello {{name}}", sender_id="Shop", pin_length=8)
    to = numbers.take()
    answer = tfa.send_tfa_pin_code_over_sms(start(app, message, to, placeholders={"name": "Ana"}))
    check.matches("pinId", answer.pin_id, ID)
    check.members("sent", answer.to_dict(), {"to": to, "smsStatus": "MESSAGE_SENT", "externalMessageId": None})
    check.true(
        "ncStatus", answer.nc_status in ("NC_NOT_CONFIGURED", "NC_DESTINATION_UNKNOWN", "NC_DESTINATION_REACHABLE"),
        f"{answer.nc_status!r}")
    first = received(to)
    pin = code_in(first)
    check.matches("the text", first["text"], r"Code [0-9]{8}! Hello Ana")
    check.equal("the template's sender", first["from"], "Shop")

    again = tfa.resend_tfa_pin_code_over_sms(answer.pin_id, TfaResendPinRequest())
    check.members("sent again", again.to_dict(), {"pinId": answer.pin_id, "to": to, "smsStatus": "MESSAGE_SENT"})
    check.equal("the same text again", received(to, 2)["text"], first["text"])
    tfa.resend_tfa_pin_code_over_sms(answer.pin_id, TfaResendPinRequest(placeholders={"name": "Bo"}))
    check.equal("the same PIN for another name", received(to, 3)["text"], f"Code {pin}! Hello Bo")
    spoken = tfa.resend_tfa_pin_code_over_voice(answer.pin_id, TfaResendPinRequest())
    check.members("spoken instead", spoken.to_dict(), {"pinId": answer.pin_id, "to": to, "callStatus": "PENDING_ACCEPTED"})
    call = received(to, 4)
    check.equal("the channel of the call", call["channel"], "voice")
    check.equal("the same PIN in the call", code_in(call), pin)
    is_answer("the PIN is right after all", verify(answer.pin_id, pin), answer.pin_id, to, True, 0, None)

    to = numbers.take()
    answer = tfa.send_tfa_pin_code_over_sms(
        start(app, message, to, var_from="Other", placeholders={"name": "Ana"}, track_delivery=True), nc_needed=False)
    check.matches("tracked, externalMessageId", answer.external_message_id, r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
    check.equal("no look-up, no ncStatus", answer.nc_status, None)
    check.equal("the request's sender", received(to)["from"], "Other")


def alphabets():
    app = application()
    for pin_type, pattern in {
        TfaPinType.NUMERIC: "[0-9]{5}", TfaPinType.ALPHA: "[A-Z]{5}", TfaPinType.HEX: "[0-9A-F]{5}",
        TfaPinType.ALPHANUMERIC: "[0-9A-Z]{5}",
    }.items():
        pin_id, pin, to = sent(app, template(app, pin_type=pin_type, pin_length=5))
        check.matches(pin_type.value, pin, pattern)
        is_answer(f"{pin_type.value} in lower case", verify(pin_id, pin.lower()), pin_id, to, True, 0, None)


def unreachable():
    # Swiss numbers have nine digits behind the country's code, or twelve.
    impossible = "4179123456789"
    app = application()
    answer = tfa.send_tfa_pin_code_over_sms(start(app, template(app), impossible), nc_needed=True)
    check.members("a number that cannot exist", answer.to_dict(), {
        "to": impossible, "ncStatus": "NC_DESTINATION_NOT_REACHABLE", "smsStatus": "MESSAGE_NOT_SENT"})
    check.matches("pinId", answer.pin_id, ID)
    check.equal("nothing was sent to it", inbox(impossible), [])


def voice():
    app = application()
    message = template(app, language=TfaLanguage.DE, speech_rate=0.5, repeat_dtmf="1#", voice_name="Marlene")
    to = numbers.take()
    answer = tfa.send_tfa_pin_code_over_voice(start(app, message, to))
    check.matches("pinId", answer.pin_id, ID)
    check.members("called", answer.to_dict(), {
        "to": to, "callStatus": "PENDING_ACCEPTED", "smsStatus": None})
    call = received(to)
    check.matches("the digits are apart", call["text"], r"Code [0-9], [0-9], [0-9], [0-9]!")
    check.members("the call", call, {
        "channel": "voice", "language": "de", "rate": 0.5, "repeat": "1#", "voice": "Marlene"})
    again = tfa.resend_tfa_pin_code_over_voice(answer.pin_id, TfaResendPinRequest())
    check.members("called again", again.to_dict(), {"pinId": answer.pin_id, "to": to, "callStatus": "PENDING_ACCEPTED"})
    check.equal("the same words", received(to, 2)["text"], call["text"])
    tfa.resend_tfa_pin_code_over_sms(answer.pin_id, TfaResendPinRequest())
    text = received(to, 3)
    check.equal("written instead", (text["channel"], code_in(text)), ("sms", code_in(call)))
    is_answer("the PIN is right", verify(answer.pin_id, code_in(call)), answer.pin_id, to, True, 0, None)


def email():
    app = application()
    message = tfa.create_tfa_email_message_template(
        app,
        TfaCreateEmailMessageRequest(
            email_template_id=77, var_from="Shop <shop@example.com>", pin_length=8, pin_type=TfaPinType.HEX)).message_id
    to = f"john.{numbers.take()}@example.com"
    request = TfaStartEmailAuthenticationRequest(application_id=app, message_id=message, to=to)
    answer = tfa.send2fa_pin_code_over_email(request)
    check.matches("pinId", answer.pin_id, ID)
    accepted = {"name": "PENDING_ACCEPTED", "description": "Message accepted, pending for delivery."}
    check.members("mailed", answer.to_dict(), {"to": to, "emailStatus": accepted})
    mail = received(to)
    found = re.search(r"\b[0-9A-F]{8}\b", mail["text"])
    check.true("the PIN stands in the mail", found, mail["text"])
    check.equal("the template's sender", mail["from"], "Shop <shop@example.com>")
    again = tfa.resend2fa_pin_code_over_email(answer.pin_id, TfaResendPinRequestViaEmail())
    check.members("mailed again", again.to_dict(), {"pinId": answer.pin_id, "to": to, "emailStatus": accepted})
    check.equal("the same words", received(to, 2)["text"], mail["text"])
    is_answer("a wrong PIN", verify(answer.pin_id, wrong(found[0])), answer.pin_id, to, False, 9, "WRONG_PIN")
    is_answer("the right PIN", verify(answer.pin_id, found[0]), answer.pin_id, to, True, 0, None)
    row = tfa.get_tfa_verification_status(to, app).verifications
    check.equal("verifications by address", [(each.msisdn, each.verified) for each in row], [(to, True)])


def attempts():
    app = application(pin_attempts=3)
    message = template(app)
    pin_id, pin, to = sent(app, message)
    for remaining in (2, 1, 0):
        is_answer(f"wrong, {remaining} left", verify(pin_id, wrong(pin)), pin_id, to, False, remaining, "WRONG_PIN")
    is_answer("right, too late", verify(pin_id, pin), pin_id, to, False, 0, "NO_MORE_PIN_ATTEMPTS")
    is_answer("wrong, too late", verify(pin_id, wrong(pin)), pin_id, to, False, 0, "NO_MORE_PIN_ATTEMPTS")
    pin_id, pin, to = sent(app, message)
    is_answer("wrong first", verify(pin_id, wrong(pin)), pin_id, to, False, 2, "WRONG_PIN")
    tfa.resend_tfa_pin_code_over_sms(pin_id, TfaResendPinRequest())
    check.equal("sent again after a miss", code_in(received(to, 2)), pin)
    is_answer("a resend gives no attempt back", verify(pin_id, wrong(pin)), pin_id, to, False, 1, "WRONG_PIN")
    is_answer("then right", verify(pin_id, pin), pin_id, to, True, 0, None)


def reuse():
    many = application(allow_multiple_pin_verifications=True)
    pin_id, pin, to = sent(many, template(many))
    for time_ in ("once", "twice"):
        is_answer(f"right {time_}", verify(pin_id, pin), pin_id, to, True, 0, None)
    single = application(allow_multiple_pin_verifications=False)
    pin_id, pin, to = sent(single, template(single))
    is_answer("single, right once", verify(pin_id, pin), pin_id, to, True, 0, None)
    is_answer("single, refused then", verify(pin_id, pin), pin_id, to, False, 0, "NO_MORE_PIN_ATTEMPTS")


def expiry():
    app = application(pin_time_to_live="5s", pin_attempts=100)
    pin_id, pin, to = sent(app, template(app))
    deadline = time.monotonic() + EXPIRY_TIME
    while (answer := verify(pin_id, wrong(pin))).pin_error == "WRONG_PIN" and time.monotonic() < deadline:
        time.sleep(0.2)
    check.equal("the wrong PIN", (answer.verified, answer.pin_error), (False, "TTL_EXPIRED"))
    answer = verify(pin_id, pin)
    check.equal("the right PIN", (answer.verified, answer.pin_error, answer.msisdn), (False, "TTL_EXPIRED", to))


def verifications():
    app = application()
    message = template(app)
    before = int(time.time() * 1000)
    pin_id, pin, to = sent(app, message)
    rows = tfa.get_tfa_verification_status(to, app).verifications
    check.equal("pending", [(each.msisdn, each.verified) for each in rows], [(to, False)])
    verify(pin_id, pin)
    tfa.send_tfa_pin_code_over_sms(start(app, message, to))
    received(to, 2)
    after = int(time.time() * 1000)
    rows = tfa.get_tfa_verification_status(to, app).verifications
    check.equal("one of each", sorted(each.verified for each in rows), [False, True])
    for row in rows:
        # A second to spare: the times are the database's.
        for name in ("sent_at", "verified_at"):
            value = getattr(row, name)
            check.true(
                f"{'verified' if row.verified else 'pending'}, {name} in milliseconds",
                value is not None and before - 1000 <= value <= after + 1000, f"{value!r}")
    for wanted in (True, False):
        rows = tfa.get_tfa_verification_status(to, app, verified=wanted).verifications
        check.equal(f"verified={wanted}", [each.verified for each in rows], [wanted])
    check.equal("sent=True", len(tfa.get_tfa_verification_status(to, app, sent=True).verifications), 2)
    check.equal("nobody's number", tfa.get_tfa_verification_status(numbers.take(), app).verifications, [])
    check.equal("another application", tfa.get_tfa_verification_status(to, application()).verifications, [])


def limits():
    app = application(send_pin_per_phone_number_limit="2/1d")
    message = template(app)
    pin_id, _, to = sent(app, message)
    tfa.resend_tfa_pin_code_over_sms(pin_id, TfaResendPinRequest())
    for what, call in {
        "a third PIN": lambda: tfa.send_tfa_pin_code_over_sms(start(app, message, to)),
        "a third sending of one": lambda: tfa.resend_tfa_pin_code_over_sms(pin_id, TfaResendPinRequest()),
    }.items():
        error = check.raises(what, ApiException, call)
        check.equal(f"{what}, status", error and error.status, 429)
        check.envelope(what, error and error.body, "TOO_MANY_REQUESTS")
    check.equal("another number", tfa.send_tfa_pin_code_over_sms(start(app, message, numbers.take())).sms_status, "MESSAGE_SENT")

    app = application(send_pin_per_application_limit="2/1d")
    message = template(app)
    for _ in range(2):
        sent(app, message)
    error = check.raises(
        "a third of the application", ApiException,
        lambda: tfa.send_tfa_pin_code_over_sms(start(app, message, numbers.take())))
    check.equal("a third of the application, status", error and error.status, 429)

    app = application(verify_pin_limit="2/1d", pin_attempts=5)
    pin_id, pin, to = sent(app, template(app))
    for remaining in (4, 3):
        is_answer("within the limit", verify(pin_id, wrong(pin)), pin_id, to, False, remaining, "WRONG_PIN")
    error = check.raises("a third guess", ApiException, lambda: verify(pin_id, pin))
    check.equal("a third guess, status", error and error.status, 429)
    check.envelope("a third guess", error and error.body, "TOO_MANY_REQUESTS")


def unknown():
    app = application()
    message = template(app)
    text = TfaCreateMessageRequest(message_text="{{pin}}", pin_type=TfaPinType.HEX)
    mail = TfaCreateEmailMessageRequest(email_template_id=1)
    letter = tfa.create_tfa_email_message_template(app, mail).message_id
    address = "nobody@example.com"
    for what, call in {
        "get_tfa_application": lambda: tfa.get_tfa_application(NO_ID),
        "update_tfa_application": lambda: tfa.update_tfa_application(NO_ID, TfaApplicationRequest(name="x")),
        "get_tfa_message_templates": lambda: tfa.get_tfa_message_templates(NO_ID),
        "create_tfa_message_template": lambda: tfa.create_tfa_message_template(NO_ID, text),
        "get_tfa_message_template": lambda: tfa.get_tfa_message_template(app, NO_ID),
        "update_tfa_message_template":
            lambda: tfa.update_tfa_message_template(app, NO_ID, TfaUpdateMessageRequest(sender_id="x")),
        "create_tfa_email_message_template": lambda: tfa.create_tfa_email_message_template(NO_ID, mail),
        "update_tfa_email_message_template":
            lambda: tfa.update_tfa_email_message_template(app, NO_ID, TfaUpdateEmailMessageRequest(pin_length=5)),
        "send, application": lambda: tfa.send_tfa_pin_code_over_sms(start(NO_ID, message, numbers.take())),
        "send, message": lambda: tfa.send_tfa_pin_code_over_sms(start(app, NO_ID, numbers.take())),
        "call, message": lambda: tfa.send_tfa_pin_code_over_voice(start(app, NO_ID, numbers.take())),
        "mail, message": lambda: tfa.send2fa_pin_code_over_email(
            TfaStartEmailAuthenticationRequest(application_id=app, message_id=NO_ID, to=address)),
        "mail, application": lambda: tfa.send2fa_pin_code_over_email(
            TfaStartEmailAuthenticationRequest(application_id=NO_ID, message_id=letter, to=address)),
        "resend": lambda: tfa.resend_tfa_pin_code_over_sms(NO_ID, TfaResendPinRequest()),
        "call again": lambda: tfa.resend_tfa_pin_code_over_voice(NO_ID, TfaResendPinRequest()),
        "mail again": lambda: tfa.resend2fa_pin_code_over_email(NO_ID, TfaResendPinRequestViaEmail()),
        "verify": lambda: verify(NO_ID, "1234"),
        "get_tfa_verification_status": lambda: tfa.get_tfa_verification_status("41793026727", NO_ID),
    }.items():
        error = check.raises(what, NotFoundException, call)
        check.envelope(what, error and error.body, "NOT_FOUND")


def bad_requests():
    app = application()
    message = template(app, "Code {{pin}}! {{name}}")
    letter = tfa.create_tfa_email_message_template(app, TfaCreateEmailMessageRequest(email_template_id=1)).message_id
    disabled = tfa.create_tfa_application(TfaApplicationRequest(name="off", enabled=False)).application_id
    for what, field, call in [
        ("a duration that is none", "pinTimeToLive", lambda: application(pin_time_to_live="5x")),
        ("a limit that is none", "verifyPinLimit", lambda: application(verify_pin_limit="3/1y")),
        ("a check period above a day", "verifyPinLimit", lambda: application(verify_pin_limit="1/25h")),
        ("a time to live above a year", "pinTimeToLive", lambda: application(pin_time_to_live="366d")),
        ("no attempts", "pinAttempts", lambda: application(pin_attempts=0)),
        ("no name", "name", lambda: tfa.create_tfa_application(TfaApplicationRequest(name=""))),
        ("a text without {{pin}}", "messageText", lambda: template(app, "Hello")),
        ("a PIN that is too long", "pinLength", lambda: template(app, pin_length=9)),
        ("a PIN of nothing", "pinLength", lambda: template(app, pin_length=0)),
        ("speech that is too fast", "speechRate", lambda: template(app, speech_rate=2.5)),
        ("a placeholder that is missing", "name", lambda: sent(app, message)),
        ("a placeholder named pin", "pin", lambda: tfa.send_tfa_pin_code_over_sms(
            start(app, message, numbers.take(), placeholders={"name": "x", "pin": "1"}))),
        ("a number that is none", "to", lambda: tfa.send_tfa_pin_code_over_sms(
            start(app, message, "nobody", placeholders={"name": "x"}))),
        ("an address that is none", "to", lambda: tfa.send2fa_pin_code_over_email(
            TfaStartEmailAuthenticationRequest(application_id=app, message_id=letter, to="nobody"))),
        ("a disabled application", None, lambda: sent(disabled, template(disabled))),
        ("a mail's template for a text", None, lambda: sent(app, letter)),
    ]:
        error = check.raises(what, BadRequestException, call)
        found = check.envelope(what, error and error.body, "BAD_REQUEST")
        if field:
            named = found.get("validationErrors") or {}
            check.true(
                f"{what}, validationErrors",
                any(re.split(r"[./]", path)[-1] == field and sentences for path, sentences in named.items()),
                f"{named!r}")
    check.equal("nothing was sent", inbox(f"{numbers.next}"), [])


def strangers():
    error = check.raises("an unknown key", UnauthorizedException, lambda: tfa_api("0" * 32).get_tfa_applications())
    check.envelope("an unknown key", error and error.body, "UNAUTHORIZED")
    if READER_KEY:
        reader = tfa_api(READER_KEY)
        check.true("a key that may look", reader.get_tfa_applications())
        error = check.raises(
            "a key that may only look", ForbiddenException,
            lambda: reader.create_tfa_application(TfaApplicationRequest(name="x")))
        check.envelope("a key that may only look", error and error.body, "FORBIDDEN")


for section in (
    applications, templates, texts, alphabets, unreachable, voice, email, attempts, reuse, expiry, verifications, limits,
    unknown, bad_requests, strangers,
):
    with check.section(section.__name__.replace("_", " ")):
        section()
check.end()
