import Intake
import Polling
import Store

/// The API's ways to the database, each with connections of its own: slow reads hold up no commit and no look at the
/// keys.
struct APIStores {
    /// How an API divides its connections.
    struct Division: Hashable {
        var accepts: Int
        var reads: Int
        /// For the configuration and the hints, whose statements are short and one at a time.
        var watch: Int

        /// `total`: 3 at least. As many for accepts as there are writers of messages, of codes and of guesses, and one to look
        /// for earlier requests, when that leaves one to read with.
        init(of total: Int) {
            precondition(total >= 3, "the API needs a connection each to accept, to read and to watch")
            self.watch = 1
            self.accepts = min(Intake.connections, total - 2)
            self.reads = total - self.watch - self.accepts
        }
    }

    var accepts: Store
    var reads: Store
    var watch: Store

    init(_ base: ProcessBase, _ database: ProcessSettings.DatabaseSettings, poller: Poller) {
        let division = Division(of: database.connections)
        let store = { (role: String, connections: Int) in
            var share = database
            share.connections = connections
            return Store(base.pool(share, role: role, poller: poller))
        }
        self.accepts = store("api-accepts", division.accepts)
        self.reads = store("api-reads", division.reads)
        self.watch = store("api-watch", division.watch)
    }
}
