import ObjectStorage
import Sealing
import WireFormat

/// Keys of envelopes that this machine sealed and keeps, to make deltas against what it wrote
/// itself: a key that only writes cannot open them otherwise.
package protocol EnvelopeKeys: Sendable {
    /// The key of an envelope; nil where it was not kept.
    func key(of envelope: StoredEnvelope) -> EnvelopeKey?
    /// Keeps a key. What cannot be kept is only missed.
    func keep(_ key: EnvelopeKey, of envelope: StoredEnvelope)
}

/// What reading and writing in one domain of one repository needs.
package struct DomainContext: Sendable {
    package var store: any ObjectStore
    package let keyring: Keyring
    package let keys: DomainKeys
    package let random: HedgedRandom
    /// Where a key that only writes keeps what it can later open of its own; nil for other keys.
    package var keeper: (any EnvelopeKeys)?
    /// Whether what was kept opens envelopes here: to make deltas, and for nothing else.
    package var opensKept = false
    /// So many things a far store is asked at once; 0 asks one after the other, on the thread that
    /// wants to know.
    package var requestsAtOnce = 0

    /// Whether listings may lack what was written, or show what is gone.
    package var isEventual = false

    package init(store: any ObjectStore, keyring: Keyring, keys: DomainKeys, random: HedgedRandom) {
        self.store = store
        self.keyring = keyring
        self.keys = keys
        self.random = random
    }

    /// So many packs are put at once; each holds a buffer of some ten megabytes meanwhile.
    package var putsAtOnce: Int { store.isNear ? 1 : 6 }

    package var domain: DomainID { DomainID(word: keys.domain) }

    /// A name that was never used.
    package func newID(_ label: String, mixing plaintext: [UInt8] = []) throws -> ObjectID {
        ObjectID(
            try random.draw(label, count: ObjectID.byteCount, key: keys.auth, mixing: plaintext))
    }
}
