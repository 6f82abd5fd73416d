import CLinux
import Files
import Vault
import WireFormat

/// Turns what the kernel says of a file into an entry of the catalog.
struct FileAttributes {
    private let calls: SystemCalls
    private var userNames: [uid_t: [UInt8]] = [:]
    private var groupNames: [gid_t: [UInt8]] = [:]
    /// First names of files that have several, by device and inode.
    private var linked: [Inode: [UInt8]] = [:]

    private struct Inode: Hashable {
        let device: UInt64
        let number: UInt64
    }

    private static let attributeBytesMax = 64 << 10

    init(_ surroundings: Surroundings) { calls = surroundings.systemCalls }

    /// Everything but the content. A second name of a file becomes a hard link to the first.
    mutating func entry(_ found: FoundFile) throws -> CatalogEntry {
        let status = found.status
        var entry = CatalogEntry(path: found.catalogPath, kind: status.kind.rawValue)
        entry.mode = UInt32(status.st_mode) & 0o7777
        (entry.user, entry.group) = (status.st_uid, status.st_gid)
        entry.userName = userName(status.st_uid)
        entry.groupName = groupName(status.st_gid)
        entry.modified = CatalogEntry.Time(
            seconds: Int64(status.st_mtim.tv_sec), nanoseconds: UInt32(status.st_mtim.tv_nsec))
        entry.changed = CatalogEntry.Time(
            seconds: Int64(status.st_ctim.tv_sec), nanoseconds: UInt32(status.st_ctim.tv_nsec))
        (entry.device, entry.inode) = (UInt64(status.st_dev), UInt64(status.st_ino))
        if status.kind != .directory && status.st_nlink > 1 {
            let inode = Inode(device: entry.device, number: entry.inode)
            if let first = linked[inode] {
                entry.hardLink = first
                return entry
            }
            linked[inode] = found.catalogPath
        }
        switch status.kind {
        case .symbolicLink: entry.linkTarget = try target(found.path)
        case .characterDevice, .blockDevice:
            entry.special = (repo_major(status.st_rdev), repo_minor(status.st_rdev))
        default: break
        }
        entry.attributes = attributes(found.path)
        return entry
    }

    private func target(_ path: Path) throws -> [UInt8] {
        var bytes = [CChar](repeating: 0, count: 4096)
        let count = calls.readlink(path, &bytes, bytes.count)
        guard count >= 0 else { throw FileError("read the link", path, code: Int32(-count)) }
        return bytes[..<count].map { UInt8(bitPattern: $0) }
    }

    /// Extended attributes, in the order of their names; a file system without them has none.
    private func attributes(_ path: Path) -> [CatalogEntry.Attribute] {
        var list = [CChar](repeating: 0, count: Self.attributeBytesMax)
        let count = calls.listAttributes(path, &list, list.count)
        guard count > 0 else { return [] }
        let names = list[..<count].split(separator: 0).map { $0.map { UInt8(bitPattern: $0) } }
        var found: [CatalogEntry.Attribute] = []
        for name in names.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            var value = [UInt8](repeating: 0, count: Self.attributeBytesMax)
            let length = value.withUnsafeMutableBytes {
                calls.getAttribute(
                    path, String(decoding: name, as: UTF8.self), $0.baseAddress, $0.count)
            }
            guard length >= 0 else { continue }
            found.append(CatalogEntry.Attribute(name: name, value: Array(value[..<length])))
        }
        return found
    }

    private mutating func userName(_ id: uid_t) -> [UInt8] {
        if let known = userNames[id] { return known }
        let name = getpwuid(id).map { Array(String(cString: $0.pointee.pw_name).utf8) } ?? []
        userNames[id] = name
        return name
    }

    private mutating func groupName(_ id: gid_t) -> [UInt8] {
        if let known = groupNames[id] { return known }
        let name = getgrgid(id).map { Array(String(cString: $0.pointee.gr_name).utf8) } ?? []
        groupNames[id] = name
        return name
    }
}
