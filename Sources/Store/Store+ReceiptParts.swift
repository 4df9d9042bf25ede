import Messaging
import Postgres

extension Store {
    /// Names the messages of receipts that come under a part's id alone, where the part is known already: then there is no
    /// need to keep them and to join them later.
    ///
    /// As joining does it, each is looked for by LATERAL with a LIMIT; the newest, for some providers begin to count anew. But only
    /// among the messages of the last days by this process's clock, as nearly all receipts are of those: joining looks for the rest in
    /// all partitions.
    ///
    /// With several lanes it takes a statement for each, until all are found: the provider knows nothing of lanes.
    func locate(_ receipts: [IncomingReceipt], in lanes: [Lane]) async throws(PostgresError) -> [IncomingReceipt] {
        var receipts = receipts
        for lane in lanes { receipts = try await self.locate(receipts, in: lane) }
        return receipts
    }

    private func locate(_ receipts: [IncomingReceipt], in lane: Lane) async throws(PostgresError) -> [IncomingReceipt] {
        let nameless = receipts.indices.filter {
            receipts[$0].receipt.message == nil && !receipts[$0].receipt.part.isEmpty
        }
        guard !nameless.isEmpty else { return receipts }
        let days = Days.recent
        let statement: SQL = """
            SELECT w.number, p.message_id, p.series
            FROM unnest(\(nameless.map { Int32($0) }), \(nameless.map { receipts[$0].provider.rawValue }),
                        \(nameless.map { receipts[$0].receipt.part })) AS w (number, provider_id, part)
            CROSS JOIN LATERAL (
                SELECT message_id, series FROM parts
                WHERE lane = \(lane.column) AND part = w.part AND provider_id = w.provider_id
                  AND message_id >= \(days.first) AND message_id < \(days.end)
                ORDER BY message_id DESC LIMIT 1
            ) p
            """
        let found = try await self.pool.query(statement.preparedForLookUps) { row throws(PostgresError) in
            (
                index: Int(try row.decode(0, as: Int32.self)),
                message: MessageReference(id: try row.decode(1), series: try row.decode(2))
            )
        }
        var receipts = receipts
        for (index, message) in found { receipts[index].receipt.message = message }
        return receipts
    }
}
