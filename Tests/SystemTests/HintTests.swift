import Messaging
import Postgres
import Store
import TestDatabase
import Testing

extension SystemTests {
    /// Workers find everything by themselves within seconds. That they need not is what these show, by what is said to them.
    @Suite(.timeLimit(.minutes(2))) struct HintTests {
        @Test func whatIsAcceptedAndWhatAReceiptMakesReadyIsTold() async throws {
            try await Deployment.run { deployment in
                try await deployment.prepare()
                try await deployment.put(Webhook(url: "http://127.0.0.1:1/"))
                try await deployment.start(.carrier)
                try await deployment.start(.receiver)
                try await deployment.start(.api)
                try await self.hearing(deployment) { hints in
                    let id = try await deployment.accept(to: "+41790000001", "Code 1")
                    #expect(await hints.next(isolation: #isolation) == .messages)
                    // Once it is handed over its receipt comes, and the endpoint is to be told of that.
                    try await deployment.start(.worker)
                    _ = try await deployment.message(id, being: "delivered")
                    var heard = await hints.next(isolation: #isolation)
                    while heard == .messages { heard = await hints.next(isolation: #isolation) }
                    #expect(heard == .events)
                }
            }
        }

        /// Does `body` while what workers are told is heard.
        private func hearing(
            _ deployment: Deployment, _ body: (inout AsyncStream<HintedWork>.Iterator) async throws -> Void
        ) async throws {
            let (hints, continuation) = AsyncStream.makeStream(of: HintedWork.self)
            let (begun, begin) = AsyncStream.makeStream(of: Void.self)
            let listener = Listener(
                url: deployment.databaseURL, channels: HintedWork.allCases.map(\.rawValue), poller: TestDatabase.poller)
            try await withThrowingTaskGroup { group in
                group.addTask {
                    try await listener.run(onListening: { begin.yield() }) { channel, _ in
                        if let work = HintedWork(rawValue: channel) { continuation.yield(work) }
                    }
                }
                for await _ in begun { break }
                var iterator = hints.makeAsyncIterator()
                let result = await Result { () async throws in try await body(&iterator) }
                group.cancelAll()
                try result.get()
            }
        }
    }
}
