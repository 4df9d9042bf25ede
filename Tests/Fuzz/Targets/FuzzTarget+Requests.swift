import Egress
import HTTP
import JSON
import Messaging
import Timestamps
import Verification

@testable import Intake

extension FuzzTarget {
    /// What customers ask for, in our own API and in the vendors': every reader reads every body.
    static let requests = FuzzTarget(name: "requests") { bytes in
        let request = HTTPRequest(method: "POST", path: "/", query: "a=b", body: bytes)
        if let parameters = NexmoParameters(request) {
            try promise("parameters have a limit", parameters.form.pairs.count <= NexmoParameters.limit)
        }
        _ = BandwidthText(text: String(decoding: bytes, as: UTF8.self))
        _ = TextPattern(String(decoding: bytes, as: UTF8.self)).bindText
        guard let json = try? request.json else { return }
        try Self.readMessages(json)
        try Self.readCodes(json)
        try Self.readBandwidth(json)
        try Self.readSettings(json)
    }

    // MARK: - Private

    private static func readMessages(_ json: JSON) throws {
        var reader = MessageReader(now: Self.now)
        let messages = reader.read(json)
        try promise("problems have a limit", reader.problems.count <= FieldReader.problemLimit)
        guard reader.problems.isEmpty else { return }
        try promise("what has no problem has messages", (1...MessageLimits.messages).contains(messages.count))
        for message in messages {
            try promise("parts have a limit", (1...MessageLimits.segments).contains(Int(message.parts)))
            try promise("no NUL is stored", message.reference?.utf8.contains(0) != true)
            try promise(
                "a recipient is of the channel", Recipient(message.recipient.text, channel: message.channel) != nil)
            let sealed = Content(decoding: message.content.encoded, channel: message.channel)
            try promise("content opens as it was sealed", sealed == message.content)
        }
    }

    private static func readCodes(_ json: JSON) throws {
        if let code = try? CodeReader.code(json) {
            try promise("a code has a recipient", !code.code.recipient.text.isEmpty)
        }
        _ = try? CodeReader.guess(json)
        _ = try? CodeReader.resend(json)
        _ = try? CodeReader.search(json)
        _ = try? CodeReader.unlocking(json)
    }

    private static func readBandwidth(_ json: JSON) throws {
        for channel in [Channel.sms, .voice] {
            var reader = FieldReader()
            let code = BandwidthCodeRequest(json, on: channel, egress: EgressPolicy(), reader: &reader)
            try promise("a code or a problem", (code == nil) != reader.problems.isEmpty)
            if let code { try promise("a code has 4 to 8 digits", (4...8).contains(code.digits)) }
        }
        var reader = FieldReader()
        let guess = BandwidthVerifyRequest(json, reader: &reader)
        try promise("a guess or a problem", (guess == nil) != reader.problems.isEmpty)
        if let guess { try promise("an age is of some minutes", guess.age > .zero && guess.age <= .seconds(900)) }
    }

    private static func readSettings(_ json: JSON) throws {
        for names in [TemplateNames.own, .infobip] {
            for kind in Template.Kind.allCases {
                var reader = FieldReader()
                _ = Template(json, kind: kind, names: names, defaultLength: 6, lengths: 1...64, reader: &reader)
            }
        }
        for names in [ApplicationNames.own, .infobip] {
            var reader = FieldReader()
            _ = ApplicationSettings.ownDefaults(name: "a").updated(
                from: json, names: names, nameRequired: true, reader: &reader)
        }
        if let new = try? TemplateReader.new(json) {
            let written = JSON.object([.init("application", .string(new.application))] + new.template.members)
            try promise(
                "a template that is written is the same", (try? TemplateReader.new(written))?.template == new.template)
        }
        _ = try? WebhookReader.new(json, policy: EgressPolicy())
        _ = try? WebhookReader.overlap(json)
        _ = try? WebhookReader.replay(json, lanes: [Lane(rawValue: 0)])
    }
}
