import JSON
import Messaging

/// The `status` of a message, in a response or in a receipt.
struct InfobipStatus {
    let id: Int64
    let groupID: Int64?
    let name: String
    private let table: StatusTable

    /// Nil when there is no `id`: without it, nothing was said.
    init?(_ value: JSON?, _ table: StatusTable) {
        guard let value, let id = value["id"]?.integer else { return nil }
        self.table = table
        self.id = id
        self.groupID = value["groupId"]?.integer
        self.name = String(providerText: value["name"]?.string ?? String(id))
    }

    /// By the id, else by the group, else unknown. Only the id tells that 2, which stands in the group DELIVERED, has
    /// reached the operator and not the handset.
    var verdict: Verdict {
        self.table["status", String(self.id)]
            ?? self.groupID.flatMap { self.table["group", String($0)] }
            ?? Verdict(.unknown, .none, .wait, .unknown)
    }
}

/// The `error` of a receipt.
struct InfobipError {
    let id: Int64
    /// Infobip's own word on whether another try is useless.
    let isPermanent: Bool?
    private let table: StatusTable

    /// Nil when there is none, which Infobip writes as id 0.
    init?(_ value: JSON?, _ table: StatusTable) {
        guard let id = value?["id"]?.integer, id != 0 else { return nil }
        self.table = table
        self.id = id
        self.isPermanent = value?["permanent"]?.bool
    }

    /// `verdict` made precise by the error: the flag tells whether another try can help, the table whose fault it is.
    ///
    /// Only where the flag contradicts the table does the flag's plain reading replace the table's; for the few codes
    /// whose flag is known to be wrong (`override`), the table stands.
    func refine(_ verdict: Verdict) -> Verdict {
        var refined = verdict
        let code = String(self.id)
        if let known = self.table["override", code] ?? self.table["error", code] {
            (refined.permanence, refined.action, refined.reason) = (known.permanence, known.action, known.reason)
            if self.table["override", code] != nil { return refined }
        }
        switch (self.isPermanent, refined.permanence) {
        case (true, .transientRecipient), (true, .transientProvider):
            (refined.permanence, refined.action) = (.permanentRecipient, .stop)
        case (false, .permanentRecipient), (false, .permanentMessage):
            (refined.permanence, refined.action) = (.transientRecipient, .failover)
        default: break
        }
        return refined
    }
}
