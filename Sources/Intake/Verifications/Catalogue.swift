import Messaging
import Postgres
import Store
import Synchronization

/// Applications and templates as they were when they were last used: what would otherwise be asked of the database for every
/// code.
///
/// Nothing here need be fresh: the statement that stores a code holds the application's revision against the row, and says so
/// when it has changed.
final class Catalogue: Sendable {
    /// Plans kept; when there are more, all are forgotten and asked for again as they are used.
    static let limit = 10_000

    private struct Place: Hashable {
        var account: AccountID
        var application: String
        var template: String
    }

    private struct TemplatePlace: Hashable {
        var account: AccountID
        var template: String
    }

    private let store: Store
    private let plans = Mutex<[Place: SendingPlan]>([:])
    private let applications = Mutex<[TemplatePlace: String]>([:])

    init(store: Store) { self.store = store }

    func plan(
        application: String, template: String, account: AccountID
    ) async throws(VerifierRefusal) -> SendingPlan {
        let place = Place(account: account, application: application, template: template)
        if let plan = self.plans.withLock({ $0[place] }) { return plan }
        let plan = try await self.find(place)
        self.plans.withLock { plans in
            if plans.count >= Self.limit { plans.removeAll() }
            plans[place] = plan
        }
        return plan
    }

    func forget(_ plan: SendingPlan, account: AccountID) {
        let place = Place(
            account: account, application: plan.application.publicID, template: plan.template.publicID)
        self.plans.withLock { $0[place] = nil }
    }

    /// The id of the application that a template is of; templates never move.
    func application(of template: String, account: AccountID) async throws(VerifierRefusal) -> String {
        let place = TemplatePlace(account: account, template: template)
        if let application = self.applications.withLock({ $0[place] }) { return application }
        let stored: StoredTemplate?
        do throws(PostgresError) {
            stored = try await self.store.template(template, account: account)
        } catch {
            throw .unavailable
        }
        guard let application = stored?.applicationPublicID else { throw .noTemplate }
        self.applications.withLock { applications in
            if applications.count >= Self.limit { applications.removeAll() }
            applications[place] = application
        }
        return application
    }

    private func find(_ place: Place) async throws(VerifierRefusal) -> SendingPlan {
        let found: SendingPlanResult
        do throws(PostgresError) {
            found = try await self.store.sendingPlan(
                application: place.application, template: place.template, account: place.account)
        } catch {
            throw .unavailable
        }
        switch found {
        case .plan(let plan): return plan
        case .noApplication: throw .noApplication
        case .noTemplate: throw .noTemplate
        }
    }
}
