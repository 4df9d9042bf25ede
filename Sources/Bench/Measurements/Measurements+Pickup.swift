import JSON
import Timestamps

extension Measurements {
    /// How long after its acceptance each message arrived at the carrier, in milliseconds: messages come at fixed
    /// intervals, and everything runs. Of the last 10,000 at most, as many as the carrier's inbox holds.
    func pickupTimes(rate: Double) async throws -> Percentiles? {
        Percentiles(try await self.arrivalTimes(rate: rate, seconds: self.seconds))
    }

    /// As ``pickupTimes(rate:)``, every time of them, of messages that come for so long.
    func arrivalTimes(rate: Double, seconds: Double) async throws -> [Double] {
        try await self.arrivals(.openLoop(rate: rate, count: max(1, Int(rate * seconds))), .pickup).pickup
    }

    /// Of messages of a part: how long each request took to its 202, and when each message arrived after its acceptance, in
    /// milliseconds.
    struct Arrivals {
        var accept: [Double]
        var pickup: [Double]
    }

    func arrivals(_ mode: Pacer.Mode, _ part: CostedPart) async throws -> Arrivals {
        let port = self.deployment.carrierPort
        _ = try await BlockingWork.run("inbox") { _ in try LocalRequest.send("DELETE", "/inbox", port: port) }
        let load = self.load(.vonage, messagesPerRequest: 1, callers: 64, mode)
        let accept = try await self.deliver(load, gate: .open, part).result.latencies
        let inbox = try await BlockingWork.run("inbox") { _ in try LocalRequest.send("GET", "/inbox", port: port).body }
        let accepted = try await self.database.acceptances()
        let pickup = try Self.arrivals(in: inbox).compactMap { arrival -> Double? in
            guard let accepted = accepted[arrival.to] else { return nil }
            // The carrier's time has no fractions of a millisecond, so a quick one may seem to come before its cause.
            return max(0, (arrival.at - accepted).inSeconds * 1000)
        }
        return Arrivals(accept: accept, pickup: pickup)
    }

    /// Reads the carrier's inbox, a JSON object a line.
    static func arrivals(in inbox: [UInt8]) throws -> [(to: String, at: Timestamp)] {
        try inbox.split(separator: UInt8(ascii: "\n")).map { line in
            let json = try JSON(parsing: Array(line))
            guard let to = json["to"]?.string, let at = json["at"]?.string.flatMap({ Timestamp($0) }) else {
                throw BenchError("the carrier's inbox holds what is no message")
            }
            return (to, at)
        }
    }
}
