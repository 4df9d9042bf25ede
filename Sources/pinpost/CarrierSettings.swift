import Carrier
import Crypto
import HTTP
import Lifecycle
import Polling
import Settings
import Telemetry
import WebClient
import WebServer

/// The settings of `pinpost carrier`, beside those that every process has.
enum CarrierSettings {
    static func read(_ environment: [String: String]) throws(SettingsError) -> Carrier.Configuration {
        var reader = SettingsReader(environment: environment)
        var configuration = Carrier.Configuration()
        Self.read(&configuration, &reader)
        try reader.finish()
        return configuration
    }

    /// What `pinpost carrier --help` lists.
    static var documentation: [SettingDocumentation] {
        var reader = SettingsReader(environment: [:])
        var configuration = Carrier.Configuration()
        Self.read(&configuration, &reader)
        return reader.documentation
    }

    private static func read(_ configuration: inout Carrier.Configuration, _ reader: inout SettingsReader) {
        let key = reader.optionalString(
            "CARRIER_VONAGE_API_KEY", help: "The API key that /sms/json takes; any without it.")
        configuration.acceptsAnyCredential = key == nil
        configuration.vonage.apiKey = key ?? ""
        configuration.vonage.apiSecret =
            reader.optionalSecret("CARRIER_VONAGE_API_SECRET", help: "The secret that goes with the key.") ?? Secret("")
        configuration.vonage.signatureSecret = reader.optionalSecret(
            "CARRIER_VONAGE_SIGNATURE_SECRET", help: "Signs receipts when given.")
        configuration.vonage.signsReceipts = configuration.vonage.signatureSecret != nil
        configuration.vonage.signatureMethod = reader.choice(
            "CARRIER_VONAGE_SIGNATURE_METHOD", default: Carrier.Configuration.Vonage.SignatureMethod.sha256,
            help: "How receipts are signed.")
        configuration.vonage.receiptForm = reader.choice(
            "CARRIER_VONAGE_RECEIPT_FORM", default: Carrier.Configuration.Vonage.ReceiptForm.get,
            help: "How this account wants its receipts.")
        Self.readInfobip(&configuration, &reader)
        Self.readContracts(&configuration, &reader)
        Self.readSMPP(&configuration, &reader)
        Self.readServices(&configuration.services, &reader)
        configuration.own.apiKey =
            reader.optionalSecret("CARRIER_API_KEY", help: "The API key that /calls and /mails take.") ?? Secret("")
        Self.readMail(&configuration, &reader)
        configuration.receiptDelay = reader.duration(
            "CARRIER_RECEIPT_DELAY", default: .milliseconds(100), in: .zero...(.seconds(3600)),
            help: "From taking a message to posting its receipt.")
        configuration.postLimit = reader.integer(
            "CARRIER_POST_LIMIT", default: 64, in: 1...1024, help: "Receipts that are posted at the same time.")
        let retry = reader.duration(
            "CARRIER_RECEIPT_RETRY", default: .seconds(60), in: .milliseconds(10)...(.seconds(3600)),
            help: "Until a receipt that was not taken is first posted again; later tries follow as the provider's do.")
        configuration.scaleRetries(by: retry / .seconds(60))
        configuration.arrivalLimit = reader.integer(
            "CARRIER_ARRIVAL_LIMIT", default: 1_000_000, in: 0...100_000_000,
            help: "References whose arrivals are counted.")
    }

    private static func readContracts(_ configuration: inout Carrier.Configuration, _ reader: inout SettingsReader) {
        Self.read(&configuration.twilio, "TWILIO", user: "ACCOUNT_SID", secret: "AUTH_TOKEN", &reader)
        Self.read(&configuration.plivo, "PLIVO", user: "AUTH_ID", secret: "AUTH_TOKEN", &reader)
        Self.read(&configuration.bandwidth, "BANDWIDTH", user: "USERNAME", secret: "PASSWORD", &reader)
        Self.readReceipts(&configuration.bandwidth, "BANDWIDTH", &reader)
        configuration.bandwidth.receiptURL = reader.optionalString(
            "CARRIER_BANDWIDTH_RECEIPT_URL", help: "Where Bandwidth's receipts go; its messages name no address.")
        Self.read(&configuration.sinch, "SINCH", user: nil, secret: "API_TOKEN", &reader)
        Self.readReceipts(&configuration.sinch, "SINCH", &reader)
        Self.read(&configuration.telnyx, "TELNYX", user: nil, secret: "API_KEY", &reader)
        let seed = reader.optionalSecret(
            "CARRIER_TELNYX_SIGNING_SEED", help: "An Ed25519 seed of 32 bytes in Base64, which signs Telnyx's receipts."
        )
        configuration.telnyx.signingKey = seed.flatMap { Base64.decode($0.text) }.map { Secret($0) }
        Self.read(&configuration.messageBird, "MESSAGEBIRD", user: nil, secret: "ACCESS_KEY", &reader)
        configuration.messageBird.signingKey = reader.optionalSecret(
            "CARRIER_MESSAGEBIRD_SIGNING_KEY", help: "Signs MessageBird's receipts when given.")
    }

