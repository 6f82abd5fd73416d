import PackStore
import Sealing

/// Naming chunks, and the check of a whole stream.
enum NamingFigures {
    private static let chunkBytes = 16 << 10

    static func take(_ figures: inout Figures, _ text: [UInt8]) throws {
        let namer = try MadeKeys.context().keys.namer(ofClass: 0)
        var name = [UInt8](repeating: 0, count: 32)
        figures.bytes("name chunks of 16 KiB", text.count) {
            name.withUnsafeMutableBufferPointer { name in
                guard let base = name.baseAddress else { return }
                text.forEachPart(of: chunkBytes) { namer.name($0, into: base) }
            }
        }
        figures.bytes("checksum of the stream", text.count) {
            let checksum = StreamChecksum(
                key: [UInt8](repeating: 7, count: StreamChecksum.keyBytes))
            text.forEachPart(of: Micro.frameBytes) { checksum.update($0) }
            _ = checksum.finish()
        }
    }
}
