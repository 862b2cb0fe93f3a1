import NIOCore
import Synchronization

/// The connections of the game port: never more than the limit, and of each address only so many that have not joined.
///
/// So one address that opens connections and says nothing can't keep others out: it holds its own share, each for the
/// time that a connection may go without joining.
final class OpenConnections: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        /// By address.
        var unjoined: [String: Set<ObjectIdentifier>] = [:]
    }

    private let limits: InstanceConfiguration.ConnectionLimits
    private let state = Mutex(State())

    init(limits: InstanceConfiguration.ConnectionLimits) { self.limits = limits }

    /// Whether there is room for the connection; then it counts until ``remove(_:)``.
    func admit(_ channel: any Channel) -> Bool {
        let (key, address) = (ObjectIdentifier(channel), Self.address(channel))
        return state.withLock { state in
            guard state.channels.count < limits.connectionsMax,
                state.unjoined[address, default: []].count < limits.unjoinedMax
            else { return false }
            state.channels[key] = channel
            state.unjoined[address, default: []].insert(key)
            return true
        }
    }

    /// A player came in by it.
    func joined(_ channel: any Channel) {
        let (key, address) = (ObjectIdentifier(channel), Self.address(channel))
        state.withLock { Self.forget(key, of: address, in: &$0) }
    }

    func remove(_ channel: any Channel) {
        let (key, address) = (ObjectIdentifier(channel), Self.address(channel))
        state.withLock { state in
            state.channels[key] = nil
            // An address that is known no more: the connection is closed.
            if address.isEmpty {
                for address in state.unjoined.keys { Self.forget(key, of: address, in: &state) }
            } else {
                Self.forget(key, of: address, in: &state)
            }
        }
    }

    var all: [any Channel] { state.withLock { Array($0.channels.values) } }

    private static func forget(_ key: ObjectIdentifier, of address: String, in state: inout State) {
        state.unjoined[address]?.remove(key)
        if state.unjoined[address]?.isEmpty == true { state.unjoined[address] = nil }
    }

    private static func address(_ channel: any Channel) -> String { channel.remoteAddress?.ipAddress ?? "" }
}
