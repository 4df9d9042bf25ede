public import HTTP
public import Messaging
public import Timestamps

extension InfobipSMS {
    public func outcomes(for dispatches: [Dispatch], response: HTTPResponse) -> [Outcome] {
        InfobipReading(table: self.table).outcomes(for: dispatches, response: response)
    }

    public func receipts(in request: HTTPRequest, now: Timestamp) throws(ReceiptRefusal) -> [Receipt] {
        try InfobipReading(table: self.table).receipts(in: request, by: self.receiptAuthentication)
    }
}
