/// The version that this executable calls itself by, in `muster version` and in the registry of processes.
enum Version {
    static let text = "0.1.0"
}
