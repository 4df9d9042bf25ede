"""Drives Pinpost's Infobip 2FA API through the client that Infobip's community published, `infobip-api-python-sdk`.

It never raises: what it cannot read it returns as it came, so each answer's type is checked.
"""

from infobip_channels.sms.channel import SMSChannel
from infobip_channels.sms.models.response.core import SMSResponseError

from peer import ID, KEY, NO_ID, URL, Checks, Numbers, code_in, received, wrong

WIDE = {"send_pin_per_phone_number_limit": "1000/1d", "verify_pin_limit": "1000/1s"}

check = Checks()
numbers = Numbers(3000000)
sms = SMSChannel.from_auth_params({"base_url": URL, "api_key": KEY})


def understood(what, answer):
    """The answer, which the client must have been able to read."""
    if not check.true(f"{what}, understood", hasattr(answer, "raw_response"), getattr(answer, "text", answer)):
        raise ValueError(f"{what}: {getattr(answer, 'status_code', None)}")
    check.equal(f"{what}, status", answer.raw_response.status_code, 200)
    return answer


def application():
    body = {"name": "community", "configuration": WIDE}
    return understood("create_tfa_application", sms.create_tfa_application(body)).application_id


def template(app, **fields):
    body = {"message_text": "Code {{pin}}!", "pin_type": "NUMERIC", **fields}
    return understood("create_tfa_message_template", sms.create_tfa_message_template(app, body)).message_id


def configuration():
    app = application()
    check.matches("applicationId", app, ID)
    got = understood("get_tfa_application", sms.get_tfa_application(app))
    check.equal("its name", (got.application_id, got.name, got.enabled), (app, "community", True))
    check.equal("its attempts", got.configuration.pin_attempts, 10)
    listed = understood("get_tfa_applications", sms.get_tfa_applications())
    check.true("it is listed", app in [each.application_id for each in listed.list])
    changed = understood(
        "update_tfa_application",
        sms.update_tfa_application(app, {"name": "community", "configuration": {"pin_attempts": 4}}))
    check.equal("changed", changed.configuration.pin_attempts, 4)
    check.equal("left as it was", changed.configuration.verify_pin_limit, "1000/1s")
    message = template(app, language="de", speech_rate=1.5, repeat_dtmf="1#", sender_id="Shop")
    got = understood("get_tfa_message_template", sms.get_tfa_message_template(app, message))
    check.equal("the template", (got.message_id, got.message_text, got.language), (message, "Code {{pin}}!", "de"))
    check.equal("its voice", (got.speech_rate, got.repeat_dtmf, got.sender_id), (1.5, "1#", "Shop"))
    changed = sms.update_tfa_message_template(
        app, message, {"message_text": "{{pin}}", "pin_type": "HEX", "language": "it"})
    check.equal("changed", understood("update_tfa_message_template", changed).message_text, "{{pin}}")
    listed = understood("get_tfa_message_templates", sms.get_tfa_message_templates(app))
    check.equal("listed", [each.message_id for each in listed.list], [message])


def journey():
    app = application()
    message = template(app)
    to = numbers.take()
    body = {"application_id": app, "message_id": message, "to": to}
    queries = {"with a look-up": {"nc_needed": True}, "without": {"nc_needed": False}, "as it is": {}}
    for count, (what, query) in enumerate(queries.items(), 1):
        answer = understood(f"send_pin_over_sms {what}", sms.send_pin_over_sms(query, body))
        check.equal(f"sent {what}", (answer.to, answer.sms_status), (to, "MESSAGE_SENT"))
        # Two messages that are on their way at once may arrive in either order.
        pin = code_in(received(to, count))
    understood("resend_pin_over_sms", sms.resend_pin_over_sms(answer.pin_id, {}))
    check.equal("the same PIN", code_in(received(to, 4)), pin)
    spoken = understood("resend_pin_over_voice", sms.resend_pin_over_voice(answer.pin_id, {}))
    check.equal("called", spoken.call_status, "PENDING_ACCEPTED")
    check.equal("the same PIN in the call", code_in(received(to, 5)), pin)
    missed = understood("verify_phone_number", sms.verify_phone_number(answer.pin_id, {"pin": wrong(pin)}))
    check.equal("missed", (missed.verified, missed.pin_error, missed.attempts_remaining), (False, "WRONG_PIN", 9))
    hit = understood("verify_phone_number", sms.verify_phone_number(answer.pin_id, {"pin": pin}))
    check.equal("right", (hit.verified, hit.pin_error, hit.msisdn), (True, None, to))
    for query, count in ({}, 3), ({"verified": True}, 1), ({"verified": False}, 2), ({"sent": True}, 3):
        rows = understood("get_tfa_verification_status", sms.get_tfa_verification_status(app, {"msisdn": to, **query}))
        check.equal(f"verifications {query}", len(rows.verifications), count)
    call = understood(
        "send_pin_over_voice",
        sms.send_pin_over_voice({}, {"application_id": app, "message_id": message, "to": numbers.take()}))
    check.equal("called at once", call.call_status, "PENDING_ACCEPTED")


def errors():
    for what, answer, status in [
        ("no application", sms.get_tfa_application(NO_ID), 404),
        ("no such PIN", sms.verify_phone_number(NO_ID, {"pin": "1234"}), 404),
        ("a duration that is none", sms.create_tfa_application(
            {"name": "x", "configuration": {"pin_time_to_live": "5x"}}), 400),
        ("a key of nobody", SMSChannel.from_auth_params(
            {"base_url": URL, "api_key": "0" * 32}).get_tfa_applications(), 401),
    ]:
        check.true(f"{what}, understood", isinstance(answer, SMSResponseError), getattr(answer, "text", answer))
        check.equal(f"{what}, status", getattr(answer, "status_code", None), status)


for section in (configuration, journey, errors):
    with check.section(section.__name__):
        section()
check.end()
