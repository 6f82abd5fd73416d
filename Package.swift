// swift-tools-version: 6.2

// The rooms of the house, floor by floor. Dependencies point down only: Tests/HouseTests holds
// every import against the same table. docs/design.md says what each room is for.

import PackageDescription

#if os(Linux)
    let isStrict = Context.environment["REPO_STRICT"] != nil
#else
    #error("repo runs on Linux")
#endif

/// Tests/Fuzz/run.sh builds another package of the same rooms: instrumented, without their tests, and
/// with one program more.
let isFuzzing = Context.environment["REPO_FUZZ"] != nil

let settings: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ] + (isStrict ? [.treatAllWarnings(as: .error)] : [])
    + (isFuzzing ? [.unsafeFlags(["-sanitize=fuzzer", "-enable-testing"])] : [])

/// A room: a target of ours, its tests beside it.
/// - Parameter fixtures: a folder of its tests that they read from the checkout.
func room(
    _ name: String, _ dependencies: [Target.Dependency], fixtures: [String] = [],
    extra: [SwiftSetting] = []
) -> [Target] {
    [
        .target(name: name, dependencies: dependencies, swiftSettings: settings + extra),
        .testTarget(
            name: name + "Tests",
            dependencies: [.target(name: name), "TestSupport"] + dependencies,
            exclude: fixtures, swiftSettings: settings),
    ]
}

/// A library of Debian's, seen through a module map and static inline wrappers.
func library(_ name: String, pkgConfig: String? = nil, apt: String? = nil) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: apt.map { [.apt([$0])] } ?? [])
}

let libraries: [Target] = [
    library("CLinux"),
    library("COpenSSL", pkgConfig: "libcrypto", apt: "libssl-dev"),
    library("CZstd", pkgConfig: "libzstd", apt: "libzstd-dev"),
    library("CZlib", pkgConfig: "zlib", apt: "zlib1g-dev"),
    library("CIsal", pkgConfig: "libisal", apt: "libisal-dev"),
    library("CCurl", pkgConfig: nil, apt: "libcurl4-openssl-dev"),
]

let rooms: [[Target]] = [
    // floor 0
    [.target(name: "Faults", swiftSettings: settings)],
    // floor 1
    room("WireFormat", ["Faults"]),
    room("Sealing", ["Faults", "CLinux", "COpenSSL"]),
    room("Compression", ["Faults", "CZlib", "CZstd"]),
    room("Chunking", ["CLinux"]),
    room("Files", ["Faults", "CLinux"]),
    room("Workers", ["CLinux"]),
    // floor 2
    room("ChunkIndex", ["Faults", "Files", "WireFormat", "CLinux"]),
    room("DumpFormats", ["Faults", "WireFormat", "CIsal"], fixtures: ["Fixtures"]),
    room("ObjectStorage", ["Faults", "Files", "WireFormat", "CLinux"]),
    // floor 3
    room(
        "S3",
        ["Faults", "Files", "WireFormat", "Sealing", "ObjectStorage", "CCurl", "CLinux"],
        // Signatures are compared with published ones: no other room sees how they are made.
        extra: [.unsafeFlags(["-enable-testing"])]),
    room(
        "PackStore",
        [
            "Faults", "WireFormat", "Sealing", "Compression", "Workers", "ChunkIndex",
            "ObjectStorage", "CLinux",
        ]),
    room(
        "Snapshots",
        ["Faults", "WireFormat", "Sealing", "Compression", "Workers", "ObjectStorage", "PackStore"]),
    room(
        "Vault",
        [
            "Faults", "Files", "WireFormat", "Sealing", "ChunkIndex", "ObjectStorage", "PackStore",
            "Snapshots", "CLinux",
        ]),
    // floor 4
    room(
        "Operations",
        [
            "Faults", "Files", "WireFormat", "Sealing", "Compression", "Chunking", "Workers",
            "ChunkIndex",
            "DumpFormats", "ObjectStorage", "PackStore", "Snapshots", "Vault", "CLinux",
        ]),
    // floor 5
    room(
        "Terminal",
        [
            "Faults", "Files", "WireFormat", "Sealing", "DumpFormats", "ObjectStorage", "S3",
            "Snapshots", "Vault", "Operations", "CLinux",
        ],
        // Nothing builds on the top room, so nothing in it is `package`: its tests look inside, in
        // release builds too.
        extra: [.unsafeFlags(["-enable-testing"])]),
]

