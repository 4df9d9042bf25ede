import Egress
import Testing

@Suite struct CallbackURLTests {
    static let production = EgressPolicy(ports: [443, 8443])
    static let development = EgressPolicy(allowed: [Network("127.0.0.0/8")!, Network("::1/128")!])

    @Test(arguments: [
        ("https://example.com", "https://example.com/", "https://example.com:443"),
        ("HTTPS://Example.COM:443/A/../b?C=%2f[]", "https://example.com/A/../b?C=%2f[]", "https://example.com:443"),
        ("https://example.com?x=1", "https://example.com/?x=1", "https://example.com:443"),
        ("https://a.b-c.example:8443/", "https://a.b-c.example:8443/", "https://a.b-c.example:8443"),
        ("https://example.com:00443/", "https://example.com/", "https://example.com:443"),
        ("https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/", "https://xn--bcher-kva.example:443"),
        ("https://8.8.8.8/x", "https://8.8.8.8/x", "https://8.8.8.8:443"),
        ("https://[2606:4700:0::1111]/", "https://[2606:4700::1111]/", "https://[2606:4700::1111]:443"),
        ("https://[::ffff:8.8.8.8]/", "https://8.8.8.8/", "https://8.8.8.8:443"),
        (
            "https://my_host.example.com/?to=https://x@y:1/", "https://my_host.example.com/?to=https://x@y:1/",
            "https://my_host.example.com:443"
        ),
    ])
    func isReadIntoItsNormalForm(text: String, normal: String, origin: String) throws {
        let url = try CallbackURL(text, policy: Self.production)
        #expect(url.text == normal)
        #expect(url.origin == origin)
        #expect(url.isSecure)
        #expect(try CallbackURL(normal, policy: Self.production) == url)
    }

    @Test(
        arguments: [
            ("https://", .notAbsolute), ("", .notAbsolute), ("example.com", .notAbsolute),
            ("//example.com", .notAbsolute),
            ("https:example.com", .notAbsolute), ("https:/example.com", .notAbsolute), ("https:///x", .notAbsolute),
            ("http://example.com/", .needsTLS), ("http://8.8.8.8/", .needsTLS), ("ftp://example.com/", .scheme),
            ("file:///etc/passwd", .scheme), ("gopher://example.com/", .scheme), ("javascript://example.com/", .scheme),
            ("https://user@example.com/", .userInfo), ("https://user:secret@example.com/", .userInfo),
            ("https://example.com:443@127.0.0.1/", .userInfo), ("https://example.com%40127.0.0.1/", .host),
            ("https://127.0.0.1\\@example.com/", .forbiddenCharacter),
            ("https://example.com\\.evil.test/", .forbiddenCharacter),
            ("https://example.com/#x", .fragment), ("https://127.0.0.1#@example.com/", .fragment),
            ("https://example.com /", .forbiddenCharacter), ("https://example.com/a b", .forbiddenCharacter),
            ("https://example.com/\r\nHost: x", .forbiddenCharacter), ("https://exam\tple.com/", .forbiddenCharacter),
            ("https://example.com/\u{1}", .forbiddenCharacter), ("https://example.com/\u{7F}", .forbiddenCharacter),
            (" https://example.com/", .forbiddenCharacter), ("https://bücher.example/", .notASCII),
            ("https://ex\u{200D}ample.com/", .notASCII), ("https://①②⑦.0.0.1/", .notASCII),
            ("https://example。com/", .notASCII), ("https://example.com/%", .badPercentEncoding),
            ("https://example.com/%4", .badPercentEncoding), ("https://example.com/%4g", .badPercentEncoding),
            ("https://example.com/?a=%+1", .badPercentEncoding), ("https://%31%32%37.0.0.1/", .host),
            ("https://example.com./", .trailingDot), ("https://127.0.0.1./", .trailingDot),
            ("https://./", .trailingDot),
            ("https://a..b/", .host), ("https://.example.com/", .host), ("https://-a.example/", .host),
            ("https://a-.example/", .host), ("https://a*.example/", .host),
            ("https://\(String(repeating: "a", count: 64)).com", .host),
            ("https://example/", .unqualifiedHost), ("https://metadata/", .unqualifiedHost),
            ("https://example.com:/", .port), ("https://example.com:0/", .port), ("https://example.com:65536/", .port),
            ("https://example.com:+443/", .port), ("https://example.com:443:80/", .port),
            ("https://example.com:4x/", .port),
            ("https://example.com:22/", .portForbidden), ("https://8.8.8.8:80/", .portForbidden),
            ("https://127.0.0.1/", .addressForbidden), ("https://169.254.169.254/latest", .addressForbidden),
            ("https://[::1]/", .addressForbidden), ("https://[::ffff:127.0.0.1]/", .addressForbidden),
            ("https://[::ffff:7f00:1]/", .addressForbidden), ("https://[64:ff9b::7f00:1]/", .addressForbidden),
            ("https://[2002:7f00:1::]/", .addressForbidden), ("https://0.0.0.0/", .addressForbidden),
            ("https://[::]/", .addressForbidden), ("https://localhost/", .addressForbidden),
            ("https://LOCALHOST/", .addressForbidden), ("https://a.localhost/", .addressForbidden),
            ("https://127.1/", .numericHost), ("https://0177.1/", .numericHost), ("https://2130706433/", .numericHost),
            ("https://0x7f.1/", .numericHost), ("https://0x7f000001/", .numericHost),
            ("https://0X7F.0.0.1/", .numericHost),
            ("https://127.0.0.01/", .numericHost), ("https://1.2.3.4.5/", .numericHost),
            ("https://a.0x/", .numericHost),
            ("https://[fe80::1%25eth0]/", .zone), ("https://[fe80::1%eth0]/", .zone), ("https://[::1/", .host),
            ("https://[]/", .host), ("https://[127.0.0.1]/", .host), ("https://[::1]x/", .host),
            ("https://::1/", .notAbsolute),
            ("https://fe80::1/", .port), ("https://[v1.a:b]/", .host),
            ("https://example.com/\(String(repeating: "a", count: 2048))", .tooLong),
        ] as [(String, CallbackURLProblem)])
    func hostileAndBrokenSpellingsAreRefused(text: String, problem: CallbackURLProblem) {
        #expect(throws: problem) { try CallbackURL(text, policy: Self.production) }
    }

