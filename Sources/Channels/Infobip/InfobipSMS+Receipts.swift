public import HTTP
import JSON
public import Messaging

extension InfobipSMS {
    public func receipts(for inquiry: Inquiry, response: HTTPResponse) -> [Receipt] {
        guard response.status == 200, let results = (try? JSON(parsing: response.body))?["results"]?.array else {
            return []
        }
        // Whatever else it holds is given out but once, so nothing is left out.
        let reading = InfobipReading(table: self.table)
        return results.prefix(InfobipReading.resultLimit).map(reading.receipt).filter { $0.message != nil }
    }
}
