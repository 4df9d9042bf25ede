"""What the queues' scripts share: a script prepares a queue, works at it, or watches until it is empty."""

import asyncio
import os
import sys
import time

import uvloop

URL = os.environ["DATABASE_URL"]
# Seconds from look to look, and until a queue that does not get empty is given up.
LOOK_PAUSE = 0.02
PATIENCE = 300


class Begin:
    """Says once when the first job was there, on standard output, by the system's clock."""

    said = False

    def __call__(self):
        if not self.said:
            self.said = True
            print(f"begin {time.time():.6f}", flush=True)


async def watch(is_empty):
    deadline = time.time() + PATIENCE
    while not await is_empty():
        if time.time() > deadline:
            sys.exit(f"there are still jobs after {PATIENCE} s")
        await asyncio.sleep(LOOK_PAUSE)
    print(f"end {time.time():.6f}", flush=True)


def run(prepare, work, is_empty):
    """`prepare COUNT`, `work SETTINGS…` until it is killed, or `watch`."""
    match sys.argv[1:]:
        case ["prepare", count]:
            uvloop.run(prepare(int(count)))
        case ["work", *settings]:
            uvloop.run(work(*map(int, settings)))
        case ["watch"]:
            uvloop.run(watch(is_empty))
        case other:
            sys.exit(f"what is {other}?")
