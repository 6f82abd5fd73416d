import Sealing

/// What a store knows a client by.
///
/// A class: the secret must not be copied about.
final class Credentials: Sendable {
    let accessKey: String
    /// Of credentials that were given for a while.
    let token: String?
    /// Milliseconds since 1970; nil for ever.
    let expires: Int64?
    private let secret: Secret

    /// - Parameter secretKey: wiped.
    init(
        accessKey: String, secretKey: inout [UInt8], token: String? = nil, expires: Int64? = nil
    ) {
        self.accessKey = accessKey
        self.token = token
        self.expires = expires
        var key = Array("AWS4".utf8) + secretKey
        secretKey.wipe()
        // A longer key of a code stands for its hash (RFC 2104).
        if key.count > 64 {
            var hash = SHA256.hash(key)
            key.wipe()
            secret = Secret(moving: &hash)
        } else {
            secret = Secret(moving: &key)
        }
    }

    /// What the key of a signature is made of.
    var signingSecret: Secret { secret.copy() }
}