let testSupport: Target = .target(
    name: "TestSupport", dependencies: ["Faults"], path: "Tests/TestSupport",
    swiftSettings: settings)

/// What reads bytes from outside, up to floor 3, and the few files of the floors above that do.
let lowerRooms: [Target] = rooms.flatMap { $0 }.filter { room in
    room.type != .test && room.name != "Operations" && room.name != "Terminal"
}
let fuzzed: [Target] = [
    .target(
        name: "Operations", dependencies: ["WireFormat", "CLinux"],
        sources: [
            "PathPattern.swift", "Times.swift", "Retention/SeriesPattern.swift",
            "Retention/ZoneFile.swift", "Retention/ZoneOffsets.swift",
            "Retention/ZoneRule+Parse.swift",
        ], swiftSettings: settings),
    testSupport,
    .executableTarget(
        name: "repo-fuzz",
        dependencies: [
            "Faults", "Files", "WireFormat", "Sealing", "Compression", "Workers", "ChunkIndex",
            "DumpFormats", "ObjectStorage", "S3", "PackStore", "Snapshots", "Vault",
            "Operations", "CLinux", "TestSupport",
        ], path: "Tests", exclude: ["Fuzz/Corpus", "Fuzz/README.md", "Fuzz/run.sh"],
        sources: [
            "Fuzz", "WireFormatTests/Samples.swift", "WireFormatTests/RawFields.swift",
            "PackStoreTests/Support.swift",
        ], swiftSettings: settings + [.unsafeFlags(["-parse-as-library"])],
        linkerSettings: [.unsafeFlags(["-sanitize=fuzzer"])]),
]

let package = Package(
    name: "repo",
    products: [.executable(name: "repo", targets: ["repo"])],
    targets: libraries + rooms.flatMap { $0 } + [
        // floor 6
        // Swift's libraries are part of it: a database host needs none, and it starts sooner.
        .executableTarget(
            name: "repo", dependencies: ["Terminal"], swiftSettings: settings,
            linkerSettings: [.unsafeFlags(["-static-stdlib"])]),
        // no product: what docs/benchmarks.md says of the parts
        .executableTarget(
            name: "repo-bench",
            dependencies: [
                "Faults", "Files", "WireFormat", "Sealing", "Compression", "Chunking", "ChunkIndex",
                "ObjectStorage", "PackStore", "Snapshots", "Vault", "Operations", "CLinux",
                "TestSupport",
            ],
            path: "Benchmarks/Micro", swiftSettings: settings),
        testSupport,
        // verbs on an object store that misbehaves
        .testTarget(
            name: "FarTests",
            dependencies: [
                "Faults", "Files", "WireFormat", "Sealing", "ObjectStorage", "S3", "Snapshots",
                "Vault", "Operations", "TestSupport",
            ], swiftSettings: settings),
        // verbs beside each other, every request in an order of the test's choice
        .testTarget(
            name: "ScheduleTests",
            dependencies: [
                "Faults", "Files", "WireFormat", "Sealing", "Workers", "DumpFormats",
                "ObjectStorage", "PackStore", "Snapshots", "Vault", "Operations", "TestSupport",
            ], swiftSettings: settings),
        // what is left when the power, the kernel, a store or a byte fails
        .testTarget(
            name: "ReliabilityTests",
            dependencies: [
                "Faults", "Files", "WireFormat", "Sealing", "ObjectStorage", "PackStore",
                "Snapshots", "Vault", "Operations", "CLinux", "TestSupport",
            ], swiftSettings: settings),
        .testTarget(name: "HouseTests", dependencies: ["TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "VectorTests",
            dependencies: [
                "Faults", "WireFormat", "Sealing", "Compression", "Chunking", "Workers",
                "ChunkIndex", "ObjectStorage", "PackStore", "Snapshots", "TestSupport", "COpenSSL",
            ],
            path: "Tests/Vectors/Tests", swiftSettings: settings),
    ]
)

if isFuzzing {
    package.products = [.executable(name: "repo-fuzz", targets: ["repo-fuzz"])]
    package.targets = libraries + lowerRooms + fuzzed
}
