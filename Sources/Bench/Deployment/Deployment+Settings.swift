import Crypto
import JSON

extension Deployment {
    /// Receipts that the carrier posts at the same time. Each waits for the commit that it shares with others, so that few at a time
    /// would make their number the bound.
    private static let carrierPostLimit = 256

    /// What the processes of a role are told besides what all of them are.
    func settings(of role: RoleName, _ index: Int) -> [String: String] {
        guard role != .carrier else {
            return [
                "CARRIER_ARRIVAL_LIMIT": "0", "CARRIER_RECEIPT_DELAY": "50ms",
                "CARRIER_POST_LIMIT": "\(Self.carrierPostLimit)",
                "CARRIER_VONAGE_API_KEY": "bench", "CARRIER_VONAGE_API_SECRET": "bench-secret",
                "CARRIER_VONAGE_SIGNATURE_SECRET": "bench-signature",
                "CARRIER_INFOBIP_API_KEY": "bench-secret", "CARRIER_INFOBIP_RECEIPT_USER": "bench",
                "CARRIER_INFOBIP_RECEIPT_PASSWORD": "bench-secret",
                "CARRIER_SMPP_LISTEN": "127.0.0.1:\(self.smppPort)", "CARRIER_SMPP_SYSTEM_ID": "bench",
                "CARRIER_SMPP_PASSWORD": "secret",
            ]
        }
        var settings = ["PINPOST_RECEIPT_URL": "http://127.0.0.1:\(self.receiverPorts[index])"]
        // The endpoint that hangs is on this machine.
        if role == .worker { settings["PINPOST_CALLBACK_ALLOW"] = "127.0.0.0/8" }
        return settings
    }

    /// Limits so high that the providers never wait for their pace.
    var configuration: JSON {
        let url: JSON = "http://127.0.0.1:\(Int(self.carrierPort))"
        return [
            "accounts": .array([self.account] + self.spreadAccounts),
            "providers": .array(self.providers(url) + self.spreadProviders(url)),
            "routes": .array(
                Route.allCases.map { Self.route($0.rawValue, "\($0)") }
                    + self.spread.enumerated().map { Self.route($1.prefix, Self.spreadName($0)) }),
        ]
    }

    // MARK: - Private

    private var account: JSON {
        [
            "name": "bench", "keys": [["name": "bench", "key": .string(self.apiKey.text)]],
            // Nobody uses the codes of a bench, so that the guard would stop it; it counts all the same.
            "countries": ["*": "on"], "guard": ["mode": "watch"],
            "applications": [
                [
                    "id": "bench", "name": "bench", "application_send_limit": "1000000000/1d",
                    "check_limit": "1000/1s",
                    "templates": [["id": "bench", "text": "Your code is {{pin}}", "code_type": "NUMERIC"]],
                ]
            ],
        ]
    }

    private func providers(_ url: JSON) -> [JSON] {
        [
            ["name": "discard", "kind": "discard", "url": url, "in_flight": 16, "per_second": 1_000_000],
            [
                "name": "vonage", "kind": "vonage-sms", "url": url, "sender": "Pinpost", "in_flight": 64,
                "per_second": 1_000_000,
                "credentials": [
                    "api_key": "bench", "api_secret": "bench-secret", "signature_secret": "bench-signature",
                    "signature_method": "sha256",
                ],
            ],
            [
                "name": "infobip", "kind": "infobip-sms", "url": url, "sender": "Pinpost", "in_flight": 16,
                "per_second": 1_000_000,
                "credentials": [
                    "api_key": "bench-secret", "receipt_username": "bench", "receipt_password": "bench-secret",
                ],
            ],
            [
                "name": "smpp", "kind": "smpp", "url": .string("smpp://127.0.0.1:\(self.smppPort)"),
                "sender": "Pinpost", "in_flight": 16, "per_second": 1_000_000,
                "credentials": ["system_id": "bench", "password": "secret"], "settings": ["window": "64"],
            ],
        ]
    }

    private static func route(_ prefix: String, _ provider: String) -> JSON {
        ["channel": "sms", "prefix": .string(prefix), "provider": .string(provider)]
    }

    private static func spreadName(_ index: Int) -> String { "spread-\(index)" }

    private var spreadAccounts: [JSON] {
        self.spread.enumerated().map { index, spread in
            let name = JSON.string(Self.spreadName(index))
            return [
                "name": name, "keys": [["name": name, "key": .string(spread.key.text)]], "countries": ["*": "on"],
                "guard": ["mode": "watch"],
            ]
        }
    }

    private func spreadProviders(_ url: JSON) -> [JSON] {
        self.spread.indices.map { index in
            [
                "name": .string(Self.spreadName(index)), "kind": "discard", "url": url, "in_flight": 16,
                "per_second": 1_000_000,
            ]
        }
    }
}
