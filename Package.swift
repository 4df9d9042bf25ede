// swift-tools-version: 6.2
import PackageDescription

/// Strict everywhere: what the compiler can refuse, a reviewer need not look for.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// Levels as in the architecture: a target imports what stands below it.
let package = Package(
    name: "pinpost",
    targets: [
        // 7: the executable.
        .executableTarget(
            name: "pinpost",
            dependencies: [
                "Bench", "CLinux", "Carrier", "Channels", "Configuration", "Crypto", "Delivery", "Egress", "HTTP",
                "Intake",
                "JSON", "Lifecycle", "Messaging", "PhoneNumbers", "Polling", "Postgres", "PostgresServer", "Receipts",
                "Routing",
                "Settings",
                "Store", "Telemetry", "Timestamps", "WebClient", "WebServer",
            ],
            swiftSettings: strict
        ),

        // 6: the processes' work.
        library(
            "Intake",
            [
                "Batching", "Callbacks", "Channels", "Crypto", "Egress", "Guard", "HTTP", "JSON", "Lifecycle",
                "Messaging",
                "PhoneNumbers", "Postgres", "Routing", "Store", "Telemetry", "Telling", "Timestamps", "Verification",
            ]),
        library(
            "Delivery",
            [
                "Batching", "Callbacks", "Channels", "Crypto", "HTTP", "JSON", "Lifecycle", "Messaging",
                "PhoneNumbers", "Polling", "Postgres", "ReceiptKeeping", "Routing", "SMPP", "Store",
                "Telemetry", "Telling", "Timestamps", "Verification", "WebClient",
            ]
        ),
        library(
            "Receipts",
            [
                "Batching", "Channels", "Crypto", "HTTP", "JSON", "Lifecycle", "Messaging", "Postgres",
                "ReceiptKeeping", "Store", "Telemetry", "Timestamps",
            ]
        ),
        library(
            "Carrier",
            [
                "Alphabets", "Crypto", "HTTP", "JSON", "Lifecycle", "Messaging", "Polling", "SMPP",
                "Telemetry", "Timestamps", "WebClient",
            ]
        ),
        library(
            "Configuration",
            [
                "Callbacks", "Channels", "Crypto", "Egress", "Guard", "JSON", "Messaging", "PhoneNumbers",
                "Postgres", "Routing",
                "Store",
                "Telling",
                "Timestamps", "Verification",
            ]),
        library(
            "Bench",
            [
                "CLinux", "CPostgres", "Callbacks", "Crypto", "JSON", "Messaging", "Polling", "Postgres",
                "PostgresServer",
                "Store", "Telling", "Timestamps", "Verification",
            ]
        ),

        // Between: what the tables say of endpoints and events, as Callbacks has it, which knows no tables. For the API, the
        // workers and files alike.
        library("Telling", ["Callbacks", "Crypto", "Egress", "JSON", "Messaging", "Store"]),

        // For receivers and workers alike.
        library(
            "ReceiptKeeping", ["Batching", "Lifecycle", "Messaging", "Postgres", "Store", "Telemetry", "Timestamps"]),

        // 5: tables, and providers' dialects.
        library(
            "Store", ["Crypto", "Guard", "JSON", "Messaging", "Postgres", "Routing", "Timestamps", "Verification"]),
        .target(
            name: "Channels",
            dependencies: ["Alphabets", "Crypto", "Egress", "HTTP", "JSON", "Messaging", "SMPP", "Timestamps"],
            // What each provider's codes mean, as data.
            resources: [.embedInCode("Tables")], swiftSettings: strict),
        // What customers are told, in each vendor's words. Beside it stands Channels, which signs as Vonage does.
        library("Callbacks", ["Channels", "Crypto", "HTTP", "JSON", "Messaging", "Timestamps"]),

        // 4: pure values and functions.
        library("Guard", ["JSON", "Messaging", "PhoneNumbers", "Timestamps"]),
        library("Routing", ["Messaging"]),
        library("Messaging", ["Alphabets", "JSON", "Timestamps"]),
        library("Verification", ["Crypto", "JSON", "Messaging"]),

        // 3: thin shells around C libraries and processes.
        library("Postgres", ["CPostgres", "Polling", "Timestamps"]),
        library("PostgresServer", ["Polling"]),
        library("WebServer", ["CMicroHTTP", "HTTP"]),
        library("WebClient", ["CAres", "CCurl", "Egress", "HTTP", "Polling"]),
        library("Lifecycle", ["Polling", "Telemetry"]),

        // Between: sessions, which wait as the processes' lives do.
        library("SMPP", ["CLinux", "CTLS", "Lifecycle", "Polling"]),

        // 2: values and small tools, each one thing.
        library("Alphabets"),
        library("Batching"),
        library("Crypto", ["CCrypto"]),
        library("Egress"),
        library("HTTP"),
        library("JSON", ["CJansson"]),
        library("PhoneNumbers", ["CPhoneNumber"]),
        library("Polling", ["CLinux"]),
        library("Settings", ["Crypto"]),
        library("Telemetry", ["Timestamps"]),
        library("Timestamps"),

        // 1: C, and C++ behind a header of C.
        .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CMicroHTTP", pkgConfig: "libmicrohttpd", providers: [.apt(["libmicrohttpd-dev"])]),
        .systemLibrary(name: "CAres", pkgConfig: "libcares", providers: [.apt(["libc-ares-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CJansson", pkgConfig: "jansson", providers: [.apt(["libjansson-dev"])]),
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CTLS", pkgConfig: "libssl", providers: [.apt(["libssl-dev"])]),
        // Debian's libphonenumber-dev, which comes without a pkg-config file.
        .target(name: "CPhoneNumber", linkerSettings: [.linkedLibrary("phonenumber")]),

        // Tests, and what they share.
        tests("BatchingTests", ["Batching"]),
        tests(
            "CarrierTests",
            [
                "Alphabets", "Carrier", "Channels", "Crypto", "HTTP", "JSON", "Lifecycle", "Messaging",
                "Polling", "SMPP", "Telemetry", "TestKeys", "Timestamps", "WebClient", "WebServer",
            ]),
        tests("SettingsTests", ["Crypto", "Settings"]),
        tests("TelemetryTests", ["Telemetry", "Timestamps"]),
        tests("LifecycleTests", ["Lifecycle", "Polling", "Telemetry", "Timestamps"]),
        tests("EgressTests", ["Egress"]),
        tests("HTTPTests", ["HTTP"]),
        tests("CryptoTests", ["Crypto", "TestKeys"]),
        tests("AlphabetsTests", ["Alphabets"]),
        tests("MessagingTests", ["Alphabets", "Messaging"]),
        tests("RoutingTests", ["Messaging", "Routing"]),
        tests("GuardTests", ["Guard", "JSON", "Messaging", "PhoneNumbers", "Timestamps"]),
        tests("PhoneNumbersTests", ["PhoneNumbers"]),
        tests("ChannelsTests", ["Channels", "Crypto", "HTTP", "JSON", "Messaging", "SMPP", "TestKeys", "Timestamps"]),
        tests("CallbacksTests", ["Callbacks", "Crypto", "HTTP", "JSON", "Messaging", "Timestamps"]),

        .target(name: "TestKeys", path: "Tests/TestKeys", swiftSettings: strict),
        .target(
            name: "TestDatabase", dependencies: ["Polling", "Postgres", "PostgresServer"], path: "Tests/TestDatabase",
            swiftSettings: strict
        ),
        tests("PollingTests", ["Polling"]),
        tests("SMPPTests", ["SMPP"]),
        tests("PostgresTests", ["Polling", "Postgres", "PostgresServer", "TestDatabase", "Timestamps"]),
        tests("PostgresServerTests", ["Polling", "Postgres", "PostgresServer"]),
        tests(
            "StoreTests",
            [
                "Crypto", "JSON", "Messaging", "Polling", "Postgres", "PostgresServer", "Routing", "Store",
                "TestDatabase", "TestSystem",
                "Timestamps",
                "Verification",
            ]),
        tests("JSONTests", ["JSON"]),
        tests("WebTests", ["CCurl", "Egress", "HTTP", "Polling", "WebClient", "WebServer"]),
        .target(
            name: "TestSystem",
            dependencies: [
                "Configuration", "Crypto", "JSON", "Messaging", "Polling", "Postgres", "PostgresServer", "Store",
                "TestDatabase",
            ],
            path: "Tests/TestSystem", swiftSettings: strict
        ),
        tests(
            "IntakeTests",
            [
                "Callbacks", "Channels", "Crypto", "Guard", "HTTP", "Intake", "JSON", "Messaging",
                "PhoneNumbers", "Postgres", "PostgresServer", "Routing", "Store",
                "Telemetry",
                "TestDatabase", "TestSystem", "Timestamps", "Verification",
            ]),
        tests(
            "BenchTests",
            [
                "Bench", "HTTP", "JSON", "Messaging", "Polling", "Postgres", "PostgresServer", "Store", "TestDatabase",
                "Timestamps",
                "WebServer",
            ]
        ),
        tests(
            "SystemTests",
            [
                "Callbacks", "Crypto", "Egress", "HTTP", "JSON", "Messaging", "Polling", "Postgres", "PostgresServer",
                "SMPP", "Settings", "Store", "TestDatabase", "Timestamps", "WebClient", "WebServer", "pinpost",
            ]
        ),
        tests(
            "ReceiptsTests",
            [
                "Channels", "Configuration", "Crypto", "HTTP", "JSON", "Messaging", "Postgres", "PostgresServer",
                "Receipts", "Store", "Telemetry", "TestDatabase", "TestSystem", "Timestamps",
            ]),
        tests(
            "ConfigurationTests",
            [
                "Callbacks", "Channels", "Configuration", "Crypto", "Egress", "JSON", "Messaging", "Postgres", "Store",
                "Routing", "Telling", "TestSystem", "Timestamps", "Verification",
            ]),
        // What is fuzzed, and its corpus as a test.
        .target(
            name: "FuzzTargets",
            dependencies: [
                "Alphabets", "Channels", "Crypto", "Egress", "HTTP", "Intake", "JSON", "Messaging", "PhoneNumbers",
                "SMPP", "Settings", "TestKeys", "Timestamps", "Verification",
            ],
            path: "Tests/Fuzz/Targets", swiftSettings: strict
        ),
        tests("FuzzTests", ["Channels", "FuzzTargets"]),
        tests("TimestampsTests", ["Timestamps"]),
        tests("VerificationTests", ["Crypto", "JSON", "Messaging", "Verification"]),
        tests(
            "DeliveryTests",
            [
                "Callbacks", "Carrier", "Channels", "Configuration", "Crypto", "Delivery", "Egress", "HTTP",
                "JSON", "Lifecycle", "Messaging", "Polling", "Postgres", "ReceiptKeeping", "Routing", "SMPP",
                "Store", "Telemetry", "TestDatabase", "TestSystem", "Timestamps", "WebClient", "WebServer",
            ]),
    ]
)

// The fuzzer itself links with nothing but a sanitizer's run time: Tests/Fuzz/run asks for it, with a build of its own.
if Context.environment["PINPOST_FUZZ"] != nil {
    package.targets += [
        .executableTarget(
            name: "fuzz", dependencies: ["FuzzTargets"], path: "Tests/Fuzz/Driver", swiftSettings: strict)
    ]
}
