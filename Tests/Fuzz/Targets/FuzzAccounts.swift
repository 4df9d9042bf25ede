import Channels
import Crypto
import HTTP
import JSON
import Messaging

/// An account of each provider, whose receipts need a token and nothing else where that can be; ``FuzzSigner`` signs for the
/// others.
enum FuzzAccounts {
    static let token = "receipts-0123456789"
    /// Whatever an account signs or is signed to with.
    static let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="
    static let receiptURL = "https://r.example/receipts/p"

    static let drivers: [String: any Driver] = Dictionary(
        uniqueKeysWithValues: ProviderKind.allCases.compactMap { kind in
            FuzzAccounts.driver(for: kind).map { (kind.rawValue, $0) }
        })

    /// The driver for a kind's name; nil for no kind.
    static func driver(_ name: String) -> (any Driver)? { self.drivers[name] }

    // MARK: - Private

    private struct Form {
        var credentials: [String: String]
        var settings: [String: String] = [:]
        var url = "https://provider.example"
        var sender = "ACME"
    }

    /// What each kind needs, by its name, so that a kind which is not there yet costs nothing.
    private static let forms: [String: Form] = [
        "vonage-sms": Form(credentials: ["api_key": "abcd1234", "api_secret": "s3cret", "receipt_token": token]),
        "infobip-sms": Form(credentials: ["api_key": "key-1", "receipt_token": token]),
        "twilio-sms": Form(credentials: ["account_sid": "AC01", "auth_token": secret], sender: "+15550100"),
        "bandwidth-sms": Form(
            credentials: ["username": "api", "password": "s3cret", "receipt_token": token],
            settings: ["account_id": "500", "application_id": "app-1"], sender: "+15550100"),
        "telnyx-sms": Form(credentials: ["api_key": "KEY01", "receipt_token": token]),
        "plivo-sms": Form(credentials: ["auth_id": "MA01", "auth_token": secret], sender: "+15550100"),
        "sinch-sms": Form(
            credentials: ["api_token": "tok", "receipt_token": token], settings: ["service_plan_id": "plan-1"]),
        "messagebird-sms": Form(credentials: ["access_key": "key-1", "receipt_token": token]),
        "vonage-messages": Form(
            credentials: ["application_id": "a-1", "private_key": privateKey, "receipt_token": token]),
        "infobip-voice": Form(credentials: ["api_key": "key-1", "receipt_token": token], sender: "+15550100"),
        "vonage-voice": Form(
            credentials: ["application_id": "a-1", "private_key": privateKey, "receipt_token": token],
            sender: "+15550100"),
        "twilio-voice": Form(credentials: ["account_sid": "AC01", "auth_token": secret], sender: "+15550100"),
        "bandwidth-voice": Form(
            credentials: [
                "username": "api", "password": "s3cret", "receipt_username": "user", "receipt_password": "pass",
            ], settings: ["account_id": "500", "application_id": "app-1"], sender: "+15550100"),
        "infobip-email": Form(
            credentials: ["api_key": "key-1", "receipt_token": token], sender: "Acme <codes@acme.example>"),
        "sendgrid": Form(
            credentials: ["api_key": "SG.1", "receipt_token": token], sender: "Acme <codes@acme.example>"),
        "smtp": Form(
            credentials: ["receipt_token": token, "bounce_key": secret], settings: ["bounce_domain": "b.example"],
            url: "smtp://relay.example", sender: "Acme <codes@acme.example>"),
        "webhook": Form(credentials: ["secret": secret], settings: ["channels": "sms, voice, email"]),
        "smpp": Form(
            credentials: ["system_id": "pinpost", "password": "s3cret"], settings: ["receipt_detection": "text"],
            url: "smpp://smsc.example:2775"),
        "carrier": Form(credentials: ["api_key": "key-2", "receipt_token": token]),
        "discard": Form(credentials: [:]),
    ]

    private static func driver(for kind: ProviderKind) -> (any Driver)? {
        guard let form = self.forms[kind.rawValue] else { return nil }
        let account = ProviderAccount(
            id: ProviderID(rawValue: 1), name: "p", kind: kind, baseURL: form.url,
            credentials: Credentials(form.credentials.mapValues { Secret($0) }), receiptURL: self.receiptURL,
            defaultSender: form.sender, settings: form.settings)
        do {
            return try Drivers.make(account)
        } catch {
            fatalError("the account for fuzzing is wrong: \(error)")
        }
    }

