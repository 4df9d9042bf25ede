import Channels
import Messaging
import PhoneNumbers
import Routing
import Store
import Telemetry

/// What a worker makes of the configuration: the providers that it serves, and the routes that lead to them.
struct ServicePlan: Sendable {
    var providers: [ProviderID: ConfiguredProvider] = [:]
    let routes: RouteTable

    /// A provider that cannot be served is left out, and the log says why.
    init(
        _ directory: Directory, regions: RegionCache, drivers: (StoredProvider) throws -> any Driver,
        logger: Logger
    ) {
        for provider in directory.providers where provider.enabled {
            do {
                self.providers[provider.id] = ConfiguredProvider(provider: provider, driver: try drivers(provider))
            } catch {
                logger.error("a provider cannot be served", ["provider": provider.name, "error": "\(error)"])
            }
        }
        let served = Set(self.providers.keys)
        let routes = directory.routes.map { route in
            var route = route
            for index in route.targets.indices where !served.contains(route.targets[index].provider) {
                route.targets[index].isServed = false
            }
            return route
        }
        self.routes = RouteTable(routes) { regions.region(of: $0.e164) }
    }
}
