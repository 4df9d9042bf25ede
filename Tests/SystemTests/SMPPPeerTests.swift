import Crypto
import Glibc
import JSON
import Polling
import SMPP
import Testing

extension SystemTests {
    /// SMPP with what others wrote: a codec, a client, an SMSC, and a gateway.
    @Suite struct SMPPPeerTests {
        @Test func anotherCodecAgreesInBothDirections() async throws {
            try await Deployment.run { deployment in
                let file = "\(deployment.directory)/theirs"
                let ours = try Self.ours.map { Hex.encode(try $0.encoded()) }.joined(separator: "\n")
                try await PythonPeer(script: "smpp_codec", requirements: "smpp").run(["OURS": ours, "THEIRS": file])
                let theirs = try Self.read(file).split(separator: "\n")
                #expect(theirs.count > 10)
                for line in theirs {
                    let octets = try #require(Hex.decode(line))
                    #expect(try PDU.decode(octets).encoded() == octets)
                }
            }
        }

        @Test func anotherClientIsServedByTheCarrier() async throws {
            try await Deployment.run { deployment in
                let port = Ports.take()
                try await deployment.start(.carrier, settings: Self.center(port))
                try await PythonPeer(script: "smpp_client", requirements: "smpp").run([
                    "PINPOST_URL": "", "PINPOST_KEY": "", "SMPP_PORT": "\(port)",
                    "CARRIER_URL": "http://127.0.0.1:\(deployment.ports.carrier)",
                ])
            }
        }

        @Test func kannelDeliversThroughTheCarrier() async throws {
            try await Deployment.run { deployment in
                let ports = (0..<5).map { _ in Ports.take() }
                try await deployment.start(.carrier, settings: Self.center(ports[0]))
                try await PythonPeer(script: "smpp_kannel", requirements: "kannel").run([
                    "PINPOST_URL": "", "PINPOST_KEY": "", "SMPP_PORT": "\(ports[0])", "FOLDER": deployment.directory,
                    "PORTS": ports[1...].map { "\($0)" }.joined(separator: ","),
                    "CARRIER_URL": "http://127.0.0.1:\(deployment.ports.carrier)",
                ])
            }
        }

        @Test func anotherSMSCIsSpokenTo() async throws {
            try await Deployment.run { deployment in
                try await deployment.prepare()
                let ports = (0..<Self.wayCount).map { _ in Ports.take() }
                let applied = try await deployment.apply(Self.routes(to: ports))
                guard applied.status.isSuccess else { throw Failure("not applied: \(applied.errorOutput)") }
                for role in [ManagedProcess.Role.receiver, .worker, .api] { try await deployment.start(role) }
                try await PythonPeer(script: "smpp_simulator", requirements: "smpp").run([
                    "PINPOST_URL": "http://127.0.0.1:\(deployment.ports.api)", "PINPOST_KEY": deployment.secrets.apiKey,
                    "CARRIER_URL": "", "PORTS": ports.map { "\($0)" }.joined(separator: ","),
                    "HOME": deployment.directory, "PATH": "/usr/bin:/bin",
                ])
            }
        }

        // MARK: - Private

        /// As many as the script has ways for an SMSC to behave.
        private static let wayCount = 13

        private static func center(_ port: UInt16) -> [String: String] {
            [
                "CARRIER_SMPP_LISTEN": "127.0.0.1:\(port)", "CARRIER_SMPP_SYSTEM_ID": "pinpost",
                "CARRIER_SMPP_PASSWORD": "s3cret",
            ]
        }

        private static func routes(to ports: [UInt16]) -> JSON {
            let names = ports.indices.map { $0 < 10 ? "0\($0)" : "\($0)" }
            return [
                "providers": .array(
                    zip(names, ports).map { name, port in
                        [
                            "name": .string("smsc\(name)"), "kind": "smpp", "sender": "Pinpost",
                            "url": .string("smpp://127.0.0.1:\(port)"), "per_second": 1000, "timeout": 2,
                            "credentials": ["system_id": "pinpost", "password": "s3cret"],
                        ]
                    }),
                "routes": .array(
                    names.map { name in
                        ["channel": "sms", "prefix": .string("+42\(name)"), "provider": .string("smsc\(name)")]
                    }),
            ]
        }

        private static var ours: [PDU] {
            var message = ShortMessage()
            message.source = Address(type: 5, plan: 0, "Pinpost")
            message.destination = Address(type: 1, plan: 1, "41791234567")
            message.registeredDelivery = 1
            message.text = Array("Your code is 493817".utf8)
            var part = message
            part.parameters.append(.segmentReference, number: 7)
            part.parameters.append(.segmentTotal, octet: 2)
            part.parameters.append(.segmentNumber, octet: 1)
            var long = message
            long.text = []
            long.parameters.all = [.init(.messagePayload, [UInt8](repeating: 0x61, count: 300))]
            var receipt = message
            receipt.esmClass = 0x04
            receipt.registeredDelivery = 0
            receipt.parameters.all = [.init(.messageState, [2]), .init(.receiptedMessageID, Array("4F\0".utf8))]
            let bind = Bind(systemID: "pinpost", password: "s3cret", systemType: "otp")
            let bodies: [PDU.Body] =
                BindKind.allCases.map { .bind($0, bind) } + [
                    .bindResponse(.transceiver, BindResponse(systemID: "smsc")), .submit(message), .submit(part),
                    .submit(long), .submitResponse(MessageResponse(messageID: "4F")), .deliver(receipt),
                    .deliverResponse(MessageResponse()), .enquireLink, .enquireLinkResponse, .unbind, .unbindResponse,
                    .genericNack, .outbind(Outbind(systemID: "smsc", password: "x")),
                    .query(Query(messageID: "4F", source: Address(type: 1, plan: 1, "41791234567"))),
                ]
            return bodies.enumerated().map { PDU($1, sequence: UInt32($0 + 1)) }
        }

        private static func read(_ path: String) throws -> String {
            guard let file = fopen(path, "r") else { throw Failure("cannot read \(path): errno \(errno)") }
            defer { fclose(file) }
            var bytes = [UInt8](repeating: 0, count: 1 << 16)
            let count = fread(&bytes, 1, bytes.count, file)
            return String(decoding: bytes[..<count], as: UTF8.self)
        }
    }
}
