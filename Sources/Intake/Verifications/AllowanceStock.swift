import Messaging
import Postgres
import Store
import Synchronization
import Telemetry
import Verification

/// That one code may be sent within a period of an application's limit.
struct Permit: Sendable {
    fileprivate var limit: RateLimit
    fileprivate var allowance: Allowance
    fileprivate var endsAt: ContinuousClock.Instant
}

/// The slices of this process, one of an application at a time.
final class AllowanceStock: Sendable {
    private struct Slice {
        /// What it was cut from; settings that have changed since have another.
        var limit: RateLimit
        /// With what is left of it.
        var allowance: Allowance
        var endsAt: ContinuousClock.Instant
        var usedAt: ContinuousClock.Instant
    }

    private let store: Store
    private let slices = Mutex<[ApplicationID: Slice]>([:])

    init(store: Store) { self.store = store }

    /// Nil when there is nothing left of this limit in the running period.
    func take(_ application: ApplicationID, limit: RateLimit) -> Permit? {
        let now = ContinuousClock.now
        return self.slices.withLock { slices in
            guard var slice = slices[application], slice.limit == limit, slice.allowance.count > 0, now < slice.endsAt
            else { return nil }
            slice.allowance.count -= 1
            slice.usedAt = now
            slices[application] = slice
            return Permit(limit: limit, allowance: slice.allowance, endsAt: slice.endsAt)
        }
    }

    /// Puts a slice in, for so many that wait. Returns how long there will be none when the limit is used up.
    func refill(
        _ application: ApplicationID, limit: RateLimit, waiting: Int
    ) async throws(PostgresError) -> Duration? {
        // Somebody may have put one back since; and a slice of another limit makes room first.
        if let old = self.slices.withLock({ $0[application] }) {
            if old.limit == limit, old.allowance.count > 0, .now < old.endsAt { return nil }
            try await self.giveBack(old, to: application)
        }
        // The clock is read first: the period must not seem to last longer here than there.
        let now = ContinuousClock.now
        let allowance = try await self.store.takeAllowance(
            of: application, limit: limit, waiting: Int32(clamping: waiting), ahead: Allowances.sliceLimit)
        guard allowance.count > 0 else { return allowance.remaining }
        self.put(
            Slice(limit: limit, allowance: allowance, endsAt: now + allowance.remaining, usedAt: now), of: application)
        return nil
    }

    func putBack(_ permit: Permit, to application: ApplicationID) {
        var allowance = permit.allowance
        allowance.count = 1
        self.put(Slice(limit: permit.limit, allowance: allowance, endsAt: permit.endsAt, usedAt: .now), of: application)
    }

    /// Gives back every slice that `isIdle` says so of, by when it was last used.
    func giveBack(_ logger: Logger, _ isIdle: (ContinuousClock.Instant) -> Bool) async {
        for (application, slice) in self.slices.withLock({ $0.filter { isIdle($0.value.usedAt) } }) {
            do {
                try await self.giveBack(slice, to: application)
            } catch {
                logger.warning(
                    "what was not sent of an application's limit could not be given back", ["error": "\(error)"])
            }
        }
    }

    // MARK: - Private

    /// Takes the slice out, as it is by now, and gives it back. One that surely was not given back is put in again.
    private func giveBack(_ slice: Slice, to application: ApplicationID) async throws(PostgresError) {
        let taken = self.slices.withLock { slices -> Slice? in
            guard slices[application]?.allowance.period == slice.allowance.period else { return nil }
            return slices.removeValue(forKey: application)
        }
        guard let taken, taken.allowance.count > 0, .now < taken.endsAt else { return }
        do throws(PostgresError) {
            try await self.store.giveBack(taken.allowance.count, of: taken.allowance, to: application)
        } catch {
            if !error.mayHaveCommitted { self.put(taken, of: application) }
            throw error
        }
    }

    /// Adds to the slice of the same period; takes the place of one of an earlier period.
    private func put(_ slice: Slice, of application: ApplicationID) {
        self.slices.withLock { slices in
            guard let present = slices[application] else {
                slices[application] = slice
                return
            }
            if present.allowance.period == slice.allowance.period, present.limit == slice.limit {
                slices[application]?.allowance.count += slice.allowance.count
            } else if present.allowance.period < slice.allowance.period || present.limit != slice.limit {
                slices[application] = slice
            }
        }
    }
}
