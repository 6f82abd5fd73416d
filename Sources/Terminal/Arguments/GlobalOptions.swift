/// The options that every command knows, before its name or after it.
enum GlobalOptions {
    static let repository = Option(
        "repository", letter: "r", value: "LOCATION", environment: "REPO_REPOSITORY",
        "where the repository is: a directory, or s3://BUCKET/PREFIX")
    static let passwordFile = Option(
        "password-file", value: "FILE", environment: "REPO_PASSWORD_FILE",
        "open with the password in the first line of FILE")
    static let passwordCommand = Option(
        "password-command", value: "CMD", environment: "REPO_PASSWORD_COMMAND",
        "open with the password that the shell command CMD prints")
    static let keyFile = Option(
        "key-file", value: "FILE", environment: "REPO_KEY_FILE",
        "open with the 32 bytes of a key file")
    static let recoveryKeyFile = Option(
        "recovery-key-file", value: "FILE", environment: "REPO_RECOVERY_KEY_FILE",
        "open with the recovery key; init writes it there")
    static let cacheDirectory = Option(
        "cache-dir", value: "DIR",
        "where this machine's index is kept; default $XDG_CACHE_HOME/repo or ~/.cache/repo")
    static let cacheSize = Option(
        "cache-size", value: "SIZE", environment: "REPO_CACHE_SIZE",
        "how much copies of packs of a far store may take there, such as 5GB; default a tenth of the free disk, at most 20 GiB"
    )
    static let endpoint = Option(
        "endpoint", value: "URL", environment: "REPO_ENDPOINT",
        "of s3://: the object store, such as https://s3.example.org; default Amazon's")
    static let region = Option(
        "region", value: "NAME", environment: "AWS_REGION",
        "of s3://: the region to sign for; default us-east-1")
    static let profile = Option(
        "profile", value: "NAME", environment: "AWS_PROFILE",
        "of s3://: the profile in ~/.aws/credentials to use")
    static let addressing = Option(
        "addressing", value: "HOW",
        "of s3://: path (endpoint/bucket) or virtual (bucket.endpoint); default auto")
    static let authorities = Option(
        "ca-file", value: "FILE", environment: "REPO_CA_FILE",
        "certificates to trust instead of the system's")
    static let insecureHTTP = Option(
        "insecure-http", "allow plain http to another machine: names and times can be seen")
    static let storageClass = Option(
        "storage-class", value: "CLASS", "of s3://: the class that packs of data are stored in")
    static let objectLock = Option(
        "object-lock", value: "DAYS", environment: "REPO_OBJECT_LOCK",
        "of s3://: nobody can delete what is written for so many days; DAYS:governance but who may bypass that"
    )
    static let limitUpload = Option(
        "limit-upload", value: "SIZE", "send no more a second than this, such as 10MB")
    static let limitDownload = Option(
        "limit-download", value: "SIZE", "fetch no more a second than this")
    static let json = Option("json", "say everything as JSON lines")
    static let quiet = Option(
        "quiet", letter: "q", "say nothing but what was asked for, warnings and errors")
    static let noProgress = Option("no-progress", "no progress line")
    static let noColor = Option("no-color", environment: "NO_COLOR", "no colors")
    static let help = Option("help", letter: "h", "show help and exit")
    static let version = Option("version", "show the version and exit")

    static let all = [
        repository, passwordFile, passwordCommand, keyFile, recoveryKeyFile, cacheDirectory,
        cacheSize, endpoint, region, profile, addressing, authorities, insecureHTTP, storageClass,
        objectLock, limitUpload, limitDownload, json, quiet,
        noProgress, noColor, help, version,
    ]

    /// The variable that holds a password itself. There is no such option: arguments are seen by
    /// every user.
    static let passwordVariable = "REPO_PASSWORD"
}