    /// Made for tests; guards nothing.
    private static let privateKey = """
        -----BEGIN PRIVATE KEY-----
        MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQC/t5iBmTIBZHx/
        suzjbEZIz5kHY1j12+sj3d0d2r7A9U+/0dyj0K73veP9QkjcL1LVIAzTFwgWOlqe
        /sL4NZqPXXDs5X3tdnPGXq30c+/g9RAXrLwbaZEx74mXIHREHWGo5N7Ac7d50z1F
        qCC4NygUDegfWXXKBszMswjETtHFKO/Y28X/6mAe+FIL0auUNpczcV4lfwuBm4G8
        BKWPGLOxHwwBP7U5CMHvDbNHDo3/nQj8LEyBxys+yzPSg3M2xjwtiqqQuZGc79G3
        6nbc7wf+BUeRJ3E6+0N1+x32q3Cmrbwe/gpopSnk1dR6fT49S8AlfD8rh5GbZs4j
        WiOIWgY9AgMBAAECggEALvV07PWNqoqm9g5o+LGaK5Zx2L3sWdhCqbfbw8bDJ3dO
        z+DDBvsECFmiQPPd7dTHmL1vdrry96LWdJBZSDu0/n24PcZeiG4VoJarTC+jp3nP
        NcVRE/PRJSaTkIlaAR8jPx/EMeaGH9hubyPl08lqzzKy0w7yC4iL3G3T7WWS+xQF
        ri+2uVBSjBGTAy8cD5o0MzZlp9gp9A9BQe2EWeLjDKpc5vZVF0tyDu3PxgadEfI9
        w9aLEQJprhQPofS3sW87c9gOqQQrvim1LMm4F2og15YpjZaFMD6E0Do8DwQA/IIj
        FloZd1CByU4G59M+8jwQjHzQOIlex0Ny/OVyShoXfwKBgQDqFcZwQoPLRjczolGW
        vwWmPzKJKpiZ91HrCS7/CoRL8+wXFDPdOyKpvfqcy4siMUl6yZGcHFEe1ymx4xmi
        EHRdHvwbcH0Ff2pkOFH3fdY++4Pp2u2M5WIskSt+v8vzHz8ESgx4+T4e+6yxKAXj
        DpSYvuEeC/tMGtGjRqrioErbmwKBgQDRqmfv9BGPAvdGmqYrIdjv6S0btENJPq0c
        72hNAVGPxFIyeIdhqn/3y8brI6jRHt15vEyssApuOFF6kS5SYx8ajGZY0qtzhtMQ
        RsB8/j479QmWvqMqhA7o78hB7KjWb+ZVAyIRYHGrjf+x0SLccEzRe10zhXGymSFo
        QUyriCbfBwKBgA2WTfpeIgA+hx28Ijg5xj4sFObZThpBvMODuPKczakK830zcv84
        W362xEEtn1nQuo8h/A2vpxW/L3Bf2jEJ+3ccQU3mbZtQFgDTNA7FgxYMy09bocY3
        2kbz9i5ZO6FVAvdgxPCQpwZtXUy7IfxX8FAdZDu2PlPgiqKLi4ez/iRZAoGBALaP
        46rLYZKeKYQf2rrJ4SSda7qozsHzQjdkuvP6RvOhJVVvH6rKFF1G4bETPsbAUmbS
        sAzZyGtKvJ+11JjGWGn8gI2s+r9AUX3lrWvo0XXRmoTZAChgDr+DMmM815LIos25
        SavJx5Byt4c0rF83pZvuCCx5cJPrxGwMF99wUTB3AoGBAOSqP8mGjICWqO8+qMnn
        cXdeM/1rKKOdsd7Czj0iYQ2iOvFiY6JJpaNsO1LESPTfwTgETVIFVBImKXG1XMdD
        nBf3qJbSBMqE63ZTjLsz/KseLXpYrFHE+IiIDOeuAPgyizVrIzBCZsk+jBZYZxC0
        8u18tfFPoKXOWZy7lJhc5HTE
        -----END PRIVATE KEY-----
        """
}
