import JSON

extension Problem {
    static let webhookDisabled = Problem(
        409, "webhook_disabled", "The webhook is switched off and is told of nothing; switch it on first.")

    static let noSigningKeys = Problem(
        409, "no_signing_keys", "Only webhooks of the kind standard have a secret that can be changed here.")

    static let alreadyDue = Problem(409, "already_due", "The webhook is still to be told of this event anyway.")

    static let noWebhook = Problem.invalid([.init("/webhook", "is no webhook of this account")])
}
