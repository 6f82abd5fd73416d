import ChunkIndex
import Compression
import ObjectStorage
import PackStore
import Snapshots
import Testing
import Vault
import WireFormat
import Workers

/// Everything that the directories of a repository say of deltas, held against what
/// docs/format.md, section 7, says they have to say, by code that shares nothing with the writer.
struct DeltaAudit {
    /// A frame, whichever pack it lies in.
    struct Name: Hashable {
        let segment: PackDirectory.SegmentName
        let frame: Int
    }

    private struct Found {
        let frame: PackDirectory.Frame
        let contentClass: ContentClass
        /// The base segments of its directory.
        let bases: [PackDirectory.SegmentName]
        /// The pack; nil where a manifest holds it.
        let pack: ObjectID?
    }

    /// What was wrong, in words.
    private(set) var problems: [String] = []
    /// Deltas of class data in packs and in manifests, and of class list.
    private(set) var dataDeltas = 0
    private(set) var inlineDeltas = 0
    private(set) var listDeltas = 0
    private(set) var greatestDepth = 0
    private(set) var greatestClosure = 0

    private var frames: [Name: Found] = [:]
    private let born: [ObjectID: Int]
    private let limits: DeltaLimits

    /// - Parameters:
    ///   - born: the number of the add that made each pack.
    ///   - limits: what the adds were asked to keep to.
    init(
        _ vault: Vault, born: [ObjectID: Int] = [:], limits: DeltaLimits = .usual
    ) throws {
        self.born = born
        self.limits = limits
        let context = try vault.requiredContext(.shared)
        for object in try context.store.list(.packs(.shared)) {
            guard case .pack(_, let id) = object.name else { continue }
            take(try PackDirectories.read(id, context).0, of: id)
        }
        let snapshots = SnapshotStore(context)
        for id in try snapshots.manifests() {
            let manifest = try snapshots.manifest(id, expecting: nil)
            if let inline = manifest.inline { take(inline.directory, of: nil) }
        }
        for (name, found) in frames where found.frame.codec == .delta { look(name, found) }
    }

    private mutating func take(_ directory: PackDirectory, of pack: ObjectID?) {
        for segment in directory.segments {
            let header = directory.envelopes[segment.envelope].header
            let name = PackDirectory.SegmentName(envelope: header.id, number: segment.number)
            for (number, frame) in segment.frames.enumerated() {
                frames[Name(segment: name, frame: number)] = Found(
                    frame: frame, contentClass: header.contentClass, bases: directory.baseSegments,
                    pack: pack)
            }
        }
    }

    /// The frames that the base of a frame is made of.
    private func bases(of found: Found) -> [Name] {
        (found.frame.base?.pieces ?? []).map {
            Name(segment: found.bases[$0.segment], frame: $0.frame)
        }
    }

    private mutating func look(_ name: Name, _ found: Found) {
        guard let base = found.frame.base else { return problems.append("\(name): no base") }
        switch (found.contentClass, found.pack) {
        case (.list, _): listDeltas += 1
        case (.data, nil): inlineDeltas += 1
        case (.data, _?): dataDeltas += 1
        }
        var closure: Set<Name> = []
        var ahead = bases(of: found)
        var depth = 0
        for (piece, below) in zip(base.pieces, ahead) {
            guard let there = frames[below] else {
                problems.append("\(name): its base \(below) is nowhere")
                continue
            }
            depth = max(depth, 1 + (there.frame.base?.depth ?? 0))
            if there.contentClass != found.contentClass {
                problems.append("\(name): mixes classes")
            }
            if piece.chunkCount < 1
                || piece.firstChunk + piece.chunkCount > there.frame.chunks.count
            {
                problems.append("\(name): a piece names chunks that are not there")
            }
            guard let pack = there.pack else {
                problems.append("\(name): stands on what a manifest holds")
                continue
            }
            // What a manifest holds is as young as its snapshot; only packs are held against packs.
            if let own = found.pack, let age = born[own], let older = born[pack], older >= age {
                problems.append("\(name): its base is no older than itself")
            }
        }
        while let next = ahead.popLast() {
            guard closure.insert(next).inserted, let there = frames[next] else { continue }
            ahead += bases(of: there)
        }
        let bytes = closure.reduce(0) { $0 + (frames[$1]?.frame.rawBytes ?? 0) }
        if (base.depth, base.closureFrames, base.closureBytes) != (depth, closure.count, bytes) {
            problems.append(
                "\(name): says \(base.depth), \(base.closureFrames), \(base.closureBytes); has \(depth), \(closure.count), \(bytes)"
            )
        }
        if depth > limits.depth || closure.count > limits.closureFrames
            || bytes > limits.closureBytes
        {
            problems.append("\(name): \(depth), \(closure.count), \(bytes) are beyond \(limits)")
        }
        greatestDepth = max(greatestDepth, depth)
        greatestClosure = max(greatestClosure, closure.count)
    }
}

extension DeltaAudit: CustomStringConvertible {
    var description: String {
        "\(dataDeltas) deltas of data, \(inlineDeltas) carried, \(listDeltas) of lists, at most \(greatestDepth) deep over \(greatestClosure) frames"
    }
}

/// Deltas that plain compression at the same level would have made no longer, in words; and how
/// many deltas were looked at.
func uselessDeltas(_ vault: Vault) throws -> (looked: Int, useless: [String]) {
    let context = try vault.requiredContext(.shared)
    let index = try vault.openIndex(.shared)
    let decoder = try FrameDecoder(
        context, ChunkFinder(context, index), DecodedFrames(bytesMax: 16 << 20))
    var compressor = Compressor()
    var looked = 0
    var useless: [String] = []
    for object in try context.store.list(.packs(.shared)) {
        guard case .pack(_, let id) = object.name else { continue }
        let directory = OpenDirectory(
            .pack(object.name), try PackDirectories.read(id, context).0, context)
        for (number, frame) in directory.frames.enumerated() where frame.codec == .delta {
            looked += 1
            let stored = Int(frame.storedBytes)
            let plain = try decoder.frame(number, of: directory).withBytes { bytes in
                var room = [UInt8](repeating: 0, count: bytes.count + 1024)
                return try room.withUnsafeMutableBytes {
                    try compressor.compress(bytes, level: 3, into: $0, limit: bytes.count)
                }
            }
            if let plain, plain <= stored {
                useless.append("\(object.name), frame \(number): \(stored), plain \(plain)")
            }
        }
    }
    return (looked, useless)
}
