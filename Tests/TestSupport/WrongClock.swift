import Foundation

/// A wall clock that is wrong by hours, for single processes: a library of a few lines that is loaded into them. It
/// leaves the steady clocks alone, as a machine does whose clock was set wrong.
///
/// It is made anew by a C compiler: Swift comes with one. Debian's `faketime` moves the timers of a process too, so
/// that nothing in it would ever fall due.
public struct WrongClock: Sendable {
    private let folder: TemporaryFolder
    private var library: String { folder.file("wrong-clock.so") }

    private static let source = """
        #include <stdlib.h>
        #include <sys/syscall.h>
        #include <sys/time.h>
        #include <time.h>
        #include <unistd.h>

        static long shift;

        __attribute__((constructor)) static void begin(void) {
            const char *hours = getenv("WRONG_CLOCK_HOURS");
            shift = hours ? atol(hours) * 3600 : 0;
        }

        int clock_gettime(clockid_t id, struct timespec *now) {
            int failure = syscall(SYS_clock_gettime, id, now);
            if (!failure && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) now->tv_sec += shift;
            return failure;
        }

        int gettimeofday(struct timeval *now, void *zone) {
            int failure = syscall(SYS_gettimeofday, now, zone);
            if (!failure) now->tv_sec += shift;
            return failure;
        }

        time_t time(time_t *now) {
            struct timespec precise;
            clock_gettime(CLOCK_REALTIME, &precise);
            if (now) *now = precise.tv_sec;
            return precise.tv_sec;
        }
        """

    public init() throws {
        folder = try TemporaryFolder()
        let file = folder.file("wrong-clock.c")
        try Data(Self.source.utf8).write(to: URL(filePath: file))
        let compiler = Process()
        compiler.executableURL = URL(filePath: "/bin/sh")
        compiler.arguments = [
            "-c", #""$(command -v clang || command -v cc)" -shared -fPIC -O1 -o "$1" "$2""#, "compile", library, file,
        ]
        compiler.standardInput = FileHandle.nullDevice
        try compiler.run()
        compiler.waitUntilExit()
        guard compiler.terminationStatus == 0 else {
            throw TestSupportError("neither clang, which comes with Swift, nor cc could make \(library)")
        }
    }

    /// What to start a process with, so that its clock is so many hours ahead (or behind, where negative).
    public func environment(hours: Int) -> [String: String] {
        ["LD_PRELOAD": library, "WRONG_CLOCK_HOURS": String(hours)]
    }

    /// Removes the library; processes that have it go on.
    public func remove() { folder.remove() }
}
