"""A mail server that others wrote (Debian's python3-aiosmtpd) takes Pinpost's mails, by STARTTLS and by TLS from the start, and
Python's own email package reads them. Then one comes back as Python writes bounces.

Beside what peer.py wants: KEYS, a JSON object of the API keys of the accounts starttls, tls and untrusted, whose mails go to
PORTS of the same names (untrusted to that of starttls, with another CA); CERTIFICATE and CERTIFICATE_KEY; SMTP_USER and
SMTP_PASSWORD; RECEIVER_URL, the whole address for bounces.
"""

import email
import email.mime.message
import email.mime.multipart
import email.mime.text
import email.policy
import json
import os
import queue
import ssl
import time
import urllib.request

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

import peer

KEYS = json.loads(os.environ["KEYS"])
PORTS = json.loads(os.environ["PORTS"])
USER, PASSWORD = os.environ["SMTP_USER"], os.environ["SMTP_PASSWORD"]
WAIT = 30

SUBJECT = "Ihr Code für heute 🎉: eine Zeile, die länger ist als jede, die ungefaltet bleiben darf, und noch etwas mehr"
TEXT = "Ihr Code ist 493817.\n.\n..zwei Punkte = gleich\nEin sehr langer Satz, " + "der nicht endet, " * 20 + "und Schluß \n"


class Mailbox:
    def __init__(self):
        self.mails = queue.Queue()

    async def handle_DATA(self, server, session, envelope):
        self.mails.put((session.host_name, session.authenticated, envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return "250 2.0.0 Ok: queued as PEER01"


def authenticate(server, session, envelope, mechanism, data):
    return AuthResult(success=data.login.decode() == USER and data.password.decode() == PASSWORD)


def serve(mailbox, implicit):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.environ["CERTIFICATE"], os.environ["CERTIFICATE_KEY"])
    common = {"hostname": "127.0.0.1", "authenticator": authenticate, "auth_required": True}
    if implicit:
        return Controller(mailbox, port=PORTS["tls"], ssl_context=context, auth_require_tls=False, **common)
    return Controller(mailbox, port=PORTS["starttls"], tls_context=context, require_starttls=True, **common)


def ask(key, path, body=None):
    request = urllib.request.Request(
        peer.URL + path,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {KEYS[key]}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=20) as response:
        return json.load(response)


def send(key, subject=SUBJECT, text=TEXT, to="anna.berg@example.com"):
    return ask(key, "/v1/messages", {"to": to, "channel": "email", "subject": subject, "body": text})["id"]


def wait(key, message, status):
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline:
        found = ask(key, f"/v1/messages/{message}")
        if found["status"] == status:
            return found
        time.sleep(0.05)
    return found


def read(checks, name, mailbox):
    message = send(name)
    greeting, authenticated, sender, recipients, content = mailbox.mails.get(timeout=WAIT)
    checks.equal("the greeting", greeting, "out.example.com")
    checks.true("it is logged in", authenticated)
    checks.equal("the envelope's recipient", recipients, ["anna.berg@example.com"])
    checks.matches("the envelope's sender", sender, r"bounce\+[0-9a-f]{32}\+[0-9a-f]{16}@in\.example\.com")
    mail = email.message_from_bytes(content, policy=email.policy.default)
    checks.equal("no defects", [str(defect) for defect in mail.defects], [])
    checks.equal("the subject", mail["Subject"], SUBJECT)
    checks.equal("the sender's name", mail["From"].addresses[0].display_name, "Pinpost Grüße")
    checks.equal("the sender", mail["From"].addresses[0].addr_spec, "codes@example.com")
    checks.equal("the recipient", mail["To"].addresses[0].addr_spec, "anna.berg@example.com")
    checks.equal("the text", mail.get_content().replace("\r\n", "\n"), TEXT)
    checks.true("the reference", mail["Message-ID"].startswith(f"<{message}@"), mail["Message-ID"])
    checks.true("the date", abs(mail["Date"].datetime.timestamp() - time.time()) < 600, mail["Date"])
    checks.equal("not for machines to answer", mail["Auto-Submitted"], "auto-generated")
    checks.true("short lines", all(len(line) <= 78 for line in content.split(b"\r\n")))
    checks.equal("the status", wait(name, message, "accepted")["status"], "accepted")
    return message, sender, mail


def bounce(checks, message, sender, mail):
    report = email.mime.multipart.MIMEMultipart("report", report_type="delivery-status")
    report["To"] = sender
    report["Subject"] = "Undelivered Mail Returned to Sender"
    report.attach(email.mime.text.MIMEText("I am sorry."))
    whole, one = email.message.Message(), email.message.Message()
    whole["Reporting-MTA"] = "dns; mx.example.com"
    one["Final-Recipient"] = "rfc822; anna.berg@example.com"
    one["Action"] = "failed"
    one["Status"] = "5.1.1"
    one["Diagnostic-Code"] = "smtp; 550 5.1.1 no such user here"
    status = email.mime.message.MIMEMessage(whole, "delivery-status")
    # The class itself allows one only, and a report has two.
    email.message.Message.attach(status, one)
    report.attach(status)
    returned = email.mime.message.MIMEMessage(mail)
    report.attach(returned)
    request = urllib.request.Request(os.environ["RECEIVER_URL"], data=report.as_bytes(policy=email.policy.SMTP))
    with urllib.request.urlopen(request, timeout=20) as response:
        checks.equal("the bounce is taken", response.status, 200)
    found = wait("starttls", message, "undelivered")
    checks.equal("the status", found["status"], "undelivered")
    checks.equal("the reason", found["reason"], "hard_bounce")


def main():
    checks = peer.Checks()
    mailboxes = {"starttls": Mailbox(), "tls": Mailbox()}
    servers = [serve(mailboxes["starttls"], False), serve(mailboxes["tls"], True)]
    for server in servers:
        server.start()
    sent = {}
    for name, mailbox in mailboxes.items():
        with checks.section(name):
            sent[name] = read(checks, name, mailbox)
    with checks.section("bounce"):
        bounce(checks, *sent["starttls"])
    with checks.section("a certificate that is not trusted"):
        message = send("untrusted")
        time.sleep(2)
        checks.true("no mail", mailboxes["starttls"].mails.empty())
        checks.true("not accepted", ask("untrusted", f"/v1/messages/{message}")["status"] in ("queued", "sending"))
    for server in servers:
        server.stop()
    checks.end()


if __name__ == "__main__":
    main()
