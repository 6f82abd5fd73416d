/// What concerns all commands.
struct Topic: Sendable {
    /// The word after `repo help`.
    let name: String
    let summary: String
    let title: String
    let text: String
}

enum Topics {
    static let all = [options, references, passwords, exitCodes, json]

    private static let options = Topic(
        name: "options", summary: "options for every command", title: "Options for every command",
        text: """
            These options may stand before the command or behind it. What stands in brackets
            is a variable that says the same.

            \(HelpText.options(GlobalOptions.all))

            There is no default for the repository: an accident should not begin with one.
            A value follows its option or is joined to it: --last 3, --last=3. After -- no
            options follow: the rest is a command, or arguments that begin with a dash.
            """)

    private static let references = Topic(
        name: "references", summary: "how to name a snapshot, and a repository",
        title: "References and locations",
        text: """
            A REF names one snapshot:

              shop                     the latest of the series shop
              shop@latest              the same
              shop@2026-11-20          the newest on that day or before
              shop@2026-11-20T14:30    the newest at that minute or before
              3f9c02ab                 by its id: the first 8 digits or more

            repo add --group NAME ties snapshots of several series together. Where no series
            has its name, a group is named like one: nightly, nightly@2026-11-20. It means
            all that was saved together: what was begun within 12 hours, up to where a
            series comes again. list, restore and forget take a group; what wants one
            snapshot says which there are.

            Times are local; one with a Z at its end is UTC.

            A LOCATION is a directory, or a place in an object store that speaks S3:
            s3://BUCKET/PREFIX, with --endpoint URL where that is not Amazon's. Its
            credentials come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, from
            ~/.aws/credentials, or from the machine it runs on.
            docs/s3.md tells of rights, Object Lock and the stores there are.
            """)

    private static let passwords = Topic(
        name: "passwords", summary: "what opens a repository", title: "Passwords and keys",
        text: """
            A repository is opened by one of these:

              --password-file FILE       the password is the first line of FILE
              --password-command CMD     it is the first line that CMD prints; CMD runs in
                                         /bin/sh with empty input
              REPO_PASSWORD              it is the value of this variable
              --key-file FILE            32 random bytes: repo key add --generate makes one
              --recovery-key-file FILE   the recovery key, as repo init wrote it
              a terminal                 asks, where none of them is given

            More than one of them is an error, so that no key is taken for another. A
            password has 1 to 1024 bytes. No secret is ever an argument: those are seen by
            every user of the machine.

            The recovery key opens everything, also when every key slot is lost. Keep it on
            paper, away from the repository. A host that shall back up but read nothing back
            gets a write key: repo help key add.
            """)

    private static let exitCodes = Topic(
        name: "exit-codes", summary: "what the exit status says", title: "Exit statuses",
        text: """
              0    done
              1    failed
              2    wrong usage: nothing was tried
              3    saved with a reservation: files unreadable, or much shorter than usual;
                   restored but for what is lost (restore --allow-damaged)
              4    the stream was cut off, or what wrote it failed: nothing was saved
              5    check found damage
              6    the repository is of a later format version
              7    the repository shows less than it did: it looks rolled back
              10   there is no repository at that place
              12   no key slot opens with this password or key file
              130  interrupted (Ctrl-C)
              143  terminated

            Anything else but 0 is a failure too. Ending repo at any moment is safe: what is
            there stays valid, nothing has to be unlocked or repaired, and the same command
            run again goes on from what it had done.
            """)

    private static let json = Topic(
        name: "json", summary: "output for scripts", title: "JSON lines",
        text: """
            With --json every line is an object with a "type". Results go to standard output,
            all else to standard error. Sizes are integers in bytes, times RFC 3339 in UTC,
            ids 32 hexadecimal digits; what is not known is null.

            standard output:
              snapshot   list and show: snapshot, series, time, host, kind, parent, complete,
                         evidence, end, format, bytes, bytes_new, bytes_stored,
                         tags, group, held, position {file, offset, gtid}
                         show adds: together_with [{snapshot, series}], started, ended,
                         base, policy, keep, keep_reasons, shrunk, tool, tool_version,
                         server_version, inner_format, databases, notes, program,
                         options, exit_status, standard_error, continue_with,
                         streams [{role, bytes}]
              member     show --members: path, kind, bytes, mode, user, group, time, link,
                         hard_link, reservation
              table      show --tables: space, name, bytes, ranges [{offset, length}]
              difference diff: change (added, removed, content, metadata), bytes_before,
                         bytes_after; of files path, metadata [...]; of tables space, name
                         (null outside them), bytes_new, bytes_gone
              key        key list: key, kind, secret, created, label, domain, open
              damage     check: object, problem, snapshots
              lost       check: snapshot, lost [{stream, ranges}], damaged [{kind, path,
                         ranges}]; kind is file, member or table; ranges as of tables
              repair     check --repair: what
              policy     policy show: pattern, version, time, keep_last, keep_hourly,
                         keep_daily, keep_weekly, keep_monthly, keep_yearly (null: no
                         rule; -1: all), keep_within, keep_tags, max_age, timezone,
                         week_starts, by_host, expect_every; with SERIES also series
              anomaly    policy show SERIES, policy acknowledge: snapshot, series, time,
                         stored, kind (time, flood, size, new-data), text
              hold       hold list: hold, name, match, until, min_age, forever, since,
                         reason, source, ended, snapshots
              decision   prune: snapshot, series, time, action (keep, drop), reasons,
                         policy; forget: the same without policy
              summary    the last line of
                add      snapshot, series, time, kind, parent, group, format, complete,
                         evidence, end, bytes_read, bytes_new, bytes_stored, chunks,
                         chunks_new, frames_delta, bytes_saved, seconds, position,
                         reservations
                restore  snapshot, path, bytes, files, seconds, notes, lost, damaged; of a
                         group one a snapshot; with a command: snapshot, program,
                         exit_status, signal, bytes, seconds
                diff     first, second, added, removed, content, metadata, unchanged,
                         bytes_new, bytes_gone, bytes_common, seconds
                check    repairs, damages, snapshots, packs, chunks, bytes_read,
                         data_was_read, notes, seconds, exit_code
                prune    snapshots_kept, snapshots_dropped, dry_run
                forget   snapshots_dropped, dry_run
                policy   set, remove: pattern, version; acknowledge: snapshots
                hold     add: hold, name, snapshots_held, snapshots_late [...]; remove:
                         name, holds
                init     location, repository, created, recovery_key_file
                key      key, kind; key recovery: recovery_key_file

            standard error:
              progress   bytes, bytes_total, bytes_new, bytes_per_second, seconds; prune
                         counts other things: step, done, total, seconds; at most one a
                         second
              warning    message
              note       message
              error      message, hint, exit_code

            complete is true, false or null: the end was seen or the command succeeded; it
            was cut off and saved all the same; nobody can say. evidence is trailer,
            exit-status, both or none. end is what the column of repo list says.
            """)
}
