import CAres
import Egress

/// c-ares at work: looks names up, many at a time, without a thread of its own. Lives on the client's.
final class NameResolver {
    typealias Outcome = Result<FoundAddresses, WebClientError>

    struct Socket {
        let descriptor: CInt
        let isRead: Bool
        let isWritten: Bool
    }

    private let nameServers: [String]
    /// Nil when memory is short, or a name server is none.
    private var channel: ares_channel?
    private var openedAt = ContinuousClock.now
    private var underWayCount = 0
    private let ended = EndedLookUps()

    init(nameServers: [String]) {
        _ = libraryIsReady
        self.nameServers = nameServers
        self.open()
    }

    /// Ends what is under way.
    deinit { if let channel { ares_destroy(channel) } }

    /// Looks up the addresses of a name, in /etc/hosts and at the name servers; ``takeEnded()`` tells of its end.
    func begin(_ name: String) {
        self.reopenIfOld()
        self.underWayCount += 1
        guard let channel else { return self.ended.append(name, .failure(.notResolvable)) }
        // Unsorted: sorting would connect sockets to addresses nobody has judged.
        var hints = ares_addrinfo_hints(ai_flags: ARES_AI_NOSORT, ai_family: 0, ai_socktype: 0, ai_protocol: 0)
        let lookUp = LookUp(name, self.ended)
        ares_getaddrinfo(channel, name, nil, &hints, onAddresses, Unmanaged.passRetained(lookUp).toOpaque())
    }

    func takeEnded() -> [(name: String, outcome: Outcome)] {
        let all = self.ended.takeAll()
        self.underWayCount -= all.count
        return all
    }

    /// What to wait for on behalf of the look-ups under way.
    var sockets: [Socket] {
        guard let channel, self.underWayCount > 0 else { return [] }
        var descriptors = [ares_socket_t](repeating: -1, count: Int(ARES_GETSOCK_MAXNUM))
        let bits = ares_getsock(channel, &descriptors, ARES_GETSOCK_MAXNUM)
        return descriptors.enumerated().compactMap { index, descriptor in
            let (isRead, isWritten) = (bits & 1 << index != 0, bits & 1 << (index + descriptors.count) != 0)
            return isRead || isWritten ? Socket(descriptor: descriptor, isRead: isRead, isWritten: isWritten) : nil
        }
    }

    /// How long to wait for them at most.
    var patience: Duration {
        guard !self.ended.isEmpty else { return .zero }
        guard let channel, self.underWayCount > 0 else { return longestPatience }
        return .milliseconds(cares_patience(channel, Int(longestPatience / .milliseconds(1))))
    }

    /// Reads and writes the sockets that are ready, and sees to timeouts.
    func advance(ready: [CInt]) {
        guard let channel, self.underWayCount > 0 else { return }
        for descriptor in ready { ares_process_fd(channel, descriptor, descriptor) }
        if ready.isEmpty { ares_process_fd(channel, noSocket, noSocket) }
    }

    // MARK: - Private

    private func open() {
        var options = ares_options()
        // A name is looked up as it is: neither in the domains of this machine nor by its users' nicknames.
        options.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES
        options.timeout = CInt(firstPatience / .milliseconds(1))
        options.tries = tryLimit
        let mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES
        self.openedAt = .now
        self.channel = nil
        guard ares_init_options(&self.channel, &options, mask) == ARES_SUCCESS, let channel else { return }
        guard !self.nameServers.isEmpty else { return }
        let list = self.nameServers.joined(separator: ",")
        guard ares_set_servers_ports_csv(channel, list) != ARES_SUCCESS else { return }
        ares_destroy(channel)
        self.channel = nil
    }

    /// The system's name servers change while a process lives; c-ares reads them once.
    private func reopenIfOld() {
        let isOld = self.nameServers.isEmpty && .now - self.openedAt > channelAge
        guard isOld || self.channel == nil, self.underWayCount == 0 else { return }
        if let channel { ares_destroy(channel) }
        self.open()
    }
}

extension WebClientError {
    fileprivate static let notResolvable = WebClientError(.notSent, reason: "names cannot be looked up")
}

// MARK: - c-ares' calls

/// Look-ups that have ended and were not taken yet.
private final class EndedLookUps {
    private var all: [(name: String, outcome: NameResolver.Outcome)] = []

    var isEmpty: Bool { self.all.isEmpty }

    func append(_ name: String, _ outcome: NameResolver.Outcome) { self.all.append((name, outcome)) }

    func takeAll() -> [(name: String, outcome: NameResolver.Outcome)] {
        defer { self.all = [] }
        return self.all
    }
}

/// A look-up under way, in c-ares' hands until it calls back, which it does once.
private final class LookUp {
    private let name: String
    private let ended: EndedLookUps

    init(_ name: String, _ ended: EndedLookUps) {
        self.name = name
        self.ended = ended
    }

    func end(_ status: CInt, _ found: UnsafeMutablePointer<ares_addrinfo>?) {
        guard status == ARES_SUCCESS, let found else {
            let reason = "the host's name was not found (\(String(cString: ares_strerror(status))))"
            return self.ended.append(self.name, .failure(WebClientError(.notSent, reason: reason)))
        }
        self.ended.append(self.name, .success(FoundAddresses(found.pointee)))
    }
}

private let onAddresses: ares_addrinfo_callback = { context, status, _, found in
    // The one call for what `begin` retained.
    Unmanaged<LookUp>.fromOpaque(context!).takeRetainedValue().end(status, found)
    if let found { ares_freeaddrinfo(found) }
}

extension FoundAddresses {
    /// The time to live is the shortest of all records on the way.
    fileprivate init(_ found: ares_addrinfo) {
        let nodes = Array(sequence(first: found.nodes) { $0?.pointee.ai_next }.prefix { $0 != nil }.compactMap(\.self))
        let names = Array(sequence(first: found.cnames) { $0?.pointee.next }.prefix { $0 != nil }.compactMap(\.self))
        let times = nodes.map(\.pointee.ai_ttl) + names.map(\.pointee.ttl)
        self.timeToLive = .seconds(max(0, times.min() ?? 0))
        self.addresses = nodes.map { node in
            let bytes = UnsafeRawBufferPointer(start: cares_address(node), count: Int(node.pointee.ai_addrlen))
            // What is no address of a known kind must not pass for one: the unspecified address is never permitted.
            return NetworkAddress(socketAddress: bytes) ?? NetworkAddress(ipv6: 0)
        }
    }
}

/// c-ares wants to be told once that a process will use it.
private let libraryIsReady: Bool = ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS

/// How long a name server has for its first answer, how often it is asked; each time it has twice as long.
private let firstPatience = Duration.milliseconds(1000)
private let tryLimit: CInt = 3

/// After so long the system's name servers are read again.
private let channelAge = Duration.seconds(60)

/// Nothing needs it; it bounds what a lost wake-up could cost.
private let longestPatience = Duration.seconds(60)

private let noSocket: ares_socket_t = -1
