"""PgQueuer, with the settings of its own benchmark (tools/benchmark.py of its source): asyncpg, uvloop, several queue managers in a
process, each with a connection of its own. `work MANAGERS BATCH`."""

import asyncio

import asyncpg
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver
from pgqueuer.queries import Queries

from queue_peer import URL, Begin, run

# Jobs in one statement.
CHUNK = 5000


async def prepare(count):
    queries = Queries(AsyncpgDriver(await asyncpg.connect(URL)))
    await queries.install()
    for first in range(0, count, CHUNK):
        chunk = min(CHUNK, count - first)
        await queries.enqueue(["noop"] * chunk, [b""] * chunk, [0] * chunk)


async def work(managers, batch):
    begin = Begin()

    async def one():
        manager = PgQueuer(AsyncpgDriver(await asyncpg.connect(URL)))

        @manager.entrypoint("noop")
        async def noop(job):
            begin()

        await manager.run(batch_size=batch)

    await asyncio.gather(*(one() for _ in range(managers)))


connection = None


async def is_empty():
    global connection
    connection = connection or await asyncpg.connect(URL)
    return await connection.fetchval("SELECT NOT EXISTS (SELECT FROM pgqueuer)")


run(prepare, work, is_empty)
