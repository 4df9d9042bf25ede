"""Procrastinate: one job a call of its function in the database, many calls at once. `work CONCURRENCY CONNECTIONS`."""

import procrastinate
import psycopg

from queue_peer import URL, Begin, run

# Jobs in one statement.
CHUNK = 5000


def make_app(connections):
    app = procrastinate.App(
        connector=procrastinate.PsycopgConnector(conninfo=URL, min_size=1, max_size=connections))
    begin = Begin()

    @app.task(name="noop")
    async def noop():
        begin()

    return app, noop


async def prepare(count):
    app, noop = make_app(2)
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        for first in range(0, count, CHUNK):
            await noop.batch_defer_async(*({} for _ in range(min(CHUNK, count - first))))


async def work(concurrency, connections):
    app, _ = make_app(connections)
    async with app.open_async():
        await app.run_worker_async(concurrency=concurrency)


connection = None


async def is_empty():
    global connection
    connection = connection or await psycopg.AsyncConnection.connect(URL, autocommit=True)
    cursor = await connection.execute(
        "SELECT NOT EXISTS (SELECT FROM procrastinate_jobs WHERE status IN ('todo', 'doing'))")
    return (await cursor.fetchone())[0]


run(prepare, work, is_empty)