    @Test(arguments: [
        ("http://127.0.0.1:8080/x", "http://127.0.0.1:8080/x"), ("http://localhost:3000", "http://localhost:3000/"),
        ("http://LocalHost:80/", "http://localhost/"), ("http://[0::1]:1/", "http://[::1]:1/"),
        ("https://127.9.9.9:1/", "https://127.9.9.9:1/"), ("http://[::ffff:127.0.0.1]/", "http://127.0.0.1/"),
        ("https://example.com/", "https://example.com/"),
    ])
    func allowedNetworksAreCalledAtAnyPortWithoutTLS(text: String, normal: String) throws {
        #expect(try CallbackURL(text, policy: Self.development).text == normal)
    }

    @Test(
        arguments: [
            ("http://example.com/", .needsTLS), ("http://10.0.0.1/", .addressForbidden), ("http://8.8.8.8/", .needsTLS),
            ("https://8.8.8.8:8080/", .portForbidden), ("http://a.localhost/", .addressForbidden),
            ("http://169.254.169.254/", .addressForbidden), ("http://2130706433/", .numericHost),
        ] as [(String, CallbackURLProblem)])
    func whatIsNotOnThemIsJudgedAsEverywhere(text: String, problem: CallbackURLProblem) {
        #expect(throws: problem) { try CallbackURL(text, policy: Self.development) }
    }

    @Test func aNameOrAnAddressIsItsHost() throws {
        let name = try CallbackURL("https://Example.com/", policy: Self.production)
        #expect((name.host, name.port) == ("example.com", 443))
        #expect(name.address == nil)
        let address = try CallbackURL("http://[::1]:81/", policy: Self.development)
        #expect((address.host, address.port) == ("::1", 81))
        #expect(address.address == NetworkAddress("::1"))
        #expect(!address.isSecure)
    }

    @Test func printsNeitherItsPathNorItsQuery() throws {
        let url = try CallbackURL("https://example.com/hook-77?token=t0ken", policy: Self.production)
        var dumped = ""
        dump(url, to: &dumped)
        for text in ["\(url)", String(reflecting: url), dumped, "\([url])"] {
            #expect(!text.contains("t0ken") && !text.contains("hook-77"))
            #expect(text.contains("https://example.com:443"))
        }
    }

    @Test(arguments: CallbackURLProblem.allCases) func everyProblemIsASentence(problem: CallbackURLProblem) {
        let text = problem.description
        #expect(text.first?.isUppercase == true && text.last == "." && !text.contains("\n"))
    }
}
