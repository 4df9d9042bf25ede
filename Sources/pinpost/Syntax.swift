import Settings

/// The command line, as `--help` shows it.
enum Syntax {
    static let all = CommandLineSyntax(
        program: "pinpost",
        commands: [
            .init(
                "up",
                summary: "Run everything in one process, on a private PostgreSQL and with a simulated carrier.",
                options: [
                    .init("--api", value: "ADDRESS:PORT", summary: "Where the API listens; 127.0.0.1:8080."),
                    .init("--receiver", value: "ADDRESS:PORT", summary: "Where receipts come in; 127.0.0.1:8081."),
                    .init(
                        "--carrier", value: "ADDRESS:PORT",
                        summary: "Where the simulated carrier listens; 127.0.0.1:8082."),
                    .init(
                        "--ops", value: "ADDRESS:PORT",
                        summary: "Where /healthz, /readyz and /metrics are; 127.0.0.1:8083."),
                    .init(
                        "--data", value: "DIR",
                        summary: "Where the database and the keys are kept, made on first use; "
                            + "/var/lib/pinpost for root, ~/.local/share/pinpost for others."),
                    .init("--apply", value: "FILE", summary: "A configuration to apply at the start; see apply."),
                ]),
            .init("api", summary: "Run an API process: takes messages in and tells what became of them."),
            .init("worker", summary: "Run a worker process: hands messages to providers."),
            .init("receiver", summary: "Run a receiver process: takes providers' delivery receipts."),
            .init("carrier", summary: "Run the simulated carrier: takes messages as providers do, and posts receipts."),
            .init(
                "migrate", summary: "Bring the database's tables up to date.",
                details: """
                    With --citus, spread the tables over a cluster of PostgreSQL servers too: see "Beyond one PostgreSQL" in the README.
                    The number of lanes is raised only while no other process runs and no code can be used.
                    """,
                options: [
                    .init("--citus", summary: "Distribute the tables by lane; the database has the extension citus."),
                    .init(
                        "--lanes", value: "N",
                        summary:
                            "How many lanes there are to be, 256 at most, never fewer than before; with --citus 32."),
                ]),
            .init(
                "apply", summary: "Make accounts and what is theirs, providers and routes what a file says.",
                details: """
                    An account has keys, applications with their templates, the words of e-mails, and credentials: the names with
                    secrets that its programs show in the APIs of Infobip, Bandwidth and Nexmo. Keys that stand alone, as in
                    Infobip's `App KEY` and Bind's `X-API-KEY`, are `keys`. What the file does not name stays as it is.
                    Secrets that were sealed with another master key than the first are sealed anew.
                    """,
                positionals: ["FILE.json"]),
            .init(
                "codes", summary: "Print what the codes of a kind of provider mean, as lines for the file.",
                details: """
                    One line a code: `kind,code,state,permanence,action,reason`, where `kind` parts code spaces of one provider and
                    `500-509` stands for each number from the first to the last. A line in a provider's `codes` in the file of
                    `apply` takes the place of the line here that has the same kind and code, or adds one:
                    "codes": ["error,30007,rejected,permanent_message,stop,spam_filtered"].
                    A code that no line names is kept as it came, and the message goes on by its status or by what is safe.
                    Without a KIND, the kinds are listed.
                    """,
                positionals: ["[KIND]"]),
            .init(
                "rotate",
                summary: "Seal all credentials anew with the first master key, and tell which are still needed.",
                details: """
                    First put a new master key behind the old one and restart every process: one that lacks a key can neither open
                    nor judge what was made with it. Only then put it in front, so that it seals, and restart every process again.
                    Then run this until its last line says that the old key may be taken away.
                    """),
            .init(
                "erase",
                summary:
                    "Erase recipients from all that is kept; their numbers or addresses come in by standard input.",
                details: """
                    One recipient a line, as `+41791234567` or `anna@example.com`; 1000 at most. They are not given on the command line,
                    which everybody on the machine can see, and which the shell keeps: pinpost erase < recipients.txt
                    What waits to be sent is cancelled; what is being sent ends first, and is to be asked for again. Opt-outs and
                    statistics stay. What was erased is kept as numbers of rows and a keyed hash of the recipient.
                    """,
                options: [
                    .init("--account", value: "NAME", summary: "Of this account only."),
                    .init("--find", summary: "Erase nothing; show when the recipients were erased."),
                    .init(
                        "--list", value: "N",
                        summary: "Read and erase nothing; show the newest N erasures, 1000 at most."),
                ]),
            .init(
                "report",
                summary: "Print a report over all accounts. `silent`: messages of which no receipt came.",
                positionals: ["silent"],
                options: [
                    .init("--days", value: "N", summary: "Of messages accepted in the last N days; 8, 90 at most."),
                    .init("--list", value: "N", summary: "List the newest N of them too; 10000 at most."),
                ]),
            .init(
                "bench", summary: "Measure this machine: throughput and latencies beside the database's own floor.",
                details: """
                    Prints a table of what is expected and what was measured, what bounds the lines that are not reached, and what a
                    message costs in each part. Where standard output is no terminal, or with `--json`, it gets one JSON object
                    instead, and the table goes to standard error.
                    With `--flat` it measures instead whether what a message costs stays the same as tables grow: claims beside
                    messages that are not due, draining beside a transaction that is left open, rates beside a long history,
                    messages while a day of it is dropped, rates with ten times the accounts, providers and routes, and the
                    memory of processes that work for long. With its defaults that takes an hour and 40 GiB of disk.
                    """,
                options: [
                    .init(
                        "--data", value: "DIR",
                        summary: "Where a private PostgreSQL is made and removed; /var/tmp. "
                            + "With DATABASE_URL set, a database of the bench's own on that server is used instead."),
                    .init(
                        "--seconds", value: "N",
                        summary: "How long each part is measured; 4, about two and a half minutes in all."),
                    .init("--processes", value: "N", summary: "Workers, APIs and receivers to run of each; 1."),
                    .init("--json", summary: "Print JSON on a terminal, too."),
                    .init("--flat", summary: "Measure whether the cost stays flat."),
                    .init(
                        "--parts", value: "LIST",
                        summary: "Of --flat: future, open, history, drop, spread, steady, with commas; all."),
                    .init("--future", value: "N", summary: "Of --flat: messages that are not due; 10000000."),
                    .init("--rows", value: "N", summary: "Of --flat: rows of history; 100000000."),
                    .init(
                        "--minutes", value: "N",
                        summary: "Of --flat: how long the transaction is open, and how long processes work; 10."),
                ]),
        ])
}
