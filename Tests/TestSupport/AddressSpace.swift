import Glibc

/// Lets this process map at most so many bytes more than it has: an allocation beyond ends it. For
/// exit tests, whose process is their own.
package func limitAddressSpace(toFurtherBytes further: Int) {
    guard let file = fopen("/proc/self/statm", "r") else { fatalError("there is no /proc") }
    var pages = 0
    let found = withUnsafeMutablePointer(to: &pages) {
        withVaList([$0]) { vfscanf(file, "%ld", $0) }
    }
    fclose(file)
    guard found == 1 else { fatalError("/proc/self/statm says nothing") }
    let bytes = rlim_t(pages * Int(sysconf(Int32(_SC_PAGESIZE))) + further)
    var limit = rlimit(rlim_cur: bytes, rlim_max: bytes)
    guard setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0 else {
        fatalError("no limit can be set")
    }
}
