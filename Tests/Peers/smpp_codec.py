"""The codec of smpp.pdu3 and ours agree on PDUs, in both directions.

OURS holds our PDUs in hexadecimal, one a line; each is read and written anew here, and has to come out the same. THEIRS names
a file where this codec's own PDUs are put in the same form, for us to do so with.
"""

import binascii
import io
import os
import sys

from smpp.pdu import operations
from smpp.pdu.pdu_encoding import PDUEncoder
from smpp.pdu.pdu_types import (
    AddrNpi, AddrTon, CommandStatus, DataCoding, EsmClass, EsmClassMode, EsmClassType, MessageState, RegisteredDelivery,
    RegisteredDeliveryReceipt)

encoder = PDUEncoder()
failed = 0

for line in os.environ["OURS"].split():
    octets = binascii.unhexlify(line)
    try:
        again = encoder.encode(encoder.decode(io.BytesIO(octets)))
    except Exception as error:
        again = repr(error).encode()
    if again == octets:
        print(f"ok      {line[8:16]}")
    else:
        failed += 1
        print(f"FAILED  {line} became {again!r}")

addresses = dict(
    source_addr_ton=AddrTon.ALPHANUMERIC, source_addr_npi=AddrNpi.UNKNOWN, source_addr=b"Pinpost",
    dest_addr_ton=AddrTon.INTERNATIONAL, dest_addr_npi=AddrNpi.ISDN, destination_addr=b"41791234567")
theirs = [
    operations.BindTransceiver(1, system_id=b"pinpost", password=b"s3cret", system_type=b"otp"),
    operations.BindTransmitter(2, system_id=b"pinpost", password=b"s3cret"),
    operations.BindReceiver(3, system_id=b"pinpost", password=b"s3cret", address_range=b"4179"),
    operations.BindTransceiverResp(1, system_id=b"smsc", sc_interface_version=0x34),
    operations.SubmitSM(
        4, **addresses, short_message=b"Your code is 493817", esm_class=EsmClass(EsmClassMode.DEFAULT, EsmClassType.DEFAULT),
        registered_delivery=RegisteredDelivery(RegisteredDeliveryReceipt.SMSC_DELIVERY_RECEIPT_REQUESTED),
        data_coding=DataCoding(), sar_msg_ref_num=7, sar_total_segments=2, sar_segment_seqnum=1),
    operations.SubmitSMResp(4, message_id=b"4F2A"),
    operations.DeliverSM(
        5, **addresses, short_message=b"id:4F2A stat:DELIVRD err:000",
        esm_class=EsmClass(EsmClassMode.DEFAULT, EsmClassType.SMSC_DELIVERY_RECEIPT),
        message_state=MessageState.DELIVERED, receipted_message_id=b"4F2A"),
    operations.DeliverSMResp(5),
    operations.EnquireLink(6), operations.EnquireLinkResp(6), operations.Unbind(7), operations.UnbindResp(7),
    operations.GenericNack(8, status=CommandStatus.ESME_RINVCMDID),
    operations.Outbind(9, system_id=b"smsc", password=b"x"),
    operations.QuerySM(10, message_id=b"4F2A", source_addr=b"41791234567"),
]
with open(os.environ["THEIRS"], "w") as file:
    for pdu in theirs:
        print(binascii.hexlify(encoder.encode(pdu)).decode(), file=file)
print(f"{len(theirs)} PDUs written, {failed} of ours failed.")
sys.exit(1 if failed else 0)
