/// What a key slot holds once opened (docs/format.md, section 6): what is no secret of it, and where
/// in its bytes the keys lie.
///
/// No key is ever copied here. Whoever opens a slot copies the keys from those bytes straight into
/// memory that is wiped; whoever makes one puts them in place where `blank` left room. Either way
/// the bytes are the only copy, and wiped by their owner.
package struct KeyBundle: Sendable {
    /// A key, as the number of its field.
    package enum Key: UInt16, Sendable, CaseIterable {
        case root = 3
        case dataPublicKey = 5
        case listPublicKey = 6
        case signingPublicKey = 7
        case listKey = 8
        case signingSeed = 9
        case structureRoot = 10
        case chunkIDs = 11
        case cuts = 12
        case listIDs = 13
        case index = 14
        case auth = 15

        package var byteCount: Int { self == .cuts ? 16 : 32 }

        /// What a bundle of a kind holds.
        package static func all(of kind: KeySlot.KeyKind) -> [Key] {
            switch kind {
            case .full: [.root]
            case .write:
                [
                    .dataPublicKey, .listPublicKey, .signingPublicKey, .chunkIDs, .cuts, .listIDs,
                    .index, .auth,
                ]
            case .maintain:
                [
                    .dataPublicKey, .listPublicKey, .signingPublicKey, .listKey, .signingSeed,
                    .structureRoot,
                ]
            }
        }
    }

    package let kind: KeySlot.KeyKind
    package let config: [UInt8]
    /// Of a write key.
    package let domain: DomainID?
    package let label: String?
    /// Where the keys lie in the bytes that were read.
    package let keys: [Key: Range<Int>]

    /// - Parameter range: where in `bytes` the bundle lies; nil for all of them.
    package init(_ bytes: [UInt8], in range: Range<Int>? = nil, what: String) throws(WireError) {
        let fields = try FieldReader(bytes, in: range, what: what, known: 1...16)
        guard let kind = KeySlot.KeyKind(rawValue: try fields.integer(1)) else {
            throw .unknown("\(what) is of a kind this program does not know")
        }
        self.kind = kind
        config = try fields.required(2)
        domain = try fields.optionalID(4)
        label = try fields.text(16)
        var keys: [Key: Range<Int>] = [:]
        for key in Key.allCases {
            keys[key] = try fields.range(key.rawValue, count: key.byteCount)
        }
        self.keys = keys
    }

    /// The bytes of a bundle with zeros where its keys will be.
    package static func blank(
        _ kind: KeySlot.KeyKind, config: [UInt8], domain: DomainID?, label: String?
    ) -> [UInt8] {
        var fields = FieldWriter()
        fields.integer(.critical(1), kind.rawValue)
        fields.field(.critical(2), config)
        fields.optional(domain) { $0.id(.critical(4), $1) }
        for key in Key.all(of: kind) {
            fields.field(
                .critical(key.rawValue), [UInt8](repeating: 0, count: key.byteCount))
        }
        fields.optional(label) { $0.text(.plain(16), $1) }
        return fields.bytes
    }
}
