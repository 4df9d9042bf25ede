import Guard
import JSON
import Postgres
import Store

// Where an account may send, and how closely it is looked at.
extension Configurator {
    /// What the file does not name stays as it is stored. A new account begins with no country: where its codes go is for somebody
    /// to say before they cost anything.
    func applyGuard(
        _ account: ConfigurationFile.Account, of owner: Owner, isNew: Bool, in transaction: borrowing Transaction,
        _ progress: inout Progress
    ) async throws {
        let text = isNew ? "{}" : try await Store.guardPolicy(of: owner.id, in: transaction)
        let stored = try JSON(parsing: Array(text.utf8))
        let fields = [GuardPolicy.countriesField, GuardPolicy.guardField]
        let members = fields.map { JSON.Member($0, account.guardFields[$0] ?? stored[$0] ?? [:]) }
        let changed = try await Store.putGuardPolicy(JSON.object(members).text, of: owner.id, in: transaction)
        if changed, !isNew { progress.changed("account \(owner.name), guard: set") }
        guard isNew, account.guardFields[GuardPolicy.countriesField] == nil else { return }
        progress.changed(
            "account \(owner.name): sends to no country until its file says \"countries\", as in {\"GB\": \"on\"} or {\"*\": \"on\"}"
        )
    }
}
