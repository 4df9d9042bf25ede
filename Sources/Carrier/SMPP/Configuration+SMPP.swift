public import Alphabets
public import Crypto

extension Carrier.Configuration {
    /// The account with the SMSC (SMPP 3.4).
    public struct SMPP: Sendable {
        public var systemID = ""
        public var password = Secret("")
        /// Submissions that are taken in a second, whoever sends them; those beyond are refused with 0x58. 0: no limit.
        public var perSecond = 0
        /// From taking a submission to its answer.
        public var latency = Duration.zero
        /// How ids are written in answers and in receipts.
        public var ids = IDForm.decimal
        public var receiptIDs = IDForm.decimal
        /// What `data_coding` 0 means here.
        public var alphabet = TextCoding.gsm7
        /// Receipts come over another session than the one that submitted, where there is one.
        public var reportsElsewhere = false
        /// Whether receipts are marked as such in their `esm_class`, and whether they have optional parameters.
        public var marksReceipts = true
        public var reportsByParameters = true
        /// Waits before each further try at a receipt that was not taken: every minute for an hour.
        public var retries = [Duration](repeating: .seconds(60), count: 60)

        public enum IDForm: String, Sendable, CaseIterable {
            case decimal, hexadecimal

            func text(of id: UInt64) -> String {
                self == .decimal ? "\(id)" : String(id, radix: 16, uppercase: true)
            }
        }
    }
}
