import Messaging
import Timestamps

/// What every driver of calls makes of a dispatch: whom to ring and what to say.
struct Call {
    let number: PhoneNumber
    let speech: Speech
    /// How often it is said, so that whoever missed the beginning hears it again.
    let repetitions: Int

    /// No call is to last longer than this if its words allow.
    static let limit = Duration.seconds(60)

    /// A short message is read aloud; a driver of calls is promised nothing else by ``Driver/channels``.
    init(_ dispatch: Dispatch, repetitions: Int) {
        guard case .phone(let number) = dispatch.recipient, let speech = dispatch.content.spoken else {
            preconditionFailure("a driver got a dispatch of a channel that it does not carry")
        }
        self.number = number
        self.speech = speech
        self.repetitions = Self.repetitions(of: speech, asked: repetitions)
    }

    /// How long the call may last, from when it is answered: a minute, or once through the words where they take longer.
    var timeLimit: Duration { max(Self.limit, Self.duration(of: self.speech) * 1.5) }

    /// As often as asked, but only as often as ends within ``limit``; once at least.
    static func repetitions(of speech: Speech, asked: Int) -> Int {
        let once = Self.duration(of: speech) + Self.pause
        // A few seconds go by until somebody listens.
        let fitting = (Self.limit - .seconds(5)).milliseconds / max(1, once.milliseconds)
        return max(1, min(asked, Int(fitting)))
    }

    /// How long the words take: about fourteen letters a second, and a moment for each pause.
    static func duration(of speech: Speech) -> Duration {
        let letters = Double(speech.text.unicodeScalars.count) / 14
        let pauses = Double(speech.text.count { ",.;:!?，、。".contains($0) }) * 0.35
        return .milliseconds(Int64((letters + pauses) * 1000 / speech.rate))
    }

    /// Between one saying and the next.
    static let pause = Duration.seconds(1)

    /// The words as often as they are said, for providers that say a text once. As many as fit into `limit` characters.
    func text(limit: Int) -> String {
        var text = self.speech.text
        for _ in 1..<self.repetitions where text.count + self.speech.text.count + 3 <= limit {
            text += text.last.map { ".!?。".contains($0) } == true ? " " : ". "
            text += self.speech.text
        }
        return text
    }
}

/// How a provider of calls is to make them, the same words for each of them.
///
/// Settings
/// - `repetitions`: how often the words are said; 3 by default, 1 to 5. Fewer where the call would last over a minute.
/// - `ring_seconds`: how long it rings; 30 by default, 5 to 120.
/// - `machine_detection`: `hangup` (the default), `continue` or `off`. A call that a machine answered counts as
///   `machine_answered` and not as delivered, unless it is `off`.
/// - `languages`: the provider's languages, in place of the built-in list; see ``SpokenLanguages``.
/// - `language`: the provider's code for what is spoken when it does not have the message's language.
struct CallSettings: Sendable {
    enum MachineDetection: String, Sendable, CaseIterable {
        case hangup, `continue`, off
    }

    let repetitions: Int
    let ringSeconds: Int
    let machineDetection: MachineDetection
    let languages: SpokenLanguages

    init(from reader: inout AccountReader, languages: SpokenLanguages) {
        self.repetitions = reader.number("repetitions", default: 3, in: 1...5)
        self.ringSeconds = reader.number("ring_seconds", default: 30, in: 5...120)
        self.machineDetection = reader.setting(
            "machine_detection", default: .hangup, expected: "hangup, continue or off"
        ) { .init(rawValue: $0) }
        let list = reader.setting("languages", default: languages, expected: "tags, or tag=code, parted by blanks") {
            SpokenLanguages($0, fallback: languages.fallback)
        }
        let fallback = reader.setting("language", default: list.fallback, expected: "a code of a language") {
            $0.isEmpty || $0.contains { $0.isWhitespace } ? nil : $0
        }
        self.languages = list.with(fallback: fallback)
    }
}
