import Glibc

/// Whether LONG=1 asks for the forms of tests that take memory or minutes.
package let isLong = getenv("LONG") != nil
