/// Parsers of one kind under whatever bytes: a fuzzer's, and in the tests those that fuzzers have found worth keeping.
///
/// A target does more than not to crash: it throws where what it parsed is not what a parser promises.
public struct FuzzTarget: Sendable {
    /// Names the folder of its corpus.
    public let name: String
    /// Feeds the parsers. Deterministic, since a fuzzer blames the bytes for what happens.
    public let run: @Sendable ([UInt8]) throws -> Void

    public static let all = [
        json, encodings, smpp, mails, tokens, numbers, texts, requests, receipts, answers,
    ]

    /// The kinds of providers whose drivers are fuzzed.
    public static var drivers: Set<String> { Set(FuzzAccounts.drivers.keys) }

    public static func named(_ name: String) -> FuzzTarget? { self.all.first { $0.name == name } }
}

/// A promise of a parser that did not hold.
public struct BrokenPromise: Error, CustomStringConvertible {
    public let description: String
}

/// Throws unless `condition` holds.
func promise(_ description: @autoclosure () -> String, _ condition: Bool) throws {
    if !condition { throw BrokenPromise(description: description()) }
}
