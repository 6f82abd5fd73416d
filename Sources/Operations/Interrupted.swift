import CLinux
import Faults

/// A signal asked to end. What was uploaded is kept and used by the next add.
package struct Interrupted: Explained {
    package let signal: Int32

    package init(signal: Int32) { self.signal = signal }

    package var message: String { signal == SIGTERM ? "terminated" : "interrupted" }
    package var exitCode: ExitCode { signal == SIGTERM ? .terminated : .interrupted }
}
