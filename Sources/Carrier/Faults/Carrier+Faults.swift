import HTTP
import JSON
import Synchronization

extension Carrier {
    func addFault(_ request: HTTPRequest) -> HTTPResponse {
        do {
            let rule = try FaultRule(try JSON(parsing: request.body))
            let isAdded = self.state.withLock { $0.faults.add(rule) }
            return isAdded ? .json(201, rule.json) : .problem(409, "there are \(FaultRules.limit) faults already")
        } catch let problem as FaultRule.Problem {
            return .problem(400, problem.reason)
        } catch {
            return .problem(400, "\(error)")
        }
    }

    func showFaults() -> HTTPResponse {
        .json(200, .array(self.state.withLock { $0.faults.rules }.map(\.json)))
    }

    func endFaults() -> HTTPResponse {
        self.state.withLock { $0.faults.clear() }
        return HTTPResponse(status: 204)
    }
}
