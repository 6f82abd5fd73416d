/// One dump in a stream of text, from its header to its own end. Dumps follow each other, and a
/// cluster dump of PostgreSQL holds those of its databases.
struct TextPart {
    enum Kind { case mysql, xml, postgres, cluster, sqlite }

    /// What is being written, for the message of a dump that was cut off.
    enum Place {
        case header
        case closing
        case named(kind: String, database: String?, schema: String?, name: String)
        case statement(String)
    }

    let kind: Kind
    let start: UInt64
    var place = Place.header
    /// MySQL: a header comment was there, so `-- Dump completed` must come.
    var hasHeader = false
    /// MySQL: the variables that were saved in `@OLD_` and not yet set back.
    var savedVariables: [[UInt8]] = []
    var hasSavedVariables = false
    /// PostgreSQL: the key of `\restrict`, until `\unrestrict` lifts it.
    var restrictKey: [UInt8]?
    /// PostgreSQL: the line that says complete was seen.
    var isComplete = false

    init(_ kind: Kind, start: UInt64) {
        self.kind = kind
        self.start = start
    }

    /// Nothing but the sandbox line came yet.
    var isFresh: Bool {
        if case .header = place { !hasHeader && !hasSavedVariables } else { false }
    }

    /// What must still come; nil: nothing was promised.
    var wanted: String? {
        switch kind {
        case .mysql:
            if hasHeader { return "the line '-- Dump completed'" }
            guard let last = savedVariables.last else { return nil }
            let name = String(decoding: last, as: UTF8.self)
            return "the line 'SET \(name)=@OLD_\(name)'"
        case .xml: return "the line '</mysqldump>'"
        case .postgres:
            return isComplete
                ? "the line '\\unrestrict'" : "the line '-- PostgreSQL database dump complete'"
        case .cluster: return "the line '-- PostgreSQL database cluster dump complete'"
        case .sqlite: return "the line 'COMMIT;'"
        }
    }

    var placeText: String {
        switch place {
        case .header: return "its header"
        case .closing: return "its closing lines"
        case .statement(let text): return text
        case .named(let kind, let database, let schema, let name):
            let full = [database, schema, name].compactMap(\.self).joined(separator: ".")
            return full.isEmpty ? kind : "\(kind) \(full)"
        }
    }
}
