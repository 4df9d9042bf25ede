"""Our worker talks to SMSCs that are not ours: those of jasmin's simulator, which others test their clients with.

Each way to behave stands on a port of its own, PORTS in the order of WAYS, and has a prefix of recipients that is routed to
it: +4200 to the first, +4201 to the second and so on. PINPOST_URL and PINPOST_KEY are the API's.
"""

import glob
import os
import subprocess
import sys
import tarfile
import tempfile
import threading
import time

from peer import KEY, Checks, request
from twisted.internet import protocol, reactor

checks = Checks()


def simulator():
    """The module, out of jasmin's source distribution, without installing that."""
    folder = os.path.join(tempfile.gettempdir(), f"pinpost-jasmin-{os.getpid()}")
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check", "--no-deps",
         "--no-binary", "jasmin", "--dest", folder, "jasmin==0.11.1"], check=True)
    with tarfile.open(glob.glob(f"{folder}/jasmin-*.tar.gz")[0]) as archive:
        archive.extractall(folder)
    sys.path.insert(0, glob.glob(f"{folder}/jasmin-*/tests/protocols/smpp")[0])
    import smsc_simulator
    return smsc_simulator


smsc = simulator()


class Reporting(smsc.ManualDeliveryReceiptHappySMSC):
    """Reports each message as delivered a moment after it was taken."""

    def handleSubmit(self, pdu):
        super().handleSubmit(pdu)
        reactor.callLater(0.05, self.trigger_DLR, self.lastSubmitSmRestPDU.params["message_id"])


class ReportingEarly(smsc.ManualDeliveryReceiptHappySMSC):
    """Reports each message before it says that it was taken."""

    def sendSubmitSmResponse(self, pdu):
        self.lastSubmitSmPDU = pdu
        send, held = self.sendPDU, []
        self.sendPDU = held.append
        super().sendSubmitSmResponse(pdu)
        self.sendPDU = send
        self.trigger_DLR(self.lastSubmitSmRestPDU.params["message_id"])
        for answer in held:
            self.sendPDU(answer)


class Throttling(Reporting):
    """Takes two messages a second, and says of the others that they come too fast."""

    taken = []

    def handleSubmit(self, pdu):
        now = time.monotonic()
        Throttling.taken = [moment for moment in Throttling.taken if now - moment < 1]
        if len(Throttling.taken) >= 2:
            return self.sendResponse(pdu, smsc.CommandStatus.ESME_RTHROTTLED)
        Throttling.taken.append(now)
        super().handleSubmit(pdu)


class Failing(Reporting):
    def trigger_DLR(self, message_id):
        super().trigger_DLR(message_id, stat="UNDELIV")


# The ways, and what becomes of messages: the state at the end, or the outcome and code of the first attempt.
WAYS = [
    (Reporting, "delivered", None),
    (ReportingEarly, "delivered", None),
    (Throttling, "delivered", None),
    (Failing, "undelivered", None),
    (smsc.NoResponseOnSubmitSMSC, None, ("unanswered", "")),
    (smsc.GenericNackWithSeqNumOnSubmitSMSC, None, ("refused", "0x3")),
    (smsc.GenericNackNoSeqNumOnSubmitSMSC, None, ("unanswered", "")),
    (smsc.ErrorOnSubmitSMSC, None, ("refused", "0x43")),
    (smsc.UnbindOnSubmitSMSC, None, ("unanswered", "")),
    (smsc.BindErrorSMSC, None, ("refused", "0xD")),
    (smsc.BindErrorGenericNackSMSC, None, ("refused", "0x3")),
    (smsc.CommandLengthTooShortSMSC, None, ("unanswered", "not_sent")),
    (smsc.DeliverSMBeforeBoundSMSC, None, ("not_sent", "")),
]


class Center(protocol.Factory):
    """Knows whether our worker has come."""

    is_known = False

    def buildProtocol(self, address):
        self.is_known = True
        return super().buildProtocol(address)


centers = []


def message(identity):
    return request("GET", f"/v1/messages/{identity}", authorization=f"Bearer {KEY}").json


def wait_for(what, identity, done):
    deadline = time.monotonic() + 60
    while not done(message(identity)):
        if time.monotonic() > deadline:
            checks.true(what, False, f"{message(identity)}")
            return
        time.sleep(0.1)
    checks.true(what, True)


def drive():
    try:
        # Until it has come, every attempt would be one that was not sent.
        deadline = time.monotonic() + 90
        while not all(center.is_known for center in centers) and time.monotonic() < deadline:
            time.sleep(0.1)
        sent = []
        for number, (way, _, _) in enumerate(WAYS):
            for count in range(5 if way in (Reporting, Throttling) else 1):
                answer = request(
                    "POST", "/v1/messages", {"to": f"+42{number:02}0000{count:03}", "body": "Your code is 493817"},
                    authorization=f"Bearer {KEY}")
                sent.append((number, answer.json["id"]))
        for number, identity in sent:
            way, state, attempt = WAYS[number]
            if state:
                wait_for(f"{way.__name__}: {state}", identity, lambda it: it["status"] == state)
            else:
                wait_for(
                    f"{way.__name__}: {attempt[0]} {attempt[1]}", identity,
                    lambda it: any(
                        one["event"] == "attempt" and one["outcome"] in attempt and (one["code"] or "") in ("", attempt[1])
                        for one in it["timeline"]))
    except Exception as error:
        checks.true("goes through", False, f"{type(error).__name__}: {error}")
    finally:
        reactor.callFromThread(reactor.stop)


for (way, _, _), port in zip(WAYS, os.environ["PORTS"].split(",")):
    center = Center()
    center.protocol = way
    centers.append(center)
    reactor.listenTCP(int(port), center, interface="127.0.0.1")
threading.Thread(target=drive, daemon=True).start()
reactor.run(installSignalHandlers=False)
checks.end()
