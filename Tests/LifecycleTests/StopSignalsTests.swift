import Glibc
import Polling
import Testing

@testable import Lifecycle

struct StopSignalsTests {
    /// On a thread of its own: the signal is raised for that thread only, and stays blocked there.
    @Test func aBlockedSignalIsTakenByTheWaitingThread() async {
        let number = await withCheckedContinuation { continuation in
            Thread.detach(name: "signal-test") {
                let signals = StopSignals.block([SIGUSR1, SIGUSR2])
                raise(SIGUSR2)
                continuation.resume(returning: StopSignals.wait(for: signals))
            }
        }
        #expect(number == SIGUSR2)
    }

    @Test(arguments: [(SIGTERM, "SIGTERM"), (SIGINT, "SIGINT"), (SIGUSR1, "signal 10")])
    func aSignalHasItsName(number: CInt, name: String) {
        #expect(StopSignals.name(of: number) == name)
    }
}
