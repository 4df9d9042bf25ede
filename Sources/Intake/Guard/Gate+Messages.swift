import Guard
import Messaging

extension Gate {
    /// Lets all messages of a request pass, or none.
    func admit(
        _ messages: [RoutedMessage], isArray: Bool, of account: AccountID
    ) throws(Problem) -> [GuardPass] {
        let verdicts = self.judge(messages.map { Request($0, of: account) }, of: account)
        if let refusal = verdicts.last?.refusal {
            throw Problem(refusal, at: isArray ? "/\(verdicts.count - 1)/to" : "/to")
        }
        return verdicts.map(\.pass)
    }

    func takeBack(_ passes: [GuardPass]) {
        for pass in passes { self.takeBack(pass) }
    }
}

extension Gate.Request {
    /// A message of the customer's own words.
    init(_ message: RoutedMessage, of account: AccountID) {
        self.init(
            account: account, recipient: message.request.recipient, channel: message.request.channel,
            isCode: message.request.priority == .otp, isVerification: false, cost: message.price?.amount,
            caller: message.request.caller)
    }
}
