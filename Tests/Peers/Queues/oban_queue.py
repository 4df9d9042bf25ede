"""oban, the open one: as many jobs a fetch as its queue's limit leaves free, an UPDATE each to end them. `work LIMIT CONNECTIONS`."""

import asyncio

import psycopg
from oban import Oban, worker
from oban.schema import install_sql

from queue_peer import URL, Begin, run

# Jobs in one statement.
CHUNK = 5000
begin = Begin()


@worker(queue="noop")
class Noop:
    async def process(self, job):
        begin()


async def prepare(count):
    async with await psycopg.AsyncConnection.connect(URL, autocommit=True) as connection:
        await connection.execute(install_sql())
    pool = await Oban.create_pool(URL, min_size=1, max_size=2)
    oban = Oban(pool=pool)
    for first in range(0, count, CHUNK):
        await oban.enqueue_many(Noop.new() for _ in range(min(CHUNK, count - first)))
    await pool.close()


async def work(limit, connections):
    pool = await Oban.create_pool(URL, min_size=1, max_size=connections)
    async with Oban(pool=pool, queues={"noop": limit}):
        await asyncio.Event().wait()


connection = None


async def is_empty():
    global connection
    connection = connection or await psycopg.AsyncConnection.connect(URL, autocommit=True)
    cursor = await connection.execute(
        "SELECT NOT EXISTS (SELECT FROM oban_jobs WHERE state IN ('available', 'scheduled', 'executing', 'retryable'))")
    return (await cursor.fetchone())[0]


run(prepare, work, is_empty)
