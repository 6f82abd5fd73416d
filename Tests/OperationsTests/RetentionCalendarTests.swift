import Files
import Operations
import Snapshots
import Testing
import WireFormat

/// Years of backups under a clock that is no clock, against lists made from the calendar by other
/// code (Tests/Retention/make_expected.py).
@Suite struct RetentionCalendarTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var title = ""
        var rules = RetentionRules()
        var made: [Int64] = []
        var kept: [(look: Int64, times: [Int64])] = []

        var testDescription: String { title }
    }

    static let cases: [Case] = {
        let path = String(#filePath.dropLast("OperationsTests/RetentionCalendarTests.swift".count))
        guard
            let bytes = try? Directories(.kernel).contents(
                of: Path(path + "Retention/expected.txt"), limit: 1 << 22)
        else { return [] }
        var cases: [Case] = []
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            let times = { (words: ArraySlice<Substring>) in words.map { utc($0) } }
            switch words[0] {
            case "case": cases.append(Case(title: words.dropFirst().joined(separator: " ")))
            case "rules": cases[cases.count - 1].rules = rules(words.dropFirst().map { String($0) })
            case "every":
                let step = (Int64(words[1]) ?? 1) * minute
                cases[cases.count - 1].made += Array(
                    stride(from: utc(words[2]), through: utc(words[3]), by: Int(step)))
            case "made": cases[cases.count - 1].made += times(words.dropFirst())
            case "kept":
                cases[cases.count - 1].kept.append((utc(words[1]), times(words.dropFirst(2))))
            default: break
            }
        }
        return cases
    }()

    private static func rules(_ words: [String]) -> RetentionRules {
        var rules = words == ["--gfs"] ? RetentionRules.gfs : RetentionRules()
        for (option, value) in zip(words, words.dropFirst()) {
            let count = UInt32(value) ?? 0
            switch option {
            case "--keep-hourly": rules.keepHourly = count
            case "--keep-daily": rules.keepDaily = count
            case "--keep-weekly": rules.keepWeekly = count
            case "--keep-monthly": rules.keepMonthly = count
            case "--keep-yearly": rules.keepYearly = count
            case "--timezone": rules.timezone = value
            case "--week-starts": rules.weekStart = value == "monday" ? 1 : 0
            default: break
            }
        }
        return rules
    }

    @Test func `the lists are there`() { #expect(Self.cases.count >= 14) }

    @Test(arguments: cases)
    func `dropping night by night leaves what the calendar says`(_ test: Case) throws {
        var made = Made()
        var there: [Snapshot] = []
        var looks = test.kept[...]
        for time in test.made {
            there.append(made.snapshot("shop", time) { $0.flags = .timeGiven })
            let plan = try input(there, test.rules).plan()
            there = plan.decisions.filter { $0.keeps }.map { $0.snapshot }
            guard let look = looks.first, look.look <= time else { continue }
            #expect(look.look == time)
            #expect(
                there.map { Times.utc($0.head.time) } == look.times.map { Times.utc($0) },
                "at \(Times.utc(time))")
            looks = looks.dropFirst()
        }
        #expect(looks.isEmpty)
    }

    @Test func `a night's decisions do not depend on the nights that were pruned before`() throws {
        let test = try #require(Self.cases.first { $0.title.hasPrefix("nights are missed") })
        var made = Made()
        let all = test.made.map { made.snapshot("shop", $0) { $0.flags = .timeGiven } }
        let plan = try input(all, test.rules).plan()
        #expect(
            plan.decisions.filter { $0.keeps }.map { $0.snapshot.head.time }
                == test.kept.last?.times)
    }
}