    /// Calls, mails and gateways; those at Infobip go by its account above.
    private static func readServices(_ services: inout Carrier.Configuration.Services, _ reader: inout SettingsReader) {
        services.vonage.applicationID =
            reader.optionalString("CARRIER_VONAGE_APPLICATION_ID", help: "For Vonage's calls and messages.") ?? ""
        services.vonage.apiKey =
            reader.optionalString("CARRIER_VONAGE_APPLICATION_API_KEY", help: "Named by the tokens of its callbacks.")
            ?? ""
        services.vonage.signatureSecret =
            reader.optionalSecret("CARRIER_VONAGE_APPLICATION_SECRET", help: "Signs its callbacks.") ?? Secret("")
        services.twilio.accountSID =
            reader.optionalString("CARRIER_TWILIO_VOICE_ACCOUNT_SID", help: "For Twilio's calls.") ?? ""
        services.twilio.authToken =
            reader.optionalSecret("CARRIER_TWILIO_VOICE_AUTH_TOKEN", help: "Goes with it.") ?? Secret("")
        services.bandwidth.username =
            reader.optionalString("CARRIER_BANDWIDTH_VOICE_USERNAME", help: "For Bandwidth's calls.") ?? ""
        services.bandwidth.password =
            reader.optionalSecret("CARRIER_BANDWIDTH_VOICE_PASSWORD", help: "Goes with the user.") ?? Secret("")
        services.sendGrid.apiKey =
            reader.optionalSecret("CARRIER_SENDGRID_API_KEY", help: "The API key that SendGrid's contract takes.")
            ?? Secret("")
        services.sendGrid.receiptURL = reader.optionalString(
            "CARRIER_SENDGRID_RECEIPT_URL", help: "Where SendGrid's events go, unsigned; its mails name no address.")
        services.gateway.secret =
            reader.optionalSecret("CARRIER_GATEWAY_SECRET", help: "The secret, whsec_…, of an operator's own gateway.")
            ?? Secret("")
        services.gateway.receiptURL = reader.optionalString(
            "CARRIER_GATEWAY_RECEIPT_URL", help: "Where its receipts go.")
    }

    private static func read(
        _ account: inout Carrier.Configuration.Account, _ name: String, user: String?, secret: String,
        _ reader: inout SettingsReader
    ) {
        if let user {
            account.user = reader.optionalString("CARRIER_\(name)_\(user)", help: "The account at this provider.") ?? ""
        }
        account.secret =
            reader.optionalSecret("CARRIER_\(name)_\(secret)", help: "What proves the account at this provider.")
            ?? Secret("")
    }

    private static func readReceipts(
        _ account: inout Carrier.Configuration.Account, _ name: String, _ reader: inout SettingsReader
    ) {
        account.receiptUser =
            reader.optionalString("CARRIER_\(name)_RECEIPT_USER", help: "For Basic authentication of receipts.") ?? ""
        account.receiptPassword =
            reader.optionalSecret("CARRIER_\(name)_RECEIPT_PASSWORD", help: "Goes with the user.") ?? Secret("")
    }

    private static func readMail(_ configuration: inout Carrier.Configuration, _ reader: inout SettingsReader) {
        let address = reader.optionalAddress(
            "CARRIER_SMTP_LISTEN", help: "Where mails are taken by SMTP, in IPv4; nowhere without it.")
        configuration.mail.host = address?.host
        configuration.mail.port = address?.port ?? 0
        configuration.mail.user =
            reader.optionalString("CARRIER_SMTP_USER", help: "Who may hand over mails by SMTP; anybody without it.")
            ?? ""
        configuration.mail.password =
            reader.optionalSecret("CARRIER_SMTP_PASSWORD", help: "Goes with the user.") ?? Secret("")
    }

