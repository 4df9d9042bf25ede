import Channels
import Lifecycle
import Messaging
import Store
import Telemetry
import Timestamps

/// What may have to read all of a queue: what the dead hold, what nobody sends any more, and how much waits. While dead rows cannot be
/// cleared up each is slow, and rests the longer for it.
extension Upkeep {
    /// Does what may have to read all of a queue, and again after many times as long as that took, whether it went well or not.
    func rounds(
        _ name: StaticString, first: Duration = .zero, least: Duration, most: Duration,
        _ work: () async throws -> Void
    ) async {
        var due = ContinuousClock.now + first
        await self.pulse(name) {
            try await Task.sleep(until: due)
            let started = ContinuousClock.now
            defer {
                let pause = Self.pause(after: .now - started, least: least, most: most)
                due = .now + pause * Double.random(in: 0.8...1.2)
            }
            try await work()
        }
    }

    /// Returns when there has been a look at every lane.
    func waitUntilOpen() async {
        while !self.lanes.allSatisfy(self.horizons.isKnown), !Task.isCancelled {
            try? await Task.sleep(for: Self.firstLook)
        }
    }

    /// Takes over what dead workers hold: at the start, as soon as one fell silent, and then now and again until nothing of them is
    /// left. Not at the start where all of the queue is slow to read, unless somebody has died.
    func reap() async {
        var known = 0
        var due = ContinuousClock.now
        /// No sooner after the last look, even when somebody else has died.
        var rested = ContinuousClock.now
        await self.pulse("reaping") {
            let isOpen = self.lanes.allSatisfy(self.horizons.isKnown)
            if known == 0, due <= .now, self.lanes.contains(where: { self.horizons.reach($0) != nil }) {
                due = .now + Self.lookInterval * Double.random(in: 0...1)
            }
            let lost = try await self.store.loseSilentWorkers()
            if lost.now > 0 || lost.all > known { due = min(due, rested) }
            known = lost.all
            if due <= .now, isOpen || lost.all > 0 {
                let started = ContinuousClock.now
                defer {
                    let took = ContinuousClock.now - started
                    let interval = Self.pause(after: took, least: Self.reapInterval, most: Self.longestScanPause)
                    rested = .now + Self.pause(after: took, most: Self.longestScanPause)
                    // Those that were started together do not look together.
                    due = .now + (lost.all > 0 ? interval : Self.lookInterval * Double.random(in: 0.5...1))
                }
                try await self.reapOnce()
            }
            let pause = min(lost.all > 0 ? Self.reapInterval : Self.idleInterval, max(.zero, due - .now))
            await self.deaths.wait(upTo: isOpen ? pause : Self.firstLook)
            try Task.checkCancellation()
        }
    }

    private func reapOnce() async throws {
        for lane in self.lanes {
            let messages = try await self.store.reap(lane: lane)
            let events = try await self.store.reapEvents(lane: lane)
            guard messages + events > 0 else { continue }
            self.metrics.work.reaped.add(messages)
            self.eventMetrics.work.reaped.add(events)
            self.logger.warning(
                "took over from workers that fell silent", ["messages": messages, "events": events])
            self.horizons.askForLookAtAll(lane)
            self.messages.ready.ring(lane)
            self.events.ready.ring(lane)
        }
        try await self.store.forgetLostWorkers(lanes: self.lanes)
    }

    /// Ends what waits for providers that are out of service and is past its time.
    func expire(_ lanes: [Lane]) async throws {
        let served = Array(self.service.current.providers.keys)
        for lane in lanes {
            try await self.expire(lane, "messages of providers out of service expired") {
                try await self.store.expireStranded(lane: lane, served: served, limit: Self.expiryLimit)
            }
        }
    }

    /// Ends what claims leave for its age.
    func expireOld() async throws {
        for lane in self.lanes {
            try await self.expire(lane, "messages older than any may live expired") {
                try await self.store.expireOld(lane: lane, limit: Self.expiryLimit)
            }
        }
    }

    /// Batch by batch until there is no more. Each looks through all that has not expired again.
    private func expire(_ lane: Lane, _ words: StaticString, _ batch: () async throws -> Int) async throws {
        while true {
            let started = ContinuousClock.now
            let count = try await batch()
            if count > 0 { self.logger.info(words, ["messages": count, "lane": Int(lane.rawValue)]) }
            guard count == Int(Self.expiryLimit) else { return }
            try await Task.sleep(for: Self.pause(after: .now - started, most: Self.longestScanPause))
        }
    }

    private struct QueuePlace: Hashable {
        var provider: ProviderID
        var priority: Priority
    }

    /// Of whom a gauge tells.
    struct ShownQueue: Hashable {
        var provider: String
        var channel: String
        var priority: Priority
    }

    /// `shown`: the gauges that there are.
    func measure(_ shown: inout Set<ShownQueue>) async throws {
        let providers = self.service.current.providers
        var depths: [QueuePlace: (ready: Int, oldest: Duration)] = [:]
        var counted: [Priority: Int] = [:]
        for lane in self.lanes {
            for depth in try await self.store.queueDepths(
                lane: lane, served: Array(providers.keys), limit: Self.depthLimit, from: self.horizons.reach(lane))
            {
                let place = QueuePlace(provider: depth.provider, priority: depth.priority)
                let known = depths[place] ?? (0, .zero)
                depths[place] = (known.ready + depth.ready, max(known.oldest, depth.oldest))
                counted[depth.priority, default: 0] += depth.ready
            }
        }
        // Not before all is known: a queue that could not be counted does not look empty, nor does one for which others have left no
        // room in the count.
        var served: Set<ShownQueue> = []
        for (id, configured) in providers {
            for priority in Priority.allCases {
                let queue = ShownQueue(
                    provider: configured.provider.name,
                    channel: configured.driver.channels.map(\.rawValue).sorted().joined(separator: ","),
                    priority: priority)
                served.insert(queue)
                if let depth = depths[QueuePlace(provider: id, priority: priority)] {
                    self.show(depth.ready, depth.oldest, of: queue)
                } else if counted[priority, default: 0] < Int(Self.depthLimit) {
                    self.show(0, .zero, of: queue)
                }
            }
        }
        // Nobody counts any more what waits for one that went out of service; a gauge once shown cannot be taken away.
        for queue in shown.subtracting(served) { self.show(nil, nil, of: queue) }
        shown.formUnion(served)
        try await self.measureEvents()
    }

    private func measureEvents() async throws {
        var (ready, waiting) = (0, 0)
        for lane in self.lanes {
            let depth = try await self.store.eventDepth(lane: lane, limit: Self.depthLimit)
            ready += depth.ready
            waiting += depth.waiting
        }
        self.eventMetrics.ready.set(ready)
        self.eventMetrics.waiting.set(waiting)
    }

    private func show(_ ready: Int?, _ oldest: Duration?, of queue: ShownQueue) {
        self.metrics.gauge(depthOf: queue.provider, channel: queue.channel, priority: queue.priority)
            .set(ready.map(Double.init) ?? .nan)
        self.metrics.gauge(oldestOf: queue.provider, channel: queue.channel, priority: queue.priority)
            .set(oldest?.inSeconds ?? .nan)
    }
}
