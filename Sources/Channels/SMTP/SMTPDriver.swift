import Crypto
public import HTTP
public import Messaging
public import Timestamps

/// Mails by SMTP (RFC 5321): a provider's relay, or the operator's own. One mail a transaction, to one recipient.
///
/// The URL is `smtp://HOST:PORT` (587 when not given), where TLS is begun by STARTTLS and required, or `smtps://HOST:PORT`
/// (465). The account's sender, an address or `Name <address>`, is required: it is for mails that name none.
///
/// Credentials
/// - `username`, and `password` or `token`: see the setting `auth`. None for a relay that knows its clients otherwise.
/// - `bounce_key`: what bounce addresses are proved with, 16 characters or more; required with `bounce_domain`.
/// - `receipt_token`: see ``ReceiptToken``; required with `bounce_domain`, because a bounce proves nothing but its address.
///
/// Settings
/// - `auth`: `plain` (the default), `login` or `xoauth2`, which shows the `token`.
/// - `security`: `starttls` (the default), or `none` for a relay on the same machine.
/// - `ehlo_name`: what we call ourselves; the domain of the sender when not given.
/// - `ca_file`: certificates to trust in place of the system's, in PEM.
/// - `bounce_domain`: where bounces come back to; see ``BounceAddress``. Without it they go to the sender.
/// - `greylist_seconds`: how long to wait when a server wants to see us again later; 300.
public struct SMTPDriver: Driver {
    /// Where mails are handed over, and how.
    public let server: MailServer
    let sender: Mailbox
    let bounces: BounceAddress?
    let table: StatusTable
    let greylistDelay: Duration
    private let receiptToken: ReceiptToken?

    public init(_ account: ProviderAccount) throws(ProviderProblems) {
        var reader = AccountReader(account)
        self.sender = Self.sender(account.defaultSender, &reader)
        self.server = MailServer(from: &reader, url: account.baseURL, sender: self.sender)
        self.receiptToken = ReceiptToken(from: &reader)
        self.bounces = BounceAddress(from: &reader)
        self.greylistDelay = reader.setting(
            "greylist_seconds", default: .seconds(300), expected: "a number of seconds from 1 to 900"
        ) { text in Int64(text).flatMap { (1...900).contains($0) ? .seconds($0) : nil } }
        self.table = reader.table(.smtp)
        if self.bounces != nil, self.receiptToken == nil {
            reader.problem("credential receipt_token is missing, or anybody could forge bounces")
        }
        try reader.finish()
    }

    public var batchLimit: Int { 1 }
    public var channels: Set<Channel> { ProviderKind.smtp.channels }
    public var wire: Wire { .smtp(self) }

    /// The mail that hands over a dispatch.
    public func mail(for dispatch: Dispatch, now: Timestamp) -> OutgoingMail {
        guard case .email(let recipient) = dispatch.recipient, case .mail(let content) = dispatch.content else {
            preconditionFailure("a driver got a dispatch of a channel that it does not carry")
        }
        let from = dispatch.sender.flatMap { Mailbox($0) } ?? self.sender
        let message = MailMessage(
            from: from, to: recipient, content: content, reference: dispatch.reference, date: now)
        return OutgoingMail(
            sender: self.bounces?.address(for: dispatch.reference) ?? from.address.address,
            recipient: recipient.address, message: message.bytes)
    }

    /// What a server's last reply to a mail means.
    public func outcome(of reply: SMTPReply) -> Outcome {
        if (200...299).contains(reply.code) { return .accepted(parts: reply.queueID.map { [$0] } ?? []) }
        let verdict = self.table.verdict(of: reply)
        let isGreylisted = verdict.action == .retrySame && reply.isGreylisting
        return .refused(verdict, code: reply.shownCode, retryAfter: isGreylisted ? self.greylistDelay : nil)
    }

    /// A mail that came back, posted whole by the operator's mail server: see ``BounceReport``. What is no report, as an
    /// answering machine's, reports nothing.
    public func callback(_ request: HTTPRequest, now: Timestamp) throws(ReceiptRefusal) -> ProviderCallback {
        guard self.receiptToken?.authenticates(request) == true, let bounces else { throw .unauthenticated }
        guard request.method == "POST" else { throw .malformed("not POST") }
        guard let report = BounceReport(parsing: request.body) else { return .receipts([]) }
        return .receipts(report.receipts(for: bounces.reference(in: request.body), self.table))
    }

    // MARK: - Private

    private static func sender(_ text: String?, _ reader: inout AccountReader) -> Mailbox {
        if let sender = text.flatMap({ Mailbox($0) }) { return sender }
        reader.problem("the sender is missing, or is neither an address nor Name <address>")
        return Self.nobody
    }

    /// Stands in for a sender whose problem has been told.
    private static let nobody = Mailbox("nobody@example.com")!  // An address.
}

/// A mail with its envelope, as it is handed to a server. Prints nothing of itself.
public struct OutgoingMail: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    /// Where bounces go.
    public var sender: String
    public var recipient: String
    /// In lines that end with CRLF.
    public var message: [UInt8]

    public var description: String { "mail" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension StatusTable {
    static let smtp = StatusTable(builtIn: PackageResources.smtp_csv)

    /// What a refusal means. What no line tells is a refusal for good when its code begins with a 5.
    fileprivate func verdict(of reply: SMTPReply) -> Verdict {
        if let verdict = self["login", String(reply.code)] { return verdict }
        if let status = reply.status, let verdict = self.verdict("enhanced", status) { return verdict }
        if let verdict = self.verdict(ofWordsIn: reply) { return verdict }
        return self["reply", String(reply.code)] ?? self["reply", String(reply.code / 100)]
            ?? Verdict(.failed, .transientProvider, .retrySame, .providerError)
    }

    /// Of the codes that say no more than "no".
    private func verdict(ofWordsIn reply: SMTPReply) -> Verdict? {
        guard [550, 552, 553, 554].contains(reply.code) else { return nil }
        let text = reply.text.lowercased()
        return self.codes("words").sorted().first { text.contains($0) }.flatMap { self["words", $0] }
    }

    /// By the whole status, then by less and less of it.
    func verdict(_ kind: String, _ status: EnhancedStatus) -> Verdict? {
        status.prefixes.lazy.compactMap { self[kind, $0] }.first
    }
}