    private static func readSMPP(_ configuration: inout Carrier.Configuration, _ reader: inout SettingsReader) {
        typealias IDForm = Carrier.Configuration.SMPP.IDForm
        configuration.smppListen = reader.optionalAddress(
            "CARRIER_SMPP_LISTEN", help: "Where the SMSC takes SMPP, as in 127.0.0.1:2775; nowhere without it."
        ).map { ($0.host, $0.port) }
        configuration.smpp.systemID =
            reader.optionalString("CARRIER_SMPP_SYSTEM_ID", help: "The client that the SMSC lets in.") ?? ""
        configuration.smpp.password =
            reader.optionalSecret("CARRIER_SMPP_PASSWORD", help: "Goes with the client.") ?? Secret("")
        configuration.smpp.perSecond = reader.integer(
            "CARRIER_SMPP_PER_SECOND", default: 0, in: 0...1_000_000,
            help: "Submissions that the SMSC takes in a second; 0 for any number.")
        configuration.smpp.latency = reader.duration(
            "CARRIER_SMPP_LATENCY", default: .zero, in: .zero...(.seconds(60)),
            help: "How long the SMSC takes to answer a submission.")
        configuration.smpp.ids = reader.choice(
            "CARRIER_SMPP_IDS", default: IDForm.decimal, help: "How the SMSC writes ids in answers.")
        configuration.smpp.receiptIDs = reader.choice(
            "CARRIER_SMPP_RECEIPT_IDS", default: IDForm.decimal, help: "How the SMSC writes ids in receipts.")
        configuration.smpp.reportsElsewhere = reader.boolean(
            "CARRIER_SMPP_REPORTS_ELSEWHERE", default: false,
            help: "Whether receipts come over another session than the one that submitted.")
    }

    private static func readInfobip(_ configuration: inout Carrier.Configuration, _ reader: inout SettingsReader) {
        configuration.infobip.apiKey =
            reader.optionalSecret("CARRIER_INFOBIP_API_KEY", help: "The API key that /sms/3/messages takes.")
            ?? Secret("")
        let user = reader.optionalString("CARRIER_INFOBIP_RECEIPT_USER", help: "For Basic authentication of receipts.")
        let password = reader.optionalSecret("CARRIER_INFOBIP_RECEIPT_PASSWORD", help: "Goes with the user.")
        if let user {
            configuration.infobip.receiptAuthorization = .basic(user: user, password: password ?? Secret(""))
        }
    }
}

extension Carrier.Configuration {
    /// All contracts come again after a minute first: the same schedules, faster or slower.
    fileprivate mutating func scaleRetries(by factor: Double) {
        self.vonage.retries = self.vonage.retries.map { $0 * factor }
        self.infobip.retries = self.infobip.retries.map { $0 * factor }
        self.own.retries = self.own.retries.map { $0 * factor }
        for path in [\Self.twilio, \.bandwidth, \.telnyx, \.plivo, \.sinch, \.messageBird] {
            self[keyPath: path].retries = self[keyPath: path].retries.map { $0 * factor }
        }
        self.smpp.retries = self.smpp.retries.map { $0 * factor }
    }
}

extension Role {
    /// The simulated carrier: takes messages as providers do, and posts receipts as they do.
    static func carrier(
        _ base: ProcessBase, _ configuration: Carrier.Configuration, listen: Address,
        onListening: @escaping @Sendable (UInt16) -> Void = { _ in }
    ) throws -> Role {
        let client = WebClient(WebClient.Configuration())
        client.start()
        let carrier = Carrier(configuration: configuration, client: client, logger: base.logger)
        var web = WebServer.Configuration(port: listen.port)
        web.address = listen.host
        web.bodyByteLimit = 8 << 20
        let sink = configuration.mail.host.map {
            MailSink(carrier, address: $0, port: configuration.mail.port, logger: base.logger)
        }
        let server = WebService(web, name: "carrier", logger: base.logger, onListening: onListening) {
            await carrier.respond(to: $0)
        }
        var services: [any Service] = [carrier, server]
        if let sink { services.append(sink) }
        if let place = configuration.smppListen {
            let center = try ShortMessageCenter(
                carrier: carrier, host: place.host, port: place.port, poller: try Poller.running())
            services.insert(center, at: 1)
        }
        return Role(services: services)
    }
}
