import Channels
import Settings

/// `pinpost codes`: the tables from providers' codes to what they mean.
enum CodesCommand {
    static func run(_ line: CommandLineArguments) throws(UnknownProviderKind) {
        guard let name = line.positionals.first else {
            return Console.say(ProviderKind.allCases.map(\.rawValue).joined(separator: "\n"))
        }
        guard let kind = ProviderKind(rawValue: name) else { throw UnknownProviderKind(name: name) }
        Console.say(kind.codes, terminator: "")
    }
}

/// A kind of provider that nobody speaks.
struct UnknownProviderKind: Error, CustomStringConvertible {
    let name: String

    var description: String {
        "no kind of provider \(self.name): use one of "
            + ProviderKind.allCases.map(\.rawValue).joined(separator: ", ")
    }
}
