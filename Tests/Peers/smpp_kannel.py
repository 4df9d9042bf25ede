"""Kannel's bearerbox, an SMPP client, delivers through the simulated carrier's SMSC and gets its receipts.

SMPP_PORT says where the SMSC is, FOLDER where files may be put, PORTS are three that are free.
"""

import http.server
import os
import subprocess
import threading
import time
import urllib.parse

from peer import Checks, received, request

checks = Checks()
folder = os.environ["FOLDER"]
admin, box, send, heard = os.environ["PORTS"].split(",")
reports = []

CONFIGURATION = f"""
group = core
admin-port = {admin}
admin-password = secret
admin-interface = 127.0.0.1
smsbox-port = {box}
smsbox-interface = 127.0.0.1
box-allow-ip = 127.0.0.1
log-level = 1
dlr-storage = internal

group = smsc
smsc = smpp
smsc-id = carrier
host = 127.0.0.1
port = {os.environ["SMPP_PORT"]}
transceiver-mode = true
smsc-username = pinpost
smsc-password = s3cret
system-type = ""
source-addr-ton = 5
source-addr-npi = 0
dest-addr-ton = 1
dest-addr-npi = 1
max-pending-submits = 10
reconnect-delay = 1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {send}
sendsms-interface = 127.0.0.1
log-level = 1

group = sendsms-user
username = tester
password = secret
max-messages = 10
concatenation = true

group = sms-service
keyword = default
text = "none"
"""


class Heard(http.server.BaseHTTPRequestHandler):
    """Where Kannel reports receipts."""

    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query)
        reports.append((query["to"][0], int(query["kind"][0])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def wait_for(what, done):
    deadline = time.monotonic() + 60
    while not done():
        if time.monotonic() > deadline:
            return checks.true(what, False)
        time.sleep(0.1)
    return checks.true(what, True)


def submit(to, text):
    query = urllib.parse.urlencode({
        "username": "tester", "password": "secret", "from": "Pinpost", "to": to, "text": text, "charset": "UTF-8",
        # 1 delivered, 2 failed, 8 taken by the SMSC, 16 refused by it.
        "coding": 0 if text.isascii() else 2, "dlr-mask": 27,
        "dlr-url": f"http://127.0.0.1:{heard}/?to={to}&kind=%d",
    })
    return request("GET", f"/cgi-bin/sendsms?{query}", url=f"http://127.0.0.1:{send}", authorization=None).status


def is_up(url):
    try:
        return "online" in request("GET", "/status.txt?password=secret", url=url, authorization=None).text
    except OSError:
        return False


def takes():
    try:
        request("GET", "/", url=f"http://127.0.0.1:{send}", authorization=None)
        return True
    except OSError:
        return False


path = os.path.join(folder, "kannel.conf")
with open(path, "w") as file:
    file.write(CONFIGURATION)
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(heard)), Heard)
threading.Thread(target=server.serve_forever, daemon=True).start()
log = open(os.path.join(folder, "kannel.log"), "w")
boxes = [subprocess.Popen(["/usr/sbin/bearerbox", path], stdout=log, stderr=log)]
try:
    with checks.section("kannel"):
        wait_for("bearerbox is bound", lambda: is_up(f"http://127.0.0.1:{admin}"))
        boxes.append(subprocess.Popen(["/usr/sbin/smsbox", path], stdout=log, stderr=log))
        wait_for("smsbox takes messages", takes)
        for to, text in [
            ("41790000201", "Your code is 493817"), ("41790000202", "Ваш код 493817"),
            ("41790000203", "Your code is 493817. " * 19 + "Thank you."),
        ]:
            checks.equal(f"{to} is taken", submit(to, text), 202)
            checks.equal(f"{to} arrives", received("+" + to)["text"], text)
            wait_for(f"{to} is reported as taken", lambda: (to, 8) in reports)
            wait_for(f"{to} is reported as delivered", lambda: (to, 1) in reports)
        checks.equal("one that is refused is sent", submit("9990000001", "x"), 202)
        wait_for("it is reported as refused", lambda: ("9990000001", 16) in reports)
        checks.equal("one that fails is sent", submit("9990000011", "x"), 202)
        wait_for("it is reported as failed", lambda: ("9990000011", 2) in reports)
finally:
    for process in reversed(boxes):
        process.kill()
        process.wait()
checks.end()
