import Files
import Snapshots
import Vault
import WireFormat

/// Restores all that a group saved together below a directory: files and archives into a directory
/// of their series' name each, streams as files.
///
/// Every name is looked at before anything is written: what cannot all be restored is not begun.
/// - Parameters:
///   - like: how; its target is the directory.
///   - each: told of every snapshot that is back.
package func restore(
    _ occurrence: Occurrence, like request: RestoreRequest, from vault: Vault,
    each: (Snapshot, RestoreOutcome) throws -> Void
) throws {
    for (snapshot, path) in try groupTargets(occurrence, request, vault) {
        var one = request
        one.snapshot = snapshot
        one.target = path
        try each(snapshot, try restore(one, from: vault))
    }
}

/// Where each snapshot goes; makes the directory.
private func groupTargets(
    _ occurrence: Occurrence, _ request: RestoreRequest, _ vault: Vault
) throws -> [(Snapshot, Path)] {
    let directories = Directories(vault.surroundings.systemCalls)
    var owners: [String: String] = [:]
    var targets: [(Snapshot, Path)] = []
    for snapshot in occurrence.snapshots {
        let manifest = try readManifest(of: snapshot, in: vault)
        let name = try groupName(manifest)
        if let other = owners.updateValue(snapshot.head.series, forKey: name) {
            throw OperationError.sameName(name, [other, snapshot.head.series])
        }
        let path = request.target / name
        if !request.overwrite && !request.inPlace, try directories.status(path) != nil {
            throw OperationError.alreadyThere("\(path)")
        }
        targets.append((snapshot, path))
    }
    try directories.make(request.target, mode: 0o755)
    return targets
}

/// One component of a path, whatever the head says that its series is called.
private func groupName(_ manifest: Manifest) throws -> String {
    try checkName(manifest.head.series, of: "series")
    if manifest.stream(.catalog) == nil && manifest.stream(.members) == nil {
        return fileName(manifest)
    }
    let name = manifest.head.series.replacing("/", with: "-")
    guard name != "." && name != ".." else {
        throw OperationError.badName(name, of: "directory", why: "it means another one")
    }
    return name
}
