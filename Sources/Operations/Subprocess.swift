import CLinux
import Faults
import Vault

/// Starts commands without a shell.
enum Subprocess {
    /// What is ours alone and no business of a command's.
    private static let secretVariables = ["REPO_PASSWORD=", "REPO_PASSWORD_COMMAND="]

    /// - Parameters:
    ///   - arguments: the program, looked up in PATH, and its arguments.
    ///   - streams: the descriptors that become the command's 0, 1 and 2; nil keeps ours, and for 0
    ///     means `/dev/null`.
    static func start(
        _ arguments: [[UInt8]], input: Int32?, output: Int32?, error: Int32?
    ) throws(CommandFailed) -> pid_t {
        guard let program = arguments.first, !program.isEmpty else {
            throw CommandFailed(program: "an empty command", code: EINVAL)
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let input {
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", repo_read_flags(), 0)
        }
        if let output { posix_spawn_file_actions_adddup2(&actions, output, 1) }
        if let error { posix_spawn_file_actions_adddup2(&actions, error, 2) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // We ignore SIGPIPE; a command must not. What the user had ignored, as nohup does, stays
        // ignored.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))

        var argv = arguments.map { copy($0) } + [nil]
        defer { for argument in argv { free(argument) } }
        var environment: [UnsafeMutablePointer<CChar>?] = []
        var next = repo_environment()
        while let place = next, let entry = place.pointee {
            let text = String(cString: entry)
            if !secretVariables.contains(where: { text.hasPrefix($0) }) {
                environment.append(entry)
            }
            next = place + 1
        }
        environment.append(nil)
        var process = pid_t()
        let result = posix_spawnp(&process, argv[0]!, &actions, &attributes, &argv, &environment)
        guard result == 0 else {
            throw CommandFailed(program: String(decoding: program, as: UTF8.self), code: result)
        }
        return process
    }

    /// Waits for the end of a command; its status as wait(2) gives it. A signal that asks us to end
    /// is passed on to it.
    static func wait(_ process: pid_t, _ surroundings: Surroundings) -> Int32 {
        var status: Int32 = 0
        var isTold = false
        while waitpid(process, &status, 0) < 0 && repo_errno() == EINTR {
            if let signal = surroundings.stopRequested(), !isTold {
                isTold = true
                kill(process, signal)
            }
        }
        return status
    }

    /// Ends a command whose work is not wanted any more.
    static func end(_ process: pid_t, _ surroundings: Surroundings) {
        kill(process, SIGTERM)
        kill(process, SIGCONT)
        _ = wait(process, surroundings)
    }

    /// NUL-terminated, to be freed.
    private static func copy(_ bytes: [UInt8]) -> UnsafeMutablePointer<CChar>? {
        let copy = UnsafeMutablePointer<CChar>(OpaquePointer(malloc(bytes.count + 1)))
        for (index, byte) in bytes.enumerated() { copy?[index] = CChar(bitPattern: byte) }
        copy?[bytes.count] = 0
        return copy
    }
}

/// A command that could not be started.
package struct CommandFailed: Explained {
    let program: String
    let code: Int32

    package var message: String {
        "cannot run \(program): \(String(cString: strerror(code)).lowercased())"
    }
    package var hint: String? { code == ENOENT ? "is it installed, and in PATH?" : nil }
}
