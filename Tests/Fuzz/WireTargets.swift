import WireFormat

/// The objects of a repository, and what they are made of.
func wireTargets() -> [FuzzTarget] { objectTargets() + [catalog, names, json, padding, varints] }

/// Which samples each target begins with. All samples have their place, so that a new one is not
/// forgotten here.
private let objects: [(target: String, samples: [String])] = [
    ("config", ["config"]), ("config-fields", ["the fields of config"]), ("key-slot", ["key slot"]),
    ("key-bundle", ["full bundle", "write bundle", "maintain bundle"]),
    ("object-header", ["object header"]), ("envelope", ["envelope"]),
    ("pack-trailer", ["trailer"]), ("pack-directory", ["directory"]),
    ("small-directory", ["small directory"]), ("index-object", ["index object"]),
    ("head", ["head", "small head"]), ("head-in-manifest", ["head in a manifest"]),
    ("manifest", ["manifest", "small manifest"]), ("list-node", ["leaf", "interior node"]),
    ("tombstone", ["tombstone"]), ("record-forgotten", ["record of a removal"]),
    ("record-key", ["record of a key"]), ("rules", ["rules"]),
    ("policy", ["policy", "end of a policy"]),
    ("hold", ["hold until a date", "hold by age", "end of a hold"]),
    ("acknowledgement", ["acknowledgement"]),
    ("catalog-entry", ["catalog entry", "link", "other name", "device", "small catalog entry"]),
    ("member-entry", ["member"]), ("table-entry", ["table entry"]), ("padded", ["padded"]),
]

private func objectTargets() -> [FuzzTarget] {
    let known = Dictionary(uniqueKeysWithValues: Samples.all.map { ($0.name, $0) })
    mustHold(
        Set(objects.flatMap { $0.samples }) == Set(known.keys), "every sample belongs to a target")
    return objects.map { target, names in
        let samples = names.compactMap { known[$0] }
        let again = samples[0].again
        return FuzzTarget(name: target, seeds: samples.map { $0.bytes }) { bytes in
            // What a later version put there and this one does not know is left out, what may be missing
            // is written: once, and never again another.
            guard let once = reading({ try again(bytes) }) else { return }
            guard let twice = reading({ try again(once) }) else {
                fatalError("\(target): what was written is refused")
            }
            mustHold(once == twice, "\(target): written differently the second time")
        }
    }
}

/// A stream of entries, as a restore reads it.
private let catalog = FuzzTarget(
    name: "catalog",
    seeds: [
        [Samples.entry, Samples.link, Samples.device].flatMap { $0.bytes },
        Samples.table.bytes + Samples.table.bytes,
    ]
) { bytes in
    var rules = CatalogRules(what: "catalog")
    var reader = ByteReader(bytes, what: "catalog")
    while !reader.isAtEnd,
        let body = reading({ try reader.counted(atMost: Limits.catalogEntryBytes) })
    {
        if let table = reading({ try TableEntry(body, what: "tables") }) {
            checkAscending(table.ranges)
        }
        for isMember in [false, true] {
            guard
                let entry = reading({
                    try CatalogEntry(body, what: "catalog", isMember: isMember)
                })
            else { continue }
            checkAscending(entry.holes)
            var end = 0
            for piece in entry.pieces {
                mustHold(piece.offset >= end, "pieces of a file lie apart")
                end = piece.offset + piece.stream.count
                mustHold(end <= entry.byteCount, "pieces lie inside their file")
            }
            if !isMember { _ = reading { try rules.add(entry) } }
        }
    }
}

private func checkAscending(_ ranges: [Range<Int>]) {
    for (range, next) in zip(ranges, ranges.dropFirst()) {
        mustHold(range.upperBound <= next.lowerBound, "ranges ascend")
    }
}

/// Names of objects as a store lists them, and hexadecimal digits.
private let names = FuzzTarget(
    name: "names", inputBytesMax: 200,
    seeds: ([
        .config, .key(objectID(1)), .pack(domain, objectID(2)), .index(domain, objectID(3)),
        .snapshot(domain, objectID(4)), .commit(domain, objectID(5)),
    ]
        + Tombstone.Target.allCases.map { .tombstone($0, objectID(6)) }
        + Record.Kind.allCases.map { .record($0, objectID(7)) } as [ObjectName])
        .map { Array($0.description.utf8) }
) { bytes in
    let text = String(decoding: bytes, as: UTF8.self)
    if let name = ObjectName(text) {
        mustHold(name.description == text, "a name has one spelling")
    }
    if let digits = bytesOfHexadecimal(text) {
        mustHold(hexadecimal(digits) == text.lowercased(), "digits give the bytes they stand for")
    }
    _ = (ObjectID(hexadecimal: text), DomainID(hexadecimal: text), PathName(bytes))
}

private let json = FuzzTarget(
    name: "json",
    seeds: [
        #"{"dumper": "mysqlsh Ver 8.4.0", "version": "2.0.1", "binlogPosition": -157, "a": ["b"]}"#,
        #"{ "Path": "base/5/1", "Size": 8192, "x": "\u00e9\"\\\n\t\/", "y" : {"z": 0}, "cut": "\"#,
    ].map { Array($0.utf8) }
) { bytes in
    let values = FlatJSON(bytes)
    _ = (values["Path"], values["a"], values[""])
}

private let padding = FuzzTarget(
    name: "padding-lengths", inputBytesMax: 8, seeds: [[1, 2, 3, 4, 5, 6, 7, 0]]
) { bytes in
    let length = bytes.reduce(0) { $0 << 8 | Int($1) } & (Int.max >> 8)
    let padded = Padding.padme(length)
    mustHold(
        padded >= length && padded - length <= max(length / 8, 1), "padding is never much")
    mustHold(Padding.padme(padded) == padded, "what is padded has a padded length")
}

/// A number is read from its one shortest form.
private let varints = FuzzTarget(
    name: "varints", inputBytesMax: 64, seeds: [[0x7f, 0x80, 0x01, 0xff, 0xff, 0x03]]
) { bytes in
    var reader = ByteReader(bytes, what: "numbers")
    while !reader.isAtEnd {
        let start = reader.offset
        guard let value = reading({ try reader.varint() }) else { return }
        var writer = ByteWriter()
        writer.varint(value)
        mustHold(writer.bytes == Array(bytes[start..<reader.offset]), "a number has one form")
    }
}
