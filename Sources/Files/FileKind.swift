import CLinux

/// What stands under a name in a directory.
package enum FileKind: UInt8, Sendable {
    case file = 1
    case directory = 2
    case symbolicLink = 3
    case characterDevice = 4
    case blockDevice = 5
    case fifo = 6
    case socket = 7
}

extension stat {
    package var kind: FileKind {
        switch Int32(bitPattern: st_mode) & S_IFMT {
        case S_IFDIR: .directory
        case S_IFLNK: .symbolicLink
        case S_IFCHR: .characterDevice
        case S_IFBLK: .blockDevice
        case S_IFIFO: .fifo
        case S_IFSOCK: .socket
        default: .file
        }
    }
}
