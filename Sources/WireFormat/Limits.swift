/// The maxima of the format (docs/format.md, section 17). Whatever is read from outside is held
/// against them before anything is allocated for it.
package enum Limits {
    package static let objectBytes = 64 << 20
    package static let packTargetBytes = 16 << 20
    package static let chunkBytes = 1 << 20
    package static let frameRawBytes = 1 << 20
    package static let framesPerSegment = 1024
    package static let segmentPlaintextBytes = 2 << 20
    package static let baseRawBytes = 4 << 20
    package static let piecesPerBase = 256
    package static let depth = 32
    package static let closureFrames = 64
    package static let closureBytes = 16 << 20
    package static let zstdWindowLog = 23
    package static let nodeBytes = 64 << 10
    package static let nodeLevel = 6
    package static let inlineListEntries = 256
    package static let inlineContentBytes = 64 << 10
    package static let inlineSegmentBytes = 64 << 10
    package static let catalogEntryBytes = 1 << 20
    package static let fieldsPerObject = 1_000_000
    package static let keySlots = 64
    package static let nameBytes = 255
    package static let passwordBytes = 1024
    package static let messagesPerEnvelope = 1 << 20
    package static let envelopeBytes = 1 << 30
}
