import Channels
import HTTP
import Messaging
import Testing
import Timestamps

@Suite struct VonageRequestTests {
    private func body(_ account: ProviderAccount, _ dispatch: Dispatch) throws -> String {
        let request = try Sample.httpDriver(account).request(for: [dispatch], now: Sample.now)
        return String(decoding: request.body, as: UTF8.self)
    }

    @Test func theRequestIsAForm() throws {
        let request = try Sample.httpDriver(Sample.vonage()).request(for: [Sample.dispatch()], now: Sample.now)
        #expect(request.method == "POST")
        #expect(request.url == "https://rest.nexmo.com/sms/json")
        #expect(request.fields["Content-Type"] == "application/x-www-form-urlencoded")
        #expect(
            String(decoding: request.body, as: UTF8.self)
                == "api_key=abcd1234&api_secret=s3cret&from=ACME&to=447700900000&text=Your+code+is+123456&ttl=180000"
                + "&status-report-req=true&callback=https%3A%2F%2Fr.example%2Fv%2Freceipts-0123456789"
                + "&client-ref=0192d1e4-7000-7000-8000-000000000001"
        )
    }

    @Test func textBeyondTheAlphabetGoesAsUnicode() throws {
        let body = try self.body(Sample.vonage(), Sample.dispatch(text: "Код 1&2"))
        #expect(body.contains("&text=%D0%9A%D0%BE%D0%B4+1%262&type=unicode&"))
    }

    @Test func whatIndiaWantsGoesAlong() throws {
        let dlt = IndiaDLT(principalEntityID: "p-1", contentTemplateID: "c-1", teleMarketerID: "t-1")
        let body = try self.body(Sample.vonage(), Sample.dispatch(.text(TextContent("Code", indiaDLT: dlt))))
        #expect(body.hasSuffix("&entity-id=p-1&content-id=c-1"))
    }

    @Test func theSenderIsTheMessagesElseTheAccounts() throws {
        #expect(try self.body(Sample.vonage(), Sample.dispatch(sender: "+15550100")).contains("&from=15550100&"))
        #expect(try self.body(Sample.vonage(), Sample.dispatch()).contains("&from=ACME&"))
        #expect(try !self.body(Sample.vonage(sender: nil), Sample.dispatch()).contains("from="))
    }

    @Test(arguments: [
        (Duration.milliseconds(-5), "20000"), (.zero, "20000"), (.milliseconds(19999), "20000"),
        (.milliseconds(20001), "20001"), (.seconds(604_800), "604800000"), (.seconds(604_801), "604800000"),
    ])
    func theValidityStaysWithinVonagesLimits(_ validity: Duration, _ ttl: String) throws {
        #expect(try self.body(Sample.vonage(), Sample.dispatch(validity: validity)).contains("&ttl=\(ttl)&"))
    }

    @Test func aLaterSeriesIsPartOfTheReference() throws {
        let reference = MessageReference(id: Sample.reference.id, series: 3)
        #expect(try self.body(Sample.vonage(), Sample.dispatch(reference)).hasSuffix("client-ref=\(Sample.id).3"))
    }

    @Test func withoutAReceiptURLThereIsNoCallback() throws {
        #expect(try !self.body(Sample.vonage(receiptURL: nil), Sample.dispatch()).contains("callback"))
    }

    @Test func aSignedAccountsCallbackHoldsNoToken() throws {
        let body = try self.body(Sample.vonage(["signature_secret": "s"]), Sample.dispatch())
        #expect(body.contains("&callback=https%3A%2F%2Fr.example%2Fv&"))
    }

    @Test func aSignedRequestHoldsNoSecret() throws {
        let account = Sample.vonage(
            ["signature_secret": "secret"], receiptURL: nil, settings: ["authentication": "signature"]
        )
        let body = try self.body(account, Sample.dispatch(text: "a&b=c"))
        // MD5 of
        // `&api_key=abcd1234&client-ref=…&from=ACME&status-report-req=true&text=a_b_c&timestamp=…&to=…&ttl=…secret`, by
        // another program.
        #expect(
            body
                == "api_key=abcd1234&from=ACME&to=447700900000&text=a%26b%3Dc&ttl=180000&status-report-req=true"
                + "&client-ref=0192d1e4-7000-7000-8000-000000000001&timestamp=1582650446"
                + "&sig=a8cc82a48f6421e4aa27b6dd136435e6"
        )
    }
}
