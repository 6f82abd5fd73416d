import Sealing

/// What a person or a script opens a repository with.
package struct Credential: ~Copyable, Sendable {
    package enum Kind: String, Sendable {
        /// UTF-8, 1 to 1024 bytes.
        case password
        /// The 32 bytes of a key file.
        case keyFile = "key file"
        /// The root key itself.
        case recoveryKey = "recovery key"
    }

    package let kind: Kind
    package let secret: Secret

    package init(_ kind: Kind, _ secret: consuming Secret) {
        self.kind = kind
        self.secret = secret
    }
}
