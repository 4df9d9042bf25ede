import Callbacks
import Testing
import Timestamps

@Suite struct RotationTests {
    private typealias Key = CallbackSecrets.SigningKey

    private static let now = Sample.now

    private static func key(_ byte: UInt8, expiresAfter seconds: Int64? = nil) throws -> Key {
        try #require(
            Key(
                key: [UInt8](repeating: byte, count: 32),
                expiresAt: seconds.map { Timestamp(seconds: Self.now.seconds + $0) }))
    }

    @Test func olderKeysGetNoMoreTimeThanTheyHad() throws {
        let secrets = CallbackSecrets(signingKeys: [
            try Self.key(1), try Self.key(2, expiresAfter: 30), try Self.key(3, expiresAfter: 90),
            try Self.key(4, expiresAfter: 0),
        ])
        let rotated = secrets.rotated(to: try Self.key(9), at: Self.now, overlap: .seconds(60))
        #expect(
            rotated?.signingKeys == [
                try Self.key(9), try Self.key(1, expiresAfter: 60), try Self.key(2, expiresAfter: 30),
                try Self.key(3, expiresAfter: 60),
            ])
        #expect(secrets.rotated(to: try Self.key(9), at: Self.now, overlap: .zero)?.signingKeys == [try Self.key(9)])
    }

    @Test func noMoreThanFiveSign() throws {
        var secrets = CallbackSecrets(fields: ["a": "b"])
        for byte in 1...5 as ClosedRange<UInt8> {
            secrets = try #require(secrets.rotated(to: try Self.key(byte), at: Self.now, overlap: .seconds(60)))
        }
        #expect(secrets.signingKeys.count == CallbackSecrets.keyLimit)
        #expect(secrets.fields == ["a": "b"])
        #expect(secrets.rotated(to: try Self.key(9), at: Self.now, overlap: .seconds(60)) == nil)
        // One of them once more is no sixth.
        let again = try #require(secrets.rotated(to: try Self.key(1), at: Self.now, overlap: .seconds(60)))
        #expect(again.signingKeys.map(\.key[0]) == [1, 5, 4, 3, 2])
        let later = Timestamp(seconds: Self.now.seconds + 60)
        #expect(secrets.rotated(to: try Self.key(9), at: later, overlap: .seconds(60))?.signingKeys.count == 2)
    }
}
