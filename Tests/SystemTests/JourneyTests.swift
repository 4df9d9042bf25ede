import JSON
import Testing

extension SystemTests {
    @Suite struct JourneyTests {
        @Test func aMessageGoesThroughEachProviderToItsReceiptAndLeavesNothingReadableBehind() async throws {
            try await Deployment.run(.init(hasOwnServer: true)) { deployment in
                try await deployment.prepare()
                for role in [ManagedProcess.Role.carrier, .receiver, .worker, .api] { try await deployment.start(role) }
                try await self.sendTwoParts(deployment)
                try await self.sendOne(deployment)
                try await self.call(deployment)
                try await self.mail(deployment)
                try await deployment.findNothingReadable(
                    of: ["kanarienvogel"], numbers: ["+41791234567", "+4917612345678", "+41780000077"])
                #expect(deployment.logs.allSatisfy { !$0.log.contains("anna.berg") })
                // The search would find it: numbers are stored as they are.
                #expect(try await deployment.filesHolding("+41791234567").isEmpty == false)
            }
        }

        /// One message a request; a text of 200 characters takes two parts, each with its receipt.
        private func sendTwoParts(_ deployment: Deployment) async throws {
            let text = "Your code is kanarienvogel " + String(repeating: "x", count: 173)
            let id = try await deployment.accept(to: "+41791234567", text)
            let message = try await deployment.message(id, being: "delivered")
            #expect(message["parts"]?.integer == 2)
            #expect(message["reason"]?.string == "ok")
            #expect(
                Self.events(message) == [
                    "accepted", "attempt vonage accepted", "receipt vonage delivered", "receipt vonage delivered",
                ])
            let received = try await deployment.inbox(of: "+41791234567")
            #expect(received.map { $0["text"]?.string } == [text])
            #expect(received.map { $0["from"]?.string } == ["Pinpost"])
        }

        /// Many messages a request, and the id is ours.
        private func sendOne(_ deployment: Deployment) async throws {
            let id = try await deployment.accept(to: "+4917612345678", "Your code is kanarienvogel")
            let message = try await deployment.message(id, being: "delivered")
            #expect(
                Self.events(message) == ["accepted", "attempt infobip accepted", "receipt infobip delivered"])
            #expect(try await deployment.inbox(of: "+4917612345678").count == 1)
            #expect(try await deployment.arrivals()["\(id)"] == 1)
        }

        private func call(_ deployment: Deployment) async throws {
            let id = try await deployment.accept([
                "channel": "voice", "to": "+41780000077", "body": "Kanarienvogel kanarienvogel 4, 9", "language": "de",
            ])
            let message = try await deployment.message(id, being: "delivered")
            #expect(message["channel"]?.string == "voice")
            #expect(Self.events(message) == ["accepted", "attempt carrier accepted", "receipt carrier delivered"])
            let heard = try await deployment.inbox(of: "+41780000077")
            #expect(heard.map { $0["text"]?.string } == ["Kanarienvogel kanarienvogel 4, 9"])
            #expect(heard.first?["channel"]?.string == "voice")
            #expect(heard.first?["language"]?.string == "de")
            #expect(heard.first?["from"]?.string == "Pinpost")
        }

        private func mail(_ deployment: Deployment) async throws {
            let id = try await deployment.accept([
                "channel": "email", "to": "anna.berg@Example.com", "subject": "The kanarienvogel",
                "body": "It sings.\nkanarienvogel",
            ])
            let message = try await deployment.message(id, being: "delivered")
            #expect(message["to"]?.string == "anna.berg@example.com")
            #expect(Self.events(message) == ["accepted", "attempt carrier accepted", "receipt carrier delivered"])
            let read = try await deployment.inbox(of: "anna.berg@example.com")
            #expect(read.map { $0["subject"]?.string } == ["The kanarienvogel"])
            #expect(read.first?["text"]?.string == "It sings.\nkanarienvogel")
            #expect(read.first?["channel"]?.string == "email")
            #expect(read.first?["from"]?.string == "Pinpost <pinpost@example.com>")
            #expect(try await deployment.arrivals()["\(id)"] == 1)
        }

        /// A timeline in words. Receipts may overtake the settlement, so they are put behind it.
        private static func events(_ message: JSON) -> [String] {
            (message["timeline"]?.array ?? []).map { event in
                [event["event"], event["provider"], event["outcome"] ?? event["state"]]
                    .compactMap { $0?.string }.joined(separator: " ")
            }.sorted()
        }
    }
}
