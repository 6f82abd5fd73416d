import Faults
import Files
import Operations
import Sealing
import Vault
import WireFormat

/// `repo key`: who can open the repository, and what they can do then.
enum KeyCommand {
    static let all = [listCommand, addCommand, removeCommand, recoveryCommand]

    private static let kind = Option(
        "kind", value: "KIND", "full (default), write or maintain: see above")
    private static let label = Option(
        "label", value: "TEXT", "a name for the key, as repo key list shows it")
    private static let recoveryFile = Option("to", value: "FILE", "a new file for the recovery key")

    // MARK: list

    private static let listCommand = Command(
        "key list", summary: "show the keys", usage: [""],
        description: "Shows every key slot: its id, what its key may do, and what opens it.",
        examples: [.init("repo key list", "the key that opened the repository just now has a star")]
    ) { session in
        let vault = try session.openVault()
        let keys = try vault.keys()
        if session.console.isJSON {
            for key in keys { try session.console.out(json(key)) }
            return .done
        }
        var table = Table([
            .init("id"), .init("kind"), .init("opened by"), .init("made"), .init("label"),
            .init(""),
        ])
        for key in keys {
            table.add([
                key.id.short, "\(key.kind)", words(key.secret), Times.local(key.created),
                key.label ?? "",
                key.isOpen ? "*" : "",
            ])
        }
        try session.console.out(table)
        return .done
    }

    private static func words(_ secret: KeySlot.SecretKind) -> String {
        switch secret {
        case .password: "password"
        case .keyFile: "key file"
        }
    }

    private static func json(_ key: Vault.Key) -> JSON {
        .object([
            "type": "key", "key": .string("\(key.id)"), "kind": .string("\(key.kind)"),
            "secret": .string(words(key.secret)), "created": .string(Times.utc(key.created)),
            "label": .optional(key.label), "domain": .optional(key.domain?.description),
            "open": .bool(key.isOpen),
        ])
    }

    // MARK: add

    private static let addCommand = Command(
        "key add", summary: "make another key",
        usage: ["[--kind KIND] [--label TEXT] [--new-... FILE]"],
        description: """
            Makes a key slot for another password or key file. It takes a full key to do so.

              full      may do everything
              write     adds snapshots and sees only its own: for a database host. It can
                        read no stored data, so whoever takes over the host cannot either
              maintain  checks and forgets, and can read no stored data

            The new password is asked for, twice, unless one of the --new- options says
            where it is. The other options open the repository, as always.
            """,
        options: [kind, label] + NewCredential.options,
        examples: [
            .init("repo key add --label anna", "asks for the password of another person"),
            .init(
                "repo key add --kind write --label db1 --new-key-file db1.key --generate",
                "a key file for a host that shall add and read nothing back"),
        ]
    ) { session in
        let chosen =
            try session.arguments.choice(
                kind,
                of: [("full", KeySlot.KeyKind.full), ("write", .write), ("maintain", .maintain)])
            ?? .full
        let new = try NewCredential(session.arguments, session.environment)
        let vault = try session.openVault()
        let id = try new.make(session) { credential in
            try vault.addKey(chosen, credential, label: try session.arguments.text(label))
        }
        if session.console.isJSON {
            try session.console.out(
                .object(["type": "summary", "key": .string("\(id)"), "kind": .string("\(chosen)")]))
        }
        try session.console.summary("added key \(id.short)  \(chosen)")
        return .done
    }

    // MARK: remove

    private static let removeCommand = Command(
        "key remove", summary: "take a key away", usage: ["ID"],
        description: """
            Removes a key slot: its password or key file opens the repository no more. The
            last full key stays. Who has opened the repository with it before may have kept
            what was inside: a key that got into wrong hands is not undone by this.
            """,
        operands: [Operand("ID")],
        examples: [
            .init(
                "repo key remove 1a2b3c4d", "the id as repo key list shows it, or its first digits")
        ]
    ) { session in
        let text = try session.arguments.text(operand: 0) ?? ""
        let vault = try session.openVault()
        let key = try vault.removeKey(text)
        if session.console.isJSON {
            try session.console.out(
                .object([
                    "type": "summary", "key": .string("\(key.id)"), "kind": .string("\(key.kind)"),
                ]))
        }
        let label = key.label.map { "  \(printable($0))" } ?? ""
        try session.console.summary("removed key \(key.id.short)  \(key.kind)\(label)")
        return .done
    }

    // MARK: recovery

    private static let recoveryCommand = Command(
        "key recovery", summary: "write the recovery key once more", usage: ["[--to FILE]"],
        description: """
            Writes the recovery key to a new file that only its owner can read, or shows it
            on the terminal. It takes a full key to do so.
            """,
        options: [recoveryFile],
        examples: [
            .init(
                "repo key recovery --to /media/usb/recovery-key", "another copy for another drawer")
        ]
    ) { session in
        let output = try RecoveryKeyOutput.choose(
            recoveryFile, session.arguments, session.console.settings)
        let vault = try session.openVault()
        let key = try vault.recoveryKey()
        guard case .file(let path) = output else {
            try session.console.out(key)
            return .done
        }
        var file = try SecretFile(reserving: path, calls: session.surroundings.systemCalls)
        do {
            try file.write(RecoveryKeyOutput.fileText(key, of: vault))
        } catch {
            file.discard()
            throw error
        }
        if session.console.isJSON {
            try session.console.out(
                .object(["type": "summary", "recovery_key_file": .string("\(path)")]))
        }
        try session.console.summary("the recovery key is in \(printable("\(path)"))")
        return .done
    }
}
