import Workers

/// Asks something of many things, several at once, and hands over the answers in order.
/// - Parameters:
///   - atOnce: so many are asked at once; 0 asks one after the other, on this thread.
///   - take: what to do with an answer, on this thread.
package func askAll<Item: Sendable, Answer: Sendable>(
    _ items: [Item], atOnce: Int, _ ask: @escaping @Sendable (Item) throws -> Answer,
    _ take: (Item, Result<Answer, any Error>) throws -> Void
) throws {
    guard atOnce > 1, items.count > 1 else {
        for item in items { try take(item, Result { try ask(item) }) }
        return
    }
    let count = min(atOnce, items.count)
    let askers = Pipeline(workers: count, inFlight: count) { Asker(ask) }
    defer { askers.stop() }
    var taken = 0
    func takeOldest() throws {
        guard let answer = try askers.take() else { return }
        taken += 1
        try take(items[taken - 1], answer)
    }
    for item in items {
        if askers.isFull { try takeOldest() }
        askers.submit(item)
    }
    while askers.count > 0 { try takeOldest() }
}

/// Asks one thing after the other; that there is no answer is one as well.
private final class Asker<Item: Sendable, Answer: Sendable>: PipelineWorker {
    private let ask: @Sendable (Item) throws -> Answer

    init(_ ask: @escaping @Sendable (Item) throws -> Answer) { self.ask = ask }

    func run(_ item: Item) throws -> Result<Answer, any Error> { Result { try ask(item) } }
}
