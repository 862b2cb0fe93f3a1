import Foundation

/// A wall clock that is wrong by hours, for single processes: a library of a few lines that is loaded into them. It
/// leaves the steady clocks alone, as a machine does whose clock was set wrong. It can jump while they run.
///
/// It is made anew by a C compiler: Swift comes with one. Debian's `faketime` moves the timers of a process too, so
/// that nothing in it would ever fall due.
public struct WrongClock: Sendable {
    private let folder: TemporaryFolder
    private var library: String { folder.file("wrong-clock.so") }
    /// How far the clocks have jumped, in seconds, as the processes see it.
    private var jumpFile: String { folder.file("jump") }

    private static let source = """
        #include <fcntl.h>
        #include <stdlib.h>
        #include <sys/mman.h>
        #include <sys/syscall.h>
        #include <sys/time.h>
        #include <time.h>
        #include <unistd.h>

        static long start;
        static volatile long none;
        static volatile long *jump = &none;

        __attribute__((constructor)) static void begin(void) {
            const char *hours = getenv("WRONG_CLOCK_HOURS"), *path = getenv("WRONG_CLOCK_JUMP");
            start = hours ? atol(hours) * 3600 : 0;
            int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
            if (file < 0) return;
            void *shared = mmap(0, sizeof(long), PROT_READ, MAP_SHARED, file, 0);
            if (shared != MAP_FAILED) jump = shared;
            close(file);
        }

        #define shift (start + *jump)

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
        try Data(repeating: 0, count: MemoryLayout<Int>.size).write(to: URL(filePath: jumpFile))
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
        ["LD_PRELOAD": library, "WRONG_CLOCK_HOURS": String(hours), "WRONG_CLOCK_JUMP": jumpFile]
    }

    /// Lets the clocks of all its processes jump, from how wrong they were at their start, forwards or back.
    public func jump(hours: Int) throws {
        // In place, for the processes have the file in their memory.
        let file = try FileHandle(forWritingTo: URL(filePath: jumpFile))
        try file.write(contentsOf: withUnsafeBytes(of: hours * 3_600) { Data($0) })
        try file.close()
    }

    /// Removes the library; processes that have it go on.
    public func remove() { folder.remove() }
}
