import Guard
import Messaging

extension Gate {
    /// Lets all messages of a request pass, or none.
    func admit(
        _ messages: [RoutedMessage], isArray: Bool, of account: AccountID
    ) throws(Problem) -> [GuardPass] {
        var passes: [GuardPass] = []
        passes.reserveCapacity(messages.count)
        for (index, message) in messages.enumerated() {
            do throws(GuardRefusal) {
                passes.append(try self.admit(Request(message, of: account)))
            } catch {
                self.takeBack(passes)
                throw Problem(error, at: isArray ? "/\(index)/to" : "/to")
            }
        }
        return passes
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
