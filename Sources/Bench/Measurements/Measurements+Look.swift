import Messaging

extension Measurements {
    /// Messages that are looked at in turn: the newest.
    private static let looked: Int32 = 10_000

    /// Asks for messages by their ids as fast as the callers get their answers, of those that are there.
    func look() async throws -> LoadResult {
        let ids = try await self.database.newest(Self.looked)
        return try await self.costs.measure(.get) {
            Double($0.accepted)
        } _: {
            try await self.load(
                .looks(at: ids.map(\.description)), callers: 64, .closedLoop(seconds: self.seconds, gate: .open)
            ).run()
        }
    }
}
