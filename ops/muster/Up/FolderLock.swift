import Foundation

/// One supervisor per data folder: a lock that the kernel lets go of when its holder ends, however it ends.
final class FolderLock: Sendable {
    private let handle: Int32

    /// Takes the lock of a folder, or says who has it.
    init(folder: String) throws {
        let path = "\(folder)/up.lock"
        handle = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard handle >= 0 else {
            throw CommandFailure(
                "The file \(path) can't be opened: \(String(cString: strerror(errno))).",
                nextStep: "Use a folder that you may write to: muster up --data FOLDER.")
        }
        guard flock(handle, LOCK_EX | LOCK_NB) == 0 else {
            close(handle)
            throw CommandFailure(
                "Another 'muster up' is using the data folder \(folder).",
                nextStep: "Stop it first, or give this one a folder of its own: muster up --data FOLDER.")
        }
    }

    deinit { close(handle) }
}
