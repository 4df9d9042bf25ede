/// Asks until there is an answer, every 20 ms; for what has no event to wait for.
///
/// Throws when there is none in time. What `check` throws ends the wait too.
@discardableResult
func eventually<Value>(
    _ expectation: String, within limit: Duration = .seconds(30), _ check: () async throws -> Value?
) async throws -> Value {
    let deadline = ContinuousClock.now + limit
    while true {
        if let value = try await check() { return value }
        guard ContinuousClock.now < deadline else { throw Failure("not within \(limit): \(expectation)") }
        try await Task.sleep(for: .milliseconds(20))
    }
}

/// As ``eventually(_:within:_:)``, for what is true or false.
func eventually(
    _ expectation: String, within limit: Duration = .seconds(30), isTrue check: () async throws -> Bool
) async throws {
    _ = try await eventually(expectation, within: limit) { try await check() ? true : nil }
}

/// Why a test went wrong.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
