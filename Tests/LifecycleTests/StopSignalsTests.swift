import Glibc
import Testing

@testable import Lifecycle

struct StopSignalsTests {
    @Test(.timeLimit(.minutes(1))) func theFirstSignalIsARequestAndTheSecondExits() async {
        let (exits, exit) = AsyncStream<CInt>.makeStream()
        let requests = StopSignals.requests(by: [SIGUSR1, SIGUSR2]) { exit.yield($0) }
        kill(getpid(), SIGUSR1)
        for await request in requests {
            #expect(request.reason == "signal 10")
            break
        }
        kill(getpid(), SIGUSR2)
        for await number in exits {
            #expect(number == SIGUSR2)
            break
        }
    }
}
