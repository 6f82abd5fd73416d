import ObjectStorage
import Sealing
import WireFormat

/// What reading and writing in one domain of one repository needs.
package struct DomainContext: Sendable {
    package let store: any ObjectStore
    package let keyring: Keyring
    package let keys: DomainKeys
    package let random: HedgedRandom

    package init(store: any ObjectStore, keyring: Keyring, keys: DomainKeys, random: HedgedRandom) {
        self.store = store
        self.keyring = keyring
        self.keys = keys
        self.random = random
    }

    package var domain: DomainID { DomainID(word: keys.domain) }

    /// A name that was never used.
    package func newID(_ label: String, mixing plaintext: [UInt8] = []) throws -> ObjectID {
        ObjectID(
            try random.draw(label, count: ObjectID.byteCount, key: keys.auth, mixing: plaintext))
    }
}
