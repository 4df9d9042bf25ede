extension Measurements {
    /// Requests that an endpoint of the load's customer takes at once: as many as may be asked for.
    private static let endpointInFlight: Int16 = 100

    /// As ``deliver(through:messagesPerRequest:callers:)`` with a customer who wants to be told of each delivery, and takes what
    /// it is told at once: until the last has been told.
    func deliverTold(
        through route: Deployment.Route, messagesPerRequest: Int, callers: Int
    ) async throws -> Double {
        let endpoint = try TakingEndpoint()
        defer { endpoint.close() }
        let gate = Gate(limit: DeliveryWatch.leastBacklog)
        let load = self.load(
            route, messagesPerRequest: messagesPerRequest, callers: callers,
            .closedLoop(seconds: self.seconds, gate: gate))
        let part: CostedPart = messagesPerRequest == 1 ? .endToEndSingleTold : .endToEndBatchTold
        let (result, ended) = try await self.withEndpoint(
            port: endpoint.port, types: ["message.delivered"], inFlight: Self.endpointInFlight
        ) {
            try await self.deliver(load, gate: gate, part) { Double(endpoint.count) }
        }
        return Double(result.accepted) / (ended - result.started)
    }
}
