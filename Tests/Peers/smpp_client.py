"""smpplib, a published SMPP client, submits to the simulated carrier's SMSC and gets its receipts.

SMPP_PORT says where the SMSC is.
"""

import os
import time

import smpplib.client
import smpplib.consts
import smpplib.exceptions
import smpplib.gsm

from peer import Checks, received

checks = Checks()
answers, receipts = {}, []


def connect(kind="bind_transceiver", password="s3cret"):
    client = smpplib.client.Client("127.0.0.1", int(os.environ["SMPP_PORT"]), allow_unknown_opt_params=True, timeout=5)
    client.set_message_sent_handler(lambda pdu: answers.__setitem__(pdu.sequence, (pdu.status, pdu.message_id)))
    client.set_message_received_handler(lambda pdu: receipts.append(pdu) and None)
    client.set_error_pdu_handler(lambda pdu: answers.__setitem__(pdu.sequence, (pdu.status, None)))
    client.connect()
    getattr(client, kind)(system_id="pinpost", password=password)
    return client


def submit(client, to, text):
    """The answers of all parts."""
    parts, coding, message_type = smpplib.gsm.make_parts(text)
    sent = [
        client.send_message(
            source_addr_ton=smpplib.consts.SMPP_TON_ALNUM, source_addr="Pinpost",
            dest_addr_ton=smpplib.consts.SMPP_TON_INTL, dest_addr_npi=smpplib.consts.SMPP_NPI_ISDN, destination_addr=to,
            short_message=part, data_coding=coding, esm_class=message_type, registered_delivery=True)
        for part in parts
    ]
    read(client, lambda: all(pdu.sequence in answers for pdu in sent))
    return [answers[pdu.sequence] for pdu in sent]


def read(client, done):
    deadline = time.monotonic() + 20
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError("the SMSC did not send what it should")
        client.read_once(auto_send_enquire_link=False)


client = connect()
for name, to, text in [
    ("GSM", "41790000101", "Your code is 493817 @ Pinpost"),
    ("UCS-2", "41790000102", "Ваш код 493817 😀"),
    ("several parts", "41790000103", "Your code is 493817. " * 20),
    ("parts of UCS-2", "41790000104", "Ваш код 493817. " * 20),
]:
    with checks.section(name):
        del receipts[:]
        taken = submit(client, to, text)
        checks.true("is taken", all(status == 0 for status, _ in taken), f"{taken}")
        checks.equal("arrives whole", received("+" + to)["text"], text)
        read(client, lambda: len(receipts) == len(taken))
        checks.equal(
            "has a receipt a part", sorted(pdu.receipted_message_id for pdu in receipts),
            sorted(message_id for _, message_id in taken))
        checks.true(
            "is delivered", all(b"stat:DELIVRD" in pdu.short_message and pdu.esm_class == 4 for pdu in receipts))
with checks.section("refusals"):
    checks.equal("a destination", submit(client, "9990000001", "x")[0][0], 0x0B)
    checks.equal("a throttle", submit(client, "9990000002", "x")[0][0], 0x58)
    checks.equal("a system error", submit(client, "9990000006", "x")[0][0], 0x08)
    checks.equal("no number", submit(client, "12", "x")[0][0], 0x0B)
client.unbind()
client.disconnect()
with checks.section("binds"):
    try:
        connect(password="wrong")
        checks.true("a wrong password is refused", False)
    except smpplib.exceptions.PDUError as error:
        checks.equal("a wrong password", error.args[1], 0x0E)
    transmitter = connect("bind_transmitter")
    checks.equal("a transmitter submits", submit(transmitter, "41790000105", "x")[0][0], 0)
    transmitter.unbind()
    transmitter.disconnect()
checks.end()
