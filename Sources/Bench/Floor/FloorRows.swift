import Messaging
import Store
import Timestamps

/// New rows for the floors: as wide and as different from each other as those that an API process stores.
struct FloorRows {
    private var generator = SystemRandomNumberGenerator()
    private var number = Int.random(in: 0..<100_000_000)

    /// Ids and recipients for `count` messages, as parameters `$1` and `$2`.
    mutating func next(_ count: Int) -> [BinaryValue] {
        var ids = BinaryArray(elements: BinaryValue.uuid)
        var recipients = BinaryArray(elements: BinaryValue.text)
        let milliseconds = Timestamp.now.milliseconds
        for _ in 0..<count {
            let id = MessageID(lane: Lane(rawValue: 0), milliseconds: milliseconds, using: &self.generator)
            var bytes: [UInt8] = []
            id.encode(into: &bytes)
            ids.append(bytes)
            self.number += 1
            recipients.append("+41\(1_000_000_000 + self.number)".utf8)
        }
        return [ids.value, recipients.value]
    }

    /// Id and recipient of one message, as parameters `$1` and `$2`.
    mutating func nextOne() -> [BinaryValue] {
        var id: [UInt8] = []
        MessageID(lane: Lane(rawValue: 0), milliseconds: Timestamp.now.milliseconds, using: &self.generator)
            .encode(into: &id)
        self.number += 1
        return [BinaryValue(bytes: id), BinaryValue(bytes: Array("+41\(1_000_000_000 + self.number)".utf8))]
    }
}
