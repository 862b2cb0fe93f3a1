import Logging
import NIOCore

#if os(Linux)
    import Glibc
#endif

/// The way to one player: frames out, bounded.
///
/// A player who does not read does not hold anyone up: states are skipped while the socket is full, and a player who
/// lets more wait than the limit is dropped.
struct PlayerLink: Sendable {
    let channel: any Channel

    /// Sends a frame that may be skipped: the next one says more.
    func sendLossy(_ frame: ByteBuffer) {
        guard channel.isWritable else { return }
        channel.writeAndFlush(frame, promise: nil)
    }

    /// Sends a frame that matters; a player whose socket is full loses the connection.
    func send(_ frame: ServerFrame) {
        guard channel.isWritable else { return close() }
        do {
            channel.writeAndFlush(try frame.line(), promise: nil)
        } catch {
            close()
        }
    }

    /// Sends the last frame and closes when it is out, at most a second later: a client that does not read must not
    /// hold the connection.
    func finish(with frame: ServerFrame) {
        guard channel.isWritable else { return close() }
        do {
            let channel = channel
            let line = try frame.line()
            let deadline = channel.eventLoop.scheduleTask(in: .seconds(1)) { channel.close(promise: nil) }
            channel.writeAndFlush(line).whenComplete { _ in
                deadline.cancel()
                channel.close(promise: nil)
            }
        } catch {
            close()
        }
    }

    /// The round trip that the kernel measured on this connection, in ms; `nil` where it has none. The client has no
    /// part in it but to be far away.
    func roundTripMs() async -> Double? {
        #if os(Linux)
            guard let provider = channel as? any SocketOptionProvider else { return nil }
            do {
                return Double(try await provider.getTCPInfo().get().tcpi_rtt) / 1_000
            } catch {
                return nil  // The connection is closed.
            }
        #else
            return nil
        #endif
    }

    func close() { channel.close(promise: nil) }
}
