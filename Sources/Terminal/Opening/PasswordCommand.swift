import CLinux
import Files
import Sealing

/// Runs the command that prints a password.
enum PasswordCommand {
    /// - Parameter command: for `/bin/sh -c`. Its input is empty, its errors are ours, our own
    ///   secrets are not in its environment.
    static func run(_ command: [UInt8], calls: SystemCalls) throws -> Secret {
        var ends: [Int32] = [-1, -1]
        let result = repo_pipe(&ends)
        guard result == 0 else {
            throw FileError("make a pipe for", "the password command", code: -result)
        }
        let output = Descriptor(adopting: ends[0], path: "the password command", calls: calls)
        let process = start(command, output: ends[1])
        _ = repo_close(ends[1])
        guard process > 0 else { throw CredentialError.commandFailed("cannot be started") }

        let read: Result<Secret, any Error>
        do {
            read = .success(
                try SecretReader(calls: calls).password(
                    output, source: "the password command's output"))
        } catch {
            read = .failure(error)
        }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 && repo_errno() == EINTR {}
        if repo_exited(status) == 0 {
            // A command that is ended because nobody reads the rest of what it says has said its
            // password.
            let signal = repo_term_signal(status)
            if signal != SIGPIPE {
                throw CredentialError.commandFailed("was ended by signal \(signal)")
            }
        } else if repo_exit_status(status) != 0 {
            throw CredentialError.commandFailed(
                "failed with exit status \(repo_exit_status(status))")
        }
        return try read.get()
    }

    private static let secretVariables = [GlobalOptions.passwordVariable, "REPO_PASSWORD_COMMAND"]

    private static func start(_ command: [UInt8], output: Int32) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        for signal in [SIGINT, SIGTERM, SIGPIPE] { sigaddset(&signals, signal) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))

        var environment: [UnsafeMutablePointer<CChar>?] = []
        var next = repo_environment()
        while let place = next, let entry = place.pointee {
            let isSecret = secretVariables.contains {
                strncmp(entry, "\($0)=", $0.utf8.count + 1) == 0
            }
            if !isSecret { environment.append(entry) }
            next = place + 1
        }
        environment.append(nil)
        return Path(bytes: command).withCString { command in
            var argv: [UnsafeMutablePointer<CChar>?] = [
                strdup("sh"), strdup("-c"), strdup(command), nil,
            ]
            defer { for word in argv { free(word) } }
            var process: pid_t = 0
            return posix_spawn(&process, "/bin/sh", &actions, &attributes, &argv, &environment) == 0
                ? process : -1
        }
    }
}
