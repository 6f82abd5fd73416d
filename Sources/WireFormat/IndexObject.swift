/// Copies of pack directories (docs/format.md, section 8).
package struct IndexObject: Sendable {
    package struct Pack: Sendable {
        package let id: ObjectID
        package let contentClass: ContentClass
        package let fileBytes: Int
        /// The fields of the directory, as in the pack.
        package let directory: [UInt8]

        package init(id: ObjectID, contentClass: ContentClass, fileBytes: Int, directory: [UInt8]) {
            self.id = id
            self.contentClass = contentClass
            self.fileBytes = fileBytes
            self.directory = directory
        }
    }

    package var packs: [Pack]

    package init(packs: [Pack]) { self.packs = packs }

    package var bytes: [UInt8] {
        var fields = FieldWriter()
        for pack in packs {
            var writer = ByteWriter(capacity: pack.directory.count + 25)
            writer.id(pack.id)
            writer.u8(pack.contentClass.rawValue)
            writer.u64(pack.fileBytes)
            writer.raw(pack.directory)
            fields.field(.critical(1), writer.bytes)
        }
        return fields.bytes
    }

    package init(_ bytes: [UInt8], what: String) throws(WireError) {
        let fields = try FieldReader(bytes, what: what, known: 1...1, repeated: [1])
        packs = []
        for value in fields.all(1) {
            var reader = ByteReader(value, what: what)
            let id = try reader.id(ObjectID.self)
            guard let contentClass = ContentClass(rawValue: try reader.u8()) else {
                throw .unknown("\(what) holds a class this program does not know")
            }
            let fileBytes = try reader.u64()
            guard fileBytes <= Limits.objectBytes else {
                throw reader.malformed("a pack has \(fileBytes) bytes")
            }
            packs.append(
                Pack(
                    id: id, contentClass: contentClass, fileBytes: fileBytes,
                    directory: reader.rest()))
        }
    }
}
