/// What database pages a file is made of, by its name.
package enum PageKind: Sendable {
    case innodb
    /// Changed pages only, as xtrabackup keeps them.
    case innodbDelta
    case postgres
}

extension PageKind {
    /// InnoDB's tablespaces and what xtrabackup makes of them, PostgreSQL's relations.
    init?(path: [UInt8]) {
        let components = path.split(separator: UInt8(ascii: "/"))
        guard let name = components.last else { return nil }
        if name.has(suffix: ".ibd.delta") {
            self = .innodbDelta
        } else if name.has(suffix: ".ibd") || name.has(suffix: ".ibu")
            || ["ibdata", "undo", "ibtmp"].contains(where: { name.starts(with: $0.utf8) })
        {
            self = .innodb
        } else if components.count >= 2, name.first.map(Self.isDigit) == true,
            components[components.count - 2].elementsEqual("global".utf8)
                || components[components.count - 2].allSatisfy(Self.isDigit)
        {
            // base/5/1259_vm.1 and global/1260, also below pg_tblspc/16385/PG_15_202209061
            self = .postgres
        } else {
            return nil
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}

extension ArraySlice<UInt8> {
    fileprivate func has(suffix: String) -> Bool {
        self.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
    }
}
