import Lifecycle
import Testing

@Suite struct HealthTests {
    @Test func aProcessThatHasJustBegunIsReady() {
        #expect(Health().problem == nil)
    }

    @Test func silenceBeyondThePatienceIsAProblemUntilTheNextSuccess() {
        let health = Health(patience: .zero)
        while health.problem == nil {}
        #expect(health.problem?.contains("no success") == true)
        let patient = Health(patience: .seconds(3600))
        patient.succeeded()
        #expect(patient.problem == nil)
    }

    @Test func aSuccessMakesItReadyAgain() async throws {
        let health = Health(patience: .milliseconds(200))
        while health.problem == nil { try await Task.sleep(for: .milliseconds(5)) }
        let before = ContinuousClock.now
        health.succeeded()
        let problem = health.problem
        if ContinuousClock.now - before < .milliseconds(200) { #expect(problem == nil) }
    }

    @Test func aDrainingProcessIsNotReadyWhateverSucceeds() {
        let health = Health()
        health.drain()
        health.succeeded()
        #expect(health.problem == "draining")
    }
}
