import Glibc
import Polling
import Testing

private let poller: Poller = {
    do {
        let poller = try Poller()
        poller.start()
        poller.start()
        return poller
    } catch {
        preconditionFailure("no poller: \(error)")
    }
}()

/// Two connected sockets. Closed by `close`, and not before: a wait needs them open.
private struct SocketPair: Sendable {
    let left: Int32
    let right: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        precondition(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0, "socketpair")
        (self.left, self.right) = (ends[0], ends[1])
    }

    func close() {
        Glibc.close(self.left)
        Glibc.close(self.right)
    }
}

@Suite struct PollerTests {
    @Test func aWaitEndsWhenBytesArrive() async throws {
        let pair = SocketPair()
        defer { pair.close() }
        async let ready = poller.wait(for: .readable, on: pair.left)
        write(pair.right, "x", 1)
        #expect(try await ready == .readable)
    }

    @Test func anEmptySocketIsWritableAtOnce() async throws {
        let pair = SocketPair()
        defer { pair.close() }
        let ready = try await poller.wait(for: [.readable, .writable], on: pair.left, until: .now + .seconds(10))
        #expect(ready == .writable)
    }

    @Test func theOtherEndClosingCountsAsReadable() async throws {
        let pair = SocketPair()
        defer { pair.close() }
        shutdown(pair.right, Int32(SHUT_RDWR))
        #expect(try await poller.wait(for: .readable, on: pair.left).contains(.readable))
    }

    @Test func aDeadlineEndsAWait() async throws {
        let pair = SocketPair()
        defer { pair.close() }
        let deadline = ContinuousClock.now + .milliseconds(20)
        await #expect(throws: WaitError.timedOut) {
            try await poller.wait(for: .readable, on: pair.left, until: deadline)
        }
        #expect(ContinuousClock.now >= deadline)
    }

    @Test func aDeadlineInThePastEndsAWaitToo() async throws {
        let pair = SocketPair()
        defer { pair.close() }
        await #expect(throws: WaitError.timedOut) {
            try await poller.wait(for: .readable, on: pair.left, until: .now - .seconds(1))
        }
    }

    @Test func anEarlierDeadlineDoesNotWaitForALaterOne() async throws {
        let (early, late) = (SocketPair(), SocketPair())
        defer { for pair in [early, late] { pair.close() } }
        async let first: Poller.Events = poller.wait(for: .readable, on: late.left, until: .now + .seconds(600))
        await #expect(throws: WaitError.timedOut) {
            try await poller.wait(for: .readable, on: early.left, until: .now + .milliseconds(5))
        }
        write(late.right, "x", 1)
        #expect(try await first == .readable)
    }

    @Test func cancellingEndsAWait() async throws {
        let pair = SocketPair()
        defer { pair.close() }
        let waiting = Task { try await poller.wait(for: .readable, on: pair.left) }
        waiting.cancel()
        await #expect(throws: WaitError.cancelled) { try await waiting.value }
        // The descriptor is free for the next wait.
        write(pair.right, "x", 1)
        #expect(try await poller.wait(for: .readable, on: pair.left) == .readable)
    }

    @Test func aRegularFileIsRefused() async throws {
        let descriptor = open("/etc/passwd", O_RDONLY)
        defer { close(descriptor) }
        await #expect(throws: WaitError.refused(SystemError("epoll_ctl", code: EPERM))) {
            try await poller.wait(for: .readable, on: descriptor)
        }
    }

    @Test func scheduledActionsRunInTheirTime() async throws {
        let start = ContinuousClock.now
        let (events, continuation) = AsyncStream.makeStream(of: Int.self)
        poller.schedule(at: start + .milliseconds(60)) {
            continuation.yield(2)
            continuation.finish()
        }
        poller.schedule(at: start + .milliseconds(10)) { continuation.yield(1) }
        var order: [Int] = []
        for await event in events { order.append(event) }
        #expect(order == [1, 2])
        #expect(ContinuousClock.now >= start + .milliseconds(60))
    }

    @Test func manyWaitsWithDeadlinesEachEndOnce() async throws {
        let pairs = (0..<200).map { _ in SocketPair() }
        defer { for pair in pairs { pair.close() } }
        let timedOut = await withTaskGroup(of: Bool.self) { group in
            for (index, pair) in pairs.enumerated() {
                group.addTask {
                    let deadline = ContinuousClock.now + .milliseconds(index.isMultiple(of: 2) ? 5 : 60_000)
                    return (try? await poller.wait(for: .readable, on: pair.left, until: deadline)) == nil
                }
            }
            for (index, pair) in pairs.enumerated() where !index.isMultiple(of: 2) { write(pair.right, "x", 1) }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(timedOut == 100)
    }
}
