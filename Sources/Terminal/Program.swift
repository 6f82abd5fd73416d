import CLinux
import Faults
import Files
import Vault

/// The program from its first instruction to its exit status.
package enum Program {
    static let version = "0.1.0"

    /// Runs the command that the process was started with, and ends the process.
    package static func main() -> Never {
        ProcessSetup.harden()
        let wakeUp = Signals.install()
        exit(run(words(), in: .ofThisProcess(wakeUp: wakeUp)).rawValue)
    }

    /// The arguments as the kernel handed them over: bytes, without the program's name.
    private static func words() -> [[UInt8]] {
        let arguments = UnsafeBufferPointer(
            start: CommandLine.unsafeArgv, count: Int(CommandLine.argc))
        return arguments.dropFirst().compactMap { argument in
            argument.map {
                Array(
                    UnsafeBufferPointer(start: $0, count: strlen($0)).map { UInt8(bitPattern: $0) })
            }
        }
    }

    /// What a run of the program sees of the world; tests make their own.
    struct World: Sendable {
        var environment: Environment
        /// What the terminal and the environment say; the options follow.
        var settings: Console.Settings
        var systemCalls: SystemCalls
        /// Of a clock that only runs forward.
        var milliseconds: @Sendable () -> Int64
        var surroundings: @Sendable (Console) -> Surroundings

        static func ofThisProcess(wakeUp: Int32) -> World {
            World(
                environment: .ofThisProcess, settings: Console.Settings(.ofThisProcess),
                systemCalls: .kernel,
                milliseconds: { ProcessSetup.milliseconds(CLOCK_MONOTONIC) },
                surroundings: { ProcessSetup.surroundings(console: $0, wakeUp: wakeUp) })
        }

        func console(_ settings: Console.Settings) -> Console {
            Console(settings, calls: systemCalls, milliseconds: milliseconds)
        }
    }

    /// - Parameter words: the command line without the program's name.
    static func run(_ words: [[UInt8]], in world: World) -> ExitCode {
        // Until the arguments are understood: enough to say that they are not.
        var settings = world.settings
        settings.isJSON = ArgumentParser.asksForJSON(words)
        var console = world.console(settings)
        do {
            let code: ExitCode
            switch try ArgumentParser.parse(words) {
            case .run(let arguments):
                console = world.console(world.settings.following(arguments))
                code = try arguments.command.run(
                    Session(
                        arguments: arguments, console: console, environment: world.environment,
                        surroundings: world.surroundings(console)))
            case .version:
                try console.out("repo \(version)")
                code = .done
            case .help(let words):
                try console.out(HelpText.text(for: words))
                code = .done
            case .overview:
                if console.isJSON {
                    throw UsageError("no command is named", hint: "repo --help shows them")
                }
                console.explain(HelpText.overview)
                code = .usage
            }
            try console.flush()
            console.endProgress()
            return code
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
