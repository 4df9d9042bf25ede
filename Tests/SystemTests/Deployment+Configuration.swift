import Glibc
import JSON

extension Deployment {
    /// Short messages to Germany go to the provider that takes many messages a request, those to America nowhere, all
    /// others to the one that takes one; calls and mails go to the carrier.
    var configuration: JSON {
        [
            "accounts": [
                [
                    "name": "demo", "keys": [["name": "main", "key": .string(self.secrets.apiKey)]],
                    "countries": ["*": "on"], "guard": ["mode": "watch"],
                ]
            ],
            "providers": [
                self.vonage, self.infobip, self.carrier,
                ["name": "nowhere", "kind": "discard", "per_second": 100_000],
            ],
            "routes": [
                ["channel": "sms", "provider": "vonage"],
                ["channel": "sms", "prefix": "+49", "provider": "infobip"],
                ["channel": "sms", "prefix": "+1", "provider": "nowhere"],
                ["channel": "voice", "provider": "carrier"], ["channel": "email", "provider": "carrier"],
            ],
        ]
    }

    /// Applies a configuration, whose file it writes first.
    func apply(_ configuration: JSON) async throws -> Executable.Result {
        let file = "\(self.directory)/configuration.json"
        try Self.write(configuration.serialized(), to: file)
        return try await self.command(["apply", file])
    }

    static func write(_ bytes: [UInt8], to path: String) throws {
        guard let file = fopen(path, "w") else { throw Failure("cannot write \(path): errno \(errno)") }
        defer { fclose(file) }
        guard fwrite(bytes, 1, bytes.count, file) == bytes.count else { throw Failure("cannot write \(path)") }
    }

    // MARK: - Private

    private var carrierURL: JSON {
        .string("http://127.0.0.1:\(self.options.isTapped ? self.sends.port : self.ports.carrier)")
    }

    private var vonage: JSON {
        [
            "name": "vonage", "kind": "vonage-sms", "url": self.carrierURL, "sender": "Pinpost",
            "credentials": [
                "api_key": .string(self.secrets.vonageKey), "api_secret": .string(self.secrets.vonageSecret),
                "signature_secret": .string(self.secrets.signatureSecret), "signature_method": "sha256",
            ],
            "in_flight": .init(self.options.inFlight), "per_second": 10_000, "timeout": 30,
        ]
    }

    private var infobip: JSON {
        [
            "name": "infobip", "kind": "infobip-sms", "url": self.carrierURL, "sender": "Pinpost",
            "credentials": [
                "api_key": .string(self.secrets.infobipKey), "receipt_username": "carrier",
                "receipt_password": .string(self.secrets.receiptPassword),
            ],
            "in_flight": 8, "per_second": 10_000, "timeout": 30,
        ]
    }

    private var carrier: JSON {
        [
            "name": "carrier", "kind": "carrier", "url": self.carrierURL, "sender": "Pinpost",
            "credentials": [
                "api_key": .string(self.secrets.carrierKey), "receipt_token": .string(self.secrets.receiptToken),
            ],
            "settings": ["mail_sender": "Pinpost <pinpost@example.com>"],
            "in_flight": 8, "per_second": 10_000, "timeout": 30,
        ]
    }
}
