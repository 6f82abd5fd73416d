import CLinux
import Faults
import Files

/// The program from its first instruction to its exit status.
package enum Program {
    static let version = "0.1.0"

    /// Runs the command that the process was started with, and ends the process.
    package static func main() -> Never {
        ProcessSetup.harden()
        let wakeUp = Signals.install()
        exit(run(words(), environment: .ofThisProcess, wakeUp: wakeUp).rawValue)
    }

    /// The arguments as the kernel handed them over: bytes, without the program's name.
    private static func words() -> [[UInt8]] {
        let arguments = UnsafeBufferPointer(start: CommandLine.unsafeArgv, count: Int(CommandLine.argc))
        return arguments.dropFirst().compactMap { argument in
            argument.map { Array(UnsafeBufferPointer(start: $0, count: strlen($0)).map { UInt8(bitPattern: $0) }) }
        }
    }

    private static func run(_ words: [[UInt8]], environment: Environment, wakeUp: Int32) -> ExitCode {
        // Until the arguments are understood: enough to say that they are not.
        var settings = Console.Settings(environment)
        settings.isJSON = ArgumentParser.asksForJSON(words)
        var console = Console(settings)
        do {
            switch try ArgumentParser.parse(words) {
            case .version: try console.out("repo \(version)")
            case .help(let words): try console.out(HelpText.text(for: words))
            case .overview:
                if console.isJSON { throw UsageError("no command is named", hint: "repo --help shows them") }
                console.explain(HelpText.overview)
                return .usage
            case .run(let arguments):
                console = Console(settings.following(arguments))
                let session = Session(
                    arguments: arguments, console: console, environment: environment,
                    surroundings: ProcessSetup.surroundings(console: console, wakeUp: wakeUp))
                let code = try arguments.command.run(session)
                try console.flush()
                console.endProgress()
                return code
            }
            try console.flush()
            return .done
        } catch is OutputClosed {
            console.endProgress()
            return .failed
        } catch {
            console.endProgress()
            console.report(error)
            return (error as? any Explained)?.exitCode ?? .failed
        }
    }
}

extension Console {
    convenience init(_ settings: Settings) {
        self.init(settings, calls: .kernel, milliseconds: { ProcessSetup.milliseconds(CLOCK_MONOTONIC) })
    }
}

extension Console.Settings {
    /// What the terminal and its user's variables say.
    init(_ environment: Environment) {
        outputIsTerminal = isatty(1) == 1
        errorIsTerminal = isatty(2) == 1
        hasColors = environment["NO_COLOR"] == nil && environment.text("TERM") != "dumb"
        if errorIsTerminal { width = Int(repo_terminal_width(2)) }
    }

    /// What the options say on top of that.
    func following(_ arguments: Arguments) -> Console.Settings {
        var settings = self
        settings.isJSON = arguments.has(GlobalOptions.json)
        settings.isQuiet = arguments.has(GlobalOptions.quiet)
        if arguments.has(GlobalOptions.noProgress) { settings.showsProgress = false }
        if arguments.has(GlobalOptions.noColor) { settings.hasColors = false }
        return settings
    }
}
