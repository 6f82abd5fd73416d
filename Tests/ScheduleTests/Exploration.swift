/// All orders with so many preemptions in which the clients of a scene may come, tried one after the other.
///
/// Each state is left once by every client that may go on (see `Chronicle`); where a play comes to one that was
/// seen before it is broken off. Those with few preemptions come first: a client is preempted where another
/// one goes on though it has not ended. Most faults need one or two.
///
/// A class: the plays go through it.
final class Exploration: Schedule {
    /// A way to a state that was not yet seen: who went on at each step.
    private struct Branch {
        let choices: [UInt8]
        let preemptions: Int
    }

    private let preemptionsMax: Int
    /// By the number of preemptions.
    private var branches: [[Branch]]
    private var seen: Set<State> = []
    private var current: Branch
    private var taken: [UInt8] = []
    /// Where the choice before was made. Who goes on until his first request, or dies, has changed nothing.
    private var last: (state: Int, going: Int)?
    private(set) var playCount = 0
    /// Of the play that goes on.
    private var chronicle = Chronicle(clients: 0, [])
    private var atNewState: () -> Bool = { true }

    private struct State: Hashable {
        let play: Int
        /// Whose going on is no preemption.
        let current: Int?
    }

    var stateCount: Int { seen.count }

    init(preemptionsMax: Int) {
        self.preemptionsMax = preemptionsMax
        current = Branch(choices: [], preemptions: 0)
        branches = [[current]]
    }

    /// The next way to try begins.
    /// - Parameter atNewState: what is done in each state that was not seen before; false breaks off.
    /// - Returns: false where none is left.
    func begin(_ chronicle: Chronicle, atNewState: @escaping () -> Bool) -> Bool {
        guard let place = branches.firstIndex(where: { !$0.isEmpty }) else { return false }
        current = branches[place].removeLast()
        taken.removeAll(keepingCapacity: true)
        last = nil
        playCount += 1
        self.chronicle = chronicle
        self.atNewState = atNewState
        return true
    }

    func next(of running: [Int], current: Int?) -> Int? {
        if taken.count < self.current.choices.count {
            let choice = self.current.choices[taken.count]
            precondition(running.contains(Int(choice)), "the same choices lead to the same state")
            taken.append(choice)
            if taken.count == self.current.choices.count { last = (chronicle.state, Int(choice)) }
            return Int(choice)
        }
        let state = chronicle.state
        if let last, last.state == state, last.going == current {
            taken.append(UInt8(last.going))
            return last.going
        }
        guard seen.insert(State(play: state, current: current)).inserted, atNewState() else { return nil }
        let going = current ?? running[0]
        for other in running where other != going {
            let count = self.current.preemptions + (current == nil ? 0 : 1)
            guard count <= preemptionsMax else { continue }
            while branches.count <= count { branches.append([]) }
            branches[count].append(Branch(choices: taken + [UInt8(other)], preemptions: count))
        }
        last = (state, going)
        taken.append(UInt8(going))
        return going
    }
}
