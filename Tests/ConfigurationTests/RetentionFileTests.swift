import Configuration
import JSON
import Store
import TestSystem
import Testing

/// `retention` in a file.
@Suite struct RetentionFileTests {
    @Test func whatTheFileNamesIsSetAndTheRestStays() async throws {
        try await TestSystem.run { system async throws in
            #expect(
                try await system.apply(["retention": ["messages": 60, "verifications": "keep"]]).changes
                    == ["retention: messages 60 days, events 90 days, verifications for ever"])
            #expect(
                try await system.store.retention() == Retention(messages: 60, events: 90, verifications: nil))
            #expect(try await system.apply(["retention": ["messages": 60]]).changes.isEmpty)
            #expect(try await system.apply([:]).changes.isEmpty)
        }
    }

    @Test(
        arguments: [
            (["messages": 19], "/retention/messages"), (["events": 36_501], "/retention/events"),
            (["verifications": "never"], "/retention/verifications"), (["receipts": 20], "/retention/receipts"),
            (5, "/retention"),
        ] as [(JSON, String)])
    func whatIsWrongIsNamed(retention: JSON, path: String) {
        #expect {
            _ = try Configurator.read((["retention": retention] as JSON).serialized(), environment: [:])
        } throws: { error in
            (error as? ConfigurationProblems)?.problems.map(\.path) == [path]
        }
    }
}
