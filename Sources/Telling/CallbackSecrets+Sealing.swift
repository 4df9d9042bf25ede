public import Callbacks
public import Crypto
import JSON

extension CallbackSecrets {
    /// Opens what ``sealed(with:for:)`` made; nil for anything else. `context` is `EndpointKind.sealingContext`.
    public init?(opening sealed: [UInt8], with masterKeys: MasterKeys, for context: String) {
        guard let plain = try? masterKeys.open(sealed, for: context), let json = try? JSON(parsing: plain) else {
            return nil
        }
        self.init(json)
    }

    /// As they stand in `endpoints.secrets`.
    public func sealed(with masterKeys: MasterKeys, for context: String) -> [UInt8] {
        masterKeys.seal(self.json.serialized(), for: context)
    }
}
