import Foundation

/// The executable that runs now.
enum ThisProgram {
    /// Its path; where its file was replaced or removed since it started, the kernel's own handle on it.
    static var path: String {
        do {
            let path = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
            if FileManager.default.isExecutableFile(atPath: path) { return path }
        } catch {
            // No /proc link to read; the handle below is all there is.
        }
        return "/proc/\(getpid())/exe"
    }
}
